//! As much of DER as it takes to find the public key of a certificate (RFC 5280 §4.1), and the private bytes of short keys.
//! The certificate itself is not verified: it came from an address that the file pins.

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const VERSION: u8 = 0xa0;
/// Version (optional), serial number, signature, issuer, validity, subject: what is before the key.
const FIELDS_BEFORE_THE_KEY: usize = 5;

/// The `SubjectPublicKeyInfo` of a certificate, whole; `None` when it is none.
pub(super) fn key_of_certificate(certificate: &[u8]) -> Option<&[u8]> {
    let (outer, _) = element(certificate)?;
    let (body, _) = element(outer.of(SEQUENCE)?)?;
    let mut rest = body.of(SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.1;
    }
    for _ in 0..FIELDS_BEFORE_THE_KEY {
        rest = element(rest)?.1;
    }
    let (key, _) = element(rest)?;
    key.of(SEQUENCE).map(|_| key.whole)
}

/// The private number of a key on P-256 in SEC 1 (RFC 5915 §3). A key of another curve has none; one without a curve counts
/// as one on P-256.
pub(super) fn p256_scalar(key: &[u8]) -> Option<&[u8]> {
    const CURVE: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    const PARAMETERS: u8 = 0xa0;
    let (outer, _) = element(key)?;
    let (version, rest) = element(outer.of(SEQUENCE)?)?;
    let (scalar, rest) = element(rest)?;
    let is_first = version.of(INTEGER)? == [1];
    let curve = element(rest).and_then(|(parameters, _)| parameters.of(PARAMETERS));
    let is_p256 = curve.is_none_or(|curve| curve == CURVE);
    scalar.of(OCTETS).filter(|_| is_first && is_p256)
}

/// The private bytes of an Ed25519 key in PKCS #8, with or without its public key (RFC 8410 §7).
pub(super) fn ed25519_seed(key: &[u8]) -> Option<&[u8]> {
    const ALGORITHM: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
    let (outer, _) = element(key)?;
    let (version, rest) = element(outer.of(SEQUENCE)?)?;
    let (algorithm, rest) = element(rest)?;
    let (inside, _) = element(rest)?;
    let (seed, _) = element(inside.of(OCTETS)?)?;
    let is_known = matches!(version.of(INTEGER)?, [0 | 1]);
    let is_ed25519 = algorithm.of(SEQUENCE)? == ALGORITHM;
    seed.of(OCTETS).filter(|_| is_known && is_ed25519)
}

struct DerElement<'a> {
    tag: u8,
    content: &'a [u8],
    whole: &'a [u8],
}

impl<'a> DerElement<'a> {
    fn of(&self, tag: u8) -> Option<&'a [u8]> {
        (self.tag == tag).then_some(self.content)
    }
}

/// The first element, and what follows it.
fn element(bytes: &[u8]) -> Option<(DerElement<'_>, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x83 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = length
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, behind) = rest.split_at_checked(length)?;
    let whole = bytes.get(..bytes.len() - behind.len())?;
    let element = DerElement {
        tag: *tag,
        content,
        whole,
    };
    Some((element, behind))
}

#[cfg(test)]
mod tests {
    use super::key_of_certificate;

    #[test]
    fn what_is_no_certificate_has_no_key() {
        for bytes in [
            &b""[..],
            b"\x30",
            b"\x30\x82\xff\xff",
            b"\x30\x00",
            b"\x30\x84\x00\x00\x00\x01x",
            b"\x30\x02\x30\x00",
        ] {
            assert_eq!(key_of_certificate(bytes), None);
        }
    }
}
