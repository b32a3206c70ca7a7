//! Texts as JSON strings; the strings and numbers of a JSON text, changed in place: all else is byte for byte.

use serde_json::Value;

use super::scan;

/// A text as JSON.
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The text with each string, keys too, and each number replaced by what its function makes of it, unless that makes
/// nothing. What `number` makes is JSON text. A text that is no JSON comes back with what was found.
pub fn map_tokens(
    text: &str,
    string: impl Fn(&str) -> Option<String>,
    number: impl Fn(&str) -> Option<String>,
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    let part = |range| text.get(range).unwrap_or_default();
    while let Some(token) = scan::next(text.as_bytes(), kept, scan::begins_literal) {
        out.push_str(part(kept..token.start));
        kept = token.end;
        let token = part(token);
        let new = if token.starts_with('"') {
            let decoded = serde_json::from_str::<String>(token).ok();
            let new = decoded.and_then(|decoded| string(&decoded));
            new.map(|new| quoted(&new))
        } else {
            number(token)
        };
        out.push_str(new.as_deref().unwrap_or(token));
    }
    out.push_str(part(kept..text.len()));
    out
}

#[cfg(test)]
mod tests {
    use super::map_tokens;

    #[test]
    fn strings_and_numbers_change_and_all_else_stays() {
        let upper = |text: &str| text.contains('a').then(|| text.to_uppercase());
        let none = |number: &str| (number == "-1.5e3").then(|| "null".to_owned());
        let text = "{\"a\" : \"a\", \"b\":[1e400,-1.5e3, \"x\\\"a\", \"c\"],\"é\":\"äa\"}";
        let expected = "{\"A\" : \"A\", \"b\":[1e400,null, \"X\\\"A\", \"c\"],\"é\":\"ÄA\"}";
        assert_eq!(map_tokens(text, upper, none), expected);
        assert_eq!(map_tokens("\"a", upper, none), "\"a");
    }
}
