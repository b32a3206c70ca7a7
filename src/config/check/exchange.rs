//! Where a credential leaves RFC 6749: names that stay apart, headers that the file may set, and steps that get a token.

use crate::config::action::{EXCHANGE, StepKind};
use crate::config::credentials::{
    AuthorizationMethod, Credential, OAuth2, ParamName, RESERVED_HEADERS,
};
use crate::config::{Config, Finding, Setting};

use super::Broken;

/// Parameters of a callback that mean something else than the code (RFC 6749 §4.1.2, RFC 9207).
const OF_CALLBACK: [&str; 4] = ["state", "error", "error_description", "iss"];
/// Parameters of the authorization request that have no other names (RFC 7636 §4.3).
const OF_CHALLENGE: [&str; 2] = ["code_challenge", "code_challenge_method"];

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    for (format, credential) in &config.credentials {
        let at = format!("config.credentials.{format}.config");
        let Some(oauth) = credential.oauth().filter(|_| !broken.touches(&at)) else {
            continue;
        };
        check_names(oauth, &at, findings);
        check_headers(oauth, &at, findings);
        check_callback(oauth, &at, findings);
    }
    check_steps(config, broken, findings);
}

fn check_names(oauth: &OAuth2, at: &str, findings: &mut Vec<Finding>) {
    let id = oauth.client.id_param_name.as_deref().unwrap_or("client_id");
    let secret = oauth.client.secret_param_name.as_deref();
    let at_token = format!("{at}.tokenParamNames");
    let others = [id, secret.unwrap_or("client_secret")];
    check_apart(&oauth.token_param_names.all(), &others, &at_token, findings);
    let at_authorize = format!("{at}.authorizeParamNames");
    let names = oauth.authorize_param_names.all();
    check_apart(&names, &OF_CHALLENGE, &at_authorize, findings);
}

/// Each parameter has its own name, and those that a request makes no sense without are there.
fn check_apart(names: &[ParamName], others: &[&str], at: &str, findings: &mut Vec<Finding>) {
    for name in names {
        let at = format!("{at}.{}", name.standard);
        match name.own {
            Setting::Off if !name.is_droppable => {
                let text = format!("`{}` cannot be left out", name.standard);
                findings.push(Finding::error(at, text));
            }
            Setting::Set(own) => {
                let is_taken = |other: &ParamName| {
                    let taken = match other.own {
                        Setting::Set(own) => own.as_str(),
                        Setting::Inherit => other.standard,
                        Setting::Off => return false,
                    };
                    other.standard != name.standard && taken == own.as_str()
                };
                if own.is_empty() || others.contains(&own.as_str()) || names.iter().any(is_taken) {
                    let text = format!("`{own}` is the name of another parameter, or none");
                    findings.push(Finding::error(at, text));
                }
            }
            Setting::Off | Setting::Inherit => {}
        }
    }
}

fn check_headers(oauth: &OAuth2, at: &str, findings: &mut Vec<Finding>) {
    let by_header = oauth.options.authorization_method == AuthorizationMethod::Header;
    for name in oauth.token_headers.keys() {
        let lower = name.to_ascii_lowercase();
        let text = if http::HeaderName::try_from(name.as_str()).is_err() {
            format!("`{name}` is not the name of a header")
        } else if RESERVED_HEADERS.contains(&lower.as_str()) {
            format!("`{name}` is set by the gateway and cannot be set here")
        } else if lower == "authorization" && by_header {
            "the client's id and secret are in this header: `options.authorizationMethod` can put them elsewhere".to_owned()
        } else {
            continue;
        };
        findings.push(Finding::error(format!("{at}.tokenHeaders.{name}"), text));
    }
}

fn check_callback(oauth: &OAuth2, at: &str, findings: &mut Vec<Finding>) {
    let own_state = oauth.authorize_param_names.state.set();
    let is_other = |name: &&String| {
        name.is_empty() || OF_CALLBACK.contains(&name.as_str()) || own_state == Some(*name)
    };
    if let Some(name) = oauth.code_param.as_ref().filter(is_other) {
        let text = format!("`{name}` in a callback is not the code");
        findings.push(Finding::error(format!("{at}.codeParam"), text));
    }
    for key in oauth.context_from_claims.keys() {
        if oauth.context_from_token.contains_key(key) {
            let text = format!("`contextFromToken` fills `{key}`, too");
            let at = format!("{at}.contextFromClaims.{key}");
            findings.push(Finding::error(at, text));
        }
    }
}

/// `exchange_code` gets its token from a provider, for a code.
fn check_steps(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    let at = format!("config.actions.{EXCHANGE}");
    let Some(action) = config
        .actions
        .get(EXCHANGE)
        .filter(|_| !broken.touches(&at))
    else {
        return;
    };
    let mut credentials = config.credentials.values();
    if !credentials.any(|one| matches!(one, Credential::Oauth2(_))) {
        let text = "it never runs: there is no `oauth2` credential whose callback has a code";
        findings.push(Finding::warning(at, text));
        return;
    }
    for (place, step) in action.placed() {
        if matches!(step.kind, StepKind::Form(_)) {
            let text = "the steps of a credential ask the customer nothing";
            let finding = Finding::error(format!("{at}{place}.type"), text);
            findings.push(finding.hint("declare it in `fields` of the credential"));
        }
    }
    if !action.sends_request() {
        let text = "none of the steps sends a request, so no provider gives a token";
        findings.push(Finding::error(at, text));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::config::read_config;

    #[test]
    fn the_steps_that_exchange_a_code_ask_nothing() {
        let form = json!({"type": "form", "config": {"fields": [{"name": "a"}]}});
        let request = json!({"type": "request", "config": {"method": "post", "path": "/"}});
        let file = json!({
            "base_url": "https://api.example.com",
            "credentials": {"oauth2": {"config": {
                "client": {"id": "{{environment_variables.id}}", "secret": "{{environment_variables.secret}}"},
                "auth": {"authorizeUrl": "https://login.example.com/a"}
            }}},
            "authorization": {"format": "bearer"},
            "actions": {"exchange_code": {"steps": [request, form]}}
        });
        let (config, findings) = read_config(&file);
        assert!(config.is_none());
        let at = "config.actions.exchange_code.steps[1].type";
        assert!(findings.iter().any(|one| one.path == at), "{findings:?}");
    }
}
