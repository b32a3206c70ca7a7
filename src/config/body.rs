//! The file's `body`: entries of every JSON and form body that is sent to the provider.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::expression::TemplateTree;

/// More than any provider asks for: each is looked for in every body.
pub const MOST_BODY_ENTRIES: usize = 32;

/// The entries of an object, with templates in their texts.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "TemplateTree")]
pub struct BodyEntries(TemplateTree);

impl BodyEntries {
    /// All of them as one object.
    pub fn tree(&self) -> &TemplateTree {
        &self.0
    }

    /// Each with its name, in the order of the file.
    pub fn entries(&self) -> &[(String, TemplateTree)] {
        match &self.0 {
            TemplateTree::Object(entries) => entries,
            _ => &[],
        }
    }
}

impl TryFrom<TemplateTree> for BodyEntries {
    type Error = String;

    fn try_from(tree: TemplateTree) -> Result<Self, Self::Error> {
        match &tree {
            TemplateTree::Object(entries) if entries.len() > MOST_BODY_ENTRIES => Err(format!(
                "the file's `body` has more than {MOST_BODY_ENTRIES} entries"
            )),
            TemplateTree::Object(_) => Ok(Self(tree)),
            _ => Err("the file's `body` is an object".to_owned()),
        }
    }
}

impl JsonSchema for BodyEntries {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BodyEntries".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Entries of an object, with templates in their texts.",
            "type": "object",
            "maxProperties": MOST_BODY_ENTRIES
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{BodyEntries, MOST_BODY_ENTRIES};

    #[test]
    fn it_is_an_object_with_an_end() {
        let read = |value: Value| serde_json::from_value::<BodyEntries>(value);
        let entries = |count: usize| -> Value {
            let all = (0..count).map(|n| (format!("e{n}"), json!(n)));
            Value::Object(all.collect::<Map<_, _>>())
        };
        let most = read(entries(MOST_BODY_ENTRIES)).unwrap();
        assert_eq!(most.entries().len(), MOST_BODY_ENTRIES);
        assert!(read(entries(MOST_BODY_ENTRIES + 1)).is_err());
        for other in [json!([]), json!("{{a}}"), json!(1)] {
            assert!(read(other).is_err());
        }
    }
}
