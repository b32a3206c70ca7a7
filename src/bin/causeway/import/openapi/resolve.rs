//! `$ref`: references within the document, followed with a limit.

use serde_json::Value;

/// References that point to references.
const LONGEST_CHAIN: usize = 32;

/// The document that references point into.
pub struct References<'d> {
    document: &'d Value,
}

impl<'d> References<'d> {
    pub fn new(document: &'d Value) -> Self {
        Self { document }
    }

    pub fn document(&self) -> &'d Value {
        self.document
    }

    /// What a value is behind its references; `None` for one that leads out of the document, nowhere or to itself.
    pub fn follow(&self, value: &'d Value) -> Option<&'d Value> {
        let mut value = value;
        for _ in 0..LONGEST_CHAIN {
            let Some(reference) = reference(value) else {
                return Some(value);
            };
            value = self.find(reference)?;
        }
        None
    }

    /// What a reference such as `#/components/schemas/Pet` points to.
    pub fn find(&self, reference: &str) -> Option<&'d Value> {
        let pointer = reference.strip_prefix('#')?;
        let pointer = percent_encoding::percent_decode_str(pointer)
            .decode_utf8()
            .ok()?;
        self.document.pointer(&pointer)
    }
}

/// The reference that a value is.
pub fn reference(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()
}
