use super::*;

fn holds(name: &str, text: &str) -> bool {
    holds_key(Name::of(name), &Template::parse(text).unwrap())
}

#[test]
fn a_name_says_that_a_key_goes_under_it() {
    for name in [
        "Authorization",
        "X-Api-Key",
        "api_key",
        "apiKey",
        "APIKEY",
        "X-Auth",
        "X-App-Token",
        "access_token",
        "client_secret",
        "clientSecret",
        "Cookie",
        "client_assertion",
        "key",
        "password",
        "X-Signature",
        "pwd",
    ] {
        assert!(holds(name, "hunter2"), "{name}");
        assert!(holds(name, "{{api_key?:hunter2}}"), "{name}");
        assert!(holds(name, "{{api_key:undefined}}hunter2"), "{name}");
        assert!(!holds(name, "{{api_key}}"), "{name}");
        assert!(!holds(name, "Bearer {{api_key}}"), "{name}");
        assert!(!holds(name, "true"), "{name}");
    }
    for name in [
        "X-Api-Version",
        "Accept",
        "token_type",
        "client_assertion_type",
        "sort_key_order",
        "include_tokens",
        "monkey",
        "keyword",
        "author",
        "page",
        "authentication_method",
    ] {
        assert!(!holds(name, "hunter2"), "{name}");
    }
}

#[test]
fn a_name_of_a_token_answer_is_judged_by_its_end() {
    for name in [
        "access_token",
        "sign_in_token",
        "logged_in_secret",
        "scope_token",
        "issued_token",
        "status_secret",
        "created_at_key",
        "token_created_by_secret",
        "session_in_use_token",
        "session",
        "sessionToken",
        "sessionIdAtLogin",
        "secret_id",
        "jwt",
    ] {
        assert!(names_secret(name), "{name}");
    }
    for name in [
        "expires_in",
        "token_expires_in",
        "tokenExpiresInSeconds",
        "access_token_expires_at",
        "access_token_expires_at_ms",
        "refresh_token_created_at",
        "token_status",
        "token_scope",
        "token_scopes",
        "token_issued",
        "token_type",
        "session_expiry",
        "session_expiry_date",
        "user",
        "",
    ] {
        assert!(!names_secret(name), "{name}");
    }
}

#[test]
fn a_source_is_looked_at_text_by_text_and_name_by_name() {
    for source in [
        r#"{ "a": SalesOrder.ShipAddr.Line1 }"#,
        "d.results.BillToAddress.AddressLine1",
        "a / b.ShippingAddress.Line1 / c",
        r#"$match(a, /[A-Z]{3}\/"x/) & SalesOrder.ShipAddr.Line1"#,
        "headers.`x-ratelimit-reset-2`",
        "vendor / SalesOrder.ShipAddr.Line1 / 2",
    ] {
        assert!(!source_looks_like_key(source), "{source}");
    }
    for source in [
        "k9f2Zq81LmX04tTbR7wY",
        "a.k9f2Zq81LmX04tTbR7wY",
        "a.`k9f2Zq81LmX04tTbR7wY`.b",
        r#""eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.""#,
        "a & 'Ab1Cd2Ef3.Gh4Ij5Kl6.Mn7Op8Qr9'",
        "$match(a, /k9f2Zq81LmX04tTbR7wY/)",
        r#"/* " */ "Ab1Cd2Ef3.Gh4Ij5Kl6.Mn7Op8Qr9""#,
        "/* Ab1Cd2Ef3.Gh4Ij5Kl6.Mn7Op8Qr9 */ 1",
        r#"$replace(a, /"/, "Ab1Cd2Ef3.Gh4Ij5Kl6.Mn7Op8Qr9")"#,
        r#""\"" & "Ab1Cd2Ef3.Gh4Ij5Kl6.Mn7Op8Qr9""#,
        r#"a / "Ab1Cd2Ef3.Gh4Ij5Kl6.Mn7Op8Qr9""#,
    ] {
        assert!(source_looks_like_key(source), "{source}");
    }
}

#[test]
fn a_text_looks_like_a_key_by_itself() {
    for text in [
        "k9f2Zq81LmX04tTbR7wY",
        "Bearer k9f2Zq81LmX04tTbR7wY",
        "0123456789abcdef0123456789abcdef",
        "123e4567-e89b-12d3-a456-426614174000",
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.",
        "xx-live-51HqLyjWDarjtT1zdp7dcKf8",
        "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    ] {
        assert!(looks_like_key(text), "{text}");
        assert!(holds("x", text), "{text}");
    }
    for text in [
        "application/vnd.probe+json;version=2",
        "application/vnd.probe.v20260115+json",
        "2026-10-28.endive",
        "id,name,created_at,updated_at,owner_id",
        "email,firstname,lastname,phone,company,lifecyclestage,lastmodifieddate",
        "ProbeBot (causeway, 1)",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "https://graph.example.com/.default",
        "00000000000000000000",
        "a rather long sentence with 2 or 3 digits",
        "/organizations/contacts/2026",
    ] {
        assert!(!looks_like_key(text), "{text}");
    }
}
