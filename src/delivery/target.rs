//! Where deliveries go: the shape of the URL. Whether its address may be called is the outbound guard's,
//! asked when it is stored and again whenever something is sent.

use url::Url;

/// The longest target, in characters.
const LONGEST: usize = 2_048;

/// What is wrong with a target. The texts go on from the name of the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// Nothing, or too much of it.
    #[error("needs 1 to {LONGEST} characters")]
    Length,
    /// Parsers disagree on these; it must be read as it was checked.
    #[error("has a backslash, white space or control character in it")]
    Character,
    /// Relative, or no URL.
    #[error("is not an absolute URL")]
    NotAUrl,
    /// Another scheme than https and http.
    #[error("is not https")]
    Scheme,
    /// A name or a password in it.
    #[error("has a user name in it")]
    UserInfo,
    /// Something behind `#`, which is never sent.
    #[error("has a fragment (#) in it")]
    Fragment,
}

/// Reads the target of a subscription.
pub fn check_target(text: &str) -> Result<Url, BadTarget> {
    if text.is_empty() || text.chars().count() > LONGEST {
        return Err(BadTarget::Length);
    }
    if text.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control()) {
        return Err(BadTarget::Character);
    }
    let url = Url::parse(text).map_err(|_| BadTarget::NotAUrl)?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(BadTarget::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadTarget::UserInfo);
    }
    match url.fragment() {
        Some(_) => Err(BadTarget::Fragment),
        None => Ok(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_passes_with_port_path_and_query() {
        for good in [
            "https://app.example",
            "https://app.example:8443/hooks?from=causeway",
            "http://127.0.0.1:9000/",
        ] {
            assert!(check_target(good).is_ok(), "{good}");
        }
        let longest = format!("https://app.example/{}", "a".repeat(LONGEST - 20));
        assert!(check_target(&longest).is_ok());
        assert_eq!(check_target(&format!("{longest}a")), Err(BadTarget::Length));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, reason) in [
            ("", BadTarget::Length),
            (" https://app.example", BadTarget::Character),
            ("https://app.example\\@evil.example", BadTarget::Character),
            ("https://app.example/\n", BadTarget::Character),
            ("/hooks", BadTarget::NotAUrl),
            ("https://", BadTarget::NotAUrl),
            ("ftp://app.example/", BadTarget::Scheme),
            ("javascript:alert(1)", BadTarget::Scheme),
            ("https://me@app.example/", BadTarget::UserInfo),
            ("https://:secret@app.example/", BadTarget::UserInfo),
            ("https://app.example/#part", BadTarget::Fragment),
        ] {
            assert_eq!(check_target(text), Err(reason), "{text}");
        }
    }
}
