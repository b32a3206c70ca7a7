use serde_json::json;

use crate::flows::account::lookup::*;

fn file() -> Config {
    let file = json!({ "credentials": { "api_key": { "format": "api_key", "config": { "fields": [{ "name": "shop" }] } } } });
    crate::config::read_config(&file).0.unwrap()
}

fn origins(known: &Value) -> Origins {
    serde_json::from_value(known.clone()).unwrap()
}

/// Status, whether a credential is tried (and what is held), the origins, and what finds it.
#[test]
fn only_an_active_account_is_found_and_only_by_what_was_not_typed() {
    let held = |field: &str| {
        let (field, value) = (field.to_owned(), "old".to_owned());
        Trial::Running(Some(Held { field, value }))
    };
    let provider = json!({ "shop": "provider" });
    let rows = [
        (Status::Active, Trial::Ended, provider.clone(), Some("new")),
        (
            Status::Active,
            Trial::Ended,
            json!({ "shop": "operator" }),
            Some("new"),
        ),
        (
            Status::Active,
            Trial::Ended,
            json!({ "shop": "customer" }),
            None,
        ),
        (Status::Active, Trial::Ended, json!({}), None),
        (
            Status::Active,
            held("shop"),
            json!({ "shop": "customer" }),
            Some("old"),
        ),
        (Status::Active, held("shop"), provider.clone(), Some("old")),
        (Status::Active, held("other"), provider.clone(), None),
        (Status::Active, Trial::Running(None), provider.clone(), None),
        (Status::Connecting, held("shop"), provider.clone(), None),
        (Status::Connecting, Trial::Ended, provider.clone(), None),
        (Status::NeedsReauth, Trial::Ended, provider.clone(), None),
        (Status::NeedsReauth, held("shop"), provider.clone(), None),
        (
            Status::PostInstallError,
            Trial::Ended,
            provider.clone(),
            None,
        ),
        (Status::ValidationError, Trial::Ended, provider, None),
    ];
    let (config, context) = (file(), json!({ "shop": "new" }));
    for (status, trial, set_by, found) in rows {
        let row = format!("{status:?} {trial:?} {set_by}");
        let origins = origins(&set_by);
        let known = LookupFacts {
            status,
            trial,
            context: &context,
            origins: &origins,
            config: Some(&config),
        };
        assert_eq!(found_by("shop", &known).as_deref(), found, "{row}");
    }
}

#[test]
fn of_old_records_what_a_form_asks_for_counts_as_typed() {
    let (config, none) = (file(), Origins::default());
    let context = json!({ "shop": "a", "team": { "id": 7 }, "a.b": "c", "oauth": { "token": { "id": "t" } } });
    let known = |config| LookupFacts {
        status: Status::Active,
        trial: Trial::Ended,
        context: &context,
        origins: &none,
        config,
    };
    for (field, found) in [
        ("shop", None),
        ("team.id", Some("7")),
        ("a.b", None),
        ("oauth.token.id", None),
        ("team", None),
        ("absent", None),
    ] {
        let value = found_by(field, &known(Some(&config)));
        assert_eq!(value.as_deref(), found, "{field}");
        assert_eq!(found_by(field, &known(None)), None, "{field}");
    }
}
