//! Proof Key for Code Exchange (RFC 7636). The random bytes are the caller's.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use crate::config::credentials::Pkce;
use crate::crypto;
use crate::secret::Secret;

/// The secret that ties an authorization code to the browser that asked for it.
#[derive(Clone)]
pub struct Verifier(Secret);

/// What of the verifier is shown to the authorization endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PkceChallenge {
    /// `code_challenge`
    pub value: String,
    /// `code_challenge_method`
    pub method: &'static str,
}

impl Verifier {
    /// From 32 bytes of fresh randomness (§4.1 recommends just that).
    pub fn new(random: [u8; 32]) -> Self {
        Self(Secret::new(BASE64URL_NOPAD.encode(&random)))
    }

    /// Reads a stored one: 43 to 128 unreserved characters (§4.1).
    pub fn read(text: &str) -> Option<Self> {
        let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let fits = (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved);
        fits.then(|| Self(Secret::new(text.to_owned())))
    }

    /// The text to store sealed, and to send as `code_verifier`.
    pub fn text(&self) -> &str {
        self.0.expose()
    }

    /// The challenge by a method (§4.2); `None` when it is off.
    pub fn challenge(&self, pkce: Pkce) -> Option<PkceChallenge> {
        let (value, method) = match pkce {
            Pkce::Off => return None,
            Pkce::Plain => (self.text().to_owned(), "plain"),
            Pkce::S256 => {
                let digest = crypto::sha256(self.text().as_bytes());
                (BASE64URL_NOPAD.encode(&digest), "S256")
            }
        };
        Some(PkceChallenge { value, method })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const OCTETS: [u8; 32] = [
        116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37,
        77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
    ];
    const TEXT: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[test]
    fn agrees_with_rfc_7636_appendix_b() {
        let verifier = Verifier::new(OCTETS);
        assert_eq!(verifier.text(), TEXT);
        let challenge = verifier.challenge(Pkce::S256).unwrap();
        assert_eq!(
            challenge.value,
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        assert_eq!(challenge.method, "S256");
    }

    #[test]
    fn plain_shows_the_verifier_and_off_shows_nothing() {
        let verifier = Verifier::new(OCTETS);
        let plain = verifier.challenge(Pkce::Plain).unwrap();
        assert_eq!((plain.value.as_str(), plain.method), (TEXT, "plain"));
        assert_eq!(verifier.challenge(Pkce::Off), None);
    }

    #[test]
    fn a_stored_one_is_read_back_and_nothing_else() {
        assert_eq!(Verifier::read(TEXT).unwrap().text(), TEXT);
        let long = "a".repeat(129);
        for text in ["", &TEXT[1..], &long, &format!("{TEXT}&x=1"), "ä"] {
            assert!(Verifier::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_it() {
        assert_eq!(format!("{:?}", Verifier::new(OCTETS)), "Verifier(…)");
    }
}
