//! Calls of tools: the request, the result within its bounds, errors, and the log.

use serde_json::{Value, json};

use super::{Agent, CONTACTS};
use crate::account::JSON;
use crate::cases::each_case;
use crate::outside::World;

#[test]
fn a_list_is_called_page_by_page() {
    let agent = Agent::new(&World::new(), &json!({}));
    let tool = "list_all_acme_crm_contacts";
    agent.world().answers(
        200,
        &JSON,
        r#"{"items":[{"id":12345678901234567890}],"next":"p2"}"#,
    );
    let result = agent.call(tool, &json!({ "city": "Köln", "limit": 1 }));
    let page = &result["structuredContent"];
    let cursor = page["next_cursor"].as_str().unwrap();
    let text = result["content"][0]["text"].as_str().unwrap();
    assert!(
        text.starts_with(r#"{"result":[{"id":12345678901234567890}],"next_cursor":""#),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), *page);
    agent.world().answers(200, &JSON, r#"{"items":[{"id":2}]}"#);
    let last = agent.done(
        tool,
        &json!({ "city": "Köln", "limit": 1, "next_cursor": cursor }),
    );
    assert_eq!(
        last,
        json!({ "result": [{ "id": 2 }], "next_cursor": null })
    );
    let urls: Vec<String> = agent
        .world()
        .sent()
        .into_iter()
        .map(|sent| sent.url)
        .collect();
    assert_eq!(
        urls,
        [
            format!("{CONTACTS}?city=K%C3%B6ln&per_page=1"),
            format!("{CONTACTS}?city=K%C3%B6ln&per_page=1&after=p2")
        ]
    );
}

#[test]
fn each_method_is_called_as_by_proxy() {
    let agent = Agent::new(&World::new(), &json!({}));
    for (tool, arguments, answer, expected, request) in [
        (
            "get_single_acme_crm_contacts_by_id",
            json!({ "id": "a/b" }),
            r#"{"id":"a/b"}"#,
            json!({ "id": "a/b" }),
            "GET /contacts/a%2Fb ",
        ),
        (
            "create_a_acme_crm_contacts",
            json!({ "name": "Ada", "age": 36 }),
            r#"{"id":1}"#,
            json!({ "id": 1 }),
            r#"POST /contacts {"name":"Ada","age":36}"#,
        ),
        (
            "update_a_acme_crm_contacts_by_id",
            json!({ "id": 7, "name": "Ada" }),
            "[1,2]",
            json!({ "result": [1, 2] }),
            r#"PATCH /contacts/7 {"name":"Ada"}"#,
        ),
        (
            "delete_a_acme_crm_contacts_by_id",
            json!({ "id": "7" }),
            "",
            json!({ "result": null }),
            "DELETE /contacts/7?pin=4711 ",
        ),
        (
            "acme_crm_reports_render",
            json!({ "body": { "of": "a b", "n": 1 } }),
            "a report",
            json!({ "result": "a report" }),
            "POST /reports of=a%20b&n=1",
        ),
    ] {
        agent.world().answers(200, &JSON, answer);
        assert_eq!(agent.done(tool, &arguments), expected, "{tool}");
        let sent = agent.world().sent().pop().unwrap();
        let body = String::from_utf8(sent.body.clone()).unwrap();
        let path = sent.url.strip_prefix("https://api.acme.example").unwrap();
        assert_eq!(format!("{} {path} {body}", sent.method), request);
        assert_eq!(
            sent.header("authorization"),
            Some("Bearer token-of-the-crm")
        );
    }
}

#[test]
fn the_log_names_the_token_and_not_its_text() {
    let agent = Agent::new(&World::with(&[("LOG_CALLS", "all")]), &json!({}));
    agent.world().answers(200, &JSON, "{}");
    agent.done("get_single_acme_crm_contacts_by_id", &json!({ "id": "7" }));
    agent.world().pass(std::time::Duration::from_secs(2));
    agent.world().settle();
    let log = agent
        .setting
        .client
        .get(&format!("/log?integrated_account_id={}", agent.account))
        .expect(200);
    let line = &log["result"][0];
    assert_eq!(line["caller"], format!("mcp:{}", agent.id));
    assert_eq!(
        (&line["resource"], &line["resource_method"]),
        (&json!("contacts"), &json!("get"))
    );
    assert_eq!(
        (&line["method"], &line["path"]),
        (&json!("GET"), &json!("/contacts/{{id}}"))
    );
    let secret = agent.path.rsplit('/').next().unwrap();
    assert!(!agent.world().at_rest().contains(secret));
}

#[test]
fn arguments_against_the_schema_and_unknown_tools_reach_no_provider() {
    let agent = Agent::new(&World::new(), &json!({ "resources": ["contacts"] }));
    let cases = [
        ("create_a_acme_crm_contacts", json!({}), "name"),
        ("create_a_acme_crm_contacts", json!({ "name": 1 }), "name"),
        (
            "create_a_acme_crm_contacts",
            json!({ "name": "a", "age": "b" }),
            "age",
        ),
        (
            "create_a_acme_crm_contacts",
            json!({ "name": "a", "town": "b" }),
            "town",
        ),
        ("get_single_acme_crm_contacts_by_id", json!({}), "id"),
        ("list_all_acme_crm_contacts", json!([]), "arguments"),
        ("acme_crm_reports_render", json!({}), ""),
        ("acme_crm_contacts_hide", json!({}), ""),
        ("unknown", json!({}), ""),
    ];
    each_case(cases, |(tool, arguments, path)| {
        assert_eq!(agent.refused(tool, &arguments), path, "{tool} {arguments}");
    });
    assert_eq!(
        agent.request("tools/call", &json!({}))["error"]["code"],
        -32602
    );
    let (code, text) = agent.failed(
        "list_all_acme_crm_contacts",
        &json!({ "next_cursor": "cut.x" }),
    );
    assert!(
        code == "caller.invalid" && text.contains("next_cursor"),
        "{text}"
    );
    let (code, _) = agent.failed(
        "list_all_acme_crm_contacts",
        &json!({ "next_cursor": "k1.forged" }),
    );
    assert_eq!(code, "caller.bad_cursor");
    assert_eq!(agent.world().sent().len(), 0);
}

#[test]
fn errors_say_what_happened_and_what_to_do() {
    let agent = Agent::new(&World::new(), &json!({}));
    let get = "get_single_acme_crm_contacts_by_id";
    agent
        .world()
        .answers(404, &JSON, r#"{"error":"no such contact"}"#);
    let (code, text) = agent.failed(get, &json!({ "id": "7" }));
    assert_eq!(code, "provider.rejected");
    assert!(
        text.contains("status 404") && text.contains("no such contact"),
        "{text}"
    );
    let long = format!("\"{}\"", "ä".repeat(10_000));
    agent.world().answers(422, &JSON, &long);
    let result = agent.call(get, &json!({ "id": "7" }));
    let raw = result["structuredContent"]["error"]["raw_response"]
        .as_str()
        .unwrap();
    assert!((8_190..=8_192).contains(&raw.len()), "{}", raw.len());
    let path = format!("/environment-integration/{}", agent.setting.install);
    agent
        .setting
        .client
        .send("PATCH", &path, &json!({ "is_enabled": false }))
        .expect(200);
    assert_eq!(
        agent.failed(get, &json!({ "id": "7" })).0,
        "account.install_disabled"
    );
}

#[test]
fn a_result_is_cut_between_records_just_over_its_limit() {
    let agent = Agent::new(&World::with(&[("MCP_RESULT_BYTES", "16384")]), &json!({}));
    let record = |n: usize| format!(r#"{{"id":{n},"text":"{}"}}"#, "r".repeat(5_000));
    let records: Vec<String> = (0..5).map(record).collect();
    let page = format!(r#"{{"items":[{}],"next":"p2"}}"#, records.join(","));
    let tool = "list_all_acme_crm_contacts";
    let (mut ids, mut cursor) = (Vec::new(), Value::Null);
    for _ in 0..2 {
        agent.world().answers(200, &JSON, &page);
        let found = agent.done(tool, &json!({ "limit": 5, "next_cursor": cursor }));
        assert!(found.to_string().len() <= 16_384);
        ids.extend(
            found["result"]
                .as_array()
                .unwrap()
                .iter()
                .map(|own| own["id"].as_u64().unwrap()),
        );
        cursor = found["next_cursor"].clone();
    }
    assert_eq!(ids, [0, 1, 2, 3, 4][..ids.len()]);
    assert!(ids.len() >= 4, "{ids:?}");
    let sent = agent.world().sent();
    assert_eq!(
        sent[0].url, sent[1].url,
        "the page that was cut is asked for again"
    );

    let get = "get_single_acme_crm_contacts_by_id";
    let document = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
    agent.world().answers(200, &JSON, &document(16_384));
    agent.done(get, &json!({ "id": "7" }));
    agent.world().answers(200, &JSON, &document(16_385));
    assert_eq!(
        agent.failed(get, &json!({ "id": "7" })).0,
        "provider.answer_too_large"
    );
    agent.world().answers_with(crate::outside::reply(
        200,
        &[("content-type", "image/png")],
        causeway::ports::Body::from_bytes(vec![0xff, 0xd8]),
    ));
    assert_eq!(
        agent.failed(get, &json!({ "id": "7" })).0,
        "provider.unexpected_answer"
    );
}

#[test]
fn a_record_that_is_too_large_does_not_block_its_list() {
    let agent = Agent::new(&World::with(&[("MCP_RESULT_BYTES", "16384")]), &json!({}));
    let page =
        json!({ "items": [{ "id": 0 }, { "id": 1, "text": "r".repeat(16_400) }, { "id": 2 }] })
            .to_string();
    let (mut records, mut cursor) = (Vec::new(), Value::Null);
    for _ in 0..2 {
        agent.world().answers(200, &JSON, &page);
        let found = agent.done(
            "list_all_acme_crm_contacts",
            &json!({ "next_cursor": cursor }),
        );
        records.extend(found["result"].as_array().unwrap().clone());
        cursor = found["next_cursor"].clone();
    }
    assert_eq!(records[0], json!({ "id": 0 }));
    assert_eq!(
        records[1],
        json!({ "too_large": { "bytes": 16_418, "limit": 16_384 } })
    );
    assert_eq!(records[2], json!({ "id": 2 }));
    assert_eq!(cursor, Value::Null);
}
