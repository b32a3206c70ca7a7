use crate::flows::config::redaction::*;
use crate::settings::REDACTED_LAYERS_BYTES;

fn redactor(secrets: &[&str]) -> Redactor {
    Redactor::of(secrets.iter().copied())
}

#[test]
fn a_secret_is_removed_from_strings_and_keys_and_nothing_else_changes() {
    let redactor = redactor(&["12345678", "a/long+secret", "customer"]);
    let hidden = |text: &str| redactor.json(text.to_owned());
    for same in [
        r#"{"id":123456789012,"custome":1e400}"#,
        r#"["\\", "a\/short", "%", "\u0041"]"#,
        "7",
    ] {
        assert_eq!(hidden(same), same);
    }
    for (text, expected) in [
        (r#"{"customer":"12345678"}"#, r#"{"[hidden]":"[hidden]"}"#),
        (r#"[ "x a\/long+secret\" y" ]"#, r#"[ "x [redacted]\" y" ]"#),
        (
            r#"{"id":12345678, "n":-12345678}"#,
            r#"{"id":null, "n":-12345678}"#,
        ),
        (r#"["a%2Flong%2bsecret"]"#, r#"["[redacted]"]"#),
        (r#"["\\u0061\\/long+secret\\n"]"#, r#"["[redacted]\\n"]"#),
    ] {
        assert_eq!(hidden(text), expected);
        assert!(hidden(text).len() <= text.len(), "it never grows");
    }
}

#[test]
fn text_next_to_a_secret_stays() {
    let redactor = redactor(&["sk_live_51Habcd", "k3y-that-is-other"]);
    for (text, expected) in [
        (
            "GET /v1?key=sk_live_51Habcd&x=1",
            "GET /v1?key=[redacted]&x=1",
        ),
        (
            "Basic dXNlcjpza19saXZlXzUxSGFiY2Q= is wrong",
            "Basic dXNl[redacted] is wrong",
        ),
        ("sk_live_51Habcdsk_live_51Habcd!", "[redacted][redacted]!"),
        ("é sk_live_51Habcd é", "é [redacted] é"),
        ("sk_live_51Habc", "sk_live_51Habc"),
    ] {
        assert_eq!(redactor.text(text), expected);
    }
}

#[test]
fn a_line_of_a_key_is_a_secret_too() {
    let redactor =
        redactor(&["-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----"]);
    assert_eq!(redactor.text("bad: kqhkiG9w0BAQEF"), "bad: [redacted]");
    assert_eq!(redactor.text("-----BEGIN KEY-----"), "-----BEGIN KEY-----");
}

#[test]
fn a_text_over_a_mebibyte_has_one_layer_of_escapes_undone() {
    let redactor = redactor(&["p+a/secret"]);
    for (length, twice) in [
        (REDACTED_LAYERS_BYTES, "[redacted]"),
        (REDACTED_LAYERS_BYTES + 1, "p%252Ba%252Fsecret"),
    ] {
        let end = " p%252Ba%252Fsecret p%2Ba%2Fsecret";
        let text = "x".repeat(length - end.len()) + end;
        assert!(
            redactor
                .text(&text)
                .ends_with(&format!("x {twice} [redacted]")),
            "{length}"
        );
    }
}

#[test]
fn a_secret_that_repeats_itself_costs_one_pass() {
    let long = "a".repeat(4_096);
    let redactor = redactor(&[&long, "aaaaaaaa"]);
    let text = "a".repeat(1_000_000);
    assert_eq!(redactor.text(&text).len(), REDACTED.len());
}
