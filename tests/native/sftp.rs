//! The resource `files`: lists, reads, writes and their errors, over the twin of the SFTP Worker.

use std::rc::Rc;
use std::time::Duration;

use causeway::ports::{Body, ByteStream, SftpFault};
use serde_json::{Value, json};

use crate::account::Scene;
use crate::cases::each_case;
use crate::client::Answer;
use crate::outside::{Pace, Pieces, World};
use crate::sftp_server::{FileServer, HOST, HOST_KEY, OTHER_KEY, PASSWORD, USER, refusal};

/// A file whose server is the vendor's.
pub fn file() -> Value {
    json!({
        "name": "file-drop",
        "config": {
            "label": "File drop",
            "credentials": { "sftp": { "format": "sftp", "config": {
                "fields": [
                    { "name": "username", "required": true },
                    { "name": "password", "type": "password", "required": true },
                    { "name": "host_key" }, { "name": "root" },
                ],
                "host": HOST, "username": "{{username}}", "password": "{{password}}",
                "host_keys": ["{{host_key:undefined}}"], "root": "{{root:undefined}}",
            } } },
        },
    })
}

pub fn context() -> Value {
    json!({ "username": USER, "password": PASSWORD, "host_key": HOST_KEY })
}

fn scene_of(world: World, file: &Value, context: &Value) -> (Scene, Rc<FileServer>) {
    let server = Rc::new(FileServer::new());
    world.0.sftp.replace(Some(Rc::clone(&server)));
    let scene = Scene::new(world, file, "sftp", context);
    server.asked.borrow_mut().clear();
    (scene, server)
}

fn scene() -> (Scene, Rc<FileServer>) {
    scene_of(World::new(), &file(), &context())
}

fn post(scene: &Scene, name: &str, body: &Value) -> Answer {
    let body = Body::from_bytes(body.to_string());
    scene.call_passing("POST", &format!("/proxy/files/{name}"), &[], body)
}

fn get(scene: &Scene, path: &str, headers: &[(&str, &str)]) -> Answer {
    scene.call_passing("GET", path, headers, Body::Empty)
}

#[test]
fn a_folder_is_listed_in_pages() {
    let (scene, server) = scene();
    for n in 0..5 {
        server.put(&format!("/in/n{n}"), "x");
    }
    let first = get(&scene, "/proxy/files?path=/in&limit=3", &[]).expect(200);
    let names = |page: &Value| -> Vec<String> {
        let all = page["result"].as_array().unwrap().iter();
        all.map(|entry| entry["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&first), ["a.txt", "empty", "n0"]);
    assert_eq!(first["result_count"], 3);
    assert_eq!(
        first["result"][0],
        json!({ "name": "a.txt", "path": "/in/a.txt", "type": "file", "size": 10, "modified_at": "2023-11-14T22:13:20.000Z", "permissions": "rw-r--r--" })
    );
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = get(
        &scene,
        &format!("/proxy/files?path=/in&next_cursor={cursor}"),
        &[],
    )
    .expect(200);
    assert_eq!(names(&second), ["n1", "n2", "n3"]);
    let cursor = second["next_cursor"].as_str().unwrap();
    let third = get(
        &scene,
        &format!("/proxy/files?path=/in&next_cursor={cursor}"),
        &[],
    )
    .expect(200);
    assert_eq!(names(&third), ["n4"]);
    assert_eq!(third["next_cursor"], Value::Null);
    let head = &server.asked.borrow()[0].head;
    assert_eq!(head["server"]["host"], HOST);
    assert_eq!(head["server"]["port"], 22);
    assert_eq!(head["server"]["host_keys"], json!([HOST_KEY]));
    assert_eq!(head["limit"], 3);
    assert!(scene.world.sent().is_empty(), "no request of HTTP");
}

#[test]
fn a_list_without_a_limit_and_with_too_large_a_limit_has_its_own() {
    let (scene, server) = scene();
    get(&scene, "/proxy/files", &[]).expect(200);
    assert_eq!(server.last().head["limit"], 100);
    assert_eq!(server.last().head["path"], "/");
    get(&scene, "/proxy/files?limit=1000", &[]).expect(200);
    assert_eq!(server.last().head["limit"], 1000);
    get(&scene, "/proxy/files?limit=1001", &[]).expect(200);
    assert_eq!(server.last().head["limit"], 1000);
}

#[test]
fn all_pages_of_a_folder_are_lines() {
    let (scene, server) = scene();
    for n in 0..7 {
        server.put(&format!("/in/n{n}"), "x");
    }
    let answer = get(
        &scene,
        "/proxy/files?path=in&limit=4",
        &[("x-all-pages", "true")],
    );
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(answer.text().lines().count(), 9);
    assert_eq!(server.operations(), ["list", "list", "list"]);
}

#[test]
fn a_file_is_read_with_its_length_and_time() {
    let (scene, server) = scene();
    let answer = get(&scene, "/proxy/files/in%2Fa.txt", &[]);
    assert_eq!((answer.status, answer.text()), (200, "0123456789"));
    assert_eq!(answer.header("content-length"), Some("10"));
    assert_eq!(
        answer.header("last-modified"),
        Some("Tue, 14 Nov 2023 22:13:20 GMT")
    );
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    assert_eq!(
        answer.header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(answer.header("x-file-size"), None);
    assert_eq!(server.last().head["path"], "/in/a.txt");
    let empty = get(&scene, "/proxy/files/%2Fin%2Fempty", &[]);
    assert_eq!((empty.status, empty.text()), (200, ""));
}

#[test]
fn a_large_file_is_passed_on_in_pieces() {
    let (scene, server) = scene();
    let large = vec![7_u8; 20 * 1024 * 1024];
    server.put("/large", large.clone());
    let answer = get(&scene, "/proxy/files/large", &[]);
    assert_eq!(answer.status, 200);
    assert!(answer.body == large);
}

#[test]
fn a_range_begins_at_its_first_byte() {
    let (scene, server) = scene();
    for (range, status, body, said) in [
        ("bytes=3-", 206, "3456789", Some("bytes 3-9/10")),
        ("bytes=2-4", 206, "234", Some("bytes 2-4/10")),
        ("bytes=9-99", 206, "9", Some("bytes 9-9/10")),
        ("bytes=-3", 200, "0123456789", None),
        ("bytes=0-1,4-5", 200, "0123456789", None),
    ] {
        let answer = get(&scene, "/proxy/files/in%2Fa.txt", &[("range", range)]);
        assert_eq!((answer.status, answer.text()), (status, body), "{range}");
        assert_eq!(answer.header("content-range"), said, "{range}");
        assert_eq!(
            answer.header("content-length"),
            Some(body.len().to_string().as_str())
        );
    }
    let headers = [
        ("range", "bytes=3-"),
        ("if-range", "Tue, 14 Nov 2023 22:13:20 GMT"),
    ];
    assert_eq!(get(&scene, "/proxy/files/in%2Fa.txt", &headers).status, 200);
    for (path, whole) in [("in%2Fa.txt", "bytes */10"), ("in%2Fempty", "bytes */0")] {
        let path = format!("/proxy/files/{path}");
        let range = if whole.ends_with("/0") {
            "bytes=0-"
        } else {
            "bytes=10-"
        };
        let answer = get(&scene, &path, &[("range", range)]);
        assert_eq!(answer.header("content-range"), Some(whole));
        let error = answer.expect(416);
        assert_eq!(error["code"], "provider.rejected");
        assert_eq!(error["raw_response"]["kind"], "range_not_satisfiable");
    }
    assert_eq!(server.last().head["offset"], 0);
}

fn streamed(pieces: &[&'static [u8]]) -> Body<Pieces> {
    Body::Stream(Pieces {
        length: None,
        left: pieces
            .iter()
            .map(|piece| bytes::Bytes::from_static(piece))
            .collect(),
        made: None,
        pace: Pace::AtOnce,
    })
}

#[test]
fn an_upload_is_streamed_and_answers_with_the_entry() {
    let (scene, server) = scene();
    let path = "/proxy/files/out%2Fnew%20file.bin";
    let answer = scene
        .call_passing(
            "PUT",
            path,
            &[("content-length", "6")],
            streamed(&[b"one", b"two"]),
        )
        .expect(200);
    assert_eq!(answer["path"], "/out/new file.bin");
    assert_eq!(answer["size"], 6);
    assert_eq!(server.content("/out/new file.bin").unwrap(), "onetwo");
    let empty = scene.call_passing("PUT", "/proxy/files/none", &[], Body::Empty);
    assert_eq!(empty.status, 200);
    assert_eq!(server.content("/none").unwrap(), "");
    let length = [("content-length", "7")];
    let broken = scene.call_passing("PUT", "/proxy/files/short", &length, streamed(&[b"one"]));
    assert_eq!(broken.code(400), "provider.rejected");
    assert_eq!(server.content("/short"), None);
    let unknown = scene.call_passing("PUT", "/proxy/files/long", &[], streamed(&[b"one"]));
    assert_eq!(unknown.code(411), "caller.length_required");
    assert_eq!(server.content("/long"), None);
    let part = scene.call_passing("PATCH", "/proxy/files/none", &[], Body::from_bytes("x"));
    assert_eq!(part.code(405), "caller.method_not_allowed");
}

#[test]
fn files_and_folders_are_moved_made_described_and_deleted() {
    let (scene, server) = scene();
    let one = json!({ "path": "new/" });
    assert_eq!(post(&scene, "mkdir", &one).expect(200), json!({}));
    let moved = json!({ "from": "/in/a.txt", "to": "new/b.txt" });
    post(&scene, "rename", &moved).expect(200);
    let entry = post(&scene, "stat", &json!({ "path": "/new/b.txt" })).expect(200);
    assert_eq!(
        (&entry["type"], &entry["size"]),
        (&json!("file"), &json!(10))
    );
    let deleted = scene.call_passing("DELETE", "/proxy/files/new%2Fb.txt", &[], Body::Empty);
    assert_eq!(deleted.expect(200), json!({}));
    post(&scene, "rmdir", &one).expect(200);
    let root = post(&scene, "stat", &json!({ "path": "/" })).expect(200);
    assert_eq!(root["type"], "directory");
    assert_eq!(
        server.operations(),
        ["mkdir", "rename", "stat", "delete", "rmdir", "stat"]
    );
    let again = post(&scene, "mkdir", &json!({ "path": "in" }));
    assert_eq!(again.expect(409)["raw_response"]["sftp_status"], 4);
}

#[test]
fn a_path_that_leads_elsewhere_is_never_sent() {
    let (scene, server) = scene();
    let get_paths = [
        "..",
        "%2e%2e",
        "..%2Fetc%2Fpasswd",
        "%2F..%2Fx",
        "a%2F..%2F..%2Fb",
        "a%2F.%2Fb",
        "a%5C..%5Cb",
        "a%00b",
        "a%0Ab",
        "%2F",
        "%2F%2F",
    ];
    each_case(get_paths, |path| {
        let answer = get(&scene, &format!("/proxy/files/{path}"), &[]);
        assert!(matches!(answer.status, 404 | 422), "{path}: {answer:?}");
    });
    for path in ["/../x", "a/./b", "a\\b", "a\u{0}b"] {
        let body = json!({ "path": path });
        assert_eq!(
            post(&scene, "mkdir", &body).code(422),
            "caller.invalid",
            "{path}"
        );
        let body = json!({ "from": "a", "to": path });
        assert_eq!(
            post(&scene, "rename", &body).code(422),
            "caller.invalid",
            "{path}"
        );
    }
    let listed = get(&scene, "/proxy/files?path=%2Fin%2F..%2F..", &[]);
    assert_eq!(listed.code(422), "caller.invalid");
    let long = "a".repeat(256);
    assert_eq!(
        get(&scene, &format!("/proxy/files/{long}"), &[]).code(422),
        "caller.invalid"
    );
    let upload = format!("/proxy/files/{}", "a".repeat(242));
    let upload = scene.call_passing("PUT", &upload, &[], Body::from_bytes("x"));
    assert_eq!(upload.code(422), "caller.invalid");
    assert!(server.operations().is_empty());
    // Encoded twice it is a name like any other.
    assert_eq!(get(&scene, "/proxy/files/%252e%252e", &[]).status, 404);
    assert_eq!(server.last().head["path"], "/%2e%2e");
}

#[test]
fn what_a_method_does_not_have_is_refused_before_anything_is_sent() {
    let (scene, server) = scene();
    let calls = [
        ("GET", "/proxy/files?paht=x", 400),
        ("GET", "/proxy/files/a?path=x", 400),
        ("POST", "/proxy/files", 405),
        ("POST", "/proxy/files/chmod", 405),
        ("POST", "/proxy/files/mkdir", 400),
        ("POST", "/proxy/files/get", 422),
    ];
    each_case(calls, |(method, path, status)| {
        let answer = scene.call_passing(method, path, &[], Body::Empty);
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
    });
    let body = || Body::from_bytes("x");
    for (name, value) in [
        ("if-none-match", "*"),
        ("if-match", "x"),
        ("content-range", "bytes 0-0/2"),
    ] {
        let answer = scene.call_passing("PUT", "/proxy/files/a", &[(name, value)], body());
        assert_eq!(answer.code(400), "caller.malformed", "{name}");
    }
    let long = json!({ "path": "a", "more": "x".repeat(64 * 1024) });
    assert_eq!(
        post(&scene, "mkdir", &long).code(413),
        "caller.body_too_large"
    );
    assert!(server.operations().is_empty());
}

#[test]
fn each_refusal_has_its_status_and_the_servers_words() {
    let cases = [
        ("not_found", 404, 2, 404, "provider.rejected"),
        ("permission_denied", 403, 3, 403, "provider.rejected"),
        ("outside_root", 403, 3, 403, "provider.rejected"),
        ("exists", 409, 4, 409, "provider.rejected"),
        ("unsupported", 501, 8, 501, "provider.failed"),
        ("failure", 502, 4, 502, "provider.failed"),
    ];
    each_case(cases, |(kind, sent, sftp, status, code)| {
        let (scene, server) = scene();
        let answer = refusal(sent, kind, "It cannot be done.", sftp, "the server's words");
        server.refusals.borrow_mut().push_back(answer);
        let headers = [("x-max-retries", "0")];
        let error = get(&scene, "/proxy/files/in%2Fa.txt", &headers).expect(status);
        assert_eq!(error["code"], code);
        assert_eq!(error["message"], "It cannot be done.");
        assert_eq!(error["is_remote_error"], true);
        assert_eq!(
            error["raw_response"],
            json!({ "kind": kind, "message": "It cannot be done.", "sftp_status": sftp, "server_message": "the server's words" })
        );
    });
}

#[test]
fn a_server_that_is_not_there_is_no_answer_of_it() {
    let cases = [
        ("unreachable", 502, "provider.unreachable"),
        ("connection_lost", 502, "provider.unreachable"),
        ("timeout", 504, "provider.timeout"),
        ("busy", 503, "internal.busy"),
        ("bad_private_key", 422, "account.context_value"),
        ("bad_host_key", 422, "account.context_value"),
        ("bad_request", 400, "provider.rejected"),
        ("something_new", 502, "provider.unexpected_answer"),
    ];
    each_case(cases, |(kind, status, code)| {
        let (scene, server) = scene();
        let error = json!({ "kind": kind, "message": "m" });
        server.refusals.borrow_mut().push_back((500, error));
        let headers = [("x-max-retries", "0")];
        assert_eq!(
            get(&scene, "/proxy/files/in%2Fa.txt", &headers).code(status),
            code
        );
    });
    for (fault, status, code) in [
        (SftpFault::Broken, 502, "provider.unreachable"),
        (SftpFault::Timeout, 504, "provider.timeout"),
    ] {
        let (scene, server) = scene();
        server.faults.borrow_mut().push_back(fault);
        let headers = [("x-max-retries", "0")];
        assert_eq!(get(&scene, "/proxy/files", &headers).code(status), code);
    }
}

#[test]
fn reads_are_tried_again_and_writes_are_not() {
    let (scene, server) = scene();
    let gone = || (502, json!({ "kind": "unreachable", "message": "m" }));
    server.refusals.borrow_mut().extend([gone(), gone()]);
    assert_eq!(get(&scene, "/proxy/files/in%2Fa.txt", &[]).status, 200);
    assert_eq!(server.operations(), ["read"; 3]);
    server.asked.borrow_mut().clear();
    server.refusals.borrow_mut().push_back(gone());
    let body = json!({ "from": "/in/a.txt", "to": "/b" });
    assert_eq!(
        post(&scene, "rename", &body).code(502),
        "provider.unreachable"
    );
    assert_eq!(server.operations(), ["rename"]);
}

#[test]
fn without_the_worker_the_answer_says_what_to_do() {
    let (scene, _server) = scene();
    scene.world.0.sftp.replace(None);
    let error = get(&scene, "/proxy/files", &[]).expect(501);
    assert_eq!(error["code"], "internal.sftp_missing");
    let place = "docs/operations.md, The SFTP Worker";
    assert!(error["message"].as_str().unwrap().contains(place));
}

#[test]
fn an_answer_that_is_not_the_workers_is_an_error() {
    let (scene, server) = scene();
    for (status, text) in [(200, "{}"), (500, "oops"), (404, "{}")] {
        server.odd_answer.replace(Some((status, text.to_owned())));
        let answer = get(&scene, "/proxy/files/in%2Fa.txt", &[("x-max-retries", "0")]);
        assert_eq!(
            answer.code(502),
            "provider.unexpected_answer",
            "{status} {text}"
        );
    }
}

#[test]
fn a_refused_login_needs_the_customer_after_the_second_time() {
    let (scene, server) = scene();
    server.password.replace("another-password".to_owned());
    let first = get(&scene, "/proxy/files", &[]).expect(401);
    assert_eq!(first["code"], "provider.rejected");
    assert_eq!(
        first["raw_response"]["server_message"],
        "Permission denied (password)."
    );
    assert_eq!(scene.status(), "active");
    scene.world.pass(Duration::from_secs(61));
    let second = get(&scene, "/proxy/files", &[]);
    assert_eq!(second.code(401), "account.needs_reauth");
    assert_eq!(scene.status(), "needs_reauth");
    assert!(
        scene
            .events()
            .iter()
            .any(|event| event == "authentication_error")
    );
    server.asked.borrow_mut().clear();
    assert_eq!(
        get(&scene, "/proxy/files", &[]).code(401),
        "account.needs_reauth"
    );
    assert!(server.operations().is_empty());
    scene
        .change_context("/credentials", &json!({ "password": "another-password" }))
        .expect(200);
    get(&scene, "/proxy/files", &[]).expect(200);
    assert_eq!(scene.status(), "active");
}

#[test]
fn another_host_key_gets_no_login_and_does_not_blame_the_credential() {
    let (scene, server) = scene();
    server.key.replace(OTHER_KEY.to_owned());
    for _ in 0..3 {
        scene.world.pass(Duration::from_secs(61));
        let error = get(&scene, "/proxy/files", &[]).expect(502);
        assert_eq!(error["code"], "account.host_key_mismatch");
        assert_eq!(error["details"]["host_key"], OTHER_KEY);
        assert!(error["message"].as_str().unwrap().contains("SHA256:"));
    }
    assert_eq!(scene.status(), "active");
    let path = format!("/integrated-account/{}/host-key", scene.account);
    let shown = scene.setting.client.post(&path, &Value::Null).expect(200);
    assert_eq!(shown["host_key"], OTHER_KEY);
    assert_eq!(shown["is_pinned"], false);
    assert_eq!(shown["context_keys"], json!(["host_key"]));
    // Rotation: both lines count.
    let both = format!("{HOST_KEY}\n{OTHER_KEY} new\n");
    scene
        .change_context("", &json!({ "host_key": both }))
        .expect(200);
    get(&scene, "/proxy/files", &[]).expect(200);
    assert_eq!(
        server.last().head["server"]["host_keys"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let shown = scene.setting.client.post(&path, &Value::Null).expect(200);
    assert_eq!(shown["is_pinned"], true);
}

#[test]
fn without_a_pinned_key_nothing_is_sent() {
    let (scene, server) = scene();
    scene
        .change_context("", &json!({ "host_key": null }))
        .expect(200);
    let error = get(&scene, "/proxy/files", &[]).expect(409);
    assert_eq!(error["code"], "account.host_key_missing");
    assert!(error["message"].as_str().unwrap().contains("/host-key"));
    assert!(server.operations().is_empty());
    scene
        .change_context("", &json!({ "host_key": "ssh-ed25519 nonsense" }))
        .expect(200);
    assert_eq!(
        get(&scene, "/proxy/files", &[]).code(422),
        "account.context_value"
    );
    assert!(server.operations().is_empty());
}

#[test]
fn a_private_address_is_not_asked() {
    let mut open = file();
    open["config"]["allowed_hosts"] = json!(["*"]);
    let own = &mut open["config"]["credentials"]["sftp"]["config"];
    own["host"] = json!("{{host}}");
    own["fields"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "name": "host", "allow_dots": true }));
    let mut values = context();
    values["host"] = json!(HOST);
    let (scene, server) = scene_of(World::new(), &open, &values);
    for host in [
        "localhost",
        "10.0.0.1",
        "169.254.169.254",
        "metadata.google.internal",
        "127.0.0.1",
    ] {
        let mut values = context();
        values["host"] = json!(host);
        scene.change_context("/credentials", &values).expect(200);
        let answer = get(&scene, "/proxy/files", &[]);
        assert_eq!(answer.code(422), "integration.upstream_refused", "{host}");
    }
    for host in ["127.1", "2130706433", "a.b/c", "a.b:22"] {
        let mut values = context();
        values["host"] = json!(host);
        scene.change_context("/credentials", &values).expect(200);
        assert_eq!(
            get(&scene, "/proxy/files", &[]).code(422),
            "account.context_value",
            "{host}"
        );
    }
    assert!(server.operations().is_empty());
    let refused = scene.change_context("", &json!({ "host": "other.example.com" }));
    assert_eq!(refused.code(422), "caller.host_key");
    let refused = scene.change_context("", &json!({ "username": "other" }));
    assert_eq!(refused.code(422), "caller.host_key");
}

#[test]
fn a_sandbox_account_only_reads() {
    let (scene, server) = scene();
    let path = format!("/integrated-account/{}", scene.account);
    let sandbox = json!({ "is_sandbox": true });
    scene
        .setting
        .client
        .send("PATCH", &path, &sandbox)
        .expect(200);
    get(&scene, "/proxy/files", &[]).expect(200);
    assert_eq!(
        get(&scene, "/proxy/files/in%2Fa.txt", &[]).text(),
        "0123456789"
    );
    post(&scene, "stat", &json!({ "path": "in" })).expect(200);
    for (method, path) in [
        ("PUT", "a"),
        ("DELETE", "a"),
        ("POST", "mkdir"),
        ("POST", "rmdir"),
        ("POST", "rename"),
    ] {
        let body = Body::from_bytes(r#"{"path":"a"}"#);
        let answer = scene.call_passing(method, &format!("/proxy/files/{path}"), &[], body);
        assert_eq!(
            answer.code(405),
            "caller.method_not_allowed",
            "{method} {path}"
        );
    }
    assert_eq!(server.operations(), ["list", "read", "stat"]);
}

#[test]
fn a_write_with_a_key_is_made_once() {
    let (scene, server) = scene();
    let headers = [("idempotency-key", "k-1")];
    let make = || {
        let body = Body::from_bytes(r#"{"from":"/in/a.txt","to":"/b"}"#);
        scene.call_passing("POST", "/proxy/files/rename", &headers, body)
    };
    make().expect(200);
    let again = make();
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(server.operations(), ["rename"]);
    let put = |content: &'static str| {
        scene.call_passing(
            "PUT",
            "/proxy/files/c",
            &[("idempotency-key", "k-2")],
            Body::from_bytes(content),
        )
    };
    put("x").expect(200);
    put("x").expect(200);
    assert_eq!(put("y").code(422), "caller.idempotency_mismatch");
    assert_eq!(server.content("/c").unwrap(), "x");
}

#[test]
fn calls_are_logged_without_paths_and_secrets() {
    let (scene, _server) = scene();
    get(&scene, "/proxy/files/in%2Fa.txt", &[]);
    get(&scene, "/proxy/files/in%2Fsecret-name", &[]);
    scene.world.settle();
    let path = scene.path("/log");
    let log = scene.setting.client.get(&path).expect(200);
    let lines = log["result"].as_array().unwrap();
    assert_eq!(lines.len(), 2);
    let line = &lines[1];
    assert_eq!(
        (&line["resource"], &line["resource_method"]),
        (&json!("files"), &json!("get"))
    );
    assert_eq!(
        (&line["host"], &line["path"]),
        (&json!(HOST), &json!("/read"))
    );
    assert_eq!(
        (&line["status"], &line["upstream_status"]),
        (&json!(200), &json!(200))
    );
    assert_eq!(lines[0]["status"], 404);
    let text = log.to_string() + &serde_json::to_string(&*scene.world.0.logs.borrow()).unwrap();
    for secret in ["secret-name", PASSWORD] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(!scene.world.at_rest().contains(PASSWORD));
}

#[test]
fn the_rate_of_an_account_counts_files_too() {
    let (scene, server) = scene_of(World::with(&[("ACCOUNT_RATE", "2")]), &file(), &context());
    for _ in 0..2 {
        get(&scene, "/proxy/files", &[]).expect(200);
    }
    let late = get(&scene, "/proxy/files", &[("x-timeout-ms", "1000")]);
    assert_eq!(late.code(429), "caller.rate_limited");
    assert_eq!(server.operations().len(), 2);
}

#[test]
fn the_root_of_an_account_goes_with_every_call() {
    let mut values = context();
    values["root"] = json!("/in/");
    let (scene, server) = scene_of(World::new(), &file(), &values);
    let listed = get(&scene, "/proxy/files", &[]).expect(200);
    assert_eq!(listed["result"][0]["path"], "/a.txt");
    assert_eq!(server.last().head["server"]["root"], "/in");
    scene
        .change_context("", &json!({ "root": "/in/../.." }))
        .expect(200);
    assert_eq!(
        get(&scene, "/proxy/files", &[]).code(422),
        "account.context_value"
    );
}

#[test]
fn an_empty_value_of_the_root_opens_no_folder_above() {
    let cases = [
        ("{{root}}", "", None),
        ("/tenants/{{root}}", "", None),
        ("/tenants/{{root}}", "/", None),
        ("/{{root}}/files", "", None),
        ("{{root}}/files", "", None),
        ("{{root}}/files", "//", None),
        ("{{root}}-files", "", None),
        ("/tenants/{{username}}{{root}}", "", None),
        ("/tenants{{other:undefined}}", "in", None),
        ("/tenants/{{root}}", "in", Some("/tenants/in")),
        ("/tenants/{{root}}/", "/in/", Some("/tenants/in")),
        ("{{root}}/files", "in", Some("in/files")),
        ("{{root}}", "/", Some("/")),
        ("{{other:undefined}}", "in", Some("")),
    ];
    each_case(cases, |(template, value, root)| {
        let mut own = file();
        own["config"]["credentials"]["sftp"]["config"]["root"] = json!(template);
        let (scene, server) = scene_of(World::new(), &own, &context());
        let change = json!({ "root": value });
        scene.change_context("", &change).expect(200);
        let answer = get(&scene, "/proxy/files", &[]);
        if let Some(root) = root {
            let head = server.last().head;
            let sent = head["server"]["root"].as_str();
            assert_eq!(sent.unwrap_or_default(), root);
        } else {
            assert_eq!(answer.code(422), "account.context_value");
            assert!(server.operations().is_empty());
        }
    });
}

#[test]
fn capabilities_list_the_files() {
    let (scene, _server) = scene();
    let path = format!("/integrated-account/{}/capabilities", scene.account);
    let known = scene.setting.client.get(&path).expect(200);
    let methods = &known["resources"]["files"]["methods"];
    let names: Vec<&String> = methods.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "delete", "get", "list", "mkdir", "rename", "rmdir", "stat", "update"
        ]
    );
    assert_eq!(
        (&methods["stat"]["is_write"], &methods["update"]["is_write"]),
        (&json!(false), &json!(true))
    );
}

#[test]
fn an_account_of_another_credential_has_no_files() {
    let mut both = file();
    both["config"]["credentials"]["api_key"] = json!({ "format": "api_key", "config": {} });
    let world = World::new();
    let server = Rc::new(FileServer::new());
    world.0.sftp.replace(Some(Rc::clone(&server)));
    let scene = Scene::new(world, &both, "api_key", &json!({}));
    assert_eq!(
        get(&scene, "/proxy/files", &[]).code(405),
        "caller.method_not_allowed"
    );
    assert!(server.operations().is_empty());
}

#[test]
fn a_silent_server_ends_with_the_callers_time() {
    let (scene, server) = scene();
    server.lateness.set(Duration::from_secs(10));
    let headers = [("x-timeout-ms", "2000"), ("x-max-retries", "0")];
    let (answer, millis) = scene.call_timed("GET", "/proxy/files", &headers, Body::Empty);
    assert_eq!(answer.code(504), "provider.timeout");
    assert!((2000..3000).contains(&millis), "{millis}");
    assert_eq!(server.last().head["timeout_ms"], 2000);
}

#[test]
fn a_leased_call_reads_files_too() {
    let (scene, server) = scene();
    let install = format!("/environment-integration/{}", scene.setting.install);
    let edge = json!({ "edge_calls": true });
    scene
        .setting
        .client
        .send("PATCH", &install, &edge)
        .expect(200);
    scene.world.pass(Duration::from_secs(121));
    get(&scene, "/proxy/files", &[]).expect(200);
    let before = scene.world.0.handed_over.get();
    assert_eq!(
        get(&scene, "/proxy/files/in%2Fa.txt", &[]).text(),
        "0123456789"
    );
    assert_eq!(scene.world.0.handed_over.get(), before);
    assert_eq!(server.operations(), ["list", "read"]);
}

#[test]
fn the_pieces_of_the_twin_have_a_length() {
    let (_scene, server) = scene();
    let context = context();
    let head = json!({ "server": { "host": HOST, "port": 22, "username": USER, "password": context["password"], "host_keys": [HOST_KEY] }, "timeout_ms": 1, "path": "/in/a.txt" });
    let reply = server
        .answer("read", &head.to_string(), Vec::new())
        .unwrap();
    let Body::Stream(stream) = reply.body else {
        panic!("no stream")
    };
    assert_eq!(stream.length(), Some(10));
}
