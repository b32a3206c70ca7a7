use serde_json::{Value, json};

use super::filter::comma_separated;
use super::input::ConfirmationPolicy;
use super::{ToolFilter, ToolInput, ToolMethod, methods};
use crate::config::{self, Config};
use crate::json::exact::{self, Exact};

fn config(resources: &Value) -> Config {
    let file = json!({ "base_url": "https://api.acme.example", "resources": resources,
        "tool_tags": { "contacts": ["crm"] } });
    let (config, findings) = config::read_config(&file);
    config.unwrap_or_else(|| panic!("{findings:?}"))
}

fn acme() -> Config {
    let text = json!({ "type": "string", "description": "A text." });
    config(&json!({
        "contacts": {
            "list": { "path": "/contacts", "description": "Lists contacts.",
                "query_schema": { "type": "object", "required": ["city"], "properties": { "city": text, "limit": text, "tags": { "type": "array" } } } },
            "get": { "path": "/contacts/{{id}}", "description": "Gets a contact.",
                "query_schema": { "type": "object", "properties": { "id": text } } },
            "update": { "method": "put", "path": "/contacts/{{id}}", "description": "Changes a contact.",
                "query_schema": { "type": "object", "required": ["name"], "properties": { "name": text } },
                "body_schema": { "type": "object", "required": ["name"], "properties": { "name": text, "id": text, "age": { "type": "integer" } } } },
            "create": { "method": "post", "path": "/contacts", "description": "Makes a contact." },
            "delete": { "method": "delete", "path": "/contacts/{{id}}", "description": "Deletes a contact." },
            "merge": { "method": "post", "path": "/merge", "description": "Merges contacts.",
                "body_schema": { "type": "object", "properties": { "a": text }, "additionalProperties": { "type": "integer" } } },
        },
        "notes": {
            "list": { "path": "/notes" },
            "search": { "method": "get", "path": "/notes/{{query.q}}", "description": "Searches." },
            "touch": { "method": "post", "path": "/touch", "body": { "at": "now" }, "description": "Touches." },
            "write": { "method": "post", "path": "/raw", "body_format": "raw", "description": "Writes a text." },
        },
    }))
}

fn names(config: &Config, filter: &ToolFilter) -> Vec<String> {
    let tools = methods(config, "acme", filter).into_iter();
    tools.map(|tool| tool.name).collect()
}

fn tool<'a>(config: &'a Config, name: &str) -> ToolMethod<'a> {
    let all = methods(config, "acme", &ToolFilter::default());
    all.into_iter().find(|tool| tool.name == name).unwrap()
}

fn input(config: &Config, name: &str) -> ToolInput {
    ToolInput::of(&tool(config, name), ConfirmationPolicy::Never)
}

fn schema(config: &Config, name: &str) -> Value {
    input(config, name).into_schema()
}

fn keys(schema: &Value) -> Vec<&str> {
    let properties = schema["properties"].as_object().unwrap();
    properties.keys().map(String::as_str).collect()
}

fn arguments(value: &Value) -> Exact {
    Exact::of_marked(&exact::marked(value.to_string().as_bytes())).unwrap()
}

#[test]
fn a_filter_leaves_the_methods_that_it_names() {
    let config = acme();
    let filter = |methods: &str, tags: &str, resources: &str| ToolFilter {
        methods: comma_separated(methods),
        tags: comma_separated(tags),
        resources: comma_separated(resources),
        ..ToolFilter::default()
    };
    let count = |filter| names(&config, &filter).len();
    assert_eq!(count(filter("", "", "")), 9);
    assert_eq!(count(filter("read", "", "")), 3);
    assert_eq!(count(filter("write", "", "")), 6);
    assert_eq!(count(filter(" merge , search ", "", "")), 2);
    assert_eq!(count(filter("", "crm", "")), 6);
    assert_eq!(count(filter("", "other", "")), 0);
    assert_eq!(count(filter("read", "", "notes")), 1);
    let all = ToolFilter {
        with_undescribed: true,
        ..ToolFilter::default()
    };
    assert_eq!(count(all), 10);
    let sandbox = ToolFilter {
        is_sandbox: true,
        ..ToolFilter::default()
    };
    assert_eq!(
        names(&config, &sandbox),
        [
            "get_single_acme_contacts_by_id",
            "list_all_acme_contacts",
            "acme_notes_search"
        ]
    );
}

#[test]
fn the_annotations_say_what_a_tool_does() {
    let config = acme();
    for (name, read, destructive, idempotent) in [
        ("list_all_acme_contacts", true, false, true),
        ("create_a_acme_contacts", false, false, false),
        ("update_a_acme_contacts_by_id", false, true, true),
        ("delete_a_acme_contacts_by_id", false, true, true),
        ("acme_contacts_merge", false, true, false),
        ("acme_notes_search", true, false, true),
    ] {
        let own = tool(&config, name).annotations();
        let found = (
            own.read_only_hint,
            own.destructive_hint,
            own.idempotent_hint,
        );
        assert_eq!(found, (read, destructive, idempotent), "{name}");
    }
}

#[test]
fn the_arguments_are_id_query_and_body_side_by_side() {
    let config = acme();
    for (name, expected, required) in [
        (
            "list_all_acme_contacts",
            vec!["limit", "next_cursor", "city", "tags"],
            vec!["city"],
        ),
        (
            "get_single_acme_contacts_by_id",
            vec!["id", "query_id"],
            vec!["id"],
        ),
        (
            "update_a_acme_contacts_by_id",
            vec!["id", "name", "body_id", "age", "query_name"],
            vec!["id", "name", "query_name"],
        ),
        ("create_a_acme_contacts", vec!["body"], vec![]),
        ("delete_a_acme_contacts_by_id", vec!["id"], vec!["id"]),
        ("acme_contacts_merge", vec!["a"], vec![]),
        ("acme_notes_touch", vec![], vec![]),
        ("acme_notes_write", vec!["body"], vec![]),
    ] {
        let schema = schema(&config, name);
        assert_eq!(keys(&schema), expected, "{name}");
        assert_eq!(schema["required"], json!(required), "{name}");
    }
    let open = schema(&config, "acme_contacts_merge");
    assert_eq!(open["additionalProperties"], json!({ "type": "integer" }));
    assert_eq!(
        schema(&config, "acme_notes_write")["properties"]["body"]["type"],
        "string"
    );
}

#[test]
fn a_destructive_tool_that_needs_a_confirmation_takes_it() {
    let config = acme();
    for (name, expected) in [
        ("delete_a_acme_contacts_by_id", true),
        ("create_a_acme_contacts", false),
        ("list_all_acme_contacts", false),
    ] {
        let input = ToolInput::of(&tool(&config, name), ConfirmationPolicy::OfDestructive);
        let schema = input.into_schema();
        assert_eq!(
            schema["properties"].get("confirmation").is_some(),
            expected,
            "{name}"
        );
    }
}

#[test]
fn arguments_are_divided_with_their_numbers_as_they_were_written() {
    let config = acme();
    let update = input(&config, "update_a_acme_contacts_by_id");
    let given = Exact::of_marked(&exact::marked(
        br#"{"id": 12345678901234567890123, "name": "a", "body_id": "b", "age": 9007199254740993, "query_name": "c d"}"#,
    ));
    let read = update.read(&given.unwrap()).unwrap();
    assert_eq!(read.id.as_deref(), Some("12345678901234567890123"));
    assert_eq!(read.query, "name=c%20d");
    assert_eq!(
        read.body.unwrap().to_string(),
        r#"{"name":"a","id":"b","age":9007199254740993}"#
    );
    let list = input(&config, "list_all_acme_contacts");
    let given = json!({ "city": "Köln", "tags": ["a", 1, { "b": 2 }, null], "limit": 5, "next_cursor": "k1" });
    let read = list.read(&arguments(&given)).unwrap();
    assert_eq!(
        read.query,
        "city=K%C3%B6ln&tags=a&tags=1&tags=%7B%22b%22%3A2%7D"
    );
    assert_eq!(
        (read.limit.as_deref(), read.next_cursor.as_deref()),
        (Some("5"), Some("k1"))
    );
    assert_eq!(read.body, None);
    let merge = input(&config, "acme_contacts_merge");
    let read = merge
        .read(&arguments(&json!({ "a": null, "other": 1 })))
        .unwrap();
    assert_eq!(read.body.unwrap().to_string(), r#"{"other":1}"#);
    let create = input(&config, "create_a_acme_contacts");
    let read = create
        .read(&arguments(&json!({ "body": { "x": { "y": [1] } } })))
        .unwrap();
    assert_eq!(read.body.unwrap().to_string(), r#"{"x":{"y":[1]}}"#);
}

#[test]
fn an_argument_that_does_not_fit_is_named() {
    let config = acme();
    for (name, given, path) in [
        ("list_all_acme_contacts", json!({}), "city"),
        ("list_all_acme_contacts", json!({ "city": null }), "city"),
        ("list_all_acme_contacts", json!({ "city": 1 }), "city"),
        (
            "list_all_acme_contacts",
            json!({ "city": "a", "town": "b" }),
            "town",
        ),
        (
            "list_all_acme_contacts",
            json!({ "city": "a", "limit": 0 }),
            "limit",
        ),
        ("list_all_acme_contacts", json!([]), "arguments"),
        ("delete_a_acme_contacts_by_id", json!({ "id": "" }), "id"),
        ("delete_a_acme_contacts_by_id", json!({ "id": {} }), "id"),
        ("acme_contacts_merge", json!({ "b": "c" }), "b"),
        ("create_a_acme_contacts", json!({ "body": [] }), "body"),
        ("acme_notes_write", json!({ "body": {} }), "body"),
    ] {
        let misfit = input(&config, name).read(&arguments(&given)).unwrap_err();
        assert_eq!(misfit.path, path, "{name} {given}");
    }
}

#[test]
fn what_a_method_lacks_to_be_a_tool_is_listed() {
    let config = acme();
    let found = super::lacking::lacking(&config).into_iter();
    let paths: Vec<String> = found
        .map(|finding| finding.path.replace("config.resources.", ""))
        .collect();
    assert_eq!(
        paths,
        [
            "contacts.create.body_schema",
            "contacts.list.query_schema",
            "contacts.update.body_schema",
            "notes.list.description",
            "notes.search.query_schema",
            "notes.write.body_schema"
        ]
    );
}

#[test]
fn null_is_absent_where_the_schema_does_not_allow_it() {
    let config = config(
        &json!({ "things": { "create": { "method": "post", "path": "/", "description": "d",
        "body_schema": { "type": "object", "properties": {
            "open": {}, "text": { "type": "string" }, "listed": { "enum": [null] }, "unlisted": { "enum": ["a"] },
            "either": { "oneOf": [{ "type": "null" }, { "type": "string" }] } } } } } }),
    );
    let given =
        json!({ "open": null, "text": null, "listed": null, "unlisted": null, "either": null });
    let read = input(&config, "create_a_acme_things").read(&arguments(&given));
    assert_eq!(
        read.unwrap().body.unwrap().to_string(),
        r#"{"open":null,"listed":null,"either":null}"#
    );
}
