//! The strings of a JSON text, changed in place: all else stands byte for byte.

/// The text with each string that is a value, not a key, replaced by what `change` makes of it, unless it makes nothing.
/// A text that is no JSON comes back with what was found.
pub fn map_strings(text: &str, change: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        let (before, from) = rest.split_at(start);
        let (token, after) = from.split_at(length(from));
        out.push_str(before);
        let is_key = after.trim_ascii_start().starts_with(':');
        let string = serde_json::from_str::<String>(token)
            .ok()
            .filter(|_| !is_key);
        match string.and_then(|string| change(&string)) {
            Some(new) => out.push_str(&serde_json::Value::String(new).to_string()),
            None => out.push_str(token),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// How long the string at the start is, its quotes included.
fn length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::map_strings;

    #[test]
    fn values_change_and_keys_and_numbers_stay() {
        let upper = |text: &str| text.contains('a').then(|| text.to_uppercase());
        let text = "{\"a\" : \"a\", \"b\":[1e400, \"x\\\"a\", \"c\"],\"é\":\"äa\"}";
        let expected = "{\"a\" : \"A\", \"b\":[1e400, \"X\\\"A\", \"c\"],\"é\":\"ÄA\"}";
        assert_eq!(map_strings(text, upper), expected);
        assert_eq!(map_strings("\"a", upper), "\"a");
    }
}
