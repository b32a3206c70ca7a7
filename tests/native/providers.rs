//! The shipped files against answers from the providers' own documentation (`tests/cases/providers`): the
//! request as the provider expects it, the list cut at the right place, the page before and behind found.
//!
//! One page is a call through `api::handle`. What paging adds to a request, and where the answer leads, is
//! asked of `pagination`, since calls do not turn pages yet.

use causeway::config::rate_limit::HeaderOrExpression;
use causeway::config::{Config, Pagination, read};
use causeway::expression::{ExpressionScope, Moment, TemplateScope};
use causeway::json::cut;
use causeway::pagination::{self, Answer, Ask, Position, Request, Turn};
use causeway::ports::Body;
use causeway::proxy::request::set_query;
use serde_json::{Value, json};
use url::Url;

use crate::client::Setting;
use crate::integration_files::{files_of, load, root};
use crate::outside::{Sent, World};

const MOMENT: Moment = Moment {
    now_ms: 1_700_000_000_000,
    random: [0; 32],
};

struct Case {
    name: String,
    story: Value,
    file: Value,
    config: Config,
}

impl Case {
    fn all() -> Vec<Self> {
        files_of("tests/cases/providers")
            .iter()
            .map(|path| {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                let story = load(path);
                let integration = story["integration"].as_str().unwrap_or(&name);
                let file = load(&root().join(format!("integrations/{integration}.json")));
                let config = read(&file).integration.expect("no mistakes").config;
                Self {
                    name,
                    story,
                    file,
                    config,
                }
            })
            .collect()
    }

    fn text(&self, pointer: &str) -> String {
        match self.story.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// An account that holds a token is an OAuth one, whatever the file calls its way to the token.
    fn credential(&self) -> &str {
        let has_token = self.story.pointer("/context/oauth").is_some();
        let mut formats = self.config.credentials.keys();
        formats
            .find(|format| (*format != "api_key") == has_token)
            .expect("a credential for this context")
    }

    fn status(&self) -> u16 {
        let status = self.story["answer"]["status"].as_u64().unwrap();
        u16::try_from(status).unwrap()
    }

    fn answer_headers(&self) -> Vec<(String, String)> {
        let headers = self.story["answer"]["headers"].as_object().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        headers
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect()
    }

    /// Calls the list; the provider's view of it, and the caller's.
    fn call(&self) -> (Sent, Value) {
        let world = World::new();
        let setting = Setting::new(&world, &self.file);
        let account = setting.account(self.credential(), &self.story["context"]);
        let headers = self.answer_headers();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(a, b)| (&**a, &**b)).collect();
        let body = self.story["answer"]["body"].to_string();
        world.answers(self.status(), &headers, &body);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("integrated_account_id", &account);
        for (name, value) in self.story["query"].as_object().into_iter().flatten() {
            query.append_pair(name, value.as_str().unwrap());
        }
        // A list with a body is called by its method's name: a GET carries none.
        let (verb, below, body) = match self.story.get("body") {
            Some(body) => ("POST", "/list", Body::from_bytes(body.to_string())),
            None => ("GET", "", Body::Empty),
        };
        let resource = self.text("/resource");
        let path = format!("/proxy/{resource}{below}?{}", query.finish());
        let headers = [("content-type", "application/json")];
        let list = setting.client.request(verb, &path, &headers, body);
        let list = list.expect(200);
        let mut sent = world.sent();
        assert_eq!(sent.len(), 1, "{}", self.name);
        (sent.remove(0), list)
    }

    fn pagination(&self) -> Option<&Pagination> {
        let (resource, method) = (self.text("/resource"), self.text("/method"));
        let method = self.config.method(&resource, &method).unwrap();
        self.config.pagination_of(method)
    }

    fn ask(&self, pagination: &Pagination, position: &Position) -> Ask {
        let scope = TemplateScope::new(&self.story["context"]);
        pagination::ask(pagination, position, &scope).unwrap()
    }

    fn first(&self, pagination: &Pagination, url: &Url) -> Position {
        let limit = self.text("/query/limit").parse().ok();
        pagination::first(pagination, limit, &self.request(url)).unwrap()
    }

    fn request<'a>(&'a self, url: &'a Url) -> Request<'a> {
        Request {
            url,
            query: &self.story["query"],
            options: &Value::Null,
            moment: &MOMENT,
        }
    }

    fn turn(&self, pagination: &Pagination, position: &Position, url: &Url) -> Turn {
        let body = self.story["answer"]["body"].to_string();
        let (resource, method) = (self.text("/resource"), self.text("/method"));
        let method = self.config.method(&resource, &method).unwrap();
        let records = match &method.response_path {
            Some(path) => cut(&body, path).unwrap().unwrap(),
            None => &body,
        };
        let headers = self.answer_headers();
        let headers = headers.iter().map(|(name, value)| {
            let name: http::HeaderName = name.parse().unwrap();
            (name, value.parse().unwrap())
        });
        let answer = Answer {
            status: self.status().try_into().unwrap(),
            headers: &headers.collect(),
            text: &body,
            value: pagination::needs_value(pagination).then_some(&self.story["answer"]["body"]),
            records,
            count: self.story["expect"]["records"].as_u64().unwrap(),
        };
        pagination::next(pagination, position, &self.request(url), &answer).unwrap()
    }
}

/// A page's request: what the method sends, and what paging adds.
struct Page {
    url: Url,
    body: String,
}

impl Page {
    fn of(sent: &Sent, ask: &Ask) -> Self {
        let mut url = ask.address(&Url::parse(&sent.url).unwrap());
        for (name, value) in &ask.query {
            set_query(&mut url, name, value);
        }
        let body = ask.body_onto(std::str::from_utf8(&sent.body).unwrap());
        Self {
            url,
            body: body.unwrap(),
        }
    }
}

/// Decoded and sorted: how parameters are written and ordered is nobody's business.
fn parameters(url: &Url) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = url.query_pairs().into_owned().collect();
    pairs.sort();
    pairs
}

fn same_address(name: &str, url: &Url, expected: &str) {
    let expected = Url::parse(expected).unwrap();
    let place = |url: &Url| (url.origin(), url.path().to_owned());
    assert_eq!(place(url), place(&expected), "{name}");
    assert_eq!(parameters(url), parameters(&expected), "{name}");
}

fn same_page(name: &str, page: &Page, expected: &Value) {
    if let Some(url) = expected["url"].as_str() {
        same_address(name, &page.url, url);
    }
    if let Some(query) = expected["query"].as_object() {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut pairs: Vec<_> = query.iter().map(|(n, v)| (n.clone(), text(v))).collect();
        pairs.sort();
        assert_eq!(parameters(&page.url), pairs, "{name}");
    }
    if let Some(body) = expected.get("body") {
        let sent: Value = serde_json::from_str(&page.body).unwrap();
        assert_eq!(&sent, body, "{name}");
    }
}

/// Whether every entry of `expected` stands in `value`.
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
    for path in files_of("integrations") {
        let file = load(&path);
        let of_it = |case: &&Case| case.file["name"] == file["name"];
        assert!(cases.iter().any(|case| of_it(&case)), "{}", file["name"]);
    }
    for case in cases {
        let source = case.text("/source");
        assert!(source.starts_with("https://"), "{}", case.name);
        assert!(case.story["expect"].get("next").is_some(), "{}", case.name);
    }
}

#[test]
fn the_request_is_the_one_the_provider_expects() {
    for case in Case::all() {
        let (sent, _) = case.call();
        let expected = &case.story["expect"]["request"];
        let ask = case.pagination().map_or_else(Ask::default, |pagination| {
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
        for (name, value) in expected["headers"].as_object().unwrap() {
            let asked = ask.headers.get(name).map(|value| value.to_str().unwrap());
            let found = asked.or_else(|| sent.header(name));
            assert_eq!(found, value.as_str(), "{} {name}", case.name);
        }
    }
}

#[test]
fn the_list_is_cut_at_the_right_place() {
    for case in Case::all() {
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
    }
}

#[test]
fn the_pages_around_are_found() {
    for case in Case::all() {
        let (sent, _) = case.call();
        let Some(pagination) = case.pagination() else {
            assert_eq!(case.story["expect"]["next"], Value::Null, "{}", case.name);
            continue;
        };
        let own = Url::parse(&sent.url).unwrap();
        let position = case.first(pagination, &own);
        let page = Page::of(&sent, &case.ask(pagination, &position));
        let turn = case.turn(pagination, &position, &page.url);
        for (key, found) in [("next", turn.next), ("prev", turn.prev)] {
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
        }
    }
}

#[test]
fn what_is_left_of_the_limit_is_read() {
    let mut read = 0;
    for case in Case::all() {
        let Some(expected) = case.story["expect"].get("rate_limit") else {
            continue;
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
                .collect::<std::collections::BTreeMap<_, _>>()
        );
        let scope = ExpressionScope::response(&case.story["answer"]["body"], &headers, 200);
        let found = expression.evaluate(&scope, &MOMENT).unwrap().unwrap();
        assert!(holds(&found, expected), "{}: {found}", case.name);
        read += 1;
    }
    assert!(read > 3);
}
