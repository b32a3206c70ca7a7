//! Which further tokens of an account (`alsoFor`) an authorization carries.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::config::credentials::AlsoFor;
use crate::expression::{Expression, Placeholder, Template};
use crate::json::Path;

use super::{Authorization, Header};

/// Where further tokens are in the account's token.
pub const ALSO: &str = "also";

/// The name of the further token that a path leads into: `oauth.token.also.<name>`.
pub fn also_name(path: &Path) -> Option<&str> {
    match below_context(path) {
        [oauth, token, also, name, ..] if oauth == "oauth" && token == "token" && also == ALSO => {
            Some(name)
        }
        _ => None,
    }
}

/// Whether a path leads to what holds all further tokens, such as `oauth.token`.
pub fn holds_also(path: &Path) -> bool {
    let (parts, place) = (below_context(path), ["oauth", "token", ALSO]);
    parts.len() <= place.len() && parts.iter().zip(place).all(|(part, key)| part == key)
}

/// What an expression sees of the context. One that does not name further tokens sees none: its request does not wait for
/// them, so whether they are there would depend on other requests.
pub fn context_seen_by<'v>(expression: &Expression, context: &'v Value) -> Cow<'v, Value> {
    let mut seen = Cow::Borrowed(context);
    let token = "/oauth/token";
    let all = context.pointer(token).and_then(|token| token.get(ALSO));
    if all.is_some()
        && !names_also(expression)
        && let Some(Value::Object(token)) = seen.to_mut().pointer_mut(token)
    {
        token.shift_remove(ALSO);
    }
    seen
}

/// Whether an expression names further tokens. Which of them it takes is known when it is evaluated.
fn names_also(expression: &Expression) -> bool {
    expression.source().contains(ALSO)
}

fn below_context(path: &Path) -> &[String] {
    match path.parts() {
        [root, rest @ ..] if root == "context" || root == "credentials" => rest,
        parts => parts,
    }
}

/// The names of the further tokens that these authorizations carry.
pub fn also_names(
    authorizations: &[Authorization],
    declared: &BTreeMap<String, AlsoFor>,
) -> Vec<String> {
    if declared.is_empty() {
        return Vec::new();
    }
    let mut names = BTreeSet::new();
    for one in authorizations {
        match one {
            Authorization::Header(Header::Computed { expression }) if names_also(expression) => {
                names.extend(declared.keys().map(String::as_str));
            }
            one => {
                let placeholders = one.templates().into_iter().flat_map(Template::placeholders);
                let paths = placeholders.flat_map(Placeholder::paths);
                names.extend(paths.filter_map(also_name));
            }
        }
    }
    names.into_iter().map(str::to_owned).collect()
}

impl Authorization {
    /// The templates that it is filled from.
    fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Bearer(own) => own.token.iter().collect(),
            Self::Basic(own) => std::iter::once(&own.username)
                .chain(&own.password)
                .collect(),
            Self::Header(Header::Fixed { name, value }) => vec![name, value],
            Self::Header(Header::Computed { .. }) | Self::None(_) => Vec::new(),
            Self::Query(own) => vec![&own.name, &own.value],
            Self::AwsSigv4(own) => {
                let texts = [
                    &own.access_key_id,
                    &own.secret_access_key,
                    &own.region,
                    &own.service,
                ];
                texts.into_iter().chain(&own.session_token).collect()
            }
            Self::Oauth1(own) => {
                let client = own.consumer.iter();
                let client = client.flat_map(|one| std::iter::once(&one.id).chain(&one.secret));
                let token = own.token.iter().chain(&own.token_secret);
                client.chain(token).chain(&own.realm).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Authorizations;

    #[test]
    fn the_further_tokens_of_a_request_are_known_by_its_authorizations() {
        let declared: BTreeMap<String, AlsoFor> = ["crm", "files"]
            .map(|name| (name.to_owned(), AlsoFor::default()))
            .into();
        let bearer = |path: &str| json!({"format": "bearer", "config": {"token": format!("{{{{{path}}}}}")}});
        let computed = |source: &str| json!({"format": "header", "config": {"expression": source}});
        for (list, expected) in [
            (json!({"format": "bearer", "config": {}}), vec![]),
            (bearer("oauth.token.access_token"), vec![]),
            (bearer("oauth.token.also.crm.access_token"), vec!["crm"]),
            (
                bearer("context.oauth.token.also.files.access_token"),
                vec!["files"],
            ),
            (
                bearer("a|credentials.oauth.token.also.crm.access_token"),
                vec!["crm"],
            ),
            (
                json!([bearer("oauth.token.also.crm.access_token"), {"format": "query", "config": {
                    "name": "t", "value": "{{oauth.token.also.files.access_token}}"}}]),
                vec!["crm", "files"],
            ),
            (computed("{'x': context.oauth.token.access_token}"), vec![]),
            (
                computed("{'x': context.oauth.token.also.crm.access_token}"),
                vec!["crm", "files"],
            ),
        ] {
            let list: Authorizations = serde_json::from_value(list.clone() as Value).unwrap();
            assert_eq!(also_names(list.all(), &declared), expected);
            assert!(also_names(list.all(), &BTreeMap::new()).is_empty());
        }
    }
}
