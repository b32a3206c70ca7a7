//! A caller's path without its values: words stay, ids, names of files and keys do not.

/// The longest word.
const WORD: usize = 32;

/// What of a path may stand in a log. Each segment that is no plain word is a `*`; the query is not there.
pub fn path(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let shown = path
        .split('/')
        .map(|segment| if is_word(segment) { segment } else { "*" });
    shown.collect::<Vec<_>>().join("/")
}

/// Letters, with `-` or `_` between them; or a version such as `v2`.
fn is_word(segment: &str) -> bool {
    let is_version = segment.strip_prefix('v').is_some_and(|rest| {
        rest.len() <= 4 && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    });
    let is_letters = |b: u8| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_');
    is_version || (segment.len() <= WORD && segment.bytes().all(is_letters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_and_values_do_not() {
        for (given, shown) in [
            ("/users", "/users"),
            ("/v2/users/17/notes", "/v2/users/*/notes"),
            ("/crm/v3.1/objects", "/crm/v3.1/objects"),
            ("/services/T01ABC/B02/s3cr3t", "/services/*/*/*"),
            ("/people/a%40b.example", "/people/*"),
            ("/order_lines/open-ones/", "/order_lines/open-ones/"),
            ("/q?token=1", "/q"),
            ("", ""),
        ] {
            assert_eq!(path(given), shown);
        }
    }

    #[test]
    fn a_long_word_is_a_value() {
        let key = "k".repeat(WORD + 1);
        assert_eq!(path(&format!("/keys/{key}")), "/keys/*");
    }
}
