use serde_json::json;

use super::*;

const PLACE: SealPlace<'static> = SealPlace {
    kind: SealKind::Account,
    id: "a1",
    field: "context",
};

fn ring(ids: &[(&str, u8)]) -> Keyring {
    let entries: Vec<_> = ids
        .iter()
        .map(|(id, byte)| format!("{id}:{}", BASE64.encode(&[*byte; 32])))
        .collect();
    Keyring::parse(&entries.join(",")).unwrap()
}

#[test]
fn a_value_opens_only_in_the_place_it_was_sealed_for() {
    let ring = ring(&[("k1", 1)]);
    let sealed = ring.seal(PLACE, [9; 12], &json!({"token": "t"})).unwrap();
    assert!(sealed.starts_with("k1.") && !sealed.contains("token"));
    assert_eq!(ring.open(PLACE, &sealed).unwrap(), json!({"token": "t"}));
    for other in [
        SealPlace {
            kind: SealKind::Install,
            ..PLACE
        },
        SealPlace { id: "a2", ..PLACE },
        SealPlace {
            field: "other",
            ..PLACE
        },
    ] {
        assert_eq!(
            ring.open(other, &sealed),
            Err(SealError::Broken("k1".to_owned()))
        );
    }
}

#[test]
fn the_first_key_seals_and_all_open() {
    let old = ring(&[("k1", 1)]).seal(PLACE, [9; 12], &json!(1)).unwrap();
    let both = ring(&[("k2", 2), ("k1", 1)]);
    assert_eq!(both.open(PLACE, &old).unwrap(), json!(1));
    assert!(
        both.seal(PLACE, [9; 12], &json!(1))
            .unwrap()
            .starts_with("k2.")
    );
    assert_eq!(
        ring(&[("k2", 2)]).open(PLACE, &old),
        Err(SealError::UnknownKey("k1".to_owned()))
    );
    assert_eq!(
        ring(&[("k1", 7)]).open(PLACE, &old),
        Err(SealError::Broken("k1".to_owned()))
    );
}

#[test]
fn bad_keys_are_refused_with_the_reason() {
    for (text, reason) in [
        ("", "is not set"),
        ("abc", "has an entry without `id:`"),
        ("k1:***", "has a key that is not base64"),
        ("k1:AAAA", "has a key that is not 32 bytes"),
        (
            "k.1:AAAA",
            "has a key id that is not 1 to 32 letters, digits, `-` or `_`",
        ),
    ] {
        assert_eq!(
            Keyring::parse(text).unwrap_err(),
            SealError::BadKeys(reason),
            "{text}"
        );
    }
    let twice = format!("k:{0},k:{0}", BASE64.encode(&[1; 32]));
    assert_eq!(
        Keyring::parse(&twice).unwrap_err(),
        SealError::BadKeys("names one id twice")
    );
}

#[test]
fn debug_shows_ids_and_no_keys() {
    assert_eq!(format!("{:?}", ring(&[("k1", 1)])), r#"["k1"]"#);
}

#[test]
fn garbage_never_opens() {
    let ring = ring(&[("k1", 1)]);
    for text in [
        "",
        "k1",
        "k1.",
        "k1.AAAA",
        "k1.*",
        "k1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        assert!(ring.open(PLACE, text).is_err(), "{text}");
    }
}
