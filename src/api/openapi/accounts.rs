//! Connected accounts.

use serde_json::{Value, json};

use super::capabilities;
use super::operation::{Group, Operation};
use super::shapes::{Shapes, list_of, object, text, time, uuid, webhook_url, with};
use crate::account::Account;
use crate::api::admin::account_in_list::KNOWN;
use crate::api::admin::integrated_account::{Change, Credentials, FIELDS, ManyNamed, Named, New};
use crate::api::admin::{account_token, webhook_url};
use crate::flows::base::records::AccountEntry;
use crate::flows::messages::account::IntegrationView;

/// What of them an account token sees.
const SHOWN_TO_CUSTOMER: [&str; 6] = [
    "id",
    "context",
    "status",
    "authentication_method",
    "created_at",
    "updated_at",
];
/// What is shown of an account beside its integration; `flows::ask::AccountView` shows it.
const SHOWN: [&str; 15] = [
    "id",
    "tenant_id",
    "environment_id",
    "environment_integration_id",
    "context",
    "status",
    "authentication_method",
    "region",
    "is_sandbox",
    "last_error",
    "last_action_run_result",
    "last_forbidden_error",
    "integration_override",
    "created_at",
    "updated_at",
];
const ALL: &str = "/integrated-account";
const ONE: &str = "/integrated-account/{id}";
const ME: &str = "/integrated-account/me";

pub(super) fn group(shapes: &mut Shapes) -> Group {
    let account = account(shapes);
    let mine = mine(shapes);
    let in_list = json!({ "anyOf": [account, silent(shapes)] });
    let mut operations = vec![
        Operation::new("GET", ALL, "listAccounts", "Lists accounts")
            .in_environment()
            .lists(&FIELDS, &in_list),
        Operation::new("POST", ALL, "importAccount", "Imports credentials")
            .in_environment()
            .takes(&shapes.asked::<New>())
            .answers("201", "The account.", &account)
            .asks_provider(),
        Operation::new("GET", ME, "getMe", "Shows the account of an account token").answers(
            "200",
            "The account.",
            &mine,
        ),
        Operation::new(
            "PATCH",
            ME,
            "changeMe",
            "Changes plain fields of its own credential, at most 10 times a minute",
        )
        .takes(&shapes.asked::<account_token::ChangeMe>())
        .answers("200", "The account.", &mine)
        .asks_provider(),
    ];
    operations.extend(of_one(shapes, &account));
    operations.push(capabilities::of_account(shapes));
    operations.extend(beside(shapes));
    Group {
        tag: "integrated-account",
        about: "One customer's connection to a provider, without its secrets.",
        operations,
    }
}

fn account(shapes: &mut Shapes) -> Value {
    let account = shapes.picked::<Account>(&SHOWN);
    let integration = shapes.answered::<IntegrationView>();
    let more = json!({ "integration": integration, (webhook_url::KEY): webhook_url() });
    shapes.name("IntegratedAccount", with(&account, &more))
}

/// The account of an account token.
fn mine(shapes: &mut Shapes) -> Value {
    let account = shapes.picked::<Account>(&SHOWN_TO_CUSTOMER);
    let integration = shapes.answered::<IntegrationView>();
    let account = with(&account, &json!({ "integration": integration }));
    shapes.name("OwnIntegratedAccount", account)
}

/// The account after a change; only the second for a token without the scope `read`.
fn changed(shapes: &mut Shapes, account: &Value) -> Value {
    let short = shapes.picked::<Account>(&["id", "status"]);
    let short = shapes.name("ChangedIntegratedAccount", short);
    json!({ "anyOf": [account, short] })
}

/// An account whose object did not answer.
fn silent(shapes: &mut Shapes) -> Value {
    let known = shapes.picked::<AccountEntry>(&KNOWN);
    let more = json!({ "integration": object(&json!({ "name": text() })), "error": error(), (webhook_url::KEY): webhook_url() });
    shapes.name("SilentAccount", with(&known, &more))
}

fn error() -> Value {
    object(&json!({ "code": text(), "message": text() }))
}

fn of_one(shapes: &mut Shapes, account: &Value) -> Vec<Operation> {
    let credentials = "/integrated-account/{id}/credentials";
    let changed = changed(shapes, account);
    let after = "The account; of it only `id` and `status` for a token without the scope `read`.";
    vec![
        Operation::new("GET", ONE, "getAccount", "Shows an account")
            .in_environment()
            .answers("200", "The account.", account),
        Operation::new("PATCH", ONE, "changeAccount", "Changes an account")
            .in_environment()
            .takes(&shapes.asked::<Change>())
            .answers("200", after, &changed)
            .asks_provider(),
        Operation::new("DELETE", ONE, "deleteAccount", "Erases an account")
            .in_environment()
            .deletes(&uuid())
            .refuses(&[409]),
        Operation::new(
            "PATCH",
            credentials,
            "replaceCredentials",
            "WebhookContent new credentials",
        )
        .in_environment()
        .takes(&shapes.asked::<Credentials>())
        .answers("200", after, &changed)
        .asks_provider(),
    ]
}

fn beside(shapes: &mut Shapes) -> Vec<Operation> {
    let success = object(&json!({ "success": { "const": true } }));
    let token = object(&json!({ "integrated_account_token": text(), "expires_at": time() }));
    let mut deleted = object(&json!({ "id": text() }));
    if let Some(properties) = deleted.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("error".to_owned(), error());
    }
    let deleted = object(&json!({ "result": list_of(&deleted) }));
    let post = |path, id, summary| Operation::new("POST", path, id, summary).in_environment();
    let refresh = "/integrated-account/refresh-credentials";
    let bulk = "/integrated-account/bulk-delete";
    vec![
        post(
            refresh,
            "refreshCredentials",
            "Refreshes an account's token now",
        )
        .takes(&shapes.asked::<Named>())
        .answers("200", "It is fresh.", &success)
        .asks_provider(),
        post(
            "/integrated-account/token",
            "createAccountToken",
            "Makes a token of one account",
        )
        .takes(&shapes.asked::<account_token::New>())
        .answers("201", "The only answer that shows the token.", &token)
        .refuses(&[409]),
        post(bulk, "deleteAccounts", "Erases up to 1,000 accounts")
            .takes(&shapes.asked::<ManyNamed>())
            .answers("200", "Each for itself.", &deleted),
    ]
}
