//! The tools of an account and of an integration, by the API.

use causeway::ports::Body;
use serde_json::{Value, json};

use super::{context, crm};
use crate::client::Setting;
use crate::outside::World;

fn names(answer: &Value) -> Vec<&str> {
    let result = answer["result"].as_array().unwrap().iter();
    result.map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[test]
fn an_account_lists_its_tools() {
    let setting = Setting::new(&World::new(), &crm());
    let account = setting.account("oauth2", &context(&json!("contacts:read")));
    let path = format!("/integrated-account/{account}/tools");
    let found = setting.client.get(&path).expect(200);
    assert_eq!(
        names(&found),
        [
            "create_a_acme_crm_contacts",
            "delete_a_acme_crm_contacts_by_id",
            "get_single_acme_crm_contacts_by_id",
            "list_all_acme_crm_contacts",
            "update_a_acme_crm_contacts_by_id",
            "acme_crm_reports_render"
        ]
    );
    assert_eq!(
        (&found["next_cursor"], &found["limit"]),
        (&Value::Null, &json!(6))
    );
    let text = json!({ "type": "string", "description": "A text." });
    let list = &found["result"][3];
    assert_eq!(
        *list,
        json!({
            "name": "list_all_acme_crm_contacts", "title": "Acme CRM: contacts list", "description": "Lists contacts.",
            "resource": "contacts", "method": "list",
            "query_schema": { "type": "object", "properties": { "city": text } }, "body_schema": null,
            "input_schema": { "type": "object", "properties": {
                "limit": { "type": "integer", "minimum": 1, "description": "The most records of a page." },
                "next_cursor": { "type": "string", "description": "The `next_cursor` of the page before; leave it out for the first page." },
                "city": text }, "required": [], "additionalProperties": false },
            "output_schema": { "type": "object" },
            "required": [],
            "annotations": { "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true },
            "scopes": ["contacts:read"], "is_allowed": true,
        })
    );
    let create = &found["result"][0];
    assert_eq!(
        (&create["is_allowed"], &create["required"]),
        (&json!(false), &json!(["name"]))
    );
    assert_eq!(create.get("output_schema"), None);
    assert_eq!(found["result"][1]["is_allowed"], true, "it needs no scope");
}

#[test]
fn a_scope_that_is_not_known_is_not_claimed_and_a_sandbox_has_no_writes() {
    let setting = Setting::new(&World::new(), &crm());
    let account = setting.account("oauth2", &context(&Value::Null));
    let path = format!("/integrated-account/{account}/tools");
    let found = setting.client.get(&path).expect(200);
    assert_eq!(found["result"][0]["is_allowed"], Value::Null);
    let change = format!("/integrated-account/{account}");
    setting
        .client
        .send("PATCH", &change, &json!({ "is_sandbox": true }))
        .expect(200);
    assert_eq!(
        names(&setting.client.get(&path).expect(200)),
        [
            "get_single_acme_crm_contacts_by_id",
            "list_all_acme_crm_contacts"
        ]
    );
}

#[test]
fn filters_narrow_the_list_and_an_unknown_one_is_refused() {
    let setting = Setting::new(&World::new(), &crm());
    let account = setting.account("oauth2", &context(&Value::Null));
    for base in [
        format!("/integrated-account/{account}/tools"),
        "/integration/acme-crm/tools".to_owned(),
    ] {
        let count =
            |query: &str| names(&setting.client.get(&format!("{base}?{query}")).expect(200)).len();
        for (query, expected) in [
            ("next_cursor=", 6),
            ("methods=read", 2),
            ("methods=write", 4),
            ("methods=get,%20delete", 2),
            ("tags=crm", 5),
            ("resources=reports", 1),
            ("tags=crm&methods=write", 3),
            ("methods=unknown", 0),
            ("has_description=false", 7),
            ("has_description=true", 6),
        ] {
            assert_eq!(count(query), expected, "{base} {query}");
        }
        for query in ["method=read", "has_description=no", "tags=a&tags=b"] {
            let answer = setting.client.get(&format!("{base}?{query}"));
            assert_eq!(answer.code(400), "caller.malformed", "{query}");
        }
    }
}

#[test]
fn an_account_token_lists_the_tools_of_its_own_account_alone() {
    let setting = Setting::new(&World::new(), &crm());
    let (own, other) = (
        setting.account("oauth2", &context(&Value::Null)),
        setting.account("oauth2", &context(&Value::Null)),
    );
    let body = json!({ "integrated_account_id": own });
    let made = setting
        .client
        .post("/integrated-account/token", &body)
        .expect(201);
    let customer = setting
        .admin
        .with_token(made["integrated_account_token"].as_str().unwrap());
    let path = |account: &str| format!("/integrated-account/{account}/tools");
    assert_eq!(names(&customer.get(&path(&own)).expect(200)).len(), 6);
    assert_eq!(customer.get(&path(&other)).code(404), "caller.not_found");
    let stranger = setting
        .admin
        .token_of(&setting.admin.environment("o"), None);
    assert_eq!(stranger.get(&path(&own)).code(404), "caller.not_found");
    let without = customer.with_token("");
    assert_eq!(
        without.request("GET", &path(&own), &[], Body::Empty).status,
        401
    );
}
