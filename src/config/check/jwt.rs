//! Tokens that the gateway signs: their key fits, and what the gateway sets is not set by the file.

use crate::config::credentials::{AuthorizationMethod, CallbackGrant, Jwt, KeyFormat, LIFETIME};
use crate::config::{Config, Credential, Field, Finding};

use super::Broken;

/// Claims that the gateway sets (RFC 7519 §4.1).
const CLAIMS: [&str; 4] = ["iat", "nbf", "exp", "jti"];
/// Members of the header that it sets, or that would have to be understood (RFC 7515 §4.1).
const HEADER: [&str; 4] = ["alg", "kid", "crit", "b64"];

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    for (format, credential) in &config.credentials {
        let at = format!("config.credentials.{format}.config");
        if broken.touches(&at) {
            continue;
        }
        match credential.jwt() {
            Some(jwt) => {
                check_one(jwt, &format!("{at}.jwt"), findings);
                check_fields(credential.fields(), &format!("{at}.fields"), findings);
            }
            None => check_needed(credential, &at, findings),
        }
    }
}

/// No form fills what the gateway signs.
fn check_fields(fields: &[Field], at: &str, findings: &mut Vec<Finding>) {
    let text = "a field cannot be called `jwt`: `{{jwt}}` is the signed token";
    for (index, field) in fields.iter().enumerate() {
        if field.name == "jwt" {
            findings.push(Finding::error(format!("{at}[{index}].name"), text));
        }
        let choices = field.options.iter().enumerate();
        for (choice, _) in choices.filter(|(_, choice)| choice.set.contains_key("jwt")) {
            let at = format!("{at}[{index}].options[{choice}].set.jwt");
            findings.push(Finding::error(at, text));
        }
    }
}

fn check_needed(credential: &Credential, at: &str, findings: &mut Vec<Finding>) {
    let method = credential
        .oauth()
        .map(|oauth| oauth.options.authorization_method);
    let after_callback = credential.oauth().map(|oauth| oauth.callback_grant);
    let text = if matches!(credential, Credential::JwtBearer(_))
        || after_callback == Some(CallbackGrant::JwtBearer)
    {
        "`jwt_bearer` needs `jwt`: the assertion is made of it"
    } else if method == Some(AuthorizationMethod::PrivateKeyJwt) {
        "`private_key_jwt` needs `jwt`: the client signs with it"
    } else {
        return;
    };
    findings.push(Finding::error(at, text));
}

fn check_one(jwt: &Jwt, at: &str, findings: &mut Vec<Finding>) {
    if jwt.key.is_none() {
        let text = "there is no `key` here: nothing is signed unless one is stored already, or the override of the install has it";
        let finding = Finding::warning(at, text);
        findings.push(finding.hint("write `\"key\": \"{{private_key}}\"` with a `password` field, or a variable of the install"));
    }
    let reserved = [
        ("claims", &jwt.claims, CLAIMS),
        ("header", &jwt.header, HEADER),
    ];
    for (map, entries, names) in reserved {
        for name in entries.keys().filter(|name| names.contains(&name.as_str())) {
            let text = format!("`{name}` is set by the gateway and cannot be set here");
            findings.push(Finding::error(format!("{at}.{map}.{name}"), text));
        }
    }
    let is_shared = jwt.algorithm.is_shared();
    let text = match jwt.key_format {
        KeyFormat::Pem if is_shared => "a shared secret is `utf8`, `base64`, `hex` or `jwk`",
        KeyFormat::Utf8 if !is_shared => "a private key is `pem`, `jwk`, `base64` or `hex`",
        _ => "",
    };
    if !text.is_empty() {
        findings.push(Finding::error(format!("{at}.key_format"), text));
    }
    if jwt
        .lifetime
        .is_some_and(|seconds| !LIFETIME.contains(&seconds.0))
    {
        let text = format!("is not {} to {} seconds", LIFETIME.start(), LIFETIME.end());
        findings.push(Finding::error(format!("{at}.lifetime"), text));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::config::{Level, read_config};

    fn found(jwt: &Value, field: &Value) -> Vec<(String, Level)> {
        let file = json!({
            "base_url": "https://api.example.com", "authorization": {"format": "bearer"},
            "credentials": {"jwt": {"config": {"fields": [field, {"name": "key", "type": "password"}], "jwt": jwt}}}
        });
        let findings = read_config(&file).1.into_iter();
        findings.map(|one| (one.path, one.level)).collect()
    }

    #[test]
    fn no_form_fills_the_signed_token() {
        let signed = json!({"algorithm": "HS256", "key": "{{key}}", "key_format": "utf8"});
        let select = |set: &Value| {
            json!({"name": "a", "type": "single_select", "options": [
            {"label": "x", "value": "x"}, {"label": "y", "value": "y", "set": set}]})
        };
        let at = "config.credentials.jwt.config.fields[0]";
        for (field, expected) in [
            (json!({"name": "a"}), None),
            (json!({"name": "jwt"}), Some(format!("{at}.name"))),
            (select(&json!({"b": "1"})), None),
            (
                select(&json!({"jwt": "1"})),
                Some(format!("{at}.options[1].set.jwt")),
            ),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|path| (path, Level::Error))
                .collect();
            assert_eq!(found(&signed, &field), expected, "{field}");
        }
    }

    #[test]
    fn a_missing_key_is_pointed_at_since_a_stored_one_or_an_override_may_have_it() {
        let unsigned = json!({"algorithm": "HS256", "key_format": "utf8"});
        let at = "config.credentials.jwt.config.jwt".to_owned();
        assert_eq!(
            found(&unsigned, &json!({"name": "a"})),
            [(at, Level::Warning)]
        );
    }
}
