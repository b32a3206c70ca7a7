//! Host keys: pinned as whole lines, compared as keys, never trusted on first use.

use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey, parse_public_key_base64};

use crate::error::{Failure, Kind, Outcome, Presented};

/// More pinned lines are refused: a rotation needs two for each algorithm.
pub const LINES: usize = 20;
/// A longer line is refused: an RSA key of 16,384 bits has 2.8 KB.
const LINE_BYTES: usize = 8192;

/// What is offered, most preferred first. RSA signs with SHA-2 only.
const OFFERED: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP256,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP384,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP521,
    },
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha512),
    },
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha256),
    },
];

/// The keys that an integrated account pins.
pub struct Pinned(Vec<PublicKey>);

impl Pinned {
    pub fn parse(lines: &[String]) -> Outcome<Self> {
        let wrong = |message: String| Failure::new(Kind::BadHostKey, message);
        if lines.is_empty() {
            return Err(wrong(
                "No host key is pinned, so the server cannot be recognised.".to_owned(),
            ));
        }
        if lines.len() > LINES {
            return Err(wrong(format!("More than {LINES} host keys are pinned.")));
        }
        let keys = lines.iter().enumerate().map(|(index, line)| {
            parse_line(line).map_err(|why| wrong(format!("Host key {}: {why}.", index + 1)))
        });
        Ok(Self(keys.collect::<Outcome<_>>()?))
    }

    pub fn contains(&self, key: &PublicKey) -> bool {
        self.0
            .iter()
            .any(|pinned| pinned.key_data() == key.key_data())
    }

    /// The algorithms to offer: a server that has a key of another algorithm too must not present that one.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let is_pinned = |offered: &Algorithm| {
            self.0
                .iter()
                .any(|key| is_of_key(offered, &key.algorithm()))
        };
        OFFERED
            .iter()
            .filter(|offered| is_pinned(offered))
            .cloned()
            .collect()
    }
}

/// All algorithms, for a server that is to report its key.
pub fn all_algorithms() -> Vec<Algorithm> {
    OFFERED.to_vec()
}

/// The line and the fingerprint of a key, as `ssh-keyscan` and `ssh-keygen -l` print them.
pub fn presented(key: &PublicKey) -> Option<Presented> {
    let key = PublicKey::new(key.key_data().clone(), "");
    Some(Presented {
        host_key: key.to_openssh().ok()?.trim_end().to_owned(),
        fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
    })
}

/// An RSA key is one key for both of its signature algorithms.
fn is_of_key(offered: &Algorithm, key: &Algorithm) -> bool {
    match (offered, key) {
        (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
        _ => offered == key,
    }
}

fn parse_line(line: &str) -> Result<PublicKey, &'static str> {
    if line.len() > LINE_BYTES {
        return Err("the line is longer than 8,192 bytes");
    }
    let mut words = line.split_whitespace();
    let (Some(algorithm), Some(base64)) = (words.next(), words.next()) else {
        return Err("write the algorithm and the key, as in ssh-ed25519 AAAA…");
    };
    let key = parse_public_key_base64(base64).map_err(|_| "the key cannot be read")?;
    if key.algorithm().to_string() != algorithm {
        return Err("the key is not of the algorithm before it");
    }
    if !OFFERED
        .iter()
        .any(|offered| is_of_key(offered, &key.algorithm()))
    {
        return Err("the algorithm is not supported");
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = include_str!("../tests/keys/ed25519.pub");
    const RSA: &str = include_str!("../tests/keys/rsa.pub");
    const ECDSA: &str = include_str!("../tests/keys/ecdsa-256.pub");
    const DSA: &str = "ssh-dss AAAAB3NzaC1kc3MAAAABAwAAAAEDAAAAAQMAAAABAw==";

    fn pinned(lines: &[&str]) -> Outcome<Pinned> {
        Pinned::parse(
            &lines
                .iter()
                .map(|line| (*line).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    fn names(pinned: &Pinned) -> Vec<String> {
        pinned
            .algorithms()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn only_the_algorithms_of_pinned_keys_are_offered_in_order() {
        assert_eq!(names(&pinned(&[ED25519]).unwrap()), ["ssh-ed25519"]);
        assert_eq!(
            names(&pinned(&[RSA, ECDSA, ED25519]).unwrap()),
            [
                "ssh-ed25519",
                "ecdsa-sha2-nistp256",
                "rsa-sha2-512",
                "rsa-sha2-256"
            ]
        );
        assert_eq!(all_algorithms().len(), 6);
    }

    #[test]
    fn a_key_is_compared_without_its_comment() {
        let key = pinned(&[ED25519]).unwrap().0.remove(0);
        let bare = ED25519
            .split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ");
        assert!(pinned(&[RSA, &bare]).unwrap().contains(&key));
        assert!(!pinned(&[RSA]).unwrap().contains(&key));
        assert_eq!(presented(&key).unwrap().host_key, bare);
        assert!(presented(&key).unwrap().fingerprint.starts_with("SHA256:"));
    }

    #[test]
    fn what_cannot_be_pinned_is_refused_with_its_number() {
        let long = format!("{} {}", ED25519.trim(), "c".repeat(8192));
        let other = ED25519.replacen("ssh-ed25519", "ssh-rsa", 1);
        for line in ["", "ssh-ed25519", "ssh-ed25519 AAAA", DSA, &long, &other] {
            let failure = pinned(&[ED25519, line]).err().unwrap();
            assert_eq!(failure.kind, Kind::BadHostKey, "{line}");
            assert!(failure.message.starts_with("Host key 2: "), "{line}");
        }
        assert_eq!(pinned(&[]).err().unwrap().kind, Kind::BadHostKey);
        assert!(pinned(&[ED25519; 20]).is_ok());
        assert!(pinned(&[ED25519; 21]).is_err());
    }
}
