use super::*;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

fn headers(values: &[&str]) -> HeaderMap {
    let values = values.iter().map(|value| value.parse().unwrap());
    values.map(|value| (CONTENT_ENCODING, value)).collect()
}

#[test]
fn codings_are_named_in_any_spelling() {
    use Coding::{Deflate, Gzip};
    for (values, expected) in [
        (&[][..], Ok(vec![])),
        (&["GZip"], Ok(vec![Gzip])),
        (&[" , x-gzip,, identity"], Ok(vec![Gzip])),
        (&["deflate, gzip"], Ok(vec![Gzip, Deflate])),
        (&["deflate", "gzip"], Ok(vec![Gzip, Deflate])),
        (&["", "none", "utf-8", "Identity"], Ok(vec![])),
        (&["gzip,gzip,gzip,gzip"], Ok(vec![Gzip; 4])),
        (&["gzip,gzip,gzip,gzip,gzip"], Err(NotUndone::TooMany)),
        (&["BR"], Err(NotUndone::Other("br"))),
        (&["gzip, Zstd"], Err(NotUndone::Other("zstd"))),
    ] {
        assert_eq!(named(&headers(values)), expected, "{values:?}");
    }
}

#[test]
fn the_platform_undoes_what_is_named_exactly() {
    for value in ["gzip", "br", "identity", ""] {
        assert_eq!(of_answer(&headers(&[value])), Ok(vec![]), "{value}");
    }
    assert_eq!(
        of_answer(&headers(&["gzip", "gzip"])),
        Ok(vec![Coding::Gzip; 2])
    );
}

fn undone(coding: Coding, bytes: &[u8], most: usize) -> Result<Vec<u8>, Undecoded<()>> {
    undo(&[coding], bytes, most, &mut |_| Ok(()))
}

fn made(text: &[u8]) -> [(Coding, Vec<u8>); 3] {
    let level = Compression::default();
    let mut gzip = GzEncoder::new(Vec::new(), level);
    let mut zlib = ZlibEncoder::new(Vec::new(), level);
    let mut bare = DeflateEncoder::new(Vec::new(), level);
    gzip.write_all(text).unwrap();
    zlib.write_all(text).unwrap();
    bare.write_all(text).unwrap();
    [
        (Coding::Gzip, gzip.finish().unwrap()),
        (Coding::Deflate, zlib.finish().unwrap()),
        (Coding::Deflate, bare.finish().unwrap()),
    ]
}

#[test]
fn what_was_done_is_undone_within_the_limit() {
    let long = vec![b'x'; 100_000];
    for text in [&b""[..], b"a", &long] {
        for (coding, bytes) in made(text) {
            assert_eq!(undone(coding, &bytes, text.len()).as_deref(), Ok(text));
            if let Some(less) = text.len().checked_sub(1) {
                let over = Err(Undecoded::TooLarge(less));
                assert_eq!(undone(coding, &bytes, less), over);
            }
        }
    }
}

#[test]
fn what_is_cut_or_changed_is_broken() {
    for (coding, bytes) in made(b"some words, some words, some other words") {
        for end in 0..bytes.len() {
            assert_eq!(
                undone(coding, &bytes[..end], 100),
                Err(Undecoded::Broken(coding)),
                "{coding} {end}"
            );
        }
        assert_eq!(
            undone(coding, b"{\"data\":[]}", 100),
            Err(Undecoded::Broken(coding))
        );
    }
}

/// A member with these flags, and the fields that they announce (RFC 1952 section 2.3).
fn member(flags: u8, fields: &[u8], text: &[u8]) -> Vec<u8> {
    let [(_, whole), ..] = made(text);
    let (head, rest) = whole.split_at(10);
    let mut head = head.to_vec();
    head[3] = flags;
    [head.as_slice(), fields, rest].concat()
}

#[test]
fn every_header_of_a_member_is_read() {
    for (flags, fields) in [
        (0, &b""[..]),
        (1, b""),
        (4, b"\x02\x00ab"),
        (8, b"name\0"),
        (16, b"words\0"),
        (28, b"\x00\x00n\0w\0"),
    ] {
        let body = member(flags, fields, b"abc");
        let expected = Ok(&b"abc"[..]);
        assert_eq!(
            undone(Coding::Gzip, &body, 3).as_deref(),
            expected,
            "{flags}"
        );
    }
    let two = [member(0, b"", b"abc"), member(0, b"", b"def")].concat();
    assert_eq!(undone(Coding::Gzip, &two, 6).as_deref(), Ok(&b"abcdef"[..]));
    let over = Err(Undecoded::TooLarge(5));
    assert_eq!(undone(Coding::Gzip, &two, 5), over);
}

#[test]
fn a_member_with_another_checksum_or_length_is_broken() {
    let [(coding, whole), ..] = made(b"some words, some words");
    for at in [0, 1, 2, whole.len() - 1, whole.len() - 5] {
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        let broken = Err(Undecoded::Broken(coding));
        assert_eq!(undone(coding, &changed, 100), broken, "{at}");
    }
}

#[test]
fn nothing_is_decoded_without_room() {
    for (coding, bytes) in made(&vec![b'x'; 1_000_000]) {
        let mut taken = 0;
        let mut room = |bytes: usize| {
            taken += bytes;
            if taken > 100_000 { Err("full") } else { Ok(()) }
        };
        let outcome = undo(&[coding], &bytes, usize::MAX, &mut room);
        assert_eq!(outcome, Err(Undecoded::NoRoom("full")));
        assert!(taken < 200_000, "{taken}");
    }
}

#[test]
fn a_gzip_body_has_at_most_64_members() {
    let [(gzip, member), _, _] = made(b"");
    assert_eq!(undone(gzip, &member.repeat(MEMBERS), 0), Ok(Vec::new()));
    let over = member.repeat(MEMBERS + 1);
    assert_eq!(undone(gzip, &over, 0), Err(Undecoded::Broken(gzip)));
    // 52,000 empty members in a few bytes: the outer layer is one member, the inner one is refused.
    let mut outer = GzEncoder::new(Vec::new(), Compression::best());
    outer.write_all(&member.repeat(52_000)).unwrap();
    let bomb = outer.finish().unwrap();
    let layers = [gzip, gzip];
    let refused = undo(&layers, &bomb, 2_000_000, &mut |_| Ok::<_, ()>(()));
    assert_eq!(refused, Err(Undecoded::Broken(gzip)));
}
