//! The place of a secret: the keys that lead to it.

use serde_json::Value;

/// The keys that lead to a value inside objects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FilePlace(pub Vec<String>);

impl FilePlace {
    /// Its key in a map of places: a JSON pointer (RFC 6901).
    pub fn key(&self) -> String {
        let parts = self.0.iter();
        let escaped = parts.map(|part| part.replace('~', "~0").replace('/', "~1"));
        escaped.fold(String::new(), |key, part| key + "/" + &part)
    }

    /// As messages name it.
    pub fn shown(&self) -> String {
        self.0.join(".")
    }

    /// Whether it is a secret variable of an install, which no account overrides.
    pub fn is_variable(&self) -> bool {
        self.part(0) == "secret_environment_variables"
    }

    /// The part at an index; empty where there is none.
    pub fn part(&self, index: usize) -> &str {
        self.0.get(index).map(String::as_str).unwrap_or_default()
    }

    /// The value there.
    pub fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |value, key| value.get(key))
    }
}

/// Every place of a value that is no object: an array is one value, as it is when layers are merged.
pub fn leaves(value: &Value) -> Vec<FilePlace> {
    let mut found = Vec::new();
    collect(value, &mut Vec::new(), &mut found);
    found
}

fn collect(value: &Value, path: &mut Vec<String>, found: &mut Vec<FilePlace>) {
    match value {
        Value::Object(entries) => {
            for (key, item) in entries {
                path.push(key.clone());
                collect(item, path, found);
                path.pop();
            }
        }
        _ if path.is_empty() => {}
        _ => found.push(FilePlace(path.clone())),
    }
}

/// Whether a layer that is merged over it has something else at the place, or at one that holds it.
pub fn overrides(layer: &Value, place: &FilePlace) -> bool {
    let mut value = layer;
    for key in &place.0 {
        match value {
            Value::Object(entries) => match entries.get(key) {
                Some(inner) => value = inner,
                None => return false,
            },
            _ => return !(std::ptr::eq(value, layer)),
        }
    }
    true
}

/// Takes a value out.
pub fn remove(value: &mut Value, place: &FilePlace) {
    let Some((last, parents)) = place.0.split_last() else {
        return;
    };
    let parent = parents
        .iter()
        .try_fold(value, |value, key| value.get_mut(key));
    if let Some(Value::Object(entries)) = parent {
        entries.shift_remove(last);
    }
}
