//! Changes by the application: what aims a credential, and what a token that may only connect learns.

use serde_json::json;

use crate::me::Pond;

#[test]
fn what_says_for_whom_a_token_is_asked_changes_only_with_new_credentials() {
    let pond = Pond::new();
    let client = &pond.setting.client;
    for key in ["directory", "audience", "subdomain"] {
        let body = json!({ "context": { key: "another" } });
        let refused = client.send("PATCH", &pond.path(""), &body);
        assert_eq!(refused.code(422), "caller.host_key", "{key}");
    }
    let new = json!({ "context": { "directory": "d2", "client_id": "new", "client_secret": "new-secret" } });
    client
        .send("PATCH", &pond.path("/credentials"), &new)
        .expect(200);
    pond.world
        .answers(200, &[], r#"{"access_token":"a-fresh-token"}"#);
    pond.called();
    let at_rest = pond.world.at_rest();
    assert!(!at_rest.contains("a-token-of-them"));
}

#[test]
fn a_token_that_may_only_connect_reads_no_account_by_changing_it() {
    let pond = Pond::new();
    let connect = pond
        .setting
        .admin
        .token_of(&pond.setting.environment, Some(&["connect"]));
    assert_eq!(connect.get(&pond.path("")).code(403), "caller.forbidden");
    let shown = json!({ "id": pond.account, "status": "active" });
    for (rest, body) in [
        ("", json!({})),
        ("", json!({ "context": { "memo": "x" } })),
        ("", json!({ "is_sandbox": true })),
        (
            "/credentials",
            json!({ "context": { "pin": "another-pin" } }),
        ),
    ] {
        let answer = connect.send("PATCH", &pond.path(rest), &body);
        assert_eq!(answer.expect(200), shown, "{rest} {body}");
    }
    let ends = json!({ "is_sandbox": false });
    assert_eq!(
        connect.send("PATCH", &pond.path(""), &ends).code(403),
        "caller.forbidden"
    );
    let client = &pond.setting.client;
    assert_eq!(client.get(&pond.path("")).expect(200)["is_sandbox"], true);
    let reads = pond
        .setting
        .admin
        .token_of(&pond.setting.environment, Some(&["connect", "read"]));
    let whole = reads.send("PATCH", &pond.path(""), &json!({})).expect(200);
    assert_eq!(whole["tenant_id"], "acme");
    assert_eq!(
        reads.send("PATCH", &pond.path(""), &ends).code(403),
        "caller.forbidden"
    );
    let ended = client.send("PATCH", &pond.path(""), &ends).expect(200);
    assert_eq!(ended["is_sandbox"], false);
}
