use super::*;

const NOW: i64 = 1_700_000_000_000;

#[test]
fn an_account_id_says_where_its_object_lives() {
    let places = [
        Placement::Hinted(Region::Wnam),
        Placement::Hinted(Region::Enam),
        Placement::Hinted(Region::Apac),
        Placement::Hinted(Region::Eu),
        Placement::EuJurisdiction,
    ];
    for place in places {
        let id = AccountId::new(Timestamp::from_millis(NOW), place, [0xff; 10]);
        let read: AccountId = id.to_string().parse().unwrap();
        assert_eq!(read, id);
        assert_eq!(read.placement(), place);
    }
}

#[test]
fn it_is_a_uuid_version_8_that_starts_with_the_time() {
    let id = IntegrationId::new(Timestamp::from_millis(NOW), [0xab; 10]).to_string();
    assert_eq!(&id[..13], "018bcfe5-6800");
    assert_eq!(&id[14..15], "8");
    assert!(
        matches!(&id[19..20], "8" | "9" | "a" | "b"),
        "variant of RFC 9562"
    );
}

#[test]
fn only_one_text_names_an_id() {
    let id = AccountId::new(
        Timestamp::from_millis(NOW),
        Placement::EuJurisdiction,
        [7; 10],
    );
    assert_eq!(id.to_hex().parse::<AccountId>(), Ok(id));
    for wrong in [
        id.to_string().to_uppercase(),
        format!("{{{id}}}"),
        format!("urn:uuid:{id}"),
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301".to_owned(),
        String::new(),
    ] {
        assert_eq!(wrong.parse::<AccountId>(), Err(NotAnId), "{wrong}");
    }
}

#[test]
fn an_unknown_place_is_not_an_id() {
    let id = AccountId(make(Timestamp::from_millis(NOW), 6, [1; 10])).to_string();
    assert_eq!(id.parse::<AccountId>(), Err(NotAnId));
}

#[test]
fn an_id_from_before_signatures_is_known_as_such() {
    let new = AccountId::new(
        Timestamp::from_millis(NOW),
        Placement::EuJurisdiction,
        [7; 10],
    );
    assert!(new.is_signed());
    let old: AccountId = new.to_string().replace("-8b", "-83").parse().unwrap();
    assert!(!old.is_signed());
    assert_eq!(old.placement(), Placement::EuJurisdiction);
}
