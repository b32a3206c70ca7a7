//! The operator's values in what a request carries: variables of the install, and keys written in the file.

use crate::config::authorization::{Authorization, Authorizations, Basic, Header};
use crate::config::pagination::Dynamic;
use crate::config::source::{Layer, Sources};
use crate::config::{Entries, Method, Pagination, Setting};
use crate::expression::{Expression, PathTemplate, Placeholder, Template};

use super::literal::{Name, holds_key, is_key, is_piece, looks_like_key};

mod body;
mod signatures;

pub(super) use body::{of_entry, of_tree};
use signatures::{of_oauth1, of_sigv4};

/// The kind of an operator's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OperatorValueKind {
    /// A variable of the install, by its path.
    Variable(String),
    /// A literal that is a key.
    Key,
}

/// An operator's value, and its place in the file.
#[derive(Debug, Clone)]
pub(super) struct OperatorValue {
    pub(super) at: String,
    pub(super) kind: OperatorValueKind,
}

/// The operator's value in one text that is sent under this name.
pub(super) fn of_template(name: Name, at: &str, template: &Template) -> Option<OperatorValue> {
    let kind = kind(template, || holds_key(name, template))?;
    let at = at.to_owned();
    Some(OperatorValue { at, kind })
}

fn kind(template: &Template, has_key: impl FnOnce() -> bool) -> Option<OperatorValueKind> {
    match Sources::of(template).variable {
        Some(path) => Some(OperatorValueKind::Variable(path)),
        None => has_key().then_some(OperatorValueKind::Key),
    }
}

fn value_of(
    at: &str,
    template: &Template,
    has_key: impl FnOnce() -> bool,
) -> Option<OperatorValue> {
    let kind = kind(template, has_key)?;
    let at = at.to_owned();
    Some(OperatorValue { at, kind })
}

/// The values of a map of headers or parameters, each with its name.
pub(super) fn of_entries<'c>(entries: &'c Entries, at: &str) -> Vec<(&'c str, OperatorValue)> {
    let set = entries.iter();
    let set = set.filter_map(|(name, template)| Some((name.as_str(), template.as_ref()?)));
    set.filter_map(|(name, template)| {
        let value = of_template(Name::of(name), &format!("{at}.{name}"), template)?;
        Some((name, value))
    })
    .collect()
}

/// The operator's value in the path or query of a URL. The host does not count.
pub(super) fn of_url(template: &Template, at: &str) -> Option<OperatorValue> {
    value_of(at, template, || {
        let marked = template.marked("\0");
        let after_host = match marked.split_once("://") {
            Some((_, rest)) => rest.find(['/', '?']).and_then(|at| rest.get(at..)),
            None => Some(marked.as_str()),
        };
        let mut defaults = template
            .placeholders()
            .filter_map(Placeholder::default_text);
        defaults.any(looks_like_key) || after_host.is_some_and(holds_key_in_target)
    })
}

/// In a path with its query, in which NUL represents a placeholder.
fn holds_key_in_target(target: &str) -> bool {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let looks = |text: &str| text.split('\0').any(looks_like_key);
    let is_key_of_pair = |pair: &str| match pair.split_once('=') {
        Some((name, value)) if !value.contains('\0') => is_key(Name::of(name), value),
        _ => looks(pair),
    };
    path.split('/').any(looks) || query.split('&').any(is_key_of_pair)
}

/// The operator's values in all of `authorization`.
pub(super) fn of_authorizations(list: &Authorizations, at: &str) -> Vec<OperatorValue> {
    let placed = list.placed(at);
    placed
        .flat_map(|(at, one)| of_authorization(one, &at))
        .collect()
}

/// The operator's values in one authorization. Its value counts as a credential unless it plainly is none.
pub(super) fn of_authorization(authorization: &Authorization, at: &str) -> Vec<OperatorValue> {
    let at = format!("{at}.config");
    let value = |key: &str, template: &Template| {
        value_of(&format!("{at}.{key}"), template, || {
            holds_key(Name::Credential, template)
        })
    };
    let variable =
        |key: &str, template: &Template| value_of(&format!("{at}.{key}"), template, || false);
    match authorization {
        Authorization::Bearer(bearer) => {
            let token = bearer.token.as_ref();
            token
                .and_then(|token| value("token", token))
                .into_iter()
                .collect()
        }
        Authorization::Basic(basic) => of_basic(basic, &at),
        Authorization::Header(Header::Fixed { name, value: own }) => {
            let values = [variable("header_name", name), value("header_value", own)];
            values.into_iter().flatten().collect()
        }
        Authorization::Header(Header::Computed { expression }) => {
            of_expression(expression, &at).into_iter().collect()
        }
        Authorization::Query(query) => {
            let values = [variable("name", &query.name), value("value", &query.value)];
            values.into_iter().flatten().collect()
        }
        Authorization::AwsSigv4(own) => of_sigv4(own, &at),
        Authorization::Oauth1(own) => of_oauth1(own, &at),
        Authorization::None(_) => Vec::new(),
    }
}

/// A user name alone is a credential. Next to the account's own user name, a password of plain letters is a filler.
fn of_basic(basic: &Basic, at: &str) -> Vec<OperatorValue> {
    let reads_account =
        |template: &Template| Sources::of(template).layers().contains(&Layer::Account);
    let is_own = reads_account(&basic.username);
    let is_alone = !basic.password.as_ref().is_some_and(|password| {
        let layers = Sources::of(password).layers();
        layers.contains(&Layer::Account) || layers.contains(&Layer::Variables)
    });
    let username = value_of(&format!("{at}.username"), &basic.username, || {
        is_alone && holds_key(Name::Credential, &basic.username)
    });
    let password = basic.password.as_ref().and_then(|password| {
        value_of(&format!("{at}.password"), password, || {
            let is_filler = |text: &str| text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
            let is_filler = is_own && password.literal().is_some_and(is_filler);
            !is_filler && holds_key(Name::Credential, password)
        })
    });
    username.into_iter().chain(password).collect()
}

/// An expression sees no variables. One that reads nothing of the account authenticates with its own texts.
fn of_expression(expression: &Expression, at: &str) -> Option<OperatorValue> {
    let is_alone = !expression.may_see(&["context"]) && expression.texts().len() > 1;
    (is_alone || holds_texts_of_key(expression)).then(|| OperatorValue {
        at: format!("{at}.expression"),
        kind: OperatorValueKind::Key,
    })
}

/// A key that is in what an expression computes.
pub(super) fn of_computed(expression: &Expression, at: &str) -> Option<OperatorValue> {
    let at = at.to_owned();
    let kind = OperatorValueKind::Key;
    holds_texts_of_key(expression).then_some(OperatorValue { at, kind })
}

/// Whether one of its texts is a key, or pieces of one are put together.
fn holds_texts_of_key(expression: &Expression) -> bool {
    let texts = expression.texts();
    let pieces: String = texts
        .iter()
        .copied()
        .filter(|text| is_piece(text))
        .collect();
    texts.into_iter().any(looks_like_key) || looks_like_key(&pieces)
}

/// The operator's values in `pagination`.
pub(super) fn of_pagination(pagination: &Setting<Pagination>, at: &str) -> Vec<OperatorValue> {
    let at = format!("{at}.config");
    match pagination {
        Setting::Set(Pagination::Cursor(cursor)) => {
            let values = of_entries(&cursor.headers, &format!("{at}.headers"));
            values.into_iter().map(|(_, value)| value).collect()
        }
        Setting::Set(Pagination::Range(range)) => {
            let unit = range.range_unit.iter();
            let at = format!("{at}.range_unit");
            unit.filter_map(|unit| of_template(Name::Other, &at, unit))
                .collect()
        }
        Setting::Set(Pagination::Dynamic(dynamic)) => of_dynamic(dynamic, &at),
        _ => Vec::new(),
    }
}

fn of_dynamic(dynamic: &Dynamic, at: &str) -> Vec<OperatorValue> {
    let expressions = [
        (
            "get_initial_pagination_values_expression",
            dynamic.get_initial_pagination_values_expression.as_ref(),
        ),
        (
            "get_pagination_values_expression",
            Some(&dynamic.get_pagination_values_expression),
        ),
    ];
    let set = expressions.into_iter();
    let set = set.filter_map(|(key, expression)| Some((key, expression?)));
    set.filter_map(|(key, expression)| of_computed(expression, &format!("{at}.{key}")))
        .collect()
}

/// The operator's values that a method adds.
pub(super) fn of_method(method: &Method, at: &str) -> Vec<OperatorValue> {
    let path = |key: &str, path: &PathTemplate| of_url(path.template(), &format!("{at}.{key}"));
    let mut values = Vec::new();
    for (key, entries) in [("headers", &method.headers), ("query", &method.query)] {
        let own = of_entries(entries, &format!("{at}.{key}"));
        values.extend(own.into_iter().map(|(_, value)| value));
    }
    values.extend(path("path", &method.path));
    values.extend(
        method
            .pagination_path
            .as_ref()
            .and_then(|own| path("pagination_path", own)),
    );
    let base = method.base_url.as_ref();
    values.extend(base.and_then(|base| of_url(base.template(), &format!("{at}.base_url"))));
    if let Some(body) = &method.body {
        values.extend(of_tree(body, &format!("{at}.body")));
    }
    if let Some(authorization) = method.authorization.as_ref().filter(|_| !method.no_auth) {
        values.extend(of_authorizations(
            authorization,
            &format!("{at}.authorization"),
        ));
    }
    values.extend(of_pagination(
        &method.pagination,
        &format!("{at}.pagination"),
    ));
    values
}
