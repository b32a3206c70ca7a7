//! Keys that people and callers read and that are never sent. One list for all that looks at the keys of a file: the
//! check of texts, the check of placeholders, the fields that steer, and the binding of secrets.

/// Keys of a file.
const FILE: [&str; 5] = ["label", "logo", "icon", "tool_tags", "allowed_hosts"];
/// Keys of a method.
const METHOD: [&str; 3] = ["description", "api_documentation_url", "scopes"];
/// Keys of a method with samples of what is sent and answered.
const SAMPLES: [&str; 4] = ["examples", "query_schema", "body_schema", "response_schema"];

/// Whether this key of a file is never sent.
pub(super) fn is_of_file(key: &str) -> bool {
    FILE.contains(&key)
}

/// Whether this key of a method is never sent.
pub(super) fn is_of_method(key: &str) -> bool {
    METHOD.contains(&key) || is_sample(key)
}

/// Whether people read what is under this key, of a file or of a method.
pub(super) fn is_text(key: &str) -> bool {
    FILE.contains(&key) || METHOD.contains(&key)
}

/// Whether samples are under this key of a method.
pub(super) fn is_sample(key: &str) -> bool {
    SAMPLES.contains(&key)
}

#[cfg(test)]
mod tests;
