use serde_json::json;

use super::*;

fn written(value: &Value, arrays: QueryArrayFormat) -> Result<String, BodyError> {
    let bytes = encode(value, arrays, "B")?.expect("an object");
    Ok(String::from_utf8(bytes).unwrap())
}

fn parts(value: &Value) -> Result<String, BodyError> {
    written(value, QueryArrayFormat::Repeat)
}

#[test]
fn fields_and_files_are_parts_in_their_order() {
    let value = json!({
        "mode": "append", "n": 18_446_744_073_709_551_615_u64, "none": null,
        "file": { "filename": "a \"b\"\r\n.csv", "content_type": "text/csv", "text": "x,y\r\n" },
        "raw": { "filename": "z.bin", "data": "AP/+" },
    });
    assert_eq!(
        encode(&value, QueryArrayFormat::Repeat, "B").unwrap().unwrap(),
        [
            b"--B\r\ncontent-disposition: form-data; name=\"mode\"\r\n\r\nappend\r\n".as_slice(),
            b"--B\r\ncontent-disposition: form-data; name=\"n\"\r\n\r\n18446744073709551615\r\n",
            b"--B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a %22b%22%0D%0A.csv\"\r\ncontent-type: text/csv\r\n\r\nx,y\r\n\r\n",
            b"--B\r\ncontent-disposition: form-data; name=\"raw\"; filename=\"z.bin\"\r\ncontent-type: application/octet-stream\r\n\r\n\x00\xff\xfe\r\n",
            b"--B--\r\n",
        ]
        .concat()
    );
    assert_eq!(parts(&json!({})).unwrap(), "--B--\r\n");
    assert_eq!(encode(&json!("x"), QueryArrayFormat::Repeat, "B"), Ok(None));
}

#[test]
fn a_part_may_have_a_type_without_being_a_file_and_be_json() {
    let value = json!({ "meta": { "content_type": "application/json; charset=utf-8", "text": { "name": "N" } }, "more": { "filename": "m.json", "text": [1] } });
    assert_eq!(
        parts(&value).unwrap(),
        "--B\r\ncontent-disposition: form-data; name=\"meta\"\r\ncontent-type: application/json; charset=utf-8\r\n\r\n{\"name\":\"N\"}\r\n\
         --B\r\ncontent-disposition: form-data; name=\"more\"; filename=\"m.json\"\r\ncontent-type: application/json\r\n\r\n[1]\r\n--B--\r\n"
    );
}

#[test]
fn nested_objects_and_arrays_are_named_as_in_a_form() {
    use QueryArrayFormat as F;
    let file = json!({ "filename": "f", "text": "t" });
    let value = json!({ "a": { "text": "no file" }, "b": [1, 2], "c": [file] });
    for (format, names) in [
        (F::Repeat, vec!["a[text]", "b", "b", "c"]),
        (F::Comma, vec!["a[text]", "b", "c"]),
        (F::Brackets, vec!["a[text]", "b[]", "b[]", "c[]"]),
        (F::Indices, vec!["a[text]", "b[0]", "b[1]", "c[0]"]),
    ] {
        let body = written(&value, format).unwrap();
        let found: Vec<&str> = body
            .split(" name=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        assert_eq!(found, names, "{format:?}");
        assert!(body.contains("; filename=\"f\""), "{format:?}");
        assert_eq!(body.contains("\r\n\r\n1,2\r\n"), format == F::Comma);
    }
}

#[test]
fn base64_is_read_in_every_spelling() {
    for (data, expected) in [
        ("AP/+", b"\x00\xff\xfe".as_slice()),
        ("AP_-", b"\x00\xff\xfe"),
        ("YQ==", b"a"),
        ("YQ", b"a"),
        ("YW\r\nJj\n", b"abc"),
        ("", b""),
    ] {
        assert_eq!(decoded(data).unwrap(), expected, "{data}");
    }
    for data in ["Y", "a b*", "YQ===", "A+_A", "=YQ"] {
        assert_eq!(decoded(data), None, "{data}");
    }
}

#[test]
fn a_file_that_cannot_be_one_is_named() {
    for file in [
        json!({ "filename": "a", "data": "?" }),
        json!({ "filename": 1, "text": "" }),
        json!({ "filename": "a", "data": 1 }),
        json!({ "filename": "a", "text": "", "content_type": "text/a\r\nx: y" }),
        json!({ "filename": "a", "text": "", "content_type": "none" }),
    ] {
        assert_eq!(
            parts(&json!({ "up": file })),
            Err(BodyError::File("up".into())),
            "{file}"
        );
    }
}

#[test]
fn parts_have_the_room_of_a_body() {
    let mebibytes = |n: usize| json!({ "a": "x".repeat(n * 1024 * 1024) });
    assert!(parts(&mebibytes(7)).is_ok());
    assert!(matches!(parts(&mebibytes(8)), Err(BodyError::Render(_))));
}

#[test]
fn the_boundary_depends_on_chance_alone_and_fits_a_header() {
    let (one, other) = (boundary(&[1; 32]), boundary(&[2; 32]));
    assert_ne!(one, other);
    assert_eq!(one.len(), 41, "RFC 2046 allows 70");
    assert!(one.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
}
