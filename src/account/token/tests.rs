use super::*;
use crate::ids::{AccountId, Placement, Region};
use crate::time::Timestamp;

const FIRST: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const SECOND: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

fn ring(text: &str) -> Keyring {
    Keyring::parse(text).unwrap()
}

fn account() -> AccountId {
    let place = Placement::Hinted(Region::Apac);
    AccountId::new(Timestamp::from_millis(1_700_000_000_000), place, [3; 10])
}

/// The same account as one of before.
fn old() -> AccountId {
    let new = account().to_hex();
    format!("{}2{}", &new[..13], &new[14..]).parse().unwrap()
}

fn made(kind: TokenKind) -> String {
    let ring = ring(FIRST);
    match kind {
        TokenKind::AccountWebhook | TokenKind::InstallWebhook => {
            address(&ring, kind, account()).unwrap()
        }
        _ => token(&ring, kind, account(), [9; 32]).unwrap(),
    }
}

fn read(ring: &Keyring, kind: TokenKind, text: &str) -> Option<(AccountId, TokenProof)> {
    match kind {
        TokenKind::AccountWebhook | TokenKind::InstallWebhook => read_address(ring, kind, text),
        _ => read_token(ring, kind, text),
    }
}

#[test]
fn what_is_signed_is_read_as_its_own_kind_only() {
    let ring = ring(FIRST);
    for kind in TokenKind::ALL {
        let text = made(kind);
        for other in TokenKind::ALL {
            let as_other = format!("{}{}", other.prefix(), &text[kind.prefix().len()..]);
            let expected = (kind == other).then_some((account(), TokenProof::Signed));
            assert_eq!(
                read(&ring, other, &as_other),
                expected,
                "{kind:?} as {other:?}"
            );
        }
    }
}

#[test]
fn one_changed_missing_or_added_character_is_none_of_ours() {
    let ring = ring(FIRST);
    for kind in TokenKind::ALL {
        let text = made(kind);
        for at in 0..text.len() {
            for other in ["A", "0", "_", ""] {
                let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                if changed != text {
                    assert_eq!(read(&ring, kind, &changed), None, "{changed}");
                }
            }
            assert_eq!(read(&ring, kind, &text[..at]), None);
        }
        for longer in [
            format!("{text}A"),
            format!("{text}="),
            format!(" {text}"),
            format!("{text} "),
        ] {
            assert_eq!(read(&ring, kind, &longer), None, "{longer}");
        }
    }
}

#[test]
fn a_key_that_is_still_in_the_ring_verifies() {
    let (both, second) = (ring(&format!("{SECOND},{FIRST}")), ring(SECOND));
    for kind in TokenKind::ALL {
        let text = made(kind);
        assert_eq!(
            read(&both, kind, &text),
            Some((account(), TokenProof::Signed))
        );
        assert_eq!(read(&second, kind, &text), None);
    }
    let mark = delivery_mark(&ring(FIRST)).unwrap();
    assert!(is_delivery_mark(&both, mark.as_bytes()));
    assert!(!is_delivery_mark(&second, mark.as_bytes()));
    assert!(!is_delivery_mark(&both, b"") && !is_delivery_mark(&both, &mark.as_bytes()[..16]));
}

#[test]
fn without_a_signature_only_ids_of_before_are_known() {
    let ring = ring(FIRST);
    let random = "C".repeat(42) + "A";
    for (kind, start) in [
        (TokenKind::Api, "ct_"),
        (TokenKind::Account, "at_"),
        (TokenKind::Link, "lt_"),
    ] {
        let text = |id: AccountId| format!("{start}{}_{random}", id.to_hex());
        assert_eq!(
            read(&ring, kind, &text(old())),
            Some((old(), TokenProof::Unsigned))
        );
        assert_eq!(read(&ring, kind, &text(account())), None);
        assert_eq!(read(&ring, kind, &text(old())[..60]), None);
    }
    let state = format!("{}.{random}", old().to_hex());
    assert_eq!(
        read(&ring, TokenKind::State, &state),
        Some((old(), TokenProof::Unsigned))
    );
    for kind in [TokenKind::AccountWebhook, TokenKind::InstallWebhook] {
        assert_eq!(
            read(&ring, kind, &old().to_string()),
            Some((old(), TokenProof::Unsigned))
        );
        assert_eq!(read(&ring, kind, &account().to_string()), None);
        assert_eq!(read(&ring, kind, &format!("{}_", old())), None);
    }
}
