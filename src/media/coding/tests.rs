use std::cell::Cell;
use std::convert::Infallible;

use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

use super::*;

fn gzip(flags: u8, extra: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut all = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3];
    all.extend(extra);
    all.extend(compress_to_vec(bytes, 9));
    all.extend(crc32(bytes).to_le_bytes());
    all.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    all
}

fn undone(codings: &[Coding], body: &[u8], limit: usize) -> Result<Vec<u8>, CodingError> {
    undo::<Infallible>(codings, body, limit, &|_| Ok(())).map_err(|stopped| match stopped {
        Stopped::Coding(error) => error,
        Stopped::NoRoom(never) => match never {},
    })
}

#[test]
fn the_checksum_agrees_with_its_check_value() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
}

#[test]
fn every_header_of_a_member_is_read() {
    for (flags, extra) in [
        (0, &b""[..]),
        (1, b""),
        (2, b"\x12\x34"),
        (4, b"\x02\x00ab"),
        (8, b"name\0"),
        (16, b"words\0"),
        (31, b"\x00\x00n\0w\0\x12\x34"),
    ] {
        let body = gzip(flags, extra, b"abc");
        assert_eq!(
            undone(&[Coding::Gzip], &body, 3).unwrap(),
            b"abc",
            "{flags}"
        );
    }
    let two = [gzip(0, b"", b"abc"), gzip(0, b"", b"def")].concat();
    assert_eq!(undone(&[Coding::Gzip], &two, 6).unwrap(), b"abcdef");
    assert_eq!(
        undone(&[Coding::Gzip], &two, 5),
        Err(CodingError::TooLarge(5))
    );
}

#[test]
fn output_ends_at_the_limit_and_takes_its_room_first() {
    for size in [1, STEP - 1, STEP, STEP + 1, 3 * STEP] {
        let bytes: Vec<u8> = (0..size)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        for (coding, body) in [
            (Coding::Gzip, gzip(0, b"", &bytes)),
            (Coding::Deflate, compress_to_vec_zlib(&bytes, 6)),
            (Coding::Deflate, compress_to_vec(&bytes, 6)),
        ] {
            assert_eq!(undone(&[coding], &body, size).unwrap(), bytes);
            assert_eq!(
                undone(&[coding], &body, size - 1),
                Err(CodingError::TooLarge(size - 1))
            );
        }
    }
    let bomb = gzip(0, b"", &vec![0; 50 * STEP]);
    let taken = Cell::new(0);
    let take = |more| {
        taken.set(taken.get() + more);
        if taken.get() > 4 * STEP {
            Err("full")
        } else {
            Ok(())
        }
    };
    let stopped = undo(&[Coding::Gzip], &bomb, 40 * STEP, &take);
    assert!(matches!(stopped, Err(Stopped::NoRoom("full"))));
    assert_eq!(taken.get(), 5 * STEP);
}

#[test]
fn what_is_cut_or_changed_is_broken() {
    let whole = gzip(0, b"", b"some words, some words");
    for end in 1..whole.len() {
        let cut = undone(&[Coding::Gzip], &whole[..end], 100);
        assert_eq!(cut, Err(CodingError::Broken("gzip")), "{end}");
    }
    for at in [0, 1, 2, whole.len() - 1, whole.len() - 5] {
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        assert_eq!(
            undone(&[Coding::Gzip], &changed, 100),
            Err(CodingError::Broken("gzip"))
        );
    }
    let zlib = compress_to_vec_zlib(b"some words", 6);
    let cut = undone(&[Coding::Deflate], &zlib[..zlib.len() - 1], 100);
    assert_eq!(cut, Err(CodingError::Broken("deflate")));
    assert_eq!(undone(&[Coding::Gzip], b"", 100), Ok(Vec::new()));
}

#[test]
fn codings_are_known_by_every_spelling() {
    let read = |values: &[&str]| {
        let headers: HeaderMap = values
            .iter()
            .map(|value| (CONTENT_ENCODING, value.parse().unwrap()))
            .collect();
        of(&headers)
    };
    let (gzip, deflate) = (Coding::Gzip, Coding::Deflate);
    for (values, found) in [
        (&["gzip"][..], vec![gzip]),
        (&["GZip"], vec![gzip]),
        (&["X-GZIP"], vec![gzip]),
        (&[" gzip , "], vec![gzip]),
        (&["identity, deflate"], vec![deflate]),
        (&["deflate", "gzip"], vec![deflate, gzip]),
        (&["", "none", "utf-8", "Identity"], vec![]),
        (&[], vec![]),
    ] {
        assert_eq!(read(values), Ok(found), "{values:?}");
    }
    assert_eq!(read(&["BR"]), Err(CodingError::Unknown("br")));
    assert_eq!(read(&["gzip, zstd"]), Err(CodingError::Unknown("zstd")));
    assert_eq!(
        read(&["gzip,gzip,gzip,gzip,gzip"]),
        Err(CodingError::TooMany)
    );
}
