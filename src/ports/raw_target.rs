//! The spelling of a request's URL. A URL parser changes the spelling of some characters (WHATWG URL): `'` of a query,
//! `{ }` of a path.

use url::{Position, Url};

/// The path and query of the URL that the platform shows, where `url`, which was parsed from it, has another spelling.
pub fn of(shown: &str, url: &Url) -> Option<String> {
    let (_, behind) = shown.split_once("://")?;
    let target = behind.find(['/', '?']).and_then(|at| behind.get(at..))?;
    let target = target.split('#').next().unwrap_or_default();
    let is_other =
        target.starts_with('/') && target != &url[Position::BeforePath..Position::AfterQuery];
    is_other.then(|| target.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_spelling_is_returned() {
        for (shown, expected) in [
            ("https://g.example/in/a?q=%27&r=a%20b", None),
            ("https://g.example/in/a?", None),
            ("https://g.example", None),
            ("https://g.example?x='", None),
            ("https://g.example/in/a?q=it's", Some("/in/a?q=it's")),
            ("https://g.example/a{b}?q=1#x", Some("/a{b}?q=1")),
        ] {
            let url = Url::parse(shown).unwrap();
            assert_eq!(of(shown, &url).as_deref(), expected, "{shown}");
        }
    }
}
