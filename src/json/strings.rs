//! The strings and numbers of a JSON text, changed in place: all else stands byte for byte.

/// The text with each string, keys too, and each number replaced by what its function makes of it, unless that makes
/// nothing. What `number` makes is JSON text. A text that is no JSON comes back with what was found.
pub fn map_tokens(
    text: &str,
    string: impl Fn(&str) -> Option<String>,
    number: impl Fn(&str) -> Option<String>,
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let begins = |c: char| c == '"' || c == '-' || c.is_ascii_digit();
    while let Some(start) = rest.find(begins) {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let is_string = from.starts_with('"');
        let length = if is_string {
            length(from)
        } else {
            number_length(from)
        };
        let (token, after) = from.split_at(length);
        let new = if is_string {
            let decoded = serde_json::from_str::<String>(token).ok();
            let new = decoded.and_then(|decoded| string(&decoded));
            new.map(|new| serde_json::Value::String(new).to_string())
        } else {
            number(token)
        };
        out.push_str(new.as_deref().unwrap_or(token));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// How long the number at the start is.
fn number_length(text: &str) -> usize {
    let is_inside = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
    text.find(|c| !is_inside(c)).unwrap_or(text.len())
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
