//! `causeway publish`, against the service itself.

use serde_json::{Value, json};

use super::server::Server;
use super::{Folder, Run, causeway, run};
use crate::cases::each_case;
use crate::integrations::file;
use crate::outside::ADMIN;

fn publish(to: &str, files: &[&str]) -> Run {
    publish_as(ADMIN, to, files)
}

fn publish_as(token: &str, to: &str, files: &[&str]) -> Run {
    let args = [&["publish", "--to", to], files].concat();
    let run = run(args, "", &[("CAUSEWAY_TOKEN", token)]);
    assert!(
        !run.out.contains(token) && !run.err.contains(token),
        "the token is printed"
    );
    run
}

/// An integration without literal secrets.
fn open_file() -> Value {
    let mut file = file();
    let oauth = &mut file["config"]["credentials"]["oauth2"]["config"];
    oauth.as_object_mut().unwrap().remove("client");
    file
}

#[test]
fn a_file_is_created_then_left_alone_then_replaced() {
    let (server, folder) = (Server::start(), Folder::new("publish-story"));
    let mut file = open_file();
    let path = folder.json("shop.json", &file);
    assert_eq!(
        publish(&server.url, &[&path]).expect(0),
        "✓ shop: created, version 1\n"
    );
    assert_eq!(
        server.calls(),
        ["GET /integration/shop", "PUT /integration/shop"]
    );

    file["x-order"] = json!("of keys and comments next to `config` do not matter");
    folder.json("shop.json", &file);
    file.as_object_mut().unwrap().remove("x-order");
    assert_eq!(
        publish(&server.url, &[&path]).expect(0),
        "✓ shop: unchanged, version 1\n"
    );
    assert_eq!(server.calls(), ["GET /integration/shop"]);

    let config = file["config"].as_object_mut().unwrap();
    config.remove("label");
    config.insert(
        "rate_limit".to_owned(),
        json!({ "is_rate_limited": "status = 420" }),
    );
    file["config"]["resources"]["orders"]["list"]["response_path"] = json!("orders");
    file["is_beta"] = json!(true);
    folder.json("shop.json", &file);
    assert_eq!(
        publish(&server.url, &[&path]).expect(0),
        "✓ shop: version 1 → 2: changed is_beta, config.resources.orders.list.response_path; \
         added config.rate_limit; removed config.label\n"
    );
}

#[test]
fn a_literal_secret_is_sent_each_time_since_nobody_can_compare_it() {
    let (server, folder) = (Server::start(), Folder::new("publish-secret"));
    let path = folder.json("shop.json", &file());
    assert_eq!(
        publish(&server.url, &[&path]).expect(0),
        "✓ shop: created, version 1\n"
    );
    let out = publish(&server.url, &[&path]).expect(0);
    assert_eq!(out, "✓ shop: version 1 → 2: secrets sent\n");
}

#[test]
fn what_the_gateway_refuses_is_said_and_the_others_are_published() {
    let (server, folder) = (Server::start(), Folder::new("publish-refused"));
    let mut bad = open_file();
    bad["name"] = json!("bad");
    bad["config"]["resources"]["orders"]["list"]["paht"] = json!("/x");
    let bad = folder.json("bad.json", &bad);
    let text = folder.file("text.json", "no JSON");
    let nameless = folder.json("nameless.json", &json!({ "config": {} }));
    let mut good = open_file();
    good["config"]["query"] = json!({ "shop": "{{shop}}" });
    let good = folder.json("shop.json", &good);
    let out = publish(&server.url, &[&bad, &text, &nameless, &good]).expect(1);
    let expected = format!(
        "✗ {text}\n  \
           error    the file is not JSON: expected ident at line 1 column 2\n\
         ✗ {nameless}\n  \
           error    name: an integration needs a name\n\
         ✗ bad ({bad}): refused\n  \
           error    config.resources.orders.list.paht: `paht` is not a key here (did you mean `path`?)\n\
         ✓ shop: created, version 1\n  \
           warning  config.query.shop: nothing fills `shop`: no field declares it\n           \
                    declare a field, or give a default with `?:`\n"
    );
    assert_eq!(out, expected);
}

#[test]
fn two_files_of_one_name_are_refused_before_anything_is_sent() {
    let (server, folder) = (Server::start(), Folder::new("publish-doubles"));
    let first = folder.json("a.json", &open_file());
    let second = folder.json("b.json", &open_file());
    let complaint = publish(&server.url, &[&first, &second]).complaint(1);
    assert!(
        complaint.contains("`shop`") && complaint.contains("b.json"),
        "{complaint}"
    );
    assert_eq!(server.calls(), Vec::<String>::new());
}

#[test]
fn the_token_comes_from_the_environment_alone() {
    let folder = Folder::new("publish-token");
    let path = folder.json("shop.json", &open_file());
    let without = causeway(["publish", &path, "--to", "http://127.0.0.1:9"]);
    assert!(without.complaint(2).contains("CAUSEWAY_TOKEN"));
    each_case([" ", "two words", "lin\ne"], |token| {
        let args = ["publish", &path, "--to", "http://127.0.0.1:9"];
        let complaint = run(args, "", &[("CAUSEWAY_TOKEN", token)]).complaint(2);
        assert!(complaint.contains("CAUSEWAY_TOKEN"), "{complaint}");
    });
    let server = Server::start();
    let complaint = publish_as("wrong", &server.url, &[&path]).complaint(1);
    assert!(
        complaint.contains("rejects the token") && complaint.contains("ADMIN_TOKEN"),
        "{complaint}"
    );
}

#[test]
fn a_403_has_the_reason_that_the_gateway_gives() {
    let folder = Folder::new("publish-403");
    let path = folder.json("shop.json", &open_file());
    let elsewhere = Server::saying(concat!(
        "HTTP/1.1 403 X\r\ncontent-length: 76\r\nconnection: close\r\n\r\n",
        r#"{"code":"caller.wrong_address","message":"Not here: PUBLIC_URL is not set."}"#
    ));
    let complaint = publish(&elsewhere, &[&path]).complaint(1);
    let reason = "answers 403 caller.wrong_address: Not here: PUBLIC_URL is not set.";
    assert!(
        complaint.contains(reason) && !complaint.contains("token"),
        "{complaint}"
    );
    let forbidden = Server::saying(concat!(
        "HTTP/1.1 403 X\r\ncontent-length: 53\r\nconnection: close\r\n\r\n",
        r#"{"code":"caller.forbidden","message":"Lacks a scope"}"#
    ));
    let complaint = publish(&forbidden, &[&path]).complaint(1);
    assert!(complaint.contains("may not publish"), "{complaint}");
}

#[test]
fn the_token_goes_nowhere_unencrypted_or_redirected() {
    let folder = Folder::new("publish-safe");
    let path = folder.json("shop.json", &open_file());
    let complaint = publish("http://gateway.invalid", &[&path]).complaint(2);
    assert!(complaint.contains("--plain-http"), "{complaint}");
    assert!(
        publish("ftp://gateway.invalid", &[&path])
            .complaint(2)
            .contains("https")
    );
    let away = Server::saying(
        "HTTP/1.1 301 X\r\nlocation: https://elsewhere.example/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    );
    let complaint = publish(&away, &[&path]).complaint(1);
    assert!(
        complaint.contains("redirects to https://elsewhere.example/"),
        "{complaint}"
    );
}

#[test]
fn what_is_no_gateway_is_called_so() {
    let folder = Folder::new("publish-nowhere");
    let path = folder.json("shop.json", &open_file());
    let page = Server::saying("HTTP/1.1 404 X\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno");
    let complaint = publish(&page, &[&path]).complaint(1);
    assert!(
        complaint.contains("is it a Causeway gateway?"),
        "{complaint}"
    );
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let unreachable = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let complaint = publish(&unreachable, &[&path]).complaint(1);
    assert!(complaint.contains("cannot be reached"), "{complaint}");
}
