//! Changes by the application: what aims a credential, and what a token that may only connect learns.

use serde_json::json;

use crate::cases::each_case;
use crate::me::TenantStory;

#[test]
fn what_says_for_whom_a_token_is_asked_changes_only_with_new_credentials() {
    let story = TenantStory::new();
    let client = &story.setting.client;
    each_case(["directory", "audience", "subdomain"], |key| {
        let body = json!({ "context": { key: "another" } });
        let refused = client.send("PATCH", &story.path(""), &body);
        assert_eq!(refused.code(422), "caller.host_key", "{key}");
    });
    let new = json!({ "context": { "directory": "d2", "client_id": "new", "client_secret": "new-secret" } });
    client
        .send("PATCH", &story.path("/credentials"), &new)
        .expect(200);
    story
        .world
        .answers(200, &[], r#"{"access_token":"a-fresh-token"}"#);
    story.called();
    let at_rest = story.world.at_rest();
    assert!(!at_rest.contains("a-token-of-them"));
}

#[test]
fn a_token_that_may_only_connect_reads_no_account_by_changing_it() {
    let story = TenantStory::new();
    let connect = story
        .setting
        .admin
        .token_of(&story.setting.environment, Some(&["connect"]));
    assert_eq!(connect.get(&story.path("")).code(403), "caller.forbidden");
    let shown = json!({ "id": story.account, "status": "active" });
    let cases = [
        ("", json!({})),
        ("", json!({ "context": { "memo": "x" } })),
        ("", json!({ "is_sandbox": true })),
        (
            "/credentials",
            json!({ "context": { "pin": "another-pin" } }),
        ),
    ];
    each_case(cases, |(rest, body)| {
        let answer = connect.send("PATCH", &story.path(rest), &body);
        assert_eq!(answer.expect(200), shown, "{rest} {body}");
    });
    let ends = json!({ "is_sandbox": false });
    assert_eq!(
        connect.send("PATCH", &story.path(""), &ends).code(403),
        "caller.forbidden"
    );
    let client = &story.setting.client;
    assert_eq!(client.get(&story.path("")).expect(200)["is_sandbox"], true);
    let reads = story
        .setting
        .admin
        .token_of(&story.setting.environment, Some(&["connect", "read"]));
    let whole = reads.send("PATCH", &story.path(""), &json!({})).expect(200);
    assert_eq!(whole["tenant_id"], "acme");
    assert_eq!(
        reads.send("PATCH", &story.path(""), &ends).code(403),
        "caller.forbidden"
    );
    let ended = client.send("PATCH", &story.path(""), &ends).expect(200);
    assert_eq!(ended["is_sandbox"], false);
}
