//! What changes a digest, and what does not.

use serde_json::{Value, json};

use super::{Bound, Layers, Owner};

fn bound(secrets: Value) -> Bound {
    Bound {
        secrets,
        ..Bound::default()
    }
}

fn digest(file: &Value, install: &Value, account: &Value, key: &str) -> String {
    let file_secrets = bound(
        json!({ "credentials": { "oauth2": { "config": { "client": { "secret": "s" } } } } }),
    );
    let install_secrets = bound(json!({ "secret_environment_variables": { "a": "1", "b": "2" } }));
    let layers = Layers {
        file,
        file_secrets: &file_secrets,
        install,
        install_secrets: &install_secrets,
        account,
    };
    let all = layers.uses().into_iter();
    let mut found = all.filter(|((_, place), _)| place.key() == key);
    found
        .next()
        .map(|(_, uses)| uses.text())
        .unwrap_or_default()
}

fn file() -> Value {
    json!({
        "base_url": "https://api.example.com",
        "headers": { "x-a": "{{environment_variables.a}}" },
        "credentials": { "oauth2": { "format": "oauth2", "config": {
            "client": { "id": "{{environment_variables.id}}" }, "auth": { "tokenHost": "https://login.example.com" } } } },
    })
}

#[test]
fn the_order_of_keys_does_not_count() {
    let turned = json!({
        "credentials": { "oauth2": { "config": {
            "auth": { "tokenHost": "https://login.example.com" }, "client": { "id": "{{environment_variables.id}}" } }, "format": "oauth2" } },
        "headers": { "x-a": "{{environment_variables.a}}" },
        "base_url": "https://api.example.com",
    });
    for key in [
        "/credentials/oauth2/config/client/secret",
        "/secret_environment_variables/a",
    ] {
        let (one, other) = (
            digest(&file(), &json!({}), &Value::Null, key),
            digest(&turned, &json!({}), &Value::Null, key),
        );
        assert!(!one.is_empty());
        assert_eq!(one, other, "{key}");
    }
}

#[test]
fn each_secret_is_bound_to_its_own_use() {
    const CLIENT: &str = "/credentials/oauth2/config/client/secret";
    const A: &str = "/secret_environment_variables/a";
    const B: &str = "/secret_environment_variables/b";
    let table = [
        (json!({ "label": "x" }), [false, false, false]),
        (
            json!({ "base_url": "https://b.example.com" }),
            [false, true, false],
        ),
        (json!({ "allowed_hosts": ["*"] }), [true, true, false]),
        (
            json!({ "environment_variables": { "id": "1" } }),
            [true, false, false],
        ),
        (
            json!({ "environment_variables": { "other": "1" } }),
            [false, false, false],
        ),
        (
            json!({ "query": { "b": "{{environment_variables.b}}" } }),
            [false, false, true],
        ),
        (
            json!({ "query": { "all": "{{environment_variables}}" } }),
            [false, true, true],
        ),
        (
            json!({ "credentials": { "oauth2": { "config": { "options": { "bodyFormat": "json" } } } } }),
            [true, false, false],
        ),
        (
            json!({ "credentials": { "oauth2": { "config": { "params": { "p": "{{environment_variables.b}}" } } } } }),
            [false, false, true],
        ),
    ];
    for (change, expected) in table {
        let changed = [CLIENT, A, B].map(|key| {
            digest(&file(), &json!({}), &Value::Null, key)
                != digest(&file(), &change, &Value::Null, key)
        });
        assert_eq!(changed, expected, "{change}");
    }
}

#[test]
fn an_account_hides_no_variable_and_may_replace_a_client_secret() {
    let account = json!({
        "secret_environment_variables": { "a": "x" }, "base_url": "https://b.example.com",
        "credentials": { "oauth2": { "config": { "client": { "secret": "{{client_secret}}" } } } },
    });
    assert_ne!(
        digest(
            &file(),
            &json!({}),
            &account,
            "/secret_environment_variables/a"
        ),
        ""
    );
    assert_eq!(
        digest(
            &file(),
            &json!({}),
            &account,
            "/credentials/oauth2/config/client/secret"
        ),
        ""
    );
}

#[test]
fn secrets_without_digests_count_as_bound_to_their_own_record() {
    let old = Bound::opened(
        json!({ "credentials": { "oauth2": { "config": { "client": { "secret": "s" } } } } }),
    );
    assert!(old.bound_to.is_empty());
    let (none, nothing) = (Bound::default(), Value::Null);
    let file = file();
    let layers = |account| Layers {
        file: &file,
        file_secrets: &old,
        install: &nothing,
        install_secrets: &none,
        account,
    };
    assert!(layers(&nothing).unbound().is_empty());
    let moved = json!({ "credentials": { "oauth2": { "config": { "auth": { "tokenHost": "https://evil.example" } } } } });
    let unbound = layers(&moved).unbound();
    assert_eq!(
        unbound.iter().map(|(owner, _)| *owner).collect::<Vec<_>>(),
        [Owner::File]
    );
}

#[test]
fn what_is_sealed_is_read_again() {
    let mut some = bound(json!({ "webhook": { "a": 1 } }));
    some.bound_to
        .insert("/webhook/a".to_owned(), "digest".to_owned());
    assert_eq!(Bound::opened(some.to_seal()), some);
    assert_eq!(bound(json!({})).to_seal(), Value::Null);
    assert_eq!(Bound::opened(Value::Null), Bound::default());
}

#[test]
fn a_signing_secret_is_bound_to_all_of_a_list_but_not_to_its_tolerance() {
    const A: &str = "/secret_environment_variables/a";
    let schemes = || {
        json!([
            { "format": "hmac", "config": { "secret": "{{environment_variables.a}}", "compare_with": "$header.x-a",
              "timestamp": { "from": "$header.x-t", "tolerance": 300 } } },
            { "format": "hash", "config": { "secret": "{{environment_variables.b}}", "compare_with": "$header.x-b" } },
        ])
    };
    let of = |schemes: Value| {
        let file = json!({ "base_url": "https://api.example.com", "webhook": { "signature_verification": schemes } });
        digest(&file, &json!({}), &Value::Null, A)
    };
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut other = schemes();
        change(&mut other);
        of(other) != of(schemes())
    };
    assert!(!changed(&|all| {
        all[0]["config"]["timestamp"]["tolerance"] = json!(60);
    }));
    assert!(changed(
        &|all| all[0]["config"]["signed_body"] = json!("sent")
    ));
    assert!(changed(
        &|all| all[0]["when"] = json!({ "$header.x-version": "1" })
    ));
    assert!(changed(
        &|all| all[1]["config"]["compare_with"] = json!("$header.x-c")
    ));
    assert!(changed(&|all| all[1]["format"] = json!("hmac")));
    assert!(changed(&|all| {
        all.as_array_mut().unwrap().pop();
    }));
}
