use std::collections::BTreeMap;

use serde_json::json;
use url::Url;

use super::*;
use crate::config::read_config;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn config(body: &Value) -> Config {
    let file = json!({
        "base_url": "https://api.example.com", "body": body,
        "credentials": {"api_key": {"format": "api_key", "config": {"fields": [{"name": "key", "type": "password"}]}}}
    });
    let (config, findings) = read_config(&file);
    config.unwrap_or_else(|| panic!("{findings:?}"))
}

/// A body with the file's `key` (the account's) and `lang` (a default) in it.
struct Sent {
    method: HttpMethod,
    content_type: Option<&'static str>,
    body: Payload,
    template: Option<Value>,
    format: BodyFormat,
}

impl Sent {
    fn callers(content_type: Option<&'static str>) -> Self {
        Self {
            method: HttpMethod::POST,
            content_type,
            body: Payload::Callers,
            template: None,
            format: BodyFormat::Json,
        }
    }

    fn with(&self, callers: &str) -> Result<Draft, RequestError> {
        let config = config(&json!({"key": "{{key}}", "lang": "en"}));
        let context = json!({"key": "k&1"});
        let scope = TemplateScope::new(&context);
        let entries = FileBody::of(&config, &self.method, &scope)?;
        let mut headers = HeaderMap::new();
        if let Some(text) = self.content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(text));
        }
        headers.insert("content-md5", HeaderValue::from_static("x"));
        let draft = Draft {
            method: self.method.clone(),
            url: Url::parse("https://api.example.com/").unwrap(),
            headers,
            body: self.body.clone(),
        };
        let template: Option<TemplateTree> = self
            .template
            .clone()
            .map(|tree| serde_json::from_value(tree).unwrap());
        let merged = MergedBody {
            callers: callers.as_bytes(),
            template: template.as_ref(),
            format: self.format,
            arrays: QueryArrayFormat::Repeat,
        };
        entries.onto(draft, &merged)
    }

    fn text(&self, callers: &str) -> String {
        match self.with(callers).unwrap().body {
            Payload::Ours(bytes) => String::from_utf8(bytes).unwrap(),
            other => format!("{other:?}"),
        }
    }
}

#[test]
fn the_files_secret_wins_and_its_defaults_give_way() {
    let json = Sent::callers(Some(JSON));
    for (callers, expected) in [
        (r#"{"n":1e400}"#, r#"{"n":1e400,"key":"k&1","lang":"en"}"#),
        (
            r#"{"key":"mine","lang":"de"}"#,
            r#"{"lang":"de","key":"k&1"}"#,
        ),
        (
            r#"{"KEY":1,"k.ey":2,"key.x":3,"key[]":4,"k":5}"#,
            r#"{"k":5,"key":"k&1","lang":"en"}"#,
        ),
        (r#"{"k\u0065y":"mine"}"#, r#"{"key":"k&1","lang":"en"}"#),
        (
            r#"{"Lang":"de","key":1,"a":"},\"key\":2,","lang":"fr","b":[{"key":3}] }"#,
            r#"{"Lang":"de","a":"},\"key\":2,","lang":"fr","b":[{"key":3}],"key":"k&1"}"#,
        ),
        (" {} ", r#"{"key":"k&1","lang":"en"}"#),
    ] {
        assert_eq!(json.text(callers), expected, "{callers}");
    }
    let form = Sent::callers(Some(FORM));
    for (callers, expected) in [
        ("a=%31", "a=%31&key=k%261&lang=en"),
        ("key=mine&lang=de&%6Bey=again&key[]=x", "lang=de&key=k%261"),
    ] {
        assert_eq!(form.text(callers), expected, "{callers}");
    }
}

#[test]
fn a_methods_own_entry_wins_and_what_it_passes_on_does_not() {
    let sent = |template: Value, body: &str| Sent {
        template: Some(template),
        body: Payload::Ours(body.into()),
        ..Sent::callers(None)
    };
    let own = sent(json!({"key": "{{body.x}}", "a": 1}), r#"{"key":"x","a":1}"#);
    assert_eq!(own.text(""), r#"{"key":"x","a":1,"lang":"en"}"#);
    let both = sent(json!({"key": "", "lang": ""}), r#"{"key":"","lang":""}"#);
    assert_eq!(both.text(""), r#"{"key":"","lang":""}"#);
    let none = sent(json!({"key": "", "lang": ""}), "{}");
    assert_eq!(none.text(""), "{}");
    let whole = sent(json!("{{body:any}}"), r#"{"key":"mine","a":1}"#);
    assert_eq!(whole.text(""), r#"{"a":1,"key":"k&1","lang":"en"}"#);
}

#[test]
fn a_callers_body_of_another_type_is_refused_and_the_files_own_stay() {
    for content_type in [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
    ] {
        let sent = Sent::callers(Some(content_type));
        assert!(matches!(sent.with("[1]"), Err(RequestError::FileBody)));
    }
    for format in [BodyFormat::Raw, BodyFormat::Xml, BodyFormat::Multipart] {
        let sent = Sent {
            body: Payload::Ours(b"x".to_vec()),
            format,
            ..Sent::callers(None)
        };
        assert_eq!(sent.text(""), "x");
    }
    for method in [HttpMethod::GET, HttpMethod::HEAD] {
        let sent = Sent {
            method,
            body: Payload::Nothing,
            ..Sent::callers(None)
        };
        assert_eq!(sent.with("").unwrap().body, Payload::Nothing);
    }
}

#[test]
fn a_request_without_a_body_gets_one_where_its_method_has_bodies() {
    let bodies = BTreeMap::from([
        ("POST", true),
        ("PUT", true),
        ("PATCH", true),
        ("DELETE", false),
        ("OPTIONS", false),
    ]);
    for (method, is_made) in bodies {
        for body in [Payload::Nothing, Payload::Callers] {
            let sent = Sent {
                method: method.parse().unwrap(),
                body,
                ..Sent::callers(None)
            };
            let draft = sent.with("").unwrap();
            let made = matches!(draft.body, Payload::Ours(_));
            assert_eq!(made, is_made, "{method}");
            let said = draft.headers.get(CONTENT_TYPE);
            assert_eq!(said.is_some_and(|said| said == JSON), is_made, "{method}");
        }
    }
    let delete = Sent {
        method: HttpMethod::DELETE,
        ..Sent::callers(Some(JSON))
    };
    assert_eq!(delete.text("{}"), r#"{"key":"k&1","lang":"en"}"#);
}

#[test]
fn a_body_that_takes_no_entries_is_refused_and_its_description_is_its_own() {
    let json = Sent::callers(Some(JSON));
    for callers in [
        "[1]",
        "1",
        "{",
        "null",
        "\u{feff}{}",
        r#"{"a":1,}"#,
        r#"{"\ud800":1}"#,
        r#"{"a":1}{"key":2}"#,
    ] {
        assert!(
            matches!(json.with(callers), Err(RequestError::FileBody)),
            "{callers}"
        );
    }
    let typed = Sent::callers(Some("application/vnd.api+json"))
        .with("{}")
        .unwrap();
    assert_eq!(typed.headers[CONTENT_TYPE], "application/vnd.api+json");
    assert!(!typed.headers.contains_key("content-md5"));
    let untyped = Sent::callers(None).with("{}").unwrap();
    assert_eq!(untyped.headers[CONTENT_TYPE], JSON);
}

#[test]
fn a_missing_value_is_an_error() {
    let config = config(&json!({"key": "{{key}}"}));
    let nothing = json!({});
    let scope = TemplateScope::new(&nothing);
    assert!(FileBody::of(&config, &HttpMethod::POST, &scope).is_err());
    assert!(FileBody::of(&config, &HttpMethod::GET, &scope).is_ok());
}
