//! Which fields hold secrets: the catalogue marks some, and names say it of the others.

use causeway::config::words_of_name;
use serde_json::Value;

use super::definition::text;
use super::names::Origin;

/// Words of names under which no secret is.
const PUBLIC: [&str; 13] = [
    "account",
    "company",
    "domain",
    "email",
    "environment",
    "id",
    "identifier",
    "login",
    "name",
    "org",
    "organization",
    "user",
    "username",
];
/// Words of names and titles under which a secret is.
const SECRET: [&str; 8] = [
    "key",
    "keys",
    "passphrase",
    "password",
    "pass",
    "secret",
    "token",
    "pwd",
];

/// Whether a field is a `password`.
pub fn is_secret(origin: Origin, key: &str, one: &Value) -> bool {
    if one.get("secret") == Some(&Value::Bool(true)) || text(one.get("secret")) == Some("true") {
        return true;
    }
    let last = |text: &str| words_of_name(text).pop().unwrap_or_default();
    let names = |list: &[&str]| list.contains(&last(key).as_str());
    match origin {
        Origin::Config => names(&SECRET),
        Origin::Assertion => true,
        Origin::Credential => {
            let title = text(one.get("title")).unwrap_or_default();
            let says_secret = words_of_name(title)
                .iter()
                .any(|word| SECRET.contains(&word.as_str()));
            let says_id = names(&["id"]) || last(title) == "id";
            !names(&PUBLIC) || (says_secret && !says_id)
        }
    }
}
