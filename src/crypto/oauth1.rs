//! Signatures of OAuth 1.0 (RFC 5849 §3): a request, a client and its token give an `Authorization` header.

use std::fmt::Write;

use data_encoding::BASE64;
use url::Url;

use super::mac::{Hash, hmac};
use crate::media::canonical::{parameters, sorted};
use crate::media::percent_encoded;

/// How a request is signed (RFC 5849 §3.4; `HMAC-SHA256` has no RFC and is the same with another hash).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oauth1Method {
    HmacSha1,
    HmacSha256,
    /// The secrets themselves.
    PlainText,
}

/// Who signs. It has no `Debug`.
pub struct Oauth1Keys {
    pub consumer_key: String,
    pub consumer_secret: String,
    /// The token with its secret.
    pub token: Option<(String, String)>,
    pub method: Oauth1Method,
    pub realm: Option<String>,
}

/// What is signed.
pub struct Oauth1Request<'a> {
    pub method: &'a str,
    pub url: &'a Url,
    /// The body of a form, whose fields are signed; empty for any other body.
    pub form: &'a [u8],
    /// Further parameters of the protocol, such as `oauth_callback`.
    pub more: &'a [(&'a str, &'a str)],
    /// Unix time in seconds.
    pub timestamp: i64,
    pub nonce: &'a str,
}

impl Oauth1Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::PlainText => "PLAINTEXT",
        }
    }
}

impl Oauth1Keys {
    /// The value of `Authorization` (RFC 5849 §3.5.1).
    pub fn header(&self, request: &Oauth1Request) -> String {
        let signature = self.signature(request);
        let mut header = String::from("OAuth ");
        if let Some(realm) = &self.realm {
            let realm = realm.replace('\\', "\\\\").replace('"', "\\\"");
            let _ = write!(header, "realm=\"{realm}\", ");
        }
        for (name, value) in self.protocol_parameters(request) {
            let value = percent_encoded(value.as_bytes());
            let _ = write!(header, "{name}=\"{value}\", ");
        }
        let signature = percent_encoded(signature.as_bytes());
        let _ = write!(header, "oauth_signature=\"{signature}\"");
        header
    }

    fn signature(&self, request: &Oauth1Request) -> String {
        let token_secret = self.token.as_ref().map_or("", |(_, secret)| secret);
        let encoded = |text: &str| percent_encoded(text.as_bytes());
        let key = format!(
            "{}&{}",
            encoded(&self.consumer_secret),
            encoded(token_secret)
        );
        let hash = match self.method {
            Oauth1Method::HmacSha1 => Hash::Sha1,
            Oauth1Method::HmacSha256 => Hash::Sha256,
            Oauth1Method::PlainText => return key,
        };
        let base = self.base_string(request);
        BASE64.encode(&hmac(hash, key.as_bytes(), base.as_bytes()))
    }

    fn protocol_parameters(&self, request: &Oauth1Request) -> Vec<(String, String)> {
        let timestamp = request.timestamp.to_string();
        let token = self.token.iter();
        let token = token.map(|(token, _)| ("oauth_token", token.as_str()));
        let ours = [
            ("oauth_consumer_key", self.consumer_key.as_str()),
            ("oauth_signature_method", self.method.name()),
            ("oauth_timestamp", &timestamp),
            ("oauth_nonce", request.nonce),
        ];
        let all = ours.into_iter().chain(token);
        all.chain(request.more.iter().copied())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// RFC 5849 §3.4.1.
    fn base_string(&self, request: &Oauth1Request) -> String {
        let query = request.url.query().unwrap_or_default();
        let form = String::from_utf8_lossy(request.form);
        let protocol = self.protocol_parameters(request).into_iter();
        let protocol = protocol.map(|(name, value)| (name.into_bytes(), value.into_bytes()));
        let all = parameters(query).chain(parameters(&form)).chain(protocol);
        let encoded = |text: &str| percent_encoded(text.as_bytes());
        format!(
            "{}&{}&{}",
            request.method.to_ascii_uppercase(),
            encoded(&base_uri(request.url)),
            encoded(&sorted(all)),
        )
    }
}

/// The URL without query, and without the default port (RFC 5849 §3.4.1.2).
fn base_uri(url: &Url) -> String {
    let mut base = url.clone();
    base.set_query(None);
    base.set_fragment(None);
    base.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(
        [consumer_key, consumer_secret]: [&str; 2],
        token: Option<(&str, &str)>,
        method: Oauth1Method,
    ) -> Oauth1Keys {
        Oauth1Keys {
            consumer_key: consumer_key.to_owned(),
            consumer_secret: consumer_secret.to_owned(),
            token: token.map(|(token, secret)| (token.to_owned(), secret.to_owned())),
            method,
            realm: None,
        }
    }

    #[test]
    fn the_base_string_is_that_of_rfc_5849_section_3_4_1_1() {
        let url = Url::parse("http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b");
        let url = url.unwrap();
        let keys = keys(
            ["9djdj82h48djs9d2", "j49sk3j29djd"],
            Some(("kkk9d7dh3k39sjv7", "dh893hdasih9")),
            Oauth1Method::HmacSha1,
        );
        let request = Oauth1Request {
            method: "POST",
            url: &url,
            form: b"c2&a3=2+q",
            more: &[],
            timestamp: 137_131_201,
            nonce: "7d8f3e4a",
        };
        assert_eq!(
            keys.base_string(&request),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
    }

    /// The three requests of RFC 5849 §1.2.
    #[test]
    fn the_requests_of_rfc_5849_section_1_2_are_signed_as_printed() {
        const CLIENT: [&str; 2] = ["dpf43f3p2l4k3l03", "kd94hf93k423kf44"];
        let table: [(_, _, _, &[(&str, &str)], _, _, _); 3] = [
            (
                "POST",
                "https://photos.example.net/initiate",
                None,
                &[("oauth_callback", "http://printer.example.com/ready")],
                137_131_200,
                "wIjqoS",
                "74KNZJeDHnMBp0EMJ9ZHt/XKycU=",
            ),
            (
                "POST",
                "https://photos.example.net/token",
                Some(("hh5s93j4hdidpola", "hdhd0244k9j7ao03")),
                &[("oauth_verifier", "hfdp7dh39dks9884")],
                137_131_201,
                "walatlh",
                "gKgrFCywp7rO0OXSjdot/IHF7IU=",
            ),
            (
                "GET",
                "http://photos.example.net/photos?file=vacation.jpg&size=original",
                Some(("nnch734d00sl2jdk", "pfkkdhi9sl3r4s00")),
                &[],
                137_131_202,
                "chapoH",
                "MdpQcU8iPSUjWoN/UDMsK2sui9I=",
            ),
        ];
        for (method, url, token, more, timestamp, nonce, signature) in table {
            let keys = keys(CLIENT, token, Oauth1Method::HmacSha1);
            let request = Oauth1Request {
                method,
                url: &Url::parse(url).unwrap(),
                form: b"",
                more,
                timestamp,
                nonce,
            };
            assert_eq!(keys.signature(&request), signature, "{url}");
        }
    }

    /// RFC 5849 §2.1 and §2.3.
    #[test]
    fn plain_text_sends_the_secrets_and_a_realm_is_quoted() {
        let url = Url::parse("https://server.example.com/request_temp_credentials").unwrap();
        let request = |more| Oauth1Request {
            method: "POST",
            url: &url,
            form: b"",
            more,
            timestamp: 1,
            nonce: "n",
        };
        let mut keys = keys(
            ["jd83jd92dhsh93js", "ja893SD9"],
            None,
            Oauth1Method::PlainText,
        );
        assert_eq!(keys.signature(&request(&[])), "ja893SD9&");
        keys.token = Some(("hdk48Djdsa".to_owned(), "xyz4992k83j47x0b".to_owned()));
        assert_eq!(keys.signature(&request(&[])), "ja893SD9&xyz4992k83j47x0b");
        keys.realm = Some("Ex\"ample\\".to_owned());
        let header = keys.header(&request(&[("oauth_verifier", "473f/82d3")]));
        assert_eq!(
            header,
            "OAuth realm=\"Ex\\\"ample\\\\\", oauth_consumer_key=\"jd83jd92dhsh93js\", oauth_signature_method=\"PLAINTEXT\", oauth_timestamp=\"1\", oauth_nonce=\"n\", oauth_token=\"hdk48Djdsa\", oauth_verifier=\"473f%2F82d3\", oauth_signature=\"ja893SD9%26xyz4992k83j47x0b\""
        );
    }

    #[test]
    fn each_method_signs_by_its_own_hash() {
        let url = Url::parse("https://a.example:8443/r%20v/X?id=123").unwrap();
        let request = Oauth1Request {
            method: "GET",
            url: &url,
            form: b"",
            more: &[],
            timestamp: 1,
            nonce: "n",
        };
        let with = |method| keys(["k", "s"], None, method);
        let base = with(Oauth1Method::HmacSha256).base_string(&request);
        assert!(base.starts_with("GET&https%3A%2F%2Fa.example%3A8443%2Fr%2520v%2FX&id%3D123%26"));
        let code = hmac(Hash::Sha256, b"s&", base.as_bytes());
        let signature = with(Oauth1Method::HmacSha256).signature(&request);
        assert_eq!(signature, BASE64.encode(&code));
        assert_ne!(with(Oauth1Method::HmacSha1).signature(&request), signature);
    }
}
