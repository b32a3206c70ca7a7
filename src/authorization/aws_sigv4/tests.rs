use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::*;

fn keys(context: &Value) -> SigningKeys {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    SigningKeys {
        access_key_id: text(&context["credentials"]["access_key_id"]),
        secret_access_key: text(&context["credentials"]["secret_access_key"]),
        region: text(&context["region"]),
        service: text(&context["service"]),
    }
}

/// A request of the suite: method, target, header lines and body. A line that begins with white space goes on with the one
/// before.
fn parts(request: &str) -> (&str, &str, Vec<(String, String)>, &str) {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut lines = head.lines();
    let (first, _) = lines.next().unwrap().rsplit_once(' ').unwrap();
    let (method, target) = first.split_once(' ').unwrap();
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        match line.split_once(':').filter(|_| !line.starts_with(' ')) {
            Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
            None => headers.last_mut().unwrap().1.push_str(line),
        }
    }
    (method, target, headers, body)
}

#[test]
fn every_case_of_the_published_suite_gives_its_signature() {
    let suite = include_str!("../../../tests/cases/aws_sigv4/suite.json");
    let suite: Value = serde_json::from_str(suite).unwrap();
    let cases = suite["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 38);
    for case in cases {
        let (name, context) = (&case["name"], &case["context"]);
        let (method, target, lines, body) = parts(case["request"].as_str().unwrap());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let millis = Timestamp::parse(context["timestamp"].as_str().unwrap()).unwrap();
        let time = time_of(&Moment {
            now_ms: millis.as_millis(),
            random: [0; 32],
        });
        let payload = sha256_hex(body.as_bytes());
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in lines {
            let value = canonical_value(&value);
            let values = headers.entry(name);
            values
                .and_modify(|known| *known = format!("{known},{value}"))
                .or_insert(value);
        }
        headers.insert(DATE.to_owned(), time.clone());
        if context["sign_body"] == json!(true) {
            headers.insert(CONTENT_HASH.to_owned(), payload.clone());
        }
        let token = context["credentials"]["token"].as_str();
        if let Some(token) = token.filter(|_| context["omit_session_token"] != json!(true)) {
            headers.insert(SECURITY_TOKEN.to_owned(), token.to_owned());
        }
        let rule = if context["normalize"] == json!(false) {
            PathRule::AsIs
        } else {
            PathRule::Normalised
        };
        let canonical = CanonicalRequest {
            method,
            path: canonical_path(path, rule),
            query: sorted(parameters(query)),
            headers,
            payload: &payload,
        };
        let keys = keys(context);
        assert_eq!(canonical.text(), case["canonical_request"], "{name}");
        assert_eq!(
            keys.string_to_sign(&canonical, &time),
            case["string_to_sign"],
            "{name}"
        );
        assert_eq!(
            keys.signature(&canonical, &time),
            case["signature"],
            "{name}"
        );
    }
}

fn settings(more: &Value) -> AwsSigv4 {
    let mut settings = json!({
        "access_key_id": "{{key_id}}", "secret_access_key": "{{key}}",
        "session_token": "{{session}}", "region": "us-east-1", "service": "s3",
    });
    crate::json::merge(&mut settings, more);
    serde_json::from_value(settings).unwrap()
}

fn signed(
    settings: &AwsSigv4,
    context: &Value,
    (method, url): (&Method, &str),
    headers: &HeaderMap,
    body: SentBody,
) -> Result<SignIn, AuthorizationError> {
    let url = Url::parse(url).unwrap();
    let request = UnauthenticatedRequest {
        method,
        url: &url,
        headers,
        body,
    };
    // 2013-05-24T00:00:00Z
    let moment = Moment {
        now_ms: 1_369_353_600_000,
        random: [0; 32],
    };
    sign(settings, &TemplateScope::new(context), &request, &moment)
}

fn value<'s>(signed: &'s SignIn, name: &str) -> Option<&'s str> {
    let found = signed.headers.iter().find(|(own, _)| own == name);
    found.map(|(_, value)| value.to_str().unwrap())
}

/// The four examples of <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>, of which the signed
/// headers are those that we sign.
#[test]
fn the_documented_requests_of_an_object_store_give_their_signatures() {
    let context = json!({ "key_id": "AKIAIOSFODNN7EXAMPLE", "key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" });
    for (url, signature) in [
        (
            "https://examplebucket.s3.amazonaws.com/?lifecycle",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ] {
        let none = HeaderMap::new();
        let of = settings(&json!({}));
        let signed = signed(&of, &context, (&Method::GET, url), &none, SentBody::None).unwrap();
        let authorization = value(&signed, "authorization").unwrap();
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"
        );
        assert_eq!(authorization, expected, "{url}");
        assert_eq!(value(&signed, DATE), Some("20130524T000000Z"));
        assert_eq!(value(&signed, SECURITY_TOKEN), None);
        assert!(signed.headers.iter().all(|(_, value)| value.is_sensitive()));
    }
}

#[test]
fn what_a_platform_may_change_is_not_signed_and_what_the_service_reads_is() {
    let context = json!({ "key_id": "A", "key": "s", "session": "token" });
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "text/plain"),
        ("accept-encoding", "gzip"),
        ("user-agent", "x"),
        ("x-amz-acl", "  private "),
        ("x-amz-meta-a", "1"),
        ("x-amz-meta-a", "2"),
        ("x-amz-date", "the caller's"),
    ] {
        headers.append(name, value.parse().unwrap());
    }
    let request = (&Method::PUT, "https://a.example:8443/b/a%20b%2Fc+d?x=a+b");
    let of = settings(&json!({}));
    let signed = signed(&of, &context, request, &headers, SentBody::Held(b"abc")).unwrap();
    let authorization = value(&signed, "authorization").unwrap();
    assert!(
        authorization.contains("SignedHeaders=content-type;host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-security-token,"),
        "{authorization}"
    );
    assert_eq!(value(&signed, CONTENT_HASH).unwrap(), sha256_hex(b"abc"));
    assert_eq!(value(&signed, SECURITY_TOKEN), Some("token"));
    assert_eq!(
        signed.signed_url.as_ref().map(Url::as_str),
        Some("https://a.example:8443/b/a%20b%2Fc%2Bd?x=a%20b")
    );
    let url = Url::parse("https://a.example:8443/").unwrap();
    let request = UnauthenticatedRequest {
        method: &Method::PUT,
        url: &url,
        headers: &headers,
        body: SentBody::None,
    };
    let signed = signed_headers(&request);
    assert_eq!(signed["host"], "a.example:8443");
    assert_eq!(signed["x-amz-meta-a"], "1,2");
    assert_eq!(signed["x-amz-acl"], "private");
}

#[test]
fn a_streamed_body_is_unsigned_only_where_the_service_accepts_that() {
    let context = json!({ "key_id": "A", "key": "s" });
    let none = HeaderMap::new();
    let request = (&Method::PUT, "https://a.example/b");
    let of = settings(&json!({ "unsigned_payload": true }));
    let streamed = signed(&of, &context, request, &none, SentBody::Streamed).unwrap();
    assert_eq!(value(&streamed, CONTENT_HASH), Some("UNSIGNED-PAYLOAD"));
    let held = signed(&of, &context, request, &none, SentBody::Held(b"x")).unwrap();
    assert_eq!(value(&held, CONTENT_HASH).unwrap(), sha256_hex(b"x"));
    let refused = signed(
        &settings(&json!({})),
        &context,
        request,
        &none,
        SentBody::Streamed,
    );
    assert_eq!(refused, Err(AuthorizationError::BodyNotHeld));
}

#[test]
fn a_key_without_a_value_signs_nothing() {
    let none = HeaderMap::new();
    let request = (&Method::GET, "https://a.example/b");
    for context in [json!({ "key": "s" }), json!({ "key_id": "A", "key": "" })] {
        let of = settings(&json!({}));
        let refused = signed(&of, &context, request, &none, SentBody::None);
        assert!(matches!(refused, Err(AuthorizationError::Render(_))));
    }
    let of = settings(&json!({ "region": "a\u{a0}b" }));
    let context = json!({ "key_id": "A", "key": "s" });
    let refused = signed(&of, &context, request, &none, SentBody::None);
    assert_eq!(
        refused,
        Err(AuthorizationError::NotAHeader("authorization".to_owned()))
    );
}

#[test]
fn paths_are_encoded_twice_except_of_objects() {
    for (path, normalised, as_is) in [
        ("/a%20b/c", "/a%2520b/c", "/a%20b/c"),
        ("/a//b/", "/a/b/", "/a//b/"),
        ("/a%2Fb", "/a%252Fb", "/a/b"),
        ("/a:b@c", "/a%3Ab%40c", "/a%3Ab%40c"),
        ("/", "/", "/"),
    ] {
        assert_eq!(canonical_path(path, PathRule::Normalised), normalised);
        assert_eq!(canonical_path(path, PathRule::AsIs), as_is);
    }
}
