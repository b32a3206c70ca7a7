//! Signing as Standard Webhooks says (<https://www.standardwebhooks.com>), so that a receiver verifies with
//! any of its libraries.

use data_encoding::BASE64;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::crypto::{self, Hash};
use crate::secret::Secret;
use crate::time::Timestamp;

/// In front of the base64 of a secret.
const PREFIX: &str = "whsec_";
/// In front of an HMAC-SHA256.
const VERSION: &str = "v1";
const AGENT: &str = concat!("causeway/", env!("CARGO_PKG_VERSION"));

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Lets the gateway that sent it, and no other, recognise its own delivery.
pub const DELIVERY_MARK: HeaderName = HeaderName::from_static("x-causeway-delivery");

/// A new secret in the form that is shown and stored.
pub fn new_secret(random: [u8; 32]) -> Secret {
    Secret::new(format!("{PREFIX}{}", BASE64.encode(&random)))
}

/// All header fields of a delivery that is sent `now`. During a rotation each of the secrets signs.
pub fn signed_headers(id: &str, now: Timestamp, secrets: &[Secret], body: &[u8]) -> HeaderMap {
    let seconds = now.as_millis().div_euclid(1_000).to_string();
    let message = [id.as_bytes(), seconds.as_bytes(), body].join(&b'.');
    let signatures: Vec<String> = secrets
        .iter()
        .filter_map(|one| sign(one, &message))
        .collect();
    let written = [
        (ID, id),
        (TIMESTAMP, &seconds),
        (SIGNATURE, &signatures.join(" ")),
        (CONTENT_TYPE, "application/json"),
        (USER_AGENT, AGENT),
    ];
    let fields = written
        .into_iter()
        .filter_map(|(name, text)| Some((name, HeaderValue::from_str(text).ok()?)));
    fields.collect()
}

/// Nothing for a secret in another form than [`new_secret`]'s.
fn sign(secret: &Secret, message: &[u8]) -> Option<String> {
    let text = secret.expose().strip_prefix(PREFIX)?;
    let key = BASE64.decode(text.as_bytes()).ok()?;
    let code = crypto::hmac(Hash::Sha256, &key, message);
    Some(format!("{VERSION},{}", BASE64.encode(&code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn signature(secrets: &[Secret]) -> String {
        let now = Timestamp::from_millis(1_614_265_330_999);
        let headers = signed_headers(ID, now, secrets, BODY);
        assert_eq!(headers["webhook-id"], ID);
        assert_eq!(headers["webhook-timestamp"], "1614265330");
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["user-agent"], AGENT);
        headers["webhook-signature"].to_str().unwrap().to_owned()
    }

    #[test]
    fn it_agrees_with_the_vector_of_the_specification() {
        let known = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signature(&[known]), expected);
    }

    #[test]
    fn two_secrets_make_two_signatures_with_a_space_between() {
        let [new, old] = [[1; 32], [2; 32]].map(new_secret);
        let both = signature(&[new.clone(), old.clone()]);
        assert_eq!(both, format!("{} {}", signature(&[new]), signature(&[old])));
    }

    #[test]
    fn a_secret_is_32_bytes_in_base64() {
        let text = new_secret([0xab; 32]);
        let key = text.expose().strip_prefix("whsec_").unwrap();
        assert_eq!(BASE64.decode(key.as_bytes()).unwrap(), [0xab; 32]);
        assert_eq!(signature(&[secret("in another form")]), "");
    }
}
