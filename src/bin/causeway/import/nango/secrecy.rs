//! Which fields hold secrets: the catalogue marks some, and names say it of the others.

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
    let last = |text: &str| words(text).pop().unwrap_or_default();
    let names = |list: &[&str]| list.contains(&last(key).as_str());
    match origin {
        Origin::Config => names(&SECRET),
        Origin::Assertion => true,
        Origin::Credential => {
            let title = text(one.get("title")).unwrap_or_default();
            let says_secret = words(title)
                .iter()
                .any(|word| SECRET.contains(&word.as_str()));
            let says_id = names(&["id"]) || last(title) == "id";
            !names(&PUBLIC) || (says_secret && !says_id)
        }
    }
}

/// The words of a name in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && was_lower) {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric()
            && let Some(last) = words.last_mut()
        {
            last.push(c.to_ascii_lowercase());
        }
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}
