//! Bodies both ways: what a method's template becomes, what the caller's own body stays, and what comes of a
//! provider's JSON, XML, text and silence.

use causeway::ports::Body;
use serde_json::{Value, json};

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Answer;
use crate::outside::{Sent, World, reply, streamed};

fn file() -> Value {
    let create = |body: Value, format: &str| json!({ "create": { "method": "post", "path": "/x", "body": body, "body_format": format } });
    let get = |more: Value| {
        let mut method = json!({ "path": "/x" });
        crate::bodies::merge(&mut method, &more);
        json!({ "get": method })
    };
    json!({
        "name": "body-templates",
        "config": {
            "base_url": "https://body-templates.example/v1",
            "headers": { "Content-Type": "application/json" },
            "query_array_format": "brackets",
            "authorization": { "format": "none" },
            "credentials": { "api_key": { "format": "api_key", "config": { "fields": [{ "name": "key" }] } } },
            "actions": {
                "write": { "type": "request", "config": { "method": "post", "path": "/x", "body_format": "xml" } },
                "upload": { "type": "request", "config": { "method": "post", "path": "/x", "body_format": "multipart" } },
                "issues": { "type": "request", "config": { "resource": "issues", "method": "list" } },
            },
            "resources": {
                "forms": create(json!({ "a": "{{body.a:any}}", "n": { "m": ["{{body.m}}"] } }), "form"),
                "uploads": create(json!({ "title": "{{body.title}}", "file": "{{body.file:any}}" }), "multipart"),
                "letters": create(json!({ "s:Letter": { "@xmlns:s": "urn:l", "to": "{{body.to}}", "lines": { "line": "{{body.lines:any:undefined}}" } } }), "xml"),
                "words": create(json!("Dear {{body.to}}"), "raw"),
                "notes": { "create": { "method": "post", "path": "/x", "body": { "text": "{{body.text}}" } }, "post": { "method": "post", "path": "/x/{{body.id}}", "body": { "b": "{{query.b}}" } } },
                "own": { "create": { "method": "post", "path": "/x", "body_format": "multipart" } },
                "issues": {
                    "list": { "path": "/x", "response_path": "feed.issues.issue" },
                    "get": { "path": "/x", "response_path": "feed.issue" },
                },
                "said": get(json!({ "api_response_format": "xml" })),
                "text": get(json!({ "api_response_format": "text", "response_path": "a" })),
                "pictures": get(json!({ "api_response_format": "binary", "error_expression": "true" })),
                "plain": { "get": { "path": "/x" }, "list": { "path": "/x" } },
                "head": get(json!({ "method": "head" })),
                "cut": get(json!({ "response_path": "a" })),
                "checked": get(json!({ "error_expression": "body.feed.fault ? { 'status': $number(body.feed.fault.`@code`), 'message': body.feed.fault.`#text` } : body.ok = false ? { 'status': 409, 'message': body.why }" })),
            },
        },
    })
}

fn merge(base: &mut Value, more: &Value) {
    causeway::json::merge(base, more);
}

const XML: [(&str, &str); 1] = [("content-type", "application/xml")];

fn open() -> Scene {
    let context = json!({ "key": "k" });
    Scene::new(World::new(), &file(), "api_key", &context)
}

/// What the provider gets when a caller posts this JSON.
fn posts(scene: &Scene, path: &str, body: &Value) -> Sent {
    scene.world.answers(201, &[], "");
    let answer = scene.call("POST", path, &JSON, Body::from_bytes(body.to_string()));
    assert_eq!(answer.status, 201, "{}", answer.text());
    scene.world.sent().remove(0)
}

fn refuses(scene: &Scene, path: &str, body: &Value, status: u16) -> String {
    let answer = scene.call("POST", path, &JSON, Body::from_bytes(body.to_string()));
    assert!(scene.world.sent().is_empty());
    answer.code(status)
}

/// What a caller gets when the provider answers so.
fn gets(scene: &Scene, path: &str, headers: &[(&str, &str)], body: &'static [u8]) -> Answer {
    let answer = reply(200, headers, streamed(&[body], None));
    scene.world.answers_with(answer);
    scene.get(path)
}

fn text_of(sent: &Sent) -> &str {
    std::str::from_utf8(&sent.body).unwrap()
}

#[test]
fn a_form_nests_and_follows_the_array_format_of_the_integration() {
    let scene = open();
    let sent = posts(
        &scene,
        "/proxy/forms",
        &json!({ "a": [1, { "b": true }], "m": "x y" }),
    );
    assert_eq!(
        text_of(&sent),
        "a%5B%5D=1&a%5B%5D%5Bb%5D=true&n%5Bm%5D%5B%5D=x%20y"
    );
    assert_eq!(
        sent.header("content-type"),
        Some("application/x-www-form-urlencoded"),
        "the integration's JSON is for JSON"
    );
}

#[test]
fn a_multipart_body_has_its_parts_and_a_boundary_that_differs_each_time() {
    let scene = open();
    let file =
        json!({ "filename": "a.bin", "content_type": "application/zip", "data": "UEsDBA==" });
    let body = json!({ "title": "T", "file": file });
    let sent = posts(&scene, "/proxy/uploads", &body);
    let content_type = sent.header("content-type").unwrap();
    let boundary = content_type
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    assert_eq!(
        text_of(&sent),
        format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"title\"\r\n\r\nT\r\n\
             --{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\ncontent-type: application/zip\r\n\r\nPK\u{3}\u{4}\r\n\
             --{boundary}--\r\n"
        )
    );
    let again = posts(&scene, "/proxy/uploads", &body);
    assert_ne!(again.header("content-type"), Some(content_type));
    let broken = json!({ "title": "T", "file": { "filename": "a", "data": "%" } });
    assert_eq!(
        refuses(&scene, "/proxy/uploads", &broken, 422),
        "caller.invalid"
    );
}

#[test]
fn the_parts_are_the_same_when_a_redirect_asks_for_them_again() {
    let scene = open();
    scene.world.answers(307, &[("location", "/v1/y")], "");
    scene.world.answers(201, &[], "");
    let body = json!({ "title": "T", "file": "plain" });
    scene.call(
        "POST",
        "/proxy/uploads",
        &JSON,
        Body::from_bytes(body.to_string()),
    );
    let sent = scene.world.sent();
    assert_eq!(sent[0].body, sent[1].body);
    assert_eq!(
        sent[0].header("content-type"),
        sent[1].header("content-type")
    );
}

#[test]
fn a_callers_own_multipart_body_streams_through_byte_for_byte() {
    let scene = open();
    let pieces: [&'static [u8]; 3] = [b"--x\r\n\r\n\xff\x00", b"\r\n", b"--x--\r\n"];
    let cases = [
        ("/proxy/own", None),
        ("/proxy/own", Some(90 * 1024 * 1024)),
        ("/proxy/uploads?truto_body_passthrough=true", None),
        ("/custom/x", None),
    ];
    each_case(cases, |(path, length)| {
        scene.world.answers(201, &[], "");
        let headers = [("content-type", "multipart/form-data; boundary=x")];
        scene.call("POST", path, &headers, streamed(&pieces, length));
        let sent = scene.world.sent().remove(0);
        assert_eq!(sent.body, pieces.concat(), "{path}");
        assert_eq!(
            sent.header("content-type"),
            Some("multipart/form-data; boundary=x"),
            "{path}"
        );
    });
}

#[test]
fn an_xml_body_is_made_of_the_template() {
    let scene = open();
    let sent = posts(
        &scene,
        "/proxy/letters",
        &json!({ "to": "A <&> B", "lines": [1, "two"] }),
    );
    assert_eq!(
        text_of(&sent),
        r#"<?xml version="1.0" encoding="UTF-8"?><s:Letter xmlns:s="urn:l"><to>A &lt;&amp;&gt; B</to><lines><line>1</line><line>two</line></lines></s:Letter>"#
    );
    assert_eq!(sent.header("content-type"), Some("application/xml"));
    let sent = posts(&scene, "/proxy/letters", &json!({ "to": "x" }));
    assert!(text_of(&sent).ends_with("<to>x</to><lines/></s:Letter>"));
    each_case([json!({ "<script>": 1 }), json!("bell \u{7}")], |lines| {
        let body = json!({ "to": "x", "lines": lines });
        assert_eq!(
            refuses(&scene, "/proxy/letters", &body, 422),
            "caller.invalid"
        );
    });
}

#[test]
fn a_raw_body_is_its_text() {
    let scene = open();
    let sent = posts(&scene, "/proxy/words", &json!({ "to": "you" }));
    assert_eq!(text_of(&sent), "Dear you");
}

#[test]
fn a_body_is_passed_through_when_the_caller_says_so() {
    let scene = open();
    let raw = r#"{"id": 12345678901234567890123, "u": "\ud800", "id": 2}"#;
    each_case(["truto_body_passthrough", "body_passthrough"], |name| {
        scene.world.answers(201, &[], "");
        let path = format!("/proxy/notes?a=1&{name}=true");
        scene.call(
            "POST",
            &path,
            &[("content-type", "text/x")],
            Body::from_bytes(raw),
        );
        let sent = scene.world.sent().remove(0);
        assert_eq!(
            (
                text_of(&sent),
                sent.url.as_str(),
                sent.header("content-type")
            ),
            (
                raw,
                "https://body-templates.example/v1/x?a=1",
                Some("text/x")
            )
        );
    });
    let sent = posts(
        &scene,
        "/proxy/notes?body_passthrough=false",
        &json!({ "text": "t" }),
    );
    assert_eq!(text_of(&sent), r#"{"text":"t"}"#);
    assert_eq!(sent.url, "https://body-templates.example/v1/x");
    let sent = posts(
        &scene,
        "/proxy/notes/post?b=1&body_passthrough=true",
        &json!({ "id": 7 }),
    );
    assert_eq!(
        (text_of(&sent), sent.url.as_str()),
        (r#"{"id":7}"#, "https://body-templates.example/v1/x/7?b=1"),
        "what else looks into the body still does; what only the body would have used goes on"
    );
    assert_eq!(
        refuses(&scene, "/proxy/notes?body_passthrough=yes", &json!({}), 400),
        "caller.malformed"
    );
}

#[test]
fn xml_becomes_json_where_the_file_says_so_or_cuts_it() {
    let scene = open();
    let feed =
        b"<?xml version=\"1.0\"?><feed v='1'><issue n='1'>\xc3\xa9</issue><issue n='2'/></feed>";
    let answer = gets(&scene, "/proxy/said/1", &XML, feed);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(
        answer.text(),
        r##"{"feed":{"@v":"1","issue":[{"@n":"1","#text":"é"},{"@n":"2"}]}}"##
    );
    assert_eq!(
        gets(&scene, "/proxy/issues/1", &XML, feed).json(),
        json!([{ "@n": "1", "#text": "é" }, { "@n": "2" }])
    );
    each_case(["/proxy/plain/1", "/proxy/checked/1"], |path| {
        let answer = gets(&scene, path, &XML, feed);
        assert_eq!(
            (answer.body.as_slice(), answer.header("content-type")),
            (feed.as_slice(), Some("application/xml")),
            "{path}: JSON was not asked for"
        );
    });
    assert_eq!(
        gets(
            &scene,
            "/proxy/said/1",
            &[("content-type", "application/octet-stream")],
            b"<a/>"
        )
        .text(),
        r#"{"a":""}"#,
        "the file knows better than the header"
    );
}

#[test]
fn a_list_in_xml_has_its_envelope_even_with_one_element() {
    let scene = open();
    let cases = [
        (
            "<issue><n>1</n></issue><issue><n>2</n></issue>",
            json!([{ "n": "1" }, { "n": "2" }]),
        ),
        ("<issue><n>1</n></issue>", json!([{ "n": "1" }])),
        ("<issue/>", json!([])),
        ("", json!([])),
    ];
    each_case(cases, |(items, result)| {
        let feed = format!("<feed><issues>{items}</issues></feed>");
        scene.world.answers(200, &XML, &feed);
        let list = scene
            .call("GET", "/proxy/issues", &[], Body::Empty)
            .expect(200);
        assert_eq!(list["result"], result, "{feed}");
        assert_eq!(list["result_count"], result.as_array().unwrap().len());
    });
    scene.world.answers(200, &XML, "");
    let list = scene
        .call("GET", "/proxy/issues", &[], Body::Empty)
        .expect(200);
    assert_eq!(
        list["result"],
        json!([]),
        "an empty answer is an empty list"
    );
}

#[test]
fn an_error_in_xml_is_found_and_told_in_the_providers_words() {
    let scene = open();
    let fault = "<feed><fault code=\"403\">no</fault></feed>";
    scene.world.answers(200, &XML, fault);
    let body = scene
        .call("GET", "/proxy/checked/1", &[], Body::Empty)
        .expect(403);
    assert_eq!(
        (body["message"].as_str(), body["raw_response"].as_str()),
        (Some("no"), Some(fault))
    );
    scene.world.answers(500, &XML, fault);
    let body = scene
        .call("GET", "/proxy/checked/1", &[], Body::Empty)
        .expect(403);
    assert_eq!(body["raw_response"].as_str(), Some(fault));
    let latin = [("content-type", "text/html; charset=iso-8859-1")];
    scene
        .world
        .answers_with(reply(404, &latin, streamed(&[b"caf\xe9"], None)));
    let body = scene
        .call("GET", "/proxy/plain/1", &[], Body::Empty)
        .expect(404);
    assert_eq!(body["raw_response"].as_str(), Some("café"));
}

#[test]
fn xml_that_is_none_or_too_much_is_told_apart() {
    let scene = open();
    let deep = format!("{}{}", "<a>".repeat(61), "</a>".repeat(61));
    let many = format!("<a>{}</a>", "<b/>".repeat(300_000));
    let lines = format!("<a>{}</a>", "\"".repeat(5 * 1024 * 1024));
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
    let cases = [
        ("{}", "provider.unexpected_answer"),
        ("<a>", "provider.unexpected_answer"),
        (bomb, "provider.unexpected_answer"),
        (&deep, "provider.unexpected_answer"),
        (&many, "provider.answer_too_large"),
        (&lines, "provider.answer_too_large"),
    ];
    each_case(cases, |(text, code)| {
        scene.world.answers(200, &XML, text);
        let answer = scene.call("GET", "/proxy/said/1", &[], Body::Empty);
        assert_eq!(answer.code(502), code, "{text:.40}");
        scene.world.answers(200, &XML, text);
        assert_eq!(
            scene.call("GET", "/proxy/plain/1", &[], Body::Empty).text(),
            text,
            "unread it goes through"
        );
    });
    scene.world.answers(200, &XML, "<html>");
    assert_eq!(
        scene
            .call("GET", "/proxy/checked/1", &[], Body::Empty)
            .text(),
        "<html>",
        "an error_expression alone asks for no XML"
    );
}

#[test]
fn text_is_decoded_to_be_looked_into_and_passed_on_as_it_came() {
    let scene = open();
    let latin = b"<?xml version='1.0' encoding='iso-8859-1'?><a>caf\xe9</a>";
    assert_eq!(
        gets(
            &scene,
            "/proxy/said/1",
            &[("content-type", "text/xml")],
            latin
        )
        .json(),
        json!({ "a": "café" })
    );
    assert_eq!(
        gets(&scene, "/proxy/said/1", &XML, b"\xff\xfe<\0a\0/\0>\0").json(),
        json!({ "a": "" })
    );
    let typed = [("content-type", "application/json; charset=latin1")];
    assert_eq!(
        gets(&scene, "/proxy/cut/1", &typed, b"{\"a\":\"\xe9\"}").text(),
        "\"é\""
    );
    let marked = [("content-type", "application/json")];
    assert_eq!(
        gets(&scene, "/proxy/cut/1", &marked, b"\xef\xbb\xbf{\"a\":1}").text(),
        "1"
    );
    each_case(["/proxy/checked/1", "/proxy/plain/1"], |path| {
        assert_eq!(
            gets(&scene, path, &typed, b"{\"a\":\"\xe9\"}").body,
            b"{\"a\":\"\xe9\"}"
        );
        assert_eq!(
            gets(&scene, path, &marked, b"\xef\xbb\xbf{}").body,
            b"\xef\xbb\xbf{}"
        );
    });
    let unknown = [("content-type", "text/xml; charset=shift_jis")];
    let answer = gets(&scene, "/proxy/said/1", &unknown, b"<a/>");
    assert!(answer.text().contains("shift_jis"), "{}", answer.text());
    assert_eq!(answer.code(502), "provider.unexpected_answer");
    assert_eq!(
        gets(&scene, "/proxy/checked/1", &unknown, b"\x82\xa0").body,
        b"\x82\xa0"
    );
}

#[test]
fn json_that_is_called_text_is_cut_unless_the_file_says_text() {
    let scene = open();
    let plain = [("content-type", "text/plain")];
    assert_eq!(
        gets(&scene, "/proxy/cut/1", &plain, b"{\"a\":[1]}").text(),
        "[1]"
    );
    assert_eq!(
        gets(&scene, "/proxy/cut/1", &plain, b"a, b").code(502),
        "provider.unexpected_answer"
    );
    assert_eq!(
        gets(&scene, "/proxy/text/1", &plain, b"{\"a\":[1]}").text(),
        "{\"a\":[1]}"
    );
    assert_eq!(
        gets(&scene, "/proxy/pictures/1", &JSON, b"{}").text(),
        "{}",
        "never read"
    );
}

#[test]
fn an_answer_without_a_body_stays_without_one() {
    let scene = open();
    let cases = [
        (204, "/proxy/cut/1"),
        (205, "/proxy/plain/1"),
        (304, "/proxy/plain"),
        (304, "/custom/x"),
    ];
    each_case(cases, |(status, path)| {
        scene
            .world
            .answers(status, &[("content-length", "12"), ("etag", "\"e\"")], "");
        let answer = scene.call("GET", path, &[("if-none-match", "\"e\"")], Body::Empty);
        assert_eq!(
            (
                answer.status,
                answer.body.len(),
                answer.header("content-length"),
                answer.header("etag")
            ),
            (status, 0, None, Some("\"e\"")),
            "{path}"
        );
    });
    each_case(
        [(204, vec![]), (200, vec![("content-length", "0")])],
        |(status, headers)| {
            scene.world.answers(status, &headers, "");
            let list = scene
                .call("GET", "/proxy/plain", &[], Body::Empty)
                .expect(200);
            assert_eq!(
                (&list["result"], &list["result_count"]),
                (&json!([]), &json!(0))
            );
        },
    );
    each_case(
        ["/proxy/cut/1", "/proxy/said/1", "/proxy/checked/1"],
        |path| {
            let answer = gets(&scene, path, &JSON, b"");
            assert_eq!((answer.status, answer.body.len()), (200, 0), "{path}");
            assert_eq!(gets(&scene, path, &JSON, b" \r\n").body, b" \r\n", "{path}");
        },
    );
}

#[test]
fn an_answer_without_a_body_needs_no_decoding() {
    let scene = open();
    each_case(["zstd", "deflate"], |encoding| {
        let packed = [("content-encoding", encoding)];
        scene.world.answers(204, &packed, "");
        let list = scene.call("GET", "/proxy/plain", &[], Body::Empty);
        assert_eq!(list.expect(200)["result"], json!([]), "{encoding}");
        each_case(
            ["/proxy/cut/1", "/proxy/said/1", "/proxy/checked/1"],
            |path| {
                scene.world.answers(200, &packed, "");
                let answer = scene.call("GET", path, &[], Body::Empty);
                assert_eq!((answer.status, answer.text()), (200, ""), "{path}");
            },
        );
    });
}

#[test]
fn a_head_has_its_length_only_where_the_caller_asked_for_the_head() {
    let scene = open();
    let headers = [
        ("content-length", "12345"),
        ("content-type", "application/zip"),
    ];
    scene.world.answers(200, &headers, "");
    let answer = scene.call("HEAD", "/custom/x", &[], Body::Empty);
    assert_eq!(
        (
            answer.header("content-length"),
            scene.world.sent()[0].method.as_str()
        ),
        (Some("12345"), "HEAD")
    );
    scene.world.answers(200, &headers, "");
    let answer = scene.call("GET", "/proxy/head/1", &[], Body::Empty);
    assert_eq!(
        (
            answer.status,
            answer.header("content-length"),
            answer.header("content-type")
        ),
        (200, None, Some("application/zip"))
    );
    assert_eq!(scene.world.sent()[0].method, "HEAD");
}

#[test]
fn what_was_compressed_has_the_headers_of_what_goes_on() {
    let scene = open();
    each_case(["gzip", "br"], |encoding| {
        let headers = [
            ("content-type", "application/json"),
            ("content-encoding", encoding),
            ("content-length", "9"),
        ];
        let cases = [
            ("/proxy/plain/1", Some(encoding)),
            ("/custom/x", Some(encoding)),
            ("/proxy/cut/1", None),
            ("/proxy/checked/1", None),
            ("/proxy/plain", None),
        ];
        each_case(cases, |(path, kept)| {
            let body: &'static [u8] = if path == "/proxy/plain" {
                b"[1]"
            } else {
                b"{\"a\":1}"
            };
            let answer = gets(&scene, path, &headers, body);
            assert_eq!(
                (
                    answer.status,
                    answer.header("content-encoding"),
                    answer.header("content-length")
                ),
                (200, kept, None),
                "{encoding} {path}: streamed, the runtime packs it again"
            );
        });
    });
    let foreign = [
        ("content-type", "application/json"),
        ("content-encoding", "zstd"),
    ];
    each_case(["/proxy/plain/1", "/proxy/checked/1"], |path| {
        let answer = gets(&scene, path, &foreign, b"\x28\xb5\x2f\xfd");
        assert_eq!(
            (answer.body.as_slice(), answer.header("content-encoding")),
            (b"\x28\xb5\x2f\xfd".as_slice(), Some("zstd")),
            "{path}"
        );
    });
    each_case(["/proxy/cut/1", "/proxy/plain"], |path| {
        let answer = gets(&scene, path, &foreign, b"\x28\xb5\x2f\xfd");
        assert_eq!(answer.code(502), "provider.unexpected_answer", "{path}");
    });
}

#[test]
fn odd_json_comes_through_unharmed_cut_wrapped_and_streamed() {
    let scene = open();
    let odd = r#"{"id":12345678901234567890123,"i":-9223372036854775809,"x":1e400,"f":1.10,"u":"\ud800\u0000","d":1,"d":2}"#;
    let whole: &'static str = Box::leak(format!(r#"{{"a":{odd}}}"#).into_boxed_str());
    let list: &'static str = Box::leak(format!("[{odd}, {odd}]").into_boxed_str());
    assert_eq!(
        gets(&scene, "/proxy/cut/1", &JSON, whole.as_bytes()).text(),
        odd
    );
    each_case(
        ["/proxy/plain/1", "/proxy/checked/1", "/custom/x"],
        |path| {
            assert_eq!(
                gets(&scene, path, &JSON, whole.as_bytes()).text(),
                whole,
                "{path}"
            );
        },
    );
    let answer = gets(&scene, "/proxy/plain", &JSON, list.as_bytes());
    assert!(
        answer.text().starts_with(&format!(r#"{{"result":{list},"#)),
        "{}",
        answer.text()
    );
    scene.world.answers(422, &JSON, whole);
    let answer = scene.call("GET", "/proxy/plain/1", &[], Body::Empty);
    assert!(
        answer
            .text()
            .contains(&format!(r#""raw_response":{whole}"#)),
        "{}",
        answer.text()
    );
    each_case([whole, odd], |piece| {
        scene.world.answers(201, &[], "");
        scene.call("POST", "/proxy/own", &JSON, Body::from_bytes(piece));
        assert_eq!(text_of(&scene.world.sent().pop().unwrap()), piece);
    });
}

#[test]
fn an_error_is_found_beside_a_number_or_a_character_that_cannot_be_read() {
    let scene = open();
    each_case(["1e400", "-1e999", r#""\ud800""#, r#""\udc00x""#], |odd| {
        let text = format!(r#"{{"ok":false,"why":"no","odd":{odd}}}"#);
        scene.world.answers(200, &JSON, &text);
        let answer = scene.call("GET", "/proxy/checked/1", &[], Body::Empty);
        assert!(answer.text().contains(&text), "{}", answer.text());
        assert_eq!(answer.status, 409, "{odd}");
    });
}

#[test]
fn the_steps_of_an_action_write_and_read_the_same_formats() {
    let scene = open();
    let run = |action: &str, input: &Value, headers: &[(&str, &str)], answer: &str| {
        scene.world.answers(200, headers, answer);
        let path = format!("/proxy/_/{action}");
        let answer = scene.call("POST", &path, &JSON, Body::from_bytes(input.to_string()));
        (answer, scene.world.sent().remove(0))
    };
    let (answer, sent) = run("write", &json!({ "a": { "@b": 1 } }), &XML, "<r><s/></r>");
    assert_eq!(answer.expect(200), json!({ "r": { "s": "" } }));
    assert!(
        text_of(&sent).ends_with(r#"<a b="1"/>"#),
        "{}",
        text_of(&sent)
    );
    let (answer, sent) = run("upload", &json!({ "a": "x" }), &XML, "<html>");
    assert_eq!(answer.expect(200), json!("<html>"), "no XML: its words");
    assert!(text_of(&sent).contains("name=\"a\"\r\n\r\nx\r\n--"));
    let one = "<feed><issues><issue>1</issue></issues></feed>";
    let (answer, _) = run("issues", &json!(null), &XML, one);
    assert_eq!(answer.expect(200), json!(["1"]));
}
