//! The place of an entry of an override in the file, as far as it matters to who may write it.

use serde_json::Value;

use crate::config::binding::FilePlace;

use super::kind::sees;

/// Keys of a method that say nothing of where its request goes or what it carries.
const NOT_SENT: [&str; 12] = [
    "description",
    "api_documentation_url",
    "query_schema",
    "body_schema",
    "response_schema",
    "examples",
    "scopes",
    "rate_limit",
    "error_expression",
    "response_path",
    "pagination",
    "api_response_format",
];

/// The place of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryPosition<'p> {
    /// Below a key of the file itself.
    File(&'p [String]),
    /// Below a key of a method, or of an action's request.
    Method(&'p [String]),
    /// Elsewhere in an action, or in a sync: what it calls, and with what.
    Action(&'p [String]),
    /// In a credential.
    Credential(&'p [String]),
    /// In the webhook.
    Webhook(&'p [String]),
    /// In the settings of a scheme of the webhook.
    Scheme(&'p [String]),
}

impl<'p> EntryPosition<'p> {
    pub(super) fn of(place: &'p FilePlace) -> Self {
        let keys: Vec<&str> = place.0.iter().map(String::as_str).collect();
        let rest = |count: usize| place.0.get(count..).unwrap_or_default();
        match keys.as_slice() {
            ["resources", _, _, ..] | ["actions", _, "config", ..] => Self::Method(rest(3)),
            ["actions", _, "steps" | "any_of", _, "config", ..] => Self::Method(rest(5)),
            ["actions", _, "steps", _, "any_of", _, "config", ..] => Self::Method(rest(7)),
            ["actions" | "syncs", ..] => Self::Action(rest(2)),
            ["credentials", ..] => Self::Credential(rest(2)),
            // Of a list of schemes each is one.
            ["webhook", "signature_verification", index, "config", ..]
                if index.parse::<usize>().is_ok() =>
            {
                Self::Scheme(rest(4))
            }
            ["webhook", "signature_verification", "config", ..] => Self::Scheme(rest(3)),
            ["webhook", ..] => Self::Webhook(rest(1)),
            _ => Self::File(rest(0)),
        }
    }

    /// Whether an entry here, which is new or another than below, changes a host or what signs a request in.
    pub(super) fn is_reserved(self, value: &Value) -> bool {
        match self {
            Self::File(keys) => match first(keys) {
                "base_url" | "authorization" | "allowed_hosts" => true,
                "pagination" => is_dynamic(keys, value),
                _ => false,
            },
            Self::Method(keys) => match first(keys) {
                "base_url" | "authorization" => true,
                "no_auth" | "ignore_credentials_on_redirect" => value != &Value::Bool(true),
                "pagination" => is_dynamic(keys, value),
                _ => false,
            },
            Self::Action(_) => false,
            // What the provider grants is secret until the file says which of it is not.
            Self::Credential(keys) => matches!(
                second(keys),
                "auth"
                    | "alsoFor"
                    | "contextFromToken"
                    | "contextFromCallback"
                    | "contextFromClaims"
                    | "tokenNames"
                    | "tokenHeaders"
                    | "callbackGrant"
                    | "tokenResponsePath"
                    | "steps"
                    | "refresh_steps"
                    | "token"
                    | "jwt"
                    | "consumer"
                    | "requestTokenUrl"
                    | "authorizeUrl"
                    | "tokenUrl"
                    | "signatureMethod"
                    | "realm"
                    | "host"
                    | "port"
                    | "username"
                    | "password"
                    | "private_key"
                    | "passphrase"
                    | "host_keys"
                    | "root"
            ),
            Self::Webhook(keys) => matches!(
                first(keys),
                "challenge"
                    | "handle_verification"
                    | "allow_unsigned_handshake"
                    | "confirm_url_pattern"
            ),
            Self::Scheme(keys) => matches!(
                first(keys),
                "jwks_url" | "public_key_url" | "public_key_url_pattern"
            ),
        }
    }

    /// Whether a missing entry here changes a host, or what authenticates. A method without its own pagination is not
    /// affected.
    pub(super) fn is_reserved_gone(self) -> bool {
        let is_pagination = match self {
            Self::File(keys) | Self::Method(keys) => first(keys) == "pagination",
            _ => false,
        };
        !is_pagination && self.is_reserved(&Value::Null)
    }

    /// The name of a header, a parameter or an entry of the body that every request is sent with.
    pub(super) fn entry(self) -> Option<&'p str> {
        match self {
            Self::File([part, name]) if matches!(part.as_str(), "headers" | "query" | "body") => {
                Some(name)
            }
            _ => None,
        }
    }

    /// The method or action that an entry here is a part of.
    pub(super) fn unit_of(self, place: &FilePlace) -> Option<FilePlace> {
        let count = match (self, place.part(0)) {
            (Self::Method(_), "resources") => 3,
            (Self::Method(_) | Self::Action(_), _) => 2,
            _ => return None,
        };
        place.0.get(..count).map(|keys| FilePlace(keys.to_vec()))
    }

    /// Whether an entry of a unit says where its request goes or what it carries.
    pub(super) fn is_sent(self) -> bool {
        match self {
            Self::Method(keys) => !NOT_SENT.contains(&first(keys)),
            Self::Action(_) => true,
            _ => false,
        }
    }

    /// Whether its texts may be filled from an account's context. Expressions have their own scope, without secrets.
    pub(super) fn holds_templates(self) -> bool {
        match self {
            Self::File(keys) | Self::Method(keys) => match first(keys) {
                "error_expression" | "rate_limit" => false,
                "pagination" => !is_expression(keys),
                _ => true,
            },
            Self::Scheme(keys) => first(keys) != "verification_content",
            Self::Webhook(_) | Self::Action(_) | Self::Credential(_) => true,
        }
    }
}

fn first(keys: &[String]) -> &str {
    keys.first().map(String::as_str).unwrap_or_default()
}

fn second(keys: &[String]) -> &str {
    keys.get(1).map(String::as_str).unwrap_or_default()
}

/// An expression of `dynamic` pagination that looks at what the request carries.
fn is_dynamic(keys: &[String], value: &Value) -> bool {
    is_expression(keys) && sees(value, &["requestOptions", "url"])
}

fn is_expression(keys: &[String]) -> bool {
    keys.last().is_some_and(|key| key.ends_with("_expression"))
}
