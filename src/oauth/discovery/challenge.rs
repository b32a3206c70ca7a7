//! `WWW-Authenticate` of a resource (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9728 §5.1).

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

use super::scopes;

/// What a resource says to a request without a token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Challenge {
    /// Where its metadata is.
    pub resource_metadata: Option<String>,
    /// What a token has to be good for.
    pub scopes: Vec<String>,
}

impl Challenge {
    /// The first challenge that has each parameter.
    pub fn read(headers: &HeaderMap) -> Self {
        let mut challenge = Self::default();
        for value in headers.get_all(WWW_AUTHENTICATE) {
            let Ok(text) = value.to_str() else { continue };
            for (name, value) in parameters(text) {
                match name.as_str() {
                    "resource_metadata" if challenge.resource_metadata.is_none() => {
                        challenge.resource_metadata = Some(value);
                    }
                    "scope" if challenge.scopes.is_empty() => {
                        challenge.scopes = scopes(value.split(' '));
                    }
                    _ => {}
                }
            }
        }
        challenge
    }
}

/// `name=value` and `name="value"`, whichever scheme they belong to; names in lower case.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((front, behind)) = rest.split_once('=') {
        let start = front.rfind([' ', ',', '\t']).map_or(0, |at| at + 1);
        let name = front.get(start..).unwrap_or_default().to_ascii_lowercase();
        let (value, left) = value(behind.trim_start());
        if !name.is_empty() {
            found.push((name, value));
        }
        rest = left;
    }
    found
}

/// A quoted string without its escapes, or a token; and what is behind it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        let (token, left) = text.split_at_checked(end).unwrap_or((text, ""));
        return (token.to_owned(), left);
    };
    let mut value = String::new();
    let mut is_escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            '\\' if !is_escaped => is_escaped = true,
            '"' if !is_escaped => return (value, quoted.get(at + 1..).unwrap_or_default()),
            c => {
                is_escaped = false;
                value.push(c);
            }
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Challenge {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        Challenge::read(&headers)
    }

    #[test]
    fn the_parameters_of_published_examples_are_read() {
        // RFC 9728 §5.1, and the MCP specification.
        let url = "https://resource.example.com/.well-known/oauth-protected-resource";
        let rfc = read(&[&format!("Bearer resource_metadata=\"{url}\"")]);
        assert_eq!(rfc.resource_metadata.as_deref(), Some(url));
        let mcp = read(&[&format!(
            "Bearer resource_metadata=\"{url}\",   scope=\"files:read files:write\""
        )]);
        assert_eq!(mcp.scopes, ["files:read", "files:write"]);
        assert_eq!(mcp.resource_metadata, rfc.resource_metadata);
    }

    #[test]
    fn other_schemes_quotes_and_spellings_do_not_confuse_it() {
        let read_one = |text: &str| read(&[text]).resource_metadata;
        assert_eq!(
            read_one("Basic realm=\"a, resource_metadata=x\", Bearer Resource_Metadata=https://a.x/m, error=\"e\"").as_deref(),
            Some("https://a.x/m")
        );
        assert_eq!(
            read_one(
                "Bearer error_description=\"say \\\"x\\\"\", resource_metadata=\"https://a.x/\\m\""
            )
            .as_deref(),
            Some("https://a.x/m")
        );
        assert_eq!(read_one("Bearer"), None);
        assert_eq!(
            read_one("Bearer resource_metadata=\"open").as_deref(),
            Some("open")
        );
        assert_eq!(read(&["Basic realm=x", "Bearer scope=a"]).scopes, ["a"]);
        assert_eq!(read(&["Bearer scope=\"a\\\"b ok\""]).scopes, ["ok"]);
    }
}
