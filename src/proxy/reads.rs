//! Which of the caller's parameters a method's own templates read. A parameter that they use is not forwarded
//! once more under the caller's name: providers refuse parameters they do not know.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::body::BodySource;
use crate::config::resource::Method;
use crate::expression::{PathTemplate, Placeholder, Template};
use crate::json::Path;

/// Whether the templates that a method uses look into the caller's body.
pub fn reads_body(method: &Method, source: BodySource) -> bool {
    let mut paths = placeholders(method, source)
        .map(|(_, placeholder)| placeholder)
        .flat_map(Placeholder::paths);
    paths.any(|path| path.first() == Some("body"))
}

/// The names of the caller's parameters that the templates which a method uses look at; found once for a method
/// that makes its own body.
///
/// An entry of `query` that only passes on the caller's parameter of the same name does not use it up: the
/// caller's values are forwarded as they were written.
pub fn used_parameters(method: &Method, source: BodySource) -> Cow<'_, BTreeSet<String>> {
    match source {
        BodySource::Method => Cow::Borrowed(
            method
                .used_parameters
                .get_or_init(|| found_parameters(method, source)),
        ),
        BodySource::Caller => Cow::Owned(found_parameters(method, source)),
    }
}

fn found_parameters(method: &Method, source: BodySource) -> BTreeSet<String> {
    let used = placeholders(method, source).filter(|(entry, placeholder)| {
        let hands_on = |path: &Path| entry.is_some_and(|name| names(path).any(|own| own == name));
        !placeholder.paths().any(hands_on)
    });
    let paths = used.flat_map(|(_, placeholder)| placeholder.paths());
    paths.flat_map(names).collect()
}

/// The parameters that a path may mean: `query.tweet.fields` is `fields` in `tweet`, or `tweet.fields`.
fn names(path: &Path) -> impl Iterator<Item = String> {
    let parts = match path.parts() {
        [root, parts @ ..] if root == "query" => parts,
        _ => &[],
    };
    (1..=parts.len()).filter_map(|taken| Some(parts.get(..taken)?.join(".")))
}

/// Every placeholder of a method, with the entry of `query` that it is the whole of. Those of the body are used
/// only where the method makes it.
fn placeholders(
    method: &Method,
    source: BodySource,
) -> impl Iterator<Item = (Option<&str>, &Placeholder)> {
    let query = method.query.iter().flat_map(|(name, template)| {
        let template = template.as_ref();
        let name = template.and_then(Template::whole).map(|_| name.as_str());
        template
            .into_iter()
            .flat_map(Template::placeholders)
            .map(move |placeholder| (name, placeholder))
    });
    let headers = method.headers.values().flatten();
    let later = method.pagination_path.iter();
    let body = method
        .body
        .iter()
        .filter(move |_| source == BodySource::Method);
    let others = method
        .path
        .placeholders()
        .chain(later.flat_map(PathTemplate::placeholders))
        .chain(headers.flat_map(Template::placeholders))
        .chain(body.flat_map(|tree| tree.placeholders()));
    query.chain(others.map(|placeholder| (None, placeholder)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn method(value: &serde_json::Value) -> Method {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn a_method_looks_into_the_body_only_when_it_says_so() {
        for (value, expected) in [
            (json!({ "path": "/{{body.x}}" }), true),
            (json!({ "path": "/", "query": { "a": "{{body.x}}" } }), true),
            (json!({ "path": "/", "body": { "a": ["{{body}}"] } }), true),
            (
                json!({ "path": "/", "body": { "a": "{{context.body}}" } }),
                false,
            ),
        ] {
            let found = reads_body(&method(&value), BodySource::Method);
            assert_eq!(found, expected, "{value}");
        }
    }

    #[test]
    fn a_body_that_goes_as_it_is_leaves_the_template_unused() {
        let path = json!({ "path": "/{{body.x}}/{{query.a}}", "body": { "b": "{{query.b}}" } });
        let body = json!({ "path": "/", "body": { "b": "{{body.x}}{{query.b}}" } });
        for (value, reads, used) in [(path, true, vec!["a"]), (body, false, vec![])] {
            let method = method(&value);
            assert_eq!(reads_body(&method, BodySource::Caller), reads);
            let names: Vec<&str> = used;
            let found = used_parameters(&method, BodySource::Caller);
            assert!(found.iter().eq(names.iter()), "{value}");
        }
    }

    #[test]
    fn the_parameters_that_templates_use_are_known_by_name() {
        for (value, expected) in [
            (
                json!({ "path": "/{{query.owner|default_owner}}/{{query.repo}}/{{id}}" }),
                vec!["owner", "repo"],
            ),
            (
                json!({ "path": "/", "query": { "q": "name:{{query.name}}", "sort": "{{query.sort?:up}}" } }),
                vec!["name"],
            ),
            (
                json!({ "path": "/{{query.q}}", "query": { "q": "{{query.q}}" } }),
                vec!["q"],
            ),
            (
                json!({ "path": "/", "query": { "filter": "{{query.q}}" } }),
                vec!["q"],
            ),
            (
                json!({ "path": "/", "body": { "a": ["{{query.ids.0}}"] } }),
                vec!["ids", "ids.0"],
            ),
            (
                json!({ "path": "/", "headers": { "x": "{{query.tweet.fields}}" } }),
                vec!["tweet", "tweet.fields"],
            ),
            (
                json!({ "path": "/", "pagination_path": "/{{query.day}}" }),
                vec!["day"],
            ),
            (
                json!({ "path": "/{{context.query.x}}/{{body.query}}" }),
                vec![],
            ),
        ] {
            let names: Vec<&str> = expected;
            assert!(
                used_parameters(&method(&value), BodySource::Method)
                    .iter()
                    .eq(names.iter()),
                "{value}"
            );
        }
    }
}
