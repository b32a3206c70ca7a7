//! What comes back from the authorization endpoint (RFC 6749 §4.1.2, RFC 9207). Anyone can send it: it means
//! nothing until its `state` is found.

use std::fmt;

use crate::config::credentials::OAuth2;

use super::shown_text::cleaned;
use super::{GrantClient, OAuthError};

/// The parameters of a callback. One sent without a value counts as omitted (RFC 6749 §3.1).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Callback {
    /// What is exchanged for a token.
    pub code: Option<String>,
    /// Which login it belongs to.
    pub state: Option<String>,
    /// Why there is no code; fit to be shown.
    pub error: Option<String>,
    /// The provider's description; fit to be shown.
    pub error_description: Option<String>,
    /// Who it claims to come from.
    pub iss: Option<String>,
}

/// Why a callback cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// RFC 6749 §3.1: parameters must not be included more than once.
    #[error("the parameter `{0}` is given more than once")]
    Twice(String),
}

impl Callback {
    /// Reads the decoded pairs of a query, or of a form post, with the names that the file gives them.
    pub fn read(config: &OAuth2, pairs: &[(String, String)]) -> Result<Self, CallbackError> {
        let description = first(pairs, "error_description");
        let state = once(pairs, "state")?;
        let own_state = config.authorize_param_names.state.set();
        let own_state = own_state.map(|name| once(pairs, name)).transpose()?;
        Ok(Self {
            code: once(pairs, config.code_param.as_deref().unwrap_or("code"))?,
            state: state.or(own_state.flatten()),
            error: once(pairs, "error")?.and_then(|error| cleaned(&error, 100)),
            error_description: description.and_then(|words| cleaned(words, 500)),
            iss: once(pairs, "iss")?,
        })
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("has_code", &self.code.is_some())
            .field("has_state", &self.state.is_some())
            .field("error", &self.error)
            .field("iss", &self.iss)
            .finish_non_exhaustive()
    }
}

/// Whether the answer may come from this provider (RFC 9207 §2.4): its `iss` equals the file's `issuer`, character by
/// character. One without `iss` counts only where the file says that its provider sends none. Without an `issuer` there
/// is nothing to compare.
pub fn check_issuer(client: &GrantClient, iss: Option<&str>) -> Result<(), OAuthError> {
    let auth = &client.config.auth;
    if client.config.is_discovered() {
        return check_discovered(client, iss);
    }
    let Some(template) = &auth.issuer else {
        return Ok(());
    };
    let Some(iss) = iss else {
        return if auth.issuer_optional {
            Ok(())
        } else {
            Err(OAuthError::NoIssuer)
        };
    };
    let issuer = template.text(client.scope)?;
    let differs = issuer.is_some_and(|issuer| !issuer.is_empty() && issuer != iss);
    if differs {
        Err(OAuthError::Issuer)
    } else {
        Ok(())
    }
}

/// A discovered server is compared with what it said of itself. `iss` is needed where it announces it, and where its
/// authorization endpoint is elsewhere: a code of another server would come to it (RFC 9700 §4.4).
fn check_discovered(client: &GrantClient, iss: Option<&str>) -> Result<(), OAuthError> {
    let server = client.server.and_then(|server| server.endpoints.as_ref());
    let server = server.ok_or(OAuthError::NoServer)?;
    match iss {
        Some(iss) if iss == server.issuer => Ok(()),
        Some(_) => Err(OAuthError::Issuer),
        None if server.sends_iss => Err(OAuthError::NoIssuer),
        None => Ok(()),
    }
}

fn once(pairs: &[(String, String)], name: &str) -> Result<Option<String>, CallbackError> {
    if pairs.iter().filter(|(own, _)| own == name).count() > 1 {
        return Err(CallbackError::Twice(name.to_owned()));
    }
    Ok(first(pairs, name).map(str::to_owned))
}

fn first<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    let (_, value) = pairs.iter().find(|(own, _)| own == name)?;
    Some(value.as_str()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::oauth::tests::with_client;

    fn read(query: &str) -> Result<Callback, CallbackError> {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        Callback::read(&OAuth2::default(), &pairs)
    }

    #[test]
    fn a_code_comes_with_its_state() {
        let callback = read("code=c%2F1&state=s&scope=a+b&iss=https%3A%2F%2Fl.x.com").unwrap();
        assert_eq!(callback.code.as_deref(), Some("c/1"));
        assert_eq!(callback.state.as_deref(), Some("s"));
        assert_eq!(callback.iss.as_deref(), Some("https://l.x.com"));
        assert_eq!(callback.error, None);
        let shown = format!("{callback:?}");
        assert!(!shown.contains("c/1"), "{shown}");
    }

    #[test]
    fn code_and_state_have_the_names_of_the_file() {
        let config: OAuth2 = serde_json::from_value(json!({
            "codeParam": "auth_code", "authorizeParamNames": { "state": "custom" }
        }))
        .unwrap();
        let read = |query: &str| {
            let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect();
            Callback::read(&config, &pairs)
        };
        let callback = read("auth_code=c&code=other&custom=s").unwrap();
        assert_eq!(callback.code.as_deref(), Some("c"));
        assert_eq!(callback.state.as_deref(), Some("s"));
        assert_eq!(read("code=other&state=s").unwrap().code, None);
        assert_eq!(
            read("state=a&custom=b").unwrap().state.as_deref(),
            Some("a")
        );
        for twice in ["auth_code=a&auth_code=b", "custom=a&custom=b"] {
            assert!(read(twice).is_err(), "{twice}");
        }
    }

    #[test]
    fn an_error_is_made_fit_to_be_shown() {
        let query = format!(
            "error=access_denied%0D%0A&error_description=No{}&state=s&code=",
            "+no".repeat(400)
        );
        let callback = read(&query).unwrap();
        assert_eq!(callback.error.as_deref(), Some("access_denied"));
        assert_eq!(callback.code, None);
        let words = callback.error_description.unwrap();
        assert_eq!(words.chars().count(), 500);
    }

    #[test]
    fn what_decides_stands_once() {
        for name in ["code", "state", "error", "iss"] {
            let twice = read(&format!("{name}=a&x=1&{name}=a"));
            assert_eq!(twice, Err(CallbackError::Twice(name.to_owned())));
            // An empty one counts too: which of the two is meant is not ours to guess.
            assert!(read(&format!("{name}=&{name}=a")).is_err(), "{name}");
        }
        assert!(read("error_description=a&error_description=b&x=1&x=2").is_ok());
        assert_eq!(read("").unwrap(), Callback::default());
    }

    #[test]
    fn a_sent_issuer_is_the_files() {
        let issuer = json!({ "auth": { "issuer": "https://{{zone}}.x.com" } });
        let context = json!({ "zone": "eu" });
        with_client(&issuer, &context, |client| {
            assert_eq!(check_issuer(client, Some("https://eu.x.com")), Ok(()));
            assert_eq!(check_issuer(client, None), Err(OAuthError::NoIssuer));
            for other in [
                "https://eu.x.com/",
                "https://EU.x.com",
                "",
                "https://evil.com",
            ] {
                let checked = check_issuer(client, Some(other));
                assert_eq!(checked, Err(OAuthError::Issuer), "{other}");
            }
        });
        let optional = json!({ "auth": { "issuer": "https://eu.x.com", "issuerOptional": true } });
        with_client(&optional, &context, |client| {
            assert_eq!(check_issuer(client, None), Ok(()));
            assert_eq!(check_issuer(client, Some("https://eu.x.com")), Ok(()));
            assert_eq!(check_issuer(client, Some("")), Err(OAuthError::Issuer));
        });
        with_client(&json!({}), &context, |client| {
            assert_eq!(check_issuer(client, Some("https://evil.com")), Ok(()));
        });
        with_client(&issuer, &json!({}), |client| {
            assert!(matches!(
                check_issuer(client, Some("x")),
                Err(OAuthError::Render(_))
            ));
        });
    }
}
