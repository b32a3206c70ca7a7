//! Tables for reading and rendering.

use super::{RenderError, Rendered, Template, has_stray_braces};
use crate::expression::{RenderRoom, TemplateScope};
use serde_json::{Value, json};

fn context() -> Value {
    json!({
        "foo": "bar", "n": 5, "yes": "true", "empty": "", "nothing": null, "list": ["a", "b"],
        "object": {"a": 1}, "dotted": {"a": [{"b": "deep"}]}, "line": "a\r\nb", "some key": "spaced",
        "a-b": "dash", "text": "{{foo}}",
    })
}

fn render(source: &str) -> Result<Rendered, RenderError> {
    let context = context();
    Template::parse(source)
        .unwrap()
        .render(&TemplateScope::new(&context))
}

fn value(source: &str) -> Value {
    match render(source).unwrap() {
        Rendered::Value(value) => value,
        Rendered::Dropped => json!("<dropped>"),
    }
}

#[test]
fn a_whole_placeholder_keeps_the_type_of_its_cast_and_an_embedded_one_is_text() {
    let table = [
        ("plain", json!("plain")),
        ("", json!("")),
        ("{{foo}}", json!("bar")),
        ("{{ foo }}", json!("bar")),
        ("{{n}}", json!("5")),
        ("{{n:int}}", json!(5)),
        ("{{n:any}}", json!(5)),
        ("n={{n:int}}!", json!("n=5!")),
        ("{{yes:bool}}", json!(true)),
        ("{{list:any}}", json!(["a", "b"])),
        ("{{object}}", json!("{\"a\":1}")),
        ("{{object:json}}", json!({"a": 1})),
        ("{{dotted.a.0.b}}", json!("deep")),
        ("{{context.foo}}/{{credentials.foo}}", json!("bar/bar")),
        ("{{some key}} {{a-b}}", json!("spaced dash")),
        ("{{foo}}{{foo}}", json!("barbar")),
    ];
    for (source, expected) in table {
        assert_eq!(value(source), expected, "{source}");
    }
}

#[test]
fn each_placeholder_of_a_text_gives_a_text_of_its_own() {
    let context = context();
    let scope = TemplateScope::new(&context);
    let table: [(&str, &[&str]); 5] = [
        ("plain", &[]),
        ("{{empty}}/{{foo}}", &["", "bar"]),
        ("a{{missing:undefined}}b{{n:int}}", &["", "5"]),
        ("{{missing:null}}{{missing?:x}}", &["null", "x"]),
        ("{{foo}}", &["bar"]),
    ];
    for (source, expected) in table {
        let template = Template::parse(source).unwrap();
        let texts = template.placeholder_texts(&scope).unwrap();
        assert_eq!(texts, expected, "{source}");
    }
    let template = Template::parse("{{foo}}{{missing}}").unwrap();
    assert!(template.placeholder_texts(&scope).unwrap_err().is_missing());
}

#[test]
fn the_first_defined_alternative_wins_and_then_the_fallback() {
    let table = [
        ("{{missing|foo}}", json!("bar")),
        ("{{missing:str|n:int}}", json!(5)),
        ("{{missing?:x}}", json!("x")),
        ("{{missing?:1:int}}", json!(1)),
        ("{{missing?:https://a.b}}", json!("https://a.b")),
        ("{{empty}}", json!("")),
        ("{{empty|foo:ignore-empty-str}}", json!("bar")),
        ("{{empty:ignore-empty-str?:x}}", json!("x")),
        ("{{missing:null}}", json!(null)),
        ("a{{missing:null}}b", json!("anullb")),
        ("{{missing:undefined}}", json!("<dropped>")),
        ("a{{missing:undefined}}b", json!("ab")),
        ("{{n:undefined}}", json!(5)),
        ("{{nothing}}", json!(null)),
    ];
    for (source, expected) in table {
        assert_eq!(value(source), expected, "{source}");
    }
}

#[test]
fn a_missing_value_without_fallback_is_an_error_that_names_path_and_place() {
    for source in [
        "{{missing}}",
        "a {{missing}}",
        "{{empty:ignore-empty-str}}",
        "x{{nothing}}",
    ] {
        let error = render(source).unwrap_err();
        assert!(error.is_missing(), "{source}");
        assert!(error.to_string().contains(source), "{error}");
    }
    assert_eq!(
        render("{{foo:int}}").unwrap_err().to_string(),
        "`foo` cannot be read as `int`"
    );
}

#[test]
fn what_is_not_a_token_is_literal_and_a_value_is_never_a_template() {
    let table = [
        ("{{foo", "{{foo"),
        ("{{}}", "{{}}"),
        ("{{a$b}}", "{{a$b}}"),
        ("{ {foo} }", "{ {foo} }"),
        ("{{{foo}}}", "{bar}"),
        ("{{text}}", "{{foo}}"),
        ("x {{a\nb}}", "x {{a\nb}}"),
        ("{{a$b}}{{foo}}", "{{a$b}}bar"),
        ("{{a {{foo}} }}", "{{a bar }}"),
        ("}}{{foo}}}}", "}}bar}}"),
        ("{{}}foo}}", "{{}}foo}}"),
    ];
    for (source, expected) in table {
        assert_eq!(value(source), json!(expected), "{source}");
    }
}

#[test]
fn stray_braces_are_told_apart_from_placeholders() {
    for (source, stray) in [
        ("{{foo", true),
        ("{{a$b}} {{foo}}", true),
        ("{{foo}}", false),
        ("{{{foo}}}", true),
        ("{x}", false),
        ("{{a {{foo}}", true),
        ("}} {{foo}}", false),
    ] {
        assert_eq!(has_stray_braces(source), stray, "{source}");
    }
}

#[test]
fn a_header_takes_no_line_break_and_leaves_out_what_is_dropped_or_null() {
    let context = context();
    let scope = TemplateScope::new(&context);
    let header = |source: &str| Template::parse(source).unwrap().header(&scope);
    assert_eq!(
        header("Bearer {{foo}}").unwrap().as_deref(),
        Some("Bearer bar")
    );
    assert_eq!(header("{{missing:undefined}}").unwrap(), None);
    assert_eq!(header("{{nothing}}").unwrap(), None);
    assert!(matches!(
        header("x {{line}}"),
        Err(RenderError::NotAHeaderValue { .. })
    ));
}

/// Looking for the end at each brace would take hours.
#[test]
fn a_mebibyte_of_braces_is_read_once() {
    for unit in ["{", "{{", "{{a", "}", "{{$}}", "{{{foo}}}"] {
        let source = unit.repeat((1 << 20) / unit.len());
        assert!(Template::parse(&source).is_ok(), "{unit}");
        assert_eq!(has_stray_braces(&source), unit != "}", "{unit}");
    }
}

#[test]
fn a_header_takes_text_without_controls_and_what_has_no_width() {
    for (value, fits) in [
        ("caf\u{e9} \t~\u{a0}\u{ff}", true),
        ("\u{100}", true),
        ("5 \u{20ac}", true),
        ("\u{1f600}", true),
        ("\u{7f}", false),
        ("\u{85}", false),
        ("a\nb", false),
        ("a\u{200b}", false),
        ("\u{2028}", false),
        ("\u{feff}a", false),
    ] {
        let context = json!({"key": value});
        let header = Template::parse("Bearer {{key}}")
            .unwrap()
            .header(&TemplateScope::new(&context));
        match header {
            Ok(_) => assert!(fits, "{value:?}"),
            Err(error) => {
                assert!(!fits, "{value:?}");
                assert!(error.to_string().contains("Bearer {{key}}"));
                assert!(!error.to_string().contains(value) && !error.is_missing());
            }
        }
    }
}

#[test]
fn a_query_value_is_a_text_or_an_array() {
    let context = context();
    let scope = TemplateScope::new(&context);
    let query = |source: &str| {
        Template::parse(source)
            .unwrap()
            .query(&scope, &RenderRoom::url())
            .unwrap()
    };
    assert_eq!(query("{{n:int}}"), Some(json!("5")));
    assert_eq!(query("{{list:any}}"), Some(json!(["a", "b"])));
    assert_eq!(query("{{missing:undefined}}"), None);
}

#[test]
fn numbers_and_booleans_load_as_their_text() {
    let texts: Vec<Template> = serde_json::from_str("[1, 2.5, true, \"{{x}}\"]").unwrap();
    let sources: Vec<&str> = texts.iter().map(Template::source).collect();
    assert_eq!(sources, ["1", "2.5", "true", "{{x}}"]);
    assert_eq!(serde_json::to_string(&texts[3]).unwrap(), "\"{{x}}\"");
    let error = serde_json::from_str::<Template>("\"{{x:uint}}\"").unwrap_err();
    assert!(error.to_string().contains("`uint` is not a cast"));
}
