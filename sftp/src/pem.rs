//! The text of a private key, read once: what is judged here is what the crate of SSH is given, and not the caller's text. That
//! crate skips lines and blocks that it does not know, so that its reading of the same text could be another key.
//!
//! A key says itself how much work its encryption takes. That is bounded before the work is done: a passphrase that takes minutes
//! would use up the processor time of all transfers of the isolate.

use data_encoding::BASE64;
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use russh::keys::PrivateKey;
use russh::keys::ssh_key::Kdf as OpensshKdf;

const BEGIN: &str = "-----BEGIN ";
/// What `openssl ecparam -genkey` writes before a SEC1 key: its curve, which the key names, too.
const PARAMETERS: [&str; 2] = [
    "-----BEGIN EC PARAMETERS-----",
    "-----END EC PARAMETERS-----",
];
const SEC1: &str = "-----BEGIN EC PRIVATE KEY-----";
/// Rounds of bcrypt: `ssh-keygen` takes 16 (`-a`).
const BCRYPT_ROUNDS: u32 = 256;
/// Iterations of PBKDF2: OpenSSL takes 2,048, those who choose one up to a million.
const PBKDF2_ITERATIONS: u32 = 2_000_000;
/// Memory of scrypt: OpenSSL takes 16 MiB. The isolate has 128 MB.
const SCRYPT_BYTES: u64 = 32 * 1024 * 1024;

/// How much work it is to open a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Work {
    /// None: it is not encrypted.
    Open,
    Bounded,
    TooMuch,
    /// There is no key in the text.
    Unknown,
}

/// The only block of a text, but for the parameters of a SEC1 key.
pub struct Pem<'a> {
    label: &'a str,
    headers: Vec<&'a str>,
    bytes: Vec<u8>,
}

impl<'a> Pem<'a> {
    /// Nothing, unless the text has exactly one block; parameters before a SEC1 key are left out.
    pub fn read(text: &'a str) -> Option<Self> {
        let text = match text.matches(BEGIN).count() {
            1 => text,
            2 => after_parameters(text)?,
            _ => return None,
        };
        let mut lines = text.lines().map(str::trim_end);
        let label = lines
            .find_map(|line| line.strip_prefix(BEGIN))?
            .strip_suffix("-----")?;
        let (headers, base64): (Vec<_>, Vec<_>) = lines
            .take_while(|line| !line.starts_with("-----END "))
            .partition(|line| line.contains(':'));
        Some(Self {
            label,
            headers,
            bytes: BASE64.decode(base64.concat().as_bytes()).ok()?,
        })
    }

    /// The block, as it was read.
    pub fn text(&self) -> String {
        let Self { label, headers, .. } = self;
        let base64 = BASE64.encode(&self.bytes);
        let headers = headers.join("\n");
        format!("-----BEGIN {label}-----\n{headers}\n\n{base64}\n-----END {label}-----\n")
    }

    pub fn work(&self) -> Work {
        match self.label {
            "OPENSSH PRIVATE KEY" => match PrivateKey::from_bytes(&self.bytes) {
                Ok(key) => work_of_bcrypt(key.kdf()),
                Err(_) => Work::Unknown,
            },
            // With a passphrase, each of these is opened as PKCS#8.
            label @ ("ENCRYPTED PRIVATE KEY" | "PRIVATE KEY" | "EC PRIVATE KEY") => {
                match EncryptedPrivateKeyInfoRef::try_from(self.bytes.as_slice()) {
                    Ok(key) => work_of_pbes2(&key.encryption_algorithm),
                    Err(_) if label == "ENCRYPTED PRIVATE KEY" => Work::Unknown,
                    Err(_) => self.work_of_headers(),
                }
            }
            "RSA PRIVATE KEY" => self.work_of_headers(),
            _ => Work::Unknown,
        }
    }

    /// The encryption of RFC 1421 takes one MD5 of the passphrase.
    fn work_of_headers(&self) -> Work {
        let is_encrypted =
            |line: &&str| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED");
        if self.headers.iter().any(is_encrypted) {
            Work::Bounded
        } else {
            Work::Open
        }
    }
}

/// The second of two blocks, where the first has the parameters and the second the key.
fn after_parameters(text: &str) -> Option<&str> {
    let [begin, end] = PARAMETERS;
    let (_, key) = text.trim_start().strip_prefix(begin)?.split_once(end)?;
    Some(key.trim_start()).filter(|key| key.starts_with(SEC1))
}

fn work_of_bcrypt(kdf: &OpensshKdf) -> Work {
    match kdf {
        OpensshKdf::None => Work::Open,
        OpensshKdf::Bcrypt { rounds, .. } if *rounds <= BCRYPT_ROUNDS => Work::Bounded,
        _ => Work::TooMuch,
    }
}

fn work_of_pbes2(scheme: &EncryptionScheme) -> Work {
    let EncryptionScheme::Pbes2(parameters) = scheme else {
        return Work::Bounded; // refused by its kind
    };
    let is_bounded = match &parameters.kdf {
        Kdf::Pbkdf2(kdf) => kdf.iteration_count <= PBKDF2_ITERATIONS,
        Kdf::Scrypt(kdf) => scrypt_bytes(kdf.cost_parameter, kdf.block_size, kdf.parallelization)
            .is_some_and(|bytes| bytes <= SCRYPT_BYTES),
        _ => false,
    };
    if is_bounded {
        Work::Bounded
    } else {
        Work::TooMuch
    }
}

/// RFC 7914 section 2: 128 bytes for each unit of cost, block size and parallelisation.
fn scrypt_bytes(cost: u64, block_size: u16, parallelization: u16) -> Option<u64> {
    128u64
        .checked_mul(cost)?
        .checked_mul(block_size.into())?
        .checked_mul(parallelization.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! key {
        ($name:literal) => {
            include_str!(concat!("../tests/keys/", $name))
        };
    }

    fn work(text: &str) -> Work {
        Pem::read(text).map_or(Work::Unknown, |pem| pem.work())
    }

    /// The same key, whose scrypt takes so many times 2 MiB.
    fn scrypt_of(block_size: u8) -> Pem<'static> {
        let mut pem = Pem::read(key!("rsa-pkcs8-scrypt")).unwrap();
        let numbers = [2, 2, 0x40, 0, 2, 1, 8]; // a cost of 16,384, blocks of 8
        let at = pem.bytes.windows(7).position(|part| part == numbers);
        pem.bytes[at.unwrap() + 6] = block_size;
        pem
    }

    #[test]
    fn the_work_is_judged_just_over_and_under() {
        assert_eq!(work(key!("rsa-pkcs8-encrypted")), Work::Bounded);
        assert_eq!(work(key!("rsa-pkcs8-slow")), Work::TooMuch);
        assert_eq!(work(key!("ed25519-encrypted")), Work::Bounded);
        assert_eq!(work(key!("ed25519-slow")), Work::TooMuch);
        assert_eq!(scrypt_of(16).work(), Work::Bounded);
        assert_eq!(scrypt_of(17).work(), Work::TooMuch);
        assert_eq!(scrypt_bytes(u64::MAX, 8, 1), None);
    }

    #[test]
    fn an_encrypted_key_is_one_under_each_label_of_pkcs_8() {
        for label in ["PRIVATE KEY", "EC PRIVATE KEY"] {
            let under = |text: &str| text.replace("ENCRYPTED PRIVATE KEY", label);
            assert_eq!(work(&under(key!("rsa-pkcs8-encrypted"))), Work::Bounded);
            assert_eq!(work(&under(key!("rsa-pkcs8-slow"))), Work::TooMuch);
            let large = Pem {
                label,
                ..scrypt_of(17)
            };
            assert_eq!(work(&large.text()), Work::TooMuch);
        }
        let open = key!("rsa-pkcs8");
        assert_eq!(work(open), Work::Open);
        let wrong = open.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        assert_eq!(work(&wrong), Work::Unknown);
        for label in ["CERTIFICATE", "DSA PRIVATE KEY", "PRIVATE KEY "] {
            assert_eq!(work(&open.replace("PRIVATE KEY", label)), Work::Unknown);
        }
    }

    #[test]
    fn a_text_has_one_block_and_is_passed_on_as_it_was_read() {
        let slow = key!("ed25519-slow");
        let decoy = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in [
            format!("{decoy}{slow}"),
            format!("{slow}{decoy}"),
            format!("# -----BEGIN RSA PRIVATE KEY-----\n{slow}"),
            format!("-----BEGIN RSA PRIVATE KEY----- \n{slow}"),
        ] {
            assert_eq!(work(&text), Work::Unknown, "{text}");
        }
        // A line that the crate of SSH skips.
        let spaced = slow.replace('\n', "  \n");
        assert_eq!(work(&spaced), Work::TooMuch);
        let pem = Pem::read(&spaced).unwrap();
        assert!(
            pem.text()
                .starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n")
        );
        assert_eq!(Pem::read(&pem.text()).unwrap().bytes, pem.bytes);
        let legacy = Pem::read(key!("rsa-pkcs1-encrypted")).unwrap();
        assert!(legacy.text().contains("\nDEK-Info: AES-128-CBC,"));
        assert_eq!(legacy.work(), Work::Bounded);
    }

    #[test]
    fn parameters_are_left_out_before_a_sec1_key_alone() {
        let both = key!("ecdsa-256-sec1");
        let (parameters, key) = both.split_at(both.rfind(BEGIN).unwrap());
        let alone = Pem::read(key).unwrap();
        for text in [both, &both.replace('\n', "\r\n"), &format!("\n{both}\n")] {
            let pem = Pem::read(text).unwrap();
            assert_eq!((&pem.bytes, pem.work()), (&alone.bytes, Work::Open));
            assert!(!pem.text().contains("PARAMETERS"));
        }
        for text in [
            format!("{key}{parameters}"),
            format!("{key}{key}"),
            format!("{parameters}{parameters}"),
            format!("{parameters}{both}"),
            format!("{both}{key}"),
            format!("{parameters}note\n{key}"),
            format!("note\n{both}"),
            both.replace("EC PARAMETERS", "CERTIFICATE"),
            both.replace("EC PRIVATE", "PRIVATE"),
            both.replace("-----END EC PARAMETERS-----", ""),
            format!("{parameters}{}", key!("ed25519-slow")),
            format!("{parameters}{}", key!("rsa-pkcs8-slow")),
        ] {
            assert_eq!(work(&text), Work::Unknown, "{text}");
        }
        let slow = key!("rsa-pkcs8-slow").replace("ENCRYPTED ", "EC ");
        assert_eq!(work(&format!("{parameters}{slow}")), Work::TooMuch);
    }
}
