//! Metadata of a protected resource (RFC 9728).

use serde_json::Value;
use url::Url;

use crate::expression::PlainHttp;

use super::{DiscoveryError, address, inserted, object, scopes, texts};

/// What a resource says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceMetadata {
    /// Its identifier, as it writes it: the `resource` of requests (RFC 8707).
    pub resource: String,
    /// The issuers that give tokens for it.
    pub servers: Vec<String>,
    /// `scopes_supported`
    pub scopes: Vec<String>,
}

/// Where its metadata can be: in front of its path, then at the root of its origin (the MCP specification, "Protected
/// Resource Metadata Discovery Requirements").
pub fn resource_metadata_urls(resource: &Url) -> Vec<Url> {
    const NAME: &str = "oauth-protected-resource";
    let own = inserted(resource, NAME);
    let mut root = own.clone();
    root.set_path(&format!("/.well-known/{NAME}"));
    root.set_query(None);
    if own == root {
        return vec![own];
    }
    vec![own, root]
}

/// Reads the metadata of `asked`. It is of this resource, or of one that holds it: of the same origin, at a path above
/// (RFC 9728 §3.3 with the update of draft-mcguinness-oauth-rfc9728bis, as servers have one document for all paths).
pub fn read_resource(
    body: &[u8],
    asked: &Url,
    plain_http: PlainHttp,
) -> Result<ResourceMetadata, DiscoveryError> {
    let document = object(body, "oauth-protected-resource")?;
    let text = document.get("resource").and_then(Value::as_str);
    let text = text.ok_or(DiscoveryError::Resource)?;
    let resource = address(text, plain_http).ok_or(DiscoveryError::Resource)?;
    if !holds(&resource, asked) {
        return Err(DiscoveryError::Resource);
    }
    let servers = texts(&document, "authorization_servers").unwrap_or_default();
    let named = texts(&document, "scopes_supported").unwrap_or_default();
    Ok(ResourceMetadata {
        resource: text.to_owned(),
        servers: servers.into_iter().map(str::to_owned).collect(),
        scopes: scopes(named.into_iter()),
    })
}

fn holds(resource: &Url, asked: &Url) -> bool {
    let segments = |url: &Url| -> Vec<String> {
        let path = url.path().trim_matches('/');
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        segments.map(str::to_owned).collect()
    };
    let has_query = resource.query().is_some() && resource.query() != asked.query();
    resource.origin() == asked.origin()
        && !has_query
        && segments(asked).starts_with(&segments(resource))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn read(document: &Value, asked: &str) -> Result<ResourceMetadata, DiscoveryError> {
        read_resource(
            document.to_string().as_bytes(),
            &url(asked),
            PlainHttp::Refused,
        )
    }

    #[test]
    fn the_example_of_rfc_9728_is_read() {
        // §3.2
        let document = json!({
            "resource": "https://resource.example.com",
            "authorization_servers": ["https://as1.example.com", "https://as2.example.net"],
            "bearer_methods_supported": ["header", "body"],
            "scopes_supported": ["profile", "email", "phone"],
            "resource_documentation": "https://resource.example.com/resource_documentation.html"
        });
        let read_one = read(&document, "https://resource.example.com/").unwrap();
        assert_eq!(read_one.resource, "https://resource.example.com");
        assert_eq!(
            read_one.servers,
            ["https://as1.example.com", "https://as2.example.net"]
        );
        assert_eq!(read_one.scopes, ["profile", "email", "phone"]);
    }

    #[test]
    fn it_is_looked_for_in_front_of_the_path_and_at_the_root() {
        let of = |text: &str| -> Vec<String> {
            let urls = resource_metadata_urls(&url(text)).into_iter();
            urls.map(String::from).collect()
        };
        let root = "https://r.x.com/.well-known/oauth-protected-resource";
        assert_eq!(of("https://r.x.com"), [root]);
        // RFC 9728 §3.1
        assert_eq!(
            of("https://r.x.com/resource1"),
            [&format!("{root}/resource1"), root]
        );
        assert_eq!(
            of("https://r.x.com/a/mcp/"),
            [&format!("{root}/a/mcp"), root]
        );
    }

    #[test]
    fn it_is_of_what_was_asked_or_of_what_holds_it() {
        let with = |resource: &str| json!({ "resource": resource, "authorization_servers": ["https://a.x.com"] });
        let asked = "https://r.x.com/a/mcp";
        for good in [
            "https://r.x.com/a/mcp",
            "https://r.x.com/a/mcp/",
            "https://r.x.com/a",
            "https://r.x.com",
            "HTTPS://R.x.com:443/",
        ] {
            assert!(read(&with(good), asked).is_ok(), "{good}");
        }
        for bad in [
            "https://evil.com/a/mcp",
            "https://r.x.com/a/mc",
            "https://r.x.com/a/mcp/b",
            "http://r.x.com/a/mcp",
            "https://r.x.com:444/a/mcp",
            "https://u@r.x.com/a/mcp",
            "https://r.x.com/a/mcp#x",
            "https://r.x.com/a?x=1",
            "https://x.com/",
            "r.x.com",
            "",
        ] {
            assert_eq!(
                read(&with(bad), asked),
                Err(DiscoveryError::Resource),
                "{bad}"
            );
        }
        assert_eq!(read(&json!({}), asked), Err(DiscoveryError::Resource));
        assert!(matches!(
            read(&json!([]), asked),
            Err(DiscoveryError::Unreadable(_))
        ));
    }
}
