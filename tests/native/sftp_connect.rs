//! Connecting and importing an account of a server of files: nothing is stored before the gateway has logged in.

use std::rc::Rc;

use causeway::config::read;
use causeway::ports::Body;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::Setting;
use crate::connect_shipped::ConnectFlow;
use crate::outside::World;
use crate::sftp::{context, file};
use crate::sftp_server::{
    FINGERPRINT, FileServer, HOST, HOST_KEY, OTHER_KEY, PASSPHRASE, PASSWORD, PRIVATE_KEY, USER,
};

fn flow() -> (ConnectFlow, Rc<FileServer>) {
    let flow = ConnectFlow::shipped("sftp");
    let server = Rc::new(FileServer::new());
    flow.world.0.sftp.replace(Some(Rc::clone(&server)));
    (flow, server)
}

/// As a browser sends it: line breaks of a text area are CR LF.
fn form(change: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let mut form = vec![
        ("host", HOST.to_owned()),
        ("port", "2222".to_owned()),
        ("username", USER.to_owned()),
        ("login", "password".to_owned()),
        ("password", PASSWORD.to_owned()),
        ("host_key", HOST_KEY.to_owned()),
    ];
    for (name, value) in change {
        form.retain(|(own, _)| own != name);
        form.push((name, (*value).to_owned()));
    }
    form
}

fn submit(flow: &mut ConnectFlow, form: &[(&'static str, String)]) -> crate::client::Answer {
    let pairs: Vec<(&str, &str)> = form
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    flow.submit(&pairs)
}

fn stored(flow: &ConnectFlow) -> usize {
    let all = flow.setting.client.get("/integrated-account").expect(200);
    all["result"].as_array().unwrap().len()
}

#[test]
fn a_password_connects_after_the_root_was_opened() {
    let (mut flow, server) = flow();
    let answer = submit(&mut flow, &form(&[("root", "/in")]));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let account = flow.account();
    assert_eq!(account["status"], "active");
    assert_eq!(account["authentication_method"], "sftp");
    assert_eq!(
        account["context"],
        json!({ "host": HOST, "port": "2222", "username": USER, "login": "password", "host_key": HOST_KEY, "root": "/in" })
    );
    assert_eq!(server.operations(), ["check"]);
    let head = server.last().head;
    assert_eq!(
        (&head["server"]["port"], &head["server"]["root"]),
        (&json!(2222), &json!("/in"))
    );
    assert!(!flow.world.at_rest().contains(PASSWORD));
}

#[test]
fn a_private_key_of_several_lines_is_typed_into_the_form() {
    let (mut flow, server) = flow();
    let key = format!("\r\n{}\r\n", PRIVATE_KEY.replace('\n', "\r\n"));
    let keyed = form(&[
        ("login", "private_key"),
        ("password", ""),
        ("private_key", &key),
        ("passphrase", PASSPHRASE),
    ]);
    let answer = submit(&mut flow, &keyed);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let head = server.last().head;
    assert_eq!(head["server"]["private_key"], format!("{PRIVATE_KEY}\n"));
    assert_eq!(head["server"]["password"], Value::Null);
    let shown = flow.account().to_string();
    for secret in ["PRIVATE KEY", PASSPHRASE] {
        assert!(
            !shown.contains(secret) && !flow.world.at_rest().contains(secret),
            "{secret}"
        );
    }
}

#[test]
fn the_form_has_text_areas_for_keys() {
    let (mut flow, _server) = flow();
    let page = submit(&mut flow, &form(&[("host", "")]));
    let page = page.text();
    for name in ["private_key", "host_key"] {
        assert!(
            page.contains(&format!("name=\"{name}\" rows=\"6\"")),
            "{name}: {page}"
        );
    }
    assert!(page.contains("name=\"password\" type=\"password\""));
    // What was typed is shown again, but for secrets.
    assert!(page.contains(HOST_KEY) && !page.contains(PASSWORD));
}

type Typed<'v> = Vec<(&'static str, &'v str)>;

#[test]
fn what_is_wrong_is_said_and_nothing_is_stored() {
    let long = "x".repeat(8_001);
    let cases: Vec<(&str, Typed<'_>, &str)> = vec![
        (
            "password",
            vec![("password", "wrong-password")],
            "does not accept the user name",
        ),
        (
            "user",
            vec![("username", "bob")],
            "does not accept the user name",
        ),
        (
            "key",
            vec![
                ("login", "private_key"),
                (
                    "private_key",
                    "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
                ),
                ("passphrase", PASSPHRASE),
            ],
            "private key cannot be read",
        ),
        (
            "passphrase",
            vec![
                ("login", "private_key"),
                ("private_key", PRIVATE_KEY),
                ("passphrase", "wrong"),
            ],
            "private key cannot be read",
        ),
        (
            "host key",
            vec![("host_key", OTHER_KEY)],
            "presented another host key",
        ),
        (
            "no key line",
            vec![("host_key", "SHA256:abc")],
            "public key line",
        ),
        (
            "folder",
            vec![("root", "/nowhere")],
            "folder does not exist",
        ),
        (
            "private folder",
            vec![("root", "/private")],
            "may not open the folder",
        ),
        ("upwards", vec![("root", "/a/../b")], "`..` segment"),
        ("port", vec![("port", "99999")], "must be a port number"),
        ("host", vec![("host", "https://x")], "must be only a name"),
        (
            "private address",
            vec![("host", "10.0.0.1")],
            "private addresses",
        ),
        (
            "long",
            vec![("login", "private_key"), ("private_key", &long)],
            "at most 8,000 characters",
        ),
        (
            "tab",
            vec![("login", "private_key"), ("private_key", "a\tb")],
            "without tabs",
        ),
    ];
    each_case(cases, |(_, change, words)| {
        let (mut flow, _server) = flow();
        let answer = submit(&mut flow, &form(&change));
        let text = answer.text().replace("&lt;", "<").replace("&gt;", ">");
        assert!(text.contains(words), "{words}: {text}");
        assert_eq!(stored(&flow), 0);
    });
}

#[test]
fn a_server_without_a_pinned_key_shows_its_key_and_gets_nothing() {
    let (mut flow, server) = flow();
    let answer = submit(&mut flow, &form(&[("host_key", "")]));
    let text = answer.text();
    assert!(
        text.contains(FINGERPRINT) && text.contains(HOST_KEY),
        "{text}"
    );
    assert_eq!(server.operations(), ["host-key"]);
    assert_eq!(
        server.last().head["server"],
        json!({ "host": HOST, "port": 2222 })
    );
    assert_eq!(stored(&flow), 0);
    // With the line that was compared it connects, by the same link.
    let answer = submit(&mut flow, &form(&[]));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(stored(&flow), 1);
}

#[test]
fn a_server_that_cannot_be_reached_is_said_so() {
    for (kind, words) in [
        ("unreachable", "could not be reached"),
        ("timeout", "did not answer in time"),
    ] {
        let (mut flow, server) = flow();
        let error = json!({ "kind": kind, "message": "m" });
        server.refusals.borrow_mut().push_back((502, error));
        let answer = submit(&mut flow, &form(&[]));
        assert!(answer.text().contains(words), "{}", answer.text());
        assert_eq!(stored(&flow), 0);
    }
    let (mut flow, _server) = flow();
    flow.world.0.sftp.replace(None);
    let answer = submit(&mut flow, &form(&[]));
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(!answer.text().contains("docs/sftp.md"));
    assert_eq!(stored(&flow), 0);
}

fn import(setting: &Setting, context: &Value) -> crate::client::Answer {
    let body = json!({ "tenant_id": "acme", "environment_integration_id": setting.install, "authentication_method": "sftp", "context": context });
    setting.client.post("/integrated-account", &body)
}

#[test]
fn an_import_logs_in_first() {
    let world = World::new();
    let server = Rc::new(FileServer::new());
    world.0.sftp.replace(Some(Rc::clone(&server)));
    let setting = Setting::new(&world, &file());
    let with = |key: &str, value: Value| {
        let mut values = context();
        values[key] = value;
        values
    };
    let wrong = import(&setting, &with("password", json!("wrong-password"))).expect(422);
    assert_eq!(wrong["code"], "account.connection_error");
    assert!(
        wrong["message"]
            .as_str()
            .unwrap()
            .ends_with("Nothing was stored.")
    );
    let missing = import(&setting, &with("host_key", Value::Null)).expect(409);
    assert_eq!(missing["code"], "account.host_key_missing");
    assert_eq!(
        missing["details"],
        json!({ "host_key": HOST_KEY, "fingerprint": FINGERPRINT })
    );
    let other = import(&setting, &with("host_key", json!(OTHER_KEY)));
    assert_eq!(other.code(502), "account.host_key_mismatch");
    assert_eq!(
        import(&setting, &with("password", Value::Null)).code(422),
        "caller.invalid"
    );
    let all = setting.client.get("/integrated-account").expect(200);
    assert_eq!(all["result"], json!([]));
    let account = import(&setting, &context()).expect(201);
    assert_eq!(account["status"], "active");
    assert_eq!(server.operations(), ["check", "host-key", "check", "check"]);
}

#[test]
fn the_customer_cannot_change_what_proves_the_server() {
    let world = World::new();
    let server = Rc::new(FileServer::new());
    world.0.sftp.replace(Some(Rc::clone(&server)));
    let setting = Setting::new(&world, &file());
    let account = import(&setting, &context()).expect(201);
    let named = json!({ "integrated_account_id": account["id"] });
    let token = setting
        .client
        .post("/integrated-account/token", &named)
        .expect(201);
    let own = setting
        .client
        .with_token(token["integrated_account_token"].as_str().unwrap());
    for (key, value) in [("host_key", OTHER_KEY), ("username", "bob"), ("root", "/")] {
        let change = json!({ "context": { key: value } });
        let answer = own.send("PATCH", "/integrated-account/me", &change);
        assert_eq!(answer.code(422), "caller.invalid", "{key}");
    }
    assert_eq!(own.get("/proxy/files").expect(200)["result_count"], 2);
    let path = format!(
        "/integrated-account/{}/host-key",
        account["id"].as_str().unwrap()
    );
    assert_eq!(own.request("POST", &path, &[], Body::Empty).status, 403);
}

#[test]
fn a_vendors_file_pins_the_host_and_its_key() {
    let mut pinned = file();
    pinned["config"]["credentials"]["sftp"]["config"]["host_keys"] = json!([HOST_KEY]);
    let world = World::new();
    let server = Rc::new(FileServer::new());
    world.0.sftp.replace(Some(Rc::clone(&server)));
    let setting = Setting::new(&world, &pinned);
    let account = import(&setting, &json!({ "username": USER, "password": PASSWORD })).expect(201);
    let path = format!(
        "/integrated-account/{}/host-key",
        account["id"].as_str().unwrap()
    );
    let shown = setting.client.post(&path, &Value::Null).expect(200);
    assert_eq!(
        (&shown["is_pinned"], &shown["context_keys"]),
        (&json!(true), &json!([]))
    );
}

fn findings(change: impl FnOnce(&mut Value)) -> Vec<(String, String)> {
    let mut own = file();
    change(&mut own);
    let findings = read(&own).findings.into_iter();
    findings.map(|one| (one.path, one.message)).collect()
}

type Change = fn(&mut Value);

fn own(file: &mut Value) -> &mut Value {
    &mut file["config"]["credentials"]["sftp"]["config"]
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn a_file_that_cannot_work_is_found() {
    let at = "config.credentials.sftp.config";
    let cases: Vec<(Change, String, &str)> = vec![
        (
            |file| {
                own(file).as_object_mut().unwrap().remove("password");
            },
            at.to_owned(),
            "nothing proves the user",
        ),
        (
            |file| {
                own(file)["host_keys"] = json!([]);
            },
            format!("{at}.host_keys"),
            "nothing proves the server",
        ),
        (
            |file| {
                own(file)["host_keys"] = json!(["SHA256:abc"]);
            },
            format!("{at}.host_keys[0]"),
            "no public key line",
        ),
        (
            |file| {
                own(file)["host"] = json!("{{username}}");
            },
            format!("{at}.host"),
            "the host is not fixed",
        ),
        (
            |file| {
                own(file)["port"] = json!("{{username}}");
            },
            format!("{at}.host"),
            "the host is not fixed",
        ),
        (
            |file| {
                own(file)["host"] = json!("https://a.example.com");
            },
            format!("{at}.host"),
            "without scheme",
        ),
        (
            |file| {
                own(file)["port"] = json!(70_000);
            },
            format!("{at}.port"),
            "from 1 to 65535",
        ),
        (
            |file| {
                own(file)["pasword"] = json!("x");
            },
            format!("{at}.pasword"),
            "pasword",
        ),
        (
            |file| {
                own(file)["passphrase"] = json!("{{root}}");
            },
            format!("{at}.passphrase"),
            "shown as it is typed",
        ),
        (
            |file| {
                own(file)["password"] = json!("{{environment_variables.p}}");
            },
            format!("{at}.username"),
            "the login is the operator's",
        ),
        (
            |file| {
                own(file)["username"] = json!("robot");
                own(file)["password"] = json!("{{environment_variables.p}}");
            },
            format!("{at}.host_keys"),
            "can pose as the server",
        ),
        (
            |file| {
                file["config"]["resources"] = json!({ "files": {} });
            },
            "config.resources.files".to_owned(),
            "has the resource `files`",
        ),
        (
            |file| {
                file["config"]["allowed_hosts"] = json!(["*"]);
                let own = own(file);
                own["host"] = json!("{{host}}");
                own["fields"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!({ "name": "host" }));
                own["password"] = json!("{{environment_variables.p}}");
            },
            format!("{at}.password"),
            "host that the file does not fix",
        ),
    ];
    each_case(cases, |(change, path, words)| {
        let found = findings(change);
        let is_it = |(own, message): &&(String, String)| *own == path && message.contains(words);
        assert!(found.iter().any(|one| is_it(&one)), "{path}: {found:?}");
    });
    assert_eq!(findings(|_| {}), []);
    // The port is part of what a pattern allows.
    for (pattern, is_found) in [("*.example.com", false), ("*.example.com:22", true)] {
        let mut own = file();
        own["config"]["allowed_hosts"] = json!([pattern]);
        let config = &mut own["config"]["credentials"]["sftp"]["config"];
        config["host"] = json!("{{host}}");
        config["fields"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "name": "host", "allow_dots": true }));
        let world = World::new();
        world.0.sftp.replace(Some(Rc::new(FileServer::new())));
        let setting = Setting::new(&world, &own);
        let mut values = context();
        values["host"] = json!(HOST);
        let answer = import(&setting, &values);
        assert_eq!(answer.status == 201, is_found, "{pattern}: {answer:?}");
    }
}

#[test]
fn an_operators_login_in_the_file_is_sealed_and_shown_to_no_reader() {
    let mut own = file();
    let config = &mut own["config"]["credentials"]["sftp"]["config"];
    config["fields"] = json!([]);
    config["username"] = json!(USER);
    config["password"] = json!(PASSWORD);
    config["host_keys"] = json!([HOST_KEY]);
    config["root"] = json!("/in");
    let world = World::new();
    let server = Rc::new(FileServer::new());
    world.0.sftp.replace(Some(Rc::clone(&server)));
    let setting = Setting::new(&world, &own);
    let account = import(&setting, &json!({})).expect(201);
    assert_eq!(server.last().head["server"]["password"], PASSWORD);
    let path = format!(
        "/proxy/files?integrated_account_id={}",
        account["id"].as_str().unwrap()
    );
    assert_eq!(setting.client.get(&path).expect(200)["result_count"], 2);
    let shown = setting.client.get("/integration/file-drop").expect(200);
    assert!(!shown.to_string().contains(PASSWORD));
    let known = setting
        .client
        .get("/integration/file-drop/capabilities")
        .expect(200);
    assert!(known["resources"]["files"]["methods"]["get"].is_object());
    assert!(!world.at_rest().contains(PASSWORD));
}
