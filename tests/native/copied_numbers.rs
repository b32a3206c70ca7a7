//! Numbers that are copied: templates, casts, steps, lists and contexts keep each as it was written.

use causeway::ports::Body;
use serde_json::{Value, json};

use crate::account::JSON;
use crate::cases::each_case;
use crate::inbound_webhooks::{ReceivingAccount, SECRET, signed};
use crate::numbers::{answering, body, call, last};

/// Literals of which a double, or 64 bits, or another way to write them, would lose something.
const LITERALS: [&str; 14] = [
    "0",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "123456789012345678901234",
    "0.123456789012345678",
    "12345678901234.123456789",
    "10000000000000000000000",
    "0.00001",
    "1.10",
    "100.00",
    "-0",
    "1E400",
    "1e-400",
];

#[test]
fn a_template_copies_every_number_as_it_was_written() {
    let scene = answering("{}");
    each_case(LITERALS, |n| {
        let given = format!(r#"{{"v":{n},"list":[{n},"x"]}}"#);
        assert_eq!(call(&scene, "/proxy/o", &given).status, 200, "{n}");
        let sent = last(&scene);
        let encoded = n.replace('+', "%2B");
        let path = format!("https://number-echo.example/o/{encoded}?l={encoded}&l=x&v={encoded}");
        assert_eq!(sent.url, path);
        assert_eq!(sent.header("x-v"), Some(n));
        assert_eq!(
            body(&sent),
            format!(r#"{{"v":{n},"all":{given},"text":"n{n}"}}"#)
        );
    });
}

#[test]
fn every_format_of_a_body_writes_a_number_as_it_was_written() {
    let scene = answering("{}");
    each_case(LITERALS, |n| {
        let cases = [
            ("form", format!("v={n}")),
            ("parts", format!("name=\"v\"\r\n\r\n{n}\r\n")),
            ("xml", format!("<r a=\"{n}\"><v>{n}</v></r>")),
        ];
        each_case(cases, |(method, expected)| {
            let given = format!(r#"{{"v":{n}}}"#);
            assert_eq!(
                call(&scene, &format!("/proxy/o/{method}"), &given).status,
                200
            );
            let sent = body(&last(&scene));
            assert!(sent.contains(&expected), "{method} {n}: {sent}");
        });
    });
}

#[test]
fn a_cast_keeps_digits_and_gives_a_text_of_digits_back_as_a_number() {
    let scene = answering("{}");
    each_case(
        ["18446744073709551616", "-123456789012345678901234", "7"],
        |n| {
            each_case([n.to_owned(), format!("\"{n}\"")], |given| {
                call(&scene, "/proxy/o/int", &format!(r#"{{"v":{given}}}"#)).expect(200);
                assert_eq!(
                    body(&last(&scene)),
                    format!(r#"{{"v":{n},"n":{n}}}"#),
                    "{given}"
                );
            });
        },
    );
}

#[test]
fn a_text_is_never_taken_for_a_number() {
    let scene = answering("{}");
    let cases = [
        "\u{fdd0}18446744073709551616",
        "\u{fdd0}\u{fdd0}1",
        "\u{fdd0}",
        "\u{fdd0}x",
        "1300794057949944903",
    ];
    each_case(cases, |text| {
        let cases = [
            serde_json::to_string(text).unwrap(),
            serde_json::to_string(text)
                .unwrap()
                .replace('\u{fdd0}', "\\uFDd0"),
        ];
        each_case(cases, |written| {
            let given = format!(r#"{{"v":{written}}}"#);
            call(&scene, "/proxy/o/plain", &given).expect(200);
            let sent: Value = serde_json::from_str(&body(&last(&scene))).unwrap();
            assert_eq!(sent["v"], text);
            assert_eq!(sent["all"]["v"], text);
            assert_eq!(sent["text"], format!("n{text}"));
        });
        let context = json!({ "api_key": "k", "team": text });
        let account = scene.setting.account("api_key", &context);
        let path = format!("/proxy/o/context?integrated_account_id={account}");
        scene.setting.client.post(&path, &json!({})).expect(200);
        let sent: Value = serde_json::from_str(&body(&last(&scene))).unwrap();
        assert_eq!(sent["v"], text);
    });
}

#[test]
fn a_context_keeps_the_digits_of_what_is_imported() {
    let scene = answering("{}");
    let install = &scene.setting.install;
    let cases = [
        "18446744073709551615",
        "18446744073709551616",
        "0.123456789012345678",
    ];
    each_case(cases, |n| {
        let import = format!(
            r#"{{"tenant_id":"t","environment_integration_id":"{install}","authentication_method":"api_key","context":{{"api_key":"k","team":{n}}}}}"#
        );
        let client = &scene.setting.client;
        let made = client.request(
            "POST",
            "/integrated-account",
            &JSON,
            Body::from_bytes(import),
        );
        let account = crate::client::id_of(&made.expect(201));
        let path = format!("/proxy/o/context?integrated_account_id={account}");
        client.post(&path, &json!({})).expect(200);
        assert_eq!(
            last(&scene).url,
            format!("https://number-echo.example/c/{n}")
        );
    });
}

#[test]
fn an_actions_steps_copy_every_number_as_the_provider_wrote_it() {
    each_case(LITERALS, |n| {
        let answer = format!(r#"{{"v":{n}}}"#);
        let scene = answering(&answer);
        assert_eq!(call(&scene, "/proxy/_/copy", "null").status, 200);
        let sent = last(&scene);
        assert_eq!(sent.url, format!("https://number-echo.example/to/{n}"));
        assert_eq!(body(&sent), answer);
        assert_eq!(call(&scene, "/proxy/_/whole", "null").status, 200);
        assert_eq!(body(&last(&scene)), answer);
        let shown = call(&scene, "/proxy/_/show", "null");
        assert_eq!(shown.text(), answer, "the result of an action");
        let whole = n.parse::<i128>().is_ok_and(|_| !n.starts_with("-0"));
        if whole {
            assert_eq!(call(&scene, "/proxy/_/keep_values", "null").status, 200);
            let context = call(&scene, "/proxy/o/context", "{}");
            assert_eq!(context.status, 200);
            assert_eq!(
                last(&scene).url,
                format!("https://number-echo.example/c/{n}")
            );
        }
    });
}

#[test]
fn records_of_lists_and_walks_keep_every_number() {
    let numbers = LITERALS.join(",");
    let scene = answering(&format!(r#"{{"d":[{{"n":[{numbers}]}}]}}"#));
    let record = format!(r#"{{"n":[{numbers}]}}"#);
    each_case([&[][..], &[("x-all-pages", "true")]], |headers| {
        let list = scene.call("GET", "/proxy/o", headers, Body::Empty);
        assert!(list.text().contains(&record), "{}", list.text());
    });
    let one = scene.get("/proxy/o/get");
    assert!(one.text().contains(&record), "{}", one.text());
}

/// A sender signs the digits it writes: the text of a field is that of the body.
#[test]
fn a_signed_field_of_a_webhooks_body_is_read_as_it_was_written() {
    let content = json!({ "signature_verification": { "config": { "parts": ["$body.price", ".", "$body.nr"] } } });
    let scene = ReceivingAccount::new(&content);
    each_case(LITERALS, |n| {
        let signature = signed(SECRET, &format!("{n}.18446744073709551616"));
        let headers = [("x-signature", signature.as_str()), ("x-delivery", n)];
        let sent = format!(r#"{{"topic":"t","price":{n},"nr":18446744073709551616}}"#);
        let received = scene.to_account(&headers, &sent);
        assert_eq!(received.status, 200, "{n}");
    });
}
