//! The shipped files against answers from the providers' own documentation (`tests/cases/providers`): the
//! request as the provider expects it, the list cut at the right place, the page before and behind found.
//!
//! One page is a call through `api::handle`. What paging adds to a request, and where the answer leads, is
//! asked of `pagination` itself.

use std::collections::BTreeMap;

use causeway::config::rate_limit::HeaderOrExpression;
use causeway::expression::ExpressionScope;
use causeway::pagination::PageParameters;
use serde_json::{Value, json};
use url::Url;

use crate::cases::each_case;
use crate::integration_files::{files_of, load};
use crate::provider_cases::{Case, MOMENT, Page, same_page};

/// Whether `value` has every entry of `expected`.
fn holds(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Object(own), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| own.get(key).is_some_and(|own| holds(own, wanted))),
        _ => value == expected,
    }
}

#[test]
fn every_provider_has_a_case_with_its_source() {
    let cases = Case::all();
    each_case(files_of("integrations"), |path| {
        let file = load(&path);
        if file["config"]["resources"].is_null() {
            // For webhooks alone, or for files alone, which no provider prints: there is nothing to list.
            let config = &file["config"];
            let has_files = !config["credentials"]["sftp"].is_null();
            assert!(
                has_files || !config["webhook"].is_null(),
                "{}",
                file["name"]
            );
            return;
        }
        let of_it = |case: &&Case| case.file["name"] == file["name"];
        assert!(cases.iter().any(|case| of_it(&case)), "{}", file["name"]);
    });
    each_case(cases, |case| {
        let source = case.text("/source");
        assert!(source.starts_with("https://"), "{}", case.name);
        assert!(case.story["expect"].get("next").is_some(), "{}", case.name);
    });
}

#[test]
fn the_request_is_the_one_the_provider_expects() {
    each_case(Case::all(), |case| {
        let (sent, _) = case.call();
        let expected = &case.story["expect"]["request"];
        let ask = case
            .pagination()
            .map_or_else(PageParameters::default, |pagination| {
                let url = Url::parse(&sent.url).unwrap();
                case.ask(pagination, &case.first(pagination, &url))
            });
        let page = Page::of(&sent, &ask);
        assert_eq!(
            sent.method,
            expected["method"].as_str().unwrap(),
            "{}",
            case.name
        );
        same_page(&case.name, &page, expected);
        each_case(expected["headers"].as_object().unwrap(), |(name, value)| {
            let asked = ask.headers.get(name).map(|value| value.to_str().unwrap());
            let found = asked.or_else(|| sent.header(name));
            assert_eq!(found, value.as_str(), "{} {name}", case.name);
        });
    });
}

#[test]
fn the_list_is_cut_at_the_right_place() {
    each_case(Case::all(), |case| {
        let (_, list) = case.call();
        let expected = &case.story["expect"];
        assert_eq!(list["result_count"], expected["records"], "{}", case.name);
        let records = list["result"].as_array().unwrap();
        assert_eq!(json!(records.len()), expected["records"], "{}", case.name);
        match records.first() {
            Some(first) => {
                assert!(expected["first"].is_object(), "{}", case.name);
                assert!(holds(first, &expected["first"]), "{}: {first}", case.name);
            }
            None => assert_eq!(expected["records"], 0, "{}", case.name),
        }
    });
}

#[test]
fn the_pages_around_are_found() {
    each_case(Case::all(), |case| {
        let (sent, _) = case.call();
        let Some(pagination) = case.pagination() else {
            assert_eq!(case.story["expect"]["next"], Value::Null, "{}", case.name);
            return;
        };
        let own = Url::parse(&sent.url).unwrap();
        let position = case.first(pagination, &own);
        let page = Page::of(&sent, &case.ask(pagination, &position));
        let links = case.links(pagination, &position, &page.url);
        each_case(
            [("next", links.next), ("prev", links.prev)],
            |(key, found)| {
                let name = format!("{} {key}", case.name);
                let expected = case.story["expect"].get(key).filter(|page| !page.is_null());
                assert_eq!(found.is_some(), expected.is_some(), "{name}");
                if let (Some(position), Some(expected)) = (found, expected) {
                    let ask = case.ask(pagination, &position);
                    same_page(&name, &Page::of(&sent, &ask), expected);
                    for (header, value) in expected["headers"].as_object().into_iter().flatten() {
                        assert_eq!(
                            ask.headers[header.as_str()],
                            value.as_str().unwrap(),
                            "{name}"
                        );
                    }
                    for (root, value) in expected["values"].as_object().into_iter().flatten() {
                        assert_eq!(&ask.values[root], value, "{name}");
                    }
                }
            },
        );
    });
}

#[test]
fn what_is_left_of_the_limit_is_read() {
    let mut read = 0;
    each_case(Case::all(), |case| {
        let Some(expected) = case.story["expect"].get("rate_limit") else {
            return;
        };
        let limits = case.config.rate_limit.as_ref();
        let expression =
            match limits.and_then(|limits| limits.rate_limit_header_expression.as_ref()) {
                Some(HeaderOrExpression::Expression(expression)) => expression,
                other => panic!("{}: {other:?}", case.name),
            };
        let headers = json!(
            case.answer_headers()
                .into_iter()
                .collect::<BTreeMap<_, _>>()
        );
        let scope = ExpressionScope::response(&case.story["answer"]["body"], &headers, 200);
        let found = expression.evaluate(&scope, &MOMENT).unwrap().unwrap();
        assert!(holds(&found, expected), "{}: {found}", case.name);
        read += 1;
    });
    assert!(read > 3);
}
