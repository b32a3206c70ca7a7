//! The operations of a document.

use serde_json::Value;

use super::resolve::References;

/// HTTP methods that a method of a file can have.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// One operation.
#[derive(Clone, Copy)]
pub struct Operation<'d> {
    pub path: &'d str,
    pub method: &'static str,
    pub item: &'d Value,
    pub value: &'d Value,
}

/// All operations, in the order of the document.
pub fn all<'d>(references: &References<'d>) -> Vec<Operation<'d>> {
    let paths = references
        .document()
        .get("paths")
        .and_then(Value::as_object);
    let mut operations = Vec::new();
    for (path, item) in paths.into_iter().flatten() {
        let Some(item) = references.follow(item).filter(|_| path.starts_with('/')) else {
            continue;
        };
        for method in METHODS {
            if let Some(value) = item.get(method).filter(|value| value.is_object()) {
                operations.push(Operation {
                    path,
                    method,
                    item,
                    value,
                });
            }
        }
    }
    operations
}

impl<'d> Operation<'d> {
    pub fn text(&self, key: &str) -> Option<&'d str> {
        self.value
            .get(key)?
            .as_str()
            .filter(|text| !text.trim().is_empty())
    }

    pub fn tags(&self) -> Vec<&'d str> {
        let tags = self.value.get("tags").and_then(Value::as_array);
        tags.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    pub fn is_deprecated(&self) -> bool {
        self.value.get("deprecated") == Some(&Value::Bool(true))
    }

    /// The parameters of the path and of the operation; those of the operation win.
    pub fn parameters(&self, references: &References<'d>) -> Vec<&'d Value> {
        let mut all: Vec<&'d Value> = Vec::new();
        for source in [self.value, self.item] {
            let list = source.get("parameters").and_then(Value::as_array);
            for parameter in list
                .into_iter()
                .flatten()
                .filter_map(|one| references.follow(one))
            {
                let key = |one: &Value| (one.get("name").cloned(), one.get("in").cloned());
                if !all.iter().any(|own| key(own) == key(parameter)) {
                    all.push(parameter);
                }
            }
        }
        all
    }

    /// The content of a good answer.
    pub fn answer(&self, references: &References<'d>) -> Option<&'d Value> {
        let responses = self.value.get("responses")?.as_object()?;
        let good = ["200", "201", "202", "203", "2XX", "default"];
        let answer = good.iter().find_map(|status| responses.get(*status))?;
        references.follow(answer)
    }

    /// The schema of a good answer in JSON.
    pub fn answer_schema(&self, references: &References<'d>) -> Option<&'d Value> {
        json_schema(self.answer(references)?)
    }
}

/// The schema of content in JSON.
pub fn json_schema(content: &Value) -> Option<&Value> {
    let content = content.get("content")?.as_object()?;
    let is_json = |kind: &str| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind == "application/json" || kind.ends_with("+json") || kind == "*/*"
    };
    let (_, own) = content.iter().find(|(kind, _)| is_json(kind))?;
    own.get("schema")
}
