//! Writes schemas so that generators of clients understand them.

use serde_json::{Map, Value, json};

use super::shapes::as_object;

/// Changes a named schema: choices become an `enum`, defaults a sentence, and no property is `true`.
pub(super) fn for_generators(schema: &mut Value) {
    choices_as_enum(schema);
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        // Some do not read `true` as a schema.
        *property = as_object(property.take());
        default_in_words(property);
    }
}

/// A choice of texts, each with its meaning. Of `oneOf` some make a class that takes none of them, as each is a text.
fn choices_as_enum(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    let choices = fields.get("oneOf").and_then(Value::as_array);
    let text = |choice: &Value, key| choice.get(key)?.as_str().map(str::to_owned);
    let choices = choices.into_iter().flatten().map(|choice| {
        let about = text(choice, "description").unwrap_or_default();
        Some((text(choice, "const")?, about))
    });
    let choices: Option<Vec<(String, String)>> = choices.collect();
    let Some(choices) = choices.filter(|choices| !choices.is_empty()) else {
        return;
    };
    let lines = choices
        .iter()
        .map(|(name, about)| format!("- `{name}`: {about}"));
    let lines = lines.collect::<Vec<_>>().join("\n");
    let names: Vec<&String> = choices.iter().map(|(name, _)| name).collect();
    let (kind, names) = (json!("string"), json!(names));
    fields.remove("oneOf");
    fields.insert("type".to_owned(), kind);
    fields.insert("enum".to_owned(), names);
    add_about(fields, "\n\n", &lines);
}

/// A property with a `default` counts as one that is always there, and is required in bodies.
fn default_in_words(property: &mut Value) {
    let Some(fields) = property.as_object_mut() else {
        return;
    };
    match fields.remove("default") {
        None | Some(Value::Null) => {}
        Some(default) => add_about(fields, " ", &format!("Default: {default}.")),
    }
}

fn add_about(fields: &mut Map<String, Value>, between: &str, more: &str) {
    let about = fields.get("description").and_then(Value::as_str);
    let about = about.map_or_else(
        || more.to_owned(),
        |about| format!("{about}{between}{more}"),
    );
    fields.insert("description".to_owned(), json!(about));
}
