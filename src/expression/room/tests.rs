//! Each bound just under and just over, and what is counted.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{BODY_BYTES, RenderRoom, TEXT_BYTES, URL_BYTES, VALUE_BYTES};
use crate::expression::effort::counted;
use crate::expression::{
    PathTemplate, Pins, PlainHttp, RenderError, Template, TemplateScope, TemplateTree, UrlError,
    UrlTemplate,
};

fn too_large<T>(result: Result<T, RenderError>) -> bool {
    match result {
        Ok(_) => false,
        Err(RenderError::TooLarge { .. }) => true,
        Err(RenderError::Within { cause, .. }) => too_large::<()>(Err(*cause)),
        Err(other) => panic!("{other}"),
    }
}

/// Whether a tree is refused for a context in which `big` is so many of these.
fn refuses_body(tree: &Value, unit: &str, units: usize) -> bool {
    let tree: TemplateTree = serde_json::from_value(tree.clone()).unwrap();
    let context = json!({ "big": unit.repeat(units), "list": vec![1; units] });
    too_large(tree.render(&TemplateScope::new(&context)))
}

#[test]
fn a_body_is_bounded_as_it_will_be_written() {
    let room = BODY_BYTES - VALUE_BYTES;
    for (tree, unit, units) in [
        (json!("{{big}}"), "x", room),
        (json!("{{big}}{{big}}"), "x", BODY_BYTES / 2),
        (json!("{{big}}"), "\n", room / 2),
        (json!("{{big}}"), "\u{1}", room / 6),
        (json!("{{big}}"), "\u{e9}", room / 2),
        (
            json!(vec!["{{big}}"; 64]),
            "x",
            BODY_BYTES / 64 - VALUE_BYTES,
        ),
        (json!("{{list:any}}"), "", room / VALUE_BYTES),
    ] {
        assert!(!refuses_body(&tree, unit, units), "{tree}");
        assert!(refuses_body(&tree, unit, units + 1), "{tree}");
    }
}

fn header(units: usize) -> Result<Option<String>, RenderError> {
    let context = json!({ "big": "x".repeat(units) });
    let template = Template::parse("Bearer {{big}}").unwrap();
    template.header(&TemplateScope::new(&context))
}

#[test]
fn a_header_is_bounded() {
    let most = TEXT_BYTES - "Bearer ".len();
    assert_eq!(header(most).unwrap().unwrap().len(), TEXT_BYTES);
    assert!(too_large(header(most + 1)));
}

fn url(path: &str, unit: &str, units: usize) -> Result<usize, UrlError> {
    let context = json!({ "big": unit.repeat(units) });
    let dotted_keys = BTreeSet::new();
    let pins = Pins {
        allowed_hosts: None,
        dotted_keys: &dotted_keys,
        plain_http: PlainHttp::Refused,
    };
    let base = UrlTemplate::parse("https://api.example.com/v1").unwrap();
    let path = PathTemplate::parse(path).unwrap();
    let url = base.join(&path, &TemplateScope::new(&context), &pins)?;
    Ok(url.path().len() + url.query().map_or(0, str::len))
}

#[test]
fn a_path_and_query_are_bounded_together_and_encoded() {
    let room = URL_BYTES - "/v1".len();
    for (path, unit, units) in [
        ("/{{big}}", "x", room - 1),
        ("/{{big}}", " ", (room - 1) / 3),
        ("/{{big}}?q={{big}}", "x", (room - "/q=".len()) / 2),
        ("/{{big}}/{{big}}", "\u{e9}", (room - 2) / 12),
    ] {
        let length = url(path, unit, units).unwrap();
        assert!((URL_BYTES - 12..=URL_BYTES).contains(&length), "{path}");
        let over = url(path, unit, units + 1);
        assert!(
            matches!(over, Err(UrlError::Render(RenderError::TooLarge { .. }))),
            "{path}"
        );
    }
}

#[test]
fn a_parameter_of_many_items_is_counted_with_its_name() {
    let refuses = |items: usize| {
        let context = json!({ "list": vec!["x"; items] });
        let template = Template::parse("{{list:any}}").unwrap();
        let room = RenderRoom::url();
        let value = template.query(&TemplateScope::new(&context), &room);
        let taken = value.and_then(|value| room.take_name(&"n".repeat(1000), &value.unwrap()));
        too_large(taken)
    };
    assert!(!refuses(15));
    assert!(refuses(17));
}

#[test]
fn an_error_names_the_template_and_no_value() {
    let context = json!({ "big": "secret".repeat(TEXT_BYTES) });
    let source = format!("{{{{big}}}}{}", "-".repeat(500));
    let template = Template::parse(&source).unwrap();
    let error = template.text(&TemplateScope::new(&context)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("`{{big}}---") && text.len() < 200,
        "{text}"
    );
    assert!(!text.contains("secret") && !error.is_missing());
}

#[test]
fn what_is_rendered_takes_steps_also_where_it_fails() {
    let context = json!({ "big": "x".repeat(1_000), "padded": format!("7{}", " ".repeat(1_000)), "list": [1, 2] });
    let steps = |tree: Value, room: RenderRoom| {
        let tree: TemplateTree = serde_json::from_value(tree).unwrap();
        let count = std::cell::Cell::new(100_000_000);
        let rendered = counted(&count, || {
            tree.render_in(room, &TemplateScope::new(&context))
        });
        (100_000_000 - count.get(), rendered.is_ok())
    };
    for (tree, room, expected) in [
        (json!("{{big}}"), RenderRoom::body(), (1_032, true)),
        (json!("{{big}}"), RenderRoom::url(), (1_000, true)),
        (
            json!({ "key": "{{big}}" }),
            RenderRoom::url(),
            (1_003, true),
        ),
        (
            json!(["{{big}}", "{{none}}"]),
            RenderRoom::url(),
            (1_000, false),
        ),
        (json!("{{padded:int}}"), RenderRoom::url(), (1_002, true)),
        (json!("{{list}}"), RenderRoom::url(), (14, true)),
        (
            json!(vec!["{{big}}"; 17]),
            RenderRoom::url(),
            (URL_BYTES as u64, false),
        ),
    ] {
        assert_eq!(steps(tree.clone(), room), expected, "{tree}");
    }
}

#[test]
fn nothing_is_rendered_without_steps() {
    let count = std::cell::Cell::new(10);
    let room = RenderRoom::url();
    assert!(counted(&count, || room.take(9, "a")).is_ok());
    assert!(too_large(counted(&count, || room.take(1, "a"))));
    assert!(too_large(room.take(1, "a")), "the room has ended, too");
}

#[test]
fn a_tree_is_as_long_as_what_is_read_of_it() {
    let tree: TemplateTree =
        serde_json::from_value(json!({ "ab": ["{{x}}", 1, null], "c": "" })).unwrap();
    assert_eq!(tree.length(), 1 + 2 + (1 + (1 + 5) + 1 + 1) + 1 + 1);
}
