//! Entries of a request that the file fills with the account's or the operator's values are reserved: no
//! caller's header, query, body or switch replaces them, on a method or on `/custom`.

use causeway::ports::Body;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Answer, Client, Setting, id_of};
use crate::outside::{Sent, World};

struct Probe {
    world: World,
    setting: Setting,
    account: String,
    /// An account token: the customer's own.
    customer: Client,
}

fn file() -> Value {
    json!({ "name": "probe", "config": {
        "base_url": "https://api.probe.example/v1",
        "headers": { "X-Tenant": "{{account_id}}", "X-Platform-Key": "{{environment_variables.key}}", "X-Missing": "{{nothing:undefined}}", "X-Free": "file" },
        "query": { "tenant": "{{account_id}}", "app": "{{environment_variables.app}}", "absent": "{{nothing}}", "free": "file" },
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": [
            { "name": "api_key", "label": "k", "type": "password" }, { "name": "account_id", "label": "a", "type": "text" }, { "name": "nothing", "label": "n", "type": "text" }
        ] } } },
        "authorization": { "format": "query", "config": { "name": "signed", "value": "{{api_key}}" } },
        "custom": true,
        "resources": { "things": {
            "list": { "path": "/things", "pagination": null },
            "get": { "path": "/things/{{id}}?owner={{account_id}}" },
            "create": { "method": "post", "path": "/things", "body": { "account": "{{account_id}}", "title": "{{body.title}}" } },
            "plain": { "method": "post", "path": "/plain", "body": { "title": "{{body.title}}" } },
            "put_in": { "method": "post", "path": "/in", "add_query_to_body": true, "body": { "account": "{{account_id}}", "deep": { "key": "{{environment_variables.key}}" }, "title": "t" } },
            "form_in": { "method": "post", "path": "/in", "add_query_to_body": true, "body_format": "form", "body": { "account": "{{account_id}}" } },
            "none": { "method": "get", "path": "/none", "headers": { "X-Tenant": null }, "query": { "tenant": null } },
            "own": { "method": "get", "path": "/own", "headers": { "X-Own": "{{account_id}}" }, "query": { "own": "{{account_id}}", "chosen": "{{query.chosen|account_id}}" } }
        } }
    } })
}

impl Probe {
    fn of(file: &Value) -> Self {
        let world = World::new();
        let setting = Setting::new(&world, file);
        let path = format!("/environment-integration/{}", setting.install);
        let variables = json!({ "override": { "environment_variables": { "app": "APP" }, "secret_environment_variables": { "key": "OPERATOR" } } });
        setting.client.send("PATCH", &path, &variables).expect(200);
        let account = setting.account("api_key", &json!({ "api_key": "K", "account_id": "T1" }));
        let customer = setting.customer(&account);
        Self {
            world,
            setting,
            account,
            customer,
        }
    }

    fn open() -> Self {
        Self::of(&file())
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Answer {
        self.world
            .answers(200, &[("content-type", "application/json")], "[]");
        let body = body.map_or(Body::Empty, |body| Body::from_bytes(body.to_owned()));
        let answer = self.customer.request(method, path, headers, body);
        self.world.unscript();
        answer
    }

    fn sends(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Sent {
        let answer = self.ask(method, path, headers, body);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        self.world.sent().remove(0)
    }
}

fn values(sent: &Sent, name: &str) -> Vec<String> {
    sent.headers
        .get_all(name)
        .iter()
        .map(|value| value.to_str().unwrap().to_owned())
        .collect()
}

fn query(sent: &Sent) -> Vec<(String, String)> {
    let url: url::Url = sent.url.parse().unwrap();
    url.query_pairs().into_owned().collect()
}

#[test]
fn a_callers_header_takes_the_place_of_no_entry_that_reads_the_account_or_a_variable() {
    let probe = Probe::open();
    let attempts = [
        ("x-forward-x-tenant", "x-tenant", "T1"),
        ("X-Forward-X-TENANT", "x-tenant", "T1"),
        ("x-forward-x-platform-key", "x-platform-key", "OPERATOR"),
    ];
    each_case(["/custom/p", "/proxy/things", "/proxy/things/1"], |path| {
        each_case(attempts, |(sent_as, name, expected)| {
            each_case(["T2", ""], |value| {
                let sent = probe.sends("GET", path, &[(sent_as, value), (sent_as, "T3")], None);
                assert_eq!(values(&sent, name), [expected], "{path} {sent_as}");
            });
        });
        // What has no value is the file's, too; and servers that read `-` and `_` alike see no second one.
        let sent = probe.sends(
            "GET",
            path,
            &[
                ("x-forward-x-missing", "T2"),
                ("x-forward-x_tenant", "T2"),
                ("x-forward-x_missing", "T2"),
            ],
            None,
        );
        each_case(["x-missing", "x_tenant", "x_missing"], |name| {
            assert_eq!(values(&sent, name), Vec::<String>::new(), "{path} {name}");
        });
        let sent = probe.sends("GET", path, &[("x-forward-x-free", "mine")], None);
        assert_eq!(
            values(&sent, "x-free"),
            ["mine"],
            "{path}: what the file only proposes"
        );
    });
    let sent = probe.sends(
        "POST",
        "/proxy/things/own",
        &[("x-forward-x-own", "T2")],
        None,
    );
    assert_eq!(values(&sent, "x-own"), ["T1"], "of a method");
    let sent = probe.sends(
        "POST",
        "/proxy/things/none",
        &[("x-forward-x-tenant", "T2")],
        None,
    );
    assert_eq!(
        values(&sent, "x-tenant"),
        Vec::<String>::new(),
        "taken out by the method, not by the caller"
    );
}

#[test]
fn a_callers_parameter_takes_the_place_of_no_entry_that_reads_the_account_or_a_variable() {
    let probe = Probe::open();
    let spellings = [
        "tenant=T2",
        "tenant",
        "tenant=",
        "tenant=T2&tenant=T3",
        "tenant[]=T2",
        "tenant[0]=T2",
        "tenant[a]=T2",
        "tenant[a][]=T2",
        "tenant[=T2",
        "%74enant=T2",
        "tenan%74%5B%5D=T2",
        "tenant%5b0%5d=T2",
        "+tenant=T2",
        "%20tenant=T2",
        "Tenant=T2",
        "TENANT[]=T2",
        "a=1;tenant=T2",
        "app=T2",
        "app[]=T2",
        "absent=T2",
        "absent[0]=T2",
        "signed=T2",
        "signed[]=T2",
        "Signed=T2",
    ];
    each_case(["/custom/p", "/proxy/things", "/proxy/things/1"], |path| {
        let plain = query(&probe.sends("GET", path, &[], None));
        assert!(
            plain.contains(&("tenant".to_owned(), "T1".to_owned())),
            "{plain:?}"
        );
        assert!(
            plain.contains(&("signed".to_owned(), "K".to_owned())),
            "{plain:?}"
        );
        each_case(spellings, |spelling| {
            let sent = probe.sends("GET", &format!("{path}?{spelling}"), &[], None);
            assert!(!sent.url.contains("T2"), "{path}?{spelling}: {}", sent.url);
            let mut found = query(&sent);
            found.retain(|(name, _)| name != "a");
            assert_eq!(found, plain, "{path}?{spelling}");
        });
        let sent = probe.sends(
            "GET",
            &format!("{path}?free=mine&tenants=2&x=tenant"),
            &[],
            None,
        );
        each_case(
            [("free", "mine"), ("tenants", "2"), ("x", "tenant")],
            |pair| {
                assert!(
                    query(&sent).contains(&(pair.0.to_owned(), pair.1.to_owned())),
                    "{path}: {}",
                    sent.url
                );
            },
        );
    });
    let sent = probe.sends("GET", "/proxy/things/1?owner=T2&owner[]=T2", &[], None);
    assert!(
        sent.url.contains("owner=T1") && !sent.url.contains("T2"),
        "in the path's own query: {}",
        sent.url
    );
    let sent = probe.sends("POST", "/proxy/things/own?own=T2&chosen=c", &[], None);
    let found = query(&sent);
    assert!(
        found.contains(&("own".to_owned(), "T1".to_owned())) && !sent.url.contains("T2"),
        "{found:?}"
    );
    assert!(
        found.contains(&("chosen".to_owned(), "c".to_owned())),
        "the file hands the caller's on: {found:?}"
    );
    let sent = probe.sends("POST", "/proxy/things/none?tenant=T2", &[], None);
    assert!(
        !sent.url.contains("tenant"),
        "taken out by the method, not by the caller: {}",
        sent.url
    );
}

#[test]
fn a_body_that_reads_the_account_or_a_variable_is_neither_passed_over_nor_written_over() {
    let probe = Probe::open();
    let json = [("content-type", "application/json")];
    let cases = [
        "truto_body_passthrough",
        "body_passthrough",
        "truto%5Fbody_passthrough",
    ];
    each_case(cases, |word| {
        let answer = probe.ask(
            "POST",
            &format!("/proxy/things?{word}=true"),
            &json,
            Some(r#"{"account":"T2","title":"x"}"#),
        );
        assert_eq!(answer.code(403), "caller.switched_off", "{word}");
        assert!(probe.world.sent().is_empty(), "{word}");
    });
    let sent = probe.sends(
        "POST",
        "/proxy/things/plain?body_passthrough=true",
        &json,
        Some(r#"{"title":"x","more":1}"#),
    );
    assert_eq!(
        sent.body, br#"{"title":"x","more":1}"#,
        "a body of the caller's values alone"
    );
    let cases = [
        "account=T2",
        "account[]=T2",
        "account[x]=T2",
        "Account=T2",
        "deep=T2",
        "%61ccount=T2",
    ];
    each_case(cases, |spelling| {
        let sent = probe.sends(
            "POST",
            &format!("/proxy/things/put_in?{spelling}&title=mine"),
            &json,
            Some("{}"),
        );
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        assert_eq!(
            body,
            json!({ "account": "T1", "deep": { "key": "OPERATOR" }, "title": "mine" }),
            "{spelling}"
        );
    });
    each_case(
        ["account=T2", "account[]=T2", "account[x]=T2"],
        |spelling| {
            let sent = probe.sends(
                "POST",
                &format!("/proxy/things/form_in?{spelling}&b=1"),
                &json,
                Some("{}"),
            );
            assert_eq!(
                String::from_utf8(sent.body).unwrap(),
                "account=T1&b=1",
                "{spelling}"
            );
        },
    );
}

#[test]
fn a_file_switches_custom_and_bodies_as_they_are_off_and_no_layer_switches_them_on() {
    let mut closed = file();
    closed["config"]["custom"] = json!(false);
    let probe = Probe::of(&closed);
    let install = format!("/environment-integration/{}", probe.setting.install);
    let account = format!("/integrated-account/{}", probe.account);
    let refuses = || {
        for method in ["GET", "POST", "DELETE"] {
            let answer = probe.ask(method, "/custom/p", &[], None);
            assert_eq!(answer.code(403), "caller.switched_off", "{method}");
        }
        let own = probe.ask(
            "POST",
            "/proxy/things/plain?body_passthrough=true",
            &[("content-type", "application/json")],
            Some("{}"),
        );
        assert_eq!(own.code(403), "caller.switched_off");
        assert!(probe.world.sent().is_empty());
    };
    refuses();
    probe.sends("GET", "/proxy/things", &[], None);
    each_case(
        [json!({ "custom": true }), json!({ "custom": null })],
        |layer| {
            probe
                .setting
                .client
                .send("PATCH", &install, &json!({ "override": layer }));
            refuses();
            probe
                .setting
                .client
                .send("PATCH", &account, &json!({ "integration_override": layer }));
            refuses();
        },
    );
    // A layer may switch off.
    let probe = Probe::open();
    probe.sends("GET", "/custom/p", &[], None);
    let account = format!("/integrated-account/{}", probe.account);
    probe
        .setting
        .client
        .send(
            "PATCH",
            &account,
            &json!({ "integration_override": { "custom": false } }),
        )
        .expect(200);
    assert_eq!(
        probe.ask("GET", "/custom/p", &[], None).code(403),
        "caller.switched_off"
    );
}

#[test]
fn a_header_that_is_sent_both_ways_has_one_value() {
    let probe = Probe::open();
    let cases = [
        ("content-type", "application/json", "text/xml"),
        ("accept", "application/json", "text/xml"),
        ("accept-language", "de", "fr"),
        ("range", "bytes=0-1", "bytes=2-3"),
        ("if-none-match", "\"a\"", "\"b\""),
        ("if-match", "\"a\"", "\"b\""),
    ];
    each_case(cases, |(name, plain, explicit)| {
        let forward = format!("x-forward-{name}");
        let cases = [
            [(name, plain), (forward.as_str(), explicit)],
            [(forward.as_str(), explicit), (name, plain)],
        ];
        each_case(cases, |headers| {
            let sent = probe.sends("POST", "/custom/p", &headers, Some("{}"));
            assert_eq!(values(&sent, name), [explicit], "{headers:?}");
        });
    });
    let twice = [
        ("x-forward-content-type", "text/xml"),
        ("x-forward-content-type", "text/plain"),
    ];
    let sent = probe.sends("POST", "/custom/p", &twice, Some("{}"));
    assert_eq!(
        values(&sent, "content-type"),
        ["text/xml"],
        "there can be one only"
    );
}

#[test]
fn a_sandbox_account_sends_no_word_that_makes_a_read_a_write() {
    let probe = Probe::open();
    let body = json!({ "tenant_id": "s", "environment_integration_id": probe.setting.install, "authentication_method": "api_key", "is_sandbox": true, "context": { "api_key": "K", "account_id": "T1" } });
    let account = id_of(
        &probe
            .setting
            .client
            .post("/integrated-account", &body)
            .expect(201),
    );
    let own = format!("integrated_account_id={account}");
    let headers = [
        "x-http-method-override",
        "X-HTTP-Method-Override",
        "x-method-override",
        "x-http-method",
        "x_http_method_override",
        "x-original-method",
    ];
    each_case(["/custom/p", "/proxy/things", "/proxy/things/1"], |path| {
        each_case(headers, |name| {
            probe
                .world
                .answers(200, &[("content-type", "application/json")], "[]");
            let forward = format!("x-forward-{name}");
            probe
                .setting
                .client
                .request(
                    "GET",
                    &format!("{path}?{own}"),
                    &[(&forward, "DELETE")],
                    Body::Empty,
                )
                .expect(200);
            let sent = probe.world.sent().remove(0);
            assert!(
                sent.headers.values().all(|value| value != "DELETE"),
                "{path} {name}: {:?}",
                sent.headers
            );
        });
        let cases = [
            "_method=DELETE",
            "%5Fmethod=DELETE",
            "_method[]=DELETE",
            "_METHOD=DELETE",
            "x-http-method-override=DELETE",
            "a=1;_method=DELETE",
        ];
        each_case(cases, |spelling| {
            probe
                .world
                .answers(200, &[("content-type", "application/json")], "[]");
            probe
                .setting
                .client
                .request(
                    "GET",
                    &format!("{path}?{own}&{spelling}&b=1"),
                    &[],
                    Body::Empty,
                )
                .expect(200);
            let sent = probe.world.sent().remove(0);
            assert!(
                !sent.url.contains("DELETE") && sent.url.contains("b=1"),
                "{path} {spelling}: {}",
                sent.url
            );
        });
    });
    probe
        .world
        .answers(200, &[("content-type", "application/json")], "[]");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    probe
        .setting
        .client
        .request(
            "OPTIONS",
            &format!("/custom/p?{own}"),
            &form,
            Body::from_bytes("_method=DELETE"),
        )
        .expect(200);
    assert_eq!(
        probe.world.sent().remove(0).body,
        b"",
        "a read carries no body"
    );
    // An account that may write says what it likes.
    let sent = probe.sends(
        "GET",
        "/custom/p?_method=DELETE",
        &[("x-forward-x-http-method-override", "DELETE")],
        None,
    );
    assert_eq!(values(&sent, "x-http-method-override"), ["DELETE"]);
    assert!(sent.url.contains("_method=DELETE"));
}
