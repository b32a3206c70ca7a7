//! By its digest a request is known to be the one that was shown.

use super::{Draft, Payload};
use crate::crypto;
use crate::proxy::multipart::without_boundary;

impl Draft {
    /// The SHA-256 of the method, URL, header fields and body, as hex. `callers` is the caller's body. The boundary of a
    /// multipart body does not count: it is drawn each time.
    pub fn digest(&self, callers: &[u8]) -> String {
        let body = match &self.body {
            Payload::Callers => callers,
            Payload::Nothing => &[],
            Payload::Ours(bytes) => bytes,
        };
        let fields = self.headers.iter();
        let mut fields: Vec<String> = fields
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        fields.sort();
        let (method, url) = (&self.method, &self.url);
        let (fields, body) = (fields.join("\n"), String::from_utf8_lossy(body));
        let text = format!("{method} {url}\n{fields}\n\n{body}");
        crypto::sha256_hex(without_boundary(&text).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method};

    use super::*;
    use crate::proxy::multipart::boundary;

    fn draft(url: &str, body: Payload) -> Draft {
        let mut headers = HeaderMap::new();
        headers.insert("x-shop", HeaderValue::from_static("one"));
        headers.append("x-shop", HeaderValue::from_static("two"));
        Draft {
            method: Method::DELETE,
            url: url.parse().unwrap(),
            headers,
            body,
        }
    }

    #[test]
    fn each_part_of_a_request_counts() {
        let one = || draft("https://api.acme.example/7?a=1", Payload::Callers);
        let own = one().digest(b"{}");
        let mut method = one();
        method.method = Method::PUT;
        let mut shop = one();
        shop.headers.remove("x-shop");
        let nothing = draft("https://api.acme.example/7?a=1", Payload::Nothing);
        let other = draft("https://api.acme.example/8?a=1", Payload::Callers);
        assert_eq!(own, one().digest(b"{}"));
        let ours = draft(
            "https://api.acme.example/7?a=1",
            Payload::Ours(b"{}".to_vec()),
        );
        assert_eq!(own, ours.digest(b"[]"));
        for changed in [method, shop, nothing, other] {
            assert_ne!(own, changed.digest(b"{}"), "{changed:?}");
        }
        assert_ne!(own, one().digest(b"[]"));
    }

    #[test]
    fn the_boundary_of_a_body_does_not_count() {
        let written = |random: u8, text: &str| {
            let boundary = boundary(&[random; 32]);
            let body = format!("--{boundary}\r\n\r\n{text}\r\n--{boundary}--");
            let mut draft = draft(
                "https://api.acme.example/",
                Payload::Ours(body.into_bytes()),
            );
            let field = format!("multipart/form-data; boundary={boundary}");
            let field = HeaderValue::from_str(&field).unwrap();
            draft.headers.insert("content-type", field);
            draft.digest(&[])
        };
        assert_eq!(written(1, "a"), written(2, "a"));
        assert_ne!(written(1, "a"), written(1, "b"));
    }
}
