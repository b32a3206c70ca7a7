mod bodies;

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::config::read_config;
use crate::expression::{Moment, PlainHttp};
use crate::proxy::multipart::boundary;

/// What a call brings, and the request that comes of it.
struct Story {
    config: Config,
    context: Value,
    query: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: Value,
    source: BodySource,
    round: Round,
}

impl Story {
    fn new(config: &Value) -> Self {
        let (config, findings) = read_config(config);
        let config = config.unwrap_or_else(|| panic!("{findings:?}"));
        let context = json!({ "sub": "eu1", "api_key": "k" });
        Self {
            config,
            context,
            query: "",
            headers: Vec::new(),
            body: Value::Null,
            source: BodySource::Method,
            round: Round::First,
        }
    }

    fn draft(&self, name: &str) -> Result<Draft, RequestError> {
        let moment = Moment {
            now_ms: 0,
            random: [7; 32],
        };
        self.run(|config, scope, pins, caller| {
            let method = config.method("things", name).unwrap();
            of_method(
                config,
                method,
                self.round,
                scope,
                pins,
                caller,
                &Writing::of(config, method, &moment),
            )
        })
    }

    fn custom(&self, method: &http::Method, path: &str) -> Result<Draft, RequestError> {
        self.run(|config, scope, pins, caller| of_path(config, method, path, scope, pins, caller))
    }

    fn run(
        &self,
        make: impl Fn(&Config, &TemplateScope, &Pins, &CallerInput) -> Result<Draft, RequestError>,
    ) -> Result<Draft, RequestError> {
        let query = CallerQuery::read(self.query, &[]);
        let (query_value, id) = (query.to_value(), json!("a/b c"));
        let headers: HeaderMap = self
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.parse::<http::HeaderName>().unwrap(),
                    value.parse().unwrap(),
                )
            })
            .collect();
        let scope = TemplateScope::new(&self.context)
            .with_query(&query_value)
            .with_id(&id)
            .with_body(&self.body);
        let pins = Pins {
            allowed_hosts: self.config.allowed_hosts.as_ref(),
            dotted_keys: &BTreeSet::new(),
            plain_http: PlainHttp::Refused,
        };
        make(
            &self.config,
            &scope,
            &pins,
            &CallerInput {
                query: &query,
                headers: &headers,
                source: self.source,
                body: b"",
                author: InputAuthor::Caller,
            },
        )
    }
}

fn config(method: &Value) -> Value {
    json!({
        "base_url": "https://{{sub}}.api.example.com/v2/",
        "headers": { "Accept": "application/vnd.x+json", "X-Version": "7" },
        "query": { "search": "{{query_that_is_not_there}}", "locale": "en", "per_page": "50" },
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": [{ "name": "sub" }, { "name": "api_key" }, { "name": "query_that_is_not_there" }] } } },
        "resources": { "things": { "get": method } },
    })
}

fn header<'a>(draft: &'a Draft, name: &str) -> Option<&'a str> {
    draft.headers.get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn the_url_is_base_and_path_with_the_id_encoded() {
    let draft = Story::new(&config(&json!({ "path": "/things/{{id}}?full=1" })))
        .draft("get")
        .unwrap();
    assert_eq!(
        draft.url.as_str(),
        "https://eu1.api.example.com/v2/things/a%2Fb%20c?full=1&locale=en&per_page=50"
    );
    assert_eq!(draft.method, http::Method::GET);
    assert_eq!(draft.body, Payload::Nothing);
}

#[test]
fn the_caller_wins_over_the_method_and_the_method_over_the_integration() {
    let mut story = Story::new(&config(
        &json!({ "path": "", "query": { "locale": "de", "per_page": null }, "headers": { "x-version": null, "X-More": "m" } }),
    ));
    story.query = "locale=fr&x=a%20b";
    story.headers = vec![("x-more", "mine")];
    let draft = story.draft("get").unwrap();
    assert_eq!(
        draft.url.as_str(),
        "https://eu1.api.example.com/v2/?locale=fr&x=a%20b"
    );
    assert_eq!(
        header(&draft, "x-version"),
        None,
        "null removes, in any case"
    );
    assert_eq!(header(&draft, "x-more"), Some("mine"));
    assert_eq!(header(&draft, "accept"), Some("application/vnd.x+json"));
    assert!(
        header(&draft, "user-agent")
            .unwrap()
            .starts_with("causeway/")
    );
}

#[test]
fn a_caller_who_writes_a_placeholder_gets_it_sent_as_it_is() {
    let mut story = Story::new(&config(&json!({ "path": "/{{query.q}}" })));
    story.query = "q=%7B%7Bapi_key%7D%7D";
    let draft = story.draft("get").unwrap();
    assert!(
        draft.url.path().ends_with("/%7B%7Bapi_key%7D%7D"),
        "{}",
        draft.url
    );
    let custom = story.custom(&http::Method::GET, "/{{api_key}}").unwrap();
    assert!(!custom.url.as_str().contains("/k"), "{}", custom.url);
}

#[test]
fn a_missing_value_in_the_path_or_a_header_is_an_error_and_nothing_is_sent() {
    for method in [
        json!({ "path": "/{{api_key_2|query.q}}" }),
        json!({ "path": "/", "headers": { "x": "{{query.q}}" } }),
    ] {
        let error = Story::new(&config(&method)).draft("get").unwrap_err();
        assert!(
            matches!(error, RequestError::Render(_) | RequestError::Url(_)),
            "{error}"
        );
    }
}

#[test]
fn a_custom_path_stays_below_the_base_url() {
    let story = Story::new(&config(&json!({ "path": "/" })));
    let url = |path: &str| {
        story
            .custom(&http::Method::POST, path)
            .map(|draft| draft.url.to_string())
    };
    assert_eq!(
        url("/a%2Fb//c").unwrap(),
        "https://eu1.api.example.com/v2/a%2Fb//c?locale=en&per_page=50"
    );
    assert_eq!(
        url("//evil.com/x").unwrap(),
        "https://eu1.api.example.com/v2//evil.com/x?locale=en&per_page=50"
    );
    for path in [
        "/../admin",
        "/%2e%2e/admin",
        "/a/%252e%252e/b",
        "/..%2fadmin",
        "/..\\admin",
        "/./a",
    ] {
        assert_eq!(url(path), Err(RequestError::DotSegment), "{path}");
    }
}

#[test]
fn a_query_credential_replaces_one_the_caller_sent() {
    let mut url = Url::parse("https://a.example/?key=mine&b=1&%6bey=again").unwrap();
    set_query(&mut url, "key", "s&t");
    assert_eq!(url.query(), Some("b=1&key=s%26t"));
}

#[test]
fn a_parameter_that_the_method_uses_is_not_sent_a_second_time() {
    let method = json!({
        "path": "/users/{{query.user}}/posts",
        "query": { "q": "in:{{query.topic}}", "lang": "{{query.lang?:en}}", "top": "{{query.top:undefined}}" },
    });
    let mut story = Story::new(&config(&method));
    story.query = "user=7&topic=a%20b&lang=de&lang=fr&max=5";
    let draft = story.draft("get").unwrap();
    assert_eq!(
        draft.url.as_str(),
        "https://eu1.api.example.com/v2/users/7/posts?locale=en&per_page=50&q=in%3Aa%20b&lang=de&lang=fr&max=5"
    );
    let custom = story.custom(&http::Method::GET, "/posts").unwrap();
    assert!(
        custom.url.as_str().contains("user=7"),
        "no method, no use: {}",
        custom.url
    );
}

#[test]
fn later_pages_may_have_another_path_and_no_body() {
    let mut story = Story::new(&config(&json!({
        "method": "post", "path": "/search", "pagination_path": "/search/next", "ignore_body_in_pagination": true,
        "body": { "a": 1 }, "pagination": { "format": "link_header" }
    })));
    let first = story.draft("get").unwrap();
    assert!(first.url.as_str().contains("/v2/search?"), "{}", first.url);
    assert_eq!(first.body, Payload::Ours(br#"{"a":1}"#.to_vec()));
    story.round = Round::Later;
    let later = story.draft("get").unwrap();
    assert!(
        later.url.as_str().contains("/v2/search/next?"),
        "{}",
        later.url
    );
    assert_eq!(later.body, Payload::Nothing);
}

#[test]
fn the_callers_query_goes_into_the_body_where_the_method_says_so() {
    let mut story = Story::new(&config(
        &json!({ "method": "post", "path": "/search", "add_query_to_body": true, "body": { "a": 1 } }),
    ));
    story.query = "q=x&locale=fr";
    let draft = story.draft("get").unwrap();
    let query = draft.url.query().unwrap();
    assert_eq!(query, "locale=en&per_page=50", "the file's own stays");
    let body = br#"{"a":1,"q":"x","locale":"fr"}"#.to_vec();
    assert_eq!(draft.body, Payload::Ours(body));
    assert_eq!(header(&draft, "content-type"), Some("application/json"));
}
