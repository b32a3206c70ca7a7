//! Header fields of a provider that speak for an origin, or to a browser, do not go on: the origin would be ours. By every
//! way an answer goes on.

use causeway::ports::{Body, Reply};
use serde_json::json;

use crate::account::Scene;
use crate::cases::each_case;
use crate::client::Answer;
use crate::files;
use crate::outside::{Pieces, reply};

/// Fields of a provider, none of which is ours to say.
const DROPPED: &[(&str, &str)] = &[
    ("clear-site-data", "\"*\""),
    (
        "strict-transport-security",
        "max-age=31536000; includeSubDomains; preload",
    ),
    ("content-security-policy-report-only", "default-src *"),
    ("set-cookie", "a=b"),
    ("set-cookie2", "a=b"),
    ("alt-svc", "h3=\"evil.example:443\"; ma=86400"),
    ("refresh", "0; url=https://evil.example"),
    ("service-worker-allowed", "/"),
    ("report-to", "{}"),
    ("reporting-endpoints", "a=\"https://evil.example\""),
    ("nel", "{}"),
    ("public-key-pins", "pin-sha256=\"x\""),
    ("public-key-pins-report-only", "pin-sha256=\"x\""),
    ("expect-ct", "max-age=1"),
    ("x-frame-options", "ALLOWALL"),
    ("permissions-policy", "camera=*"),
    ("feature-policy", "camera *"),
    ("document-policy", "x"),
    ("referrer-policy", "unsafe-url"),
    ("cross-origin-opener-policy", "unsafe-none"),
    ("cross-origin-embedder-policy", "unsafe-none"),
    ("cross-origin-embedder-policy-report-only", "require-corp"),
    ("cross-origin-resource-policy", "cross-origin"),
    ("origin-agent-cluster", "?0"),
    ("sourcemap", "https://evil.example/x.map"),
    ("x-sourcemap", "https://evil.example/x.map"),
    ("timing-allow-origin", "*"),
    ("access-control-allow-origin", "*"),
    ("access-control-allow-credentials", "true"),
    ("access-control-expose-headers", "*"),
    ("access-control-anything-new", "x"),
    ("x-robots-tag", "all"),
    ("accept-ch", "sec-ch-ua"),
    ("critical-ch", "sec-ch-ua"),
    ("speculation-rules", "\"/x\""),
    ("x-dns-prefetch-control", "on"),
    ("www-authenticate", "Basic realm=\"type your password\""),
    ("authentication-info", "nextnonce=\"x\""),
    ("x-permitted-cross-domain-policies", "all"),
    ("cdn-cache-control", "public, max-age=60"),
    ("cloudflare-cdn-cache-control", "public"),
    ("surrogate-control", "max-age=60"),
    ("expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
    ("x-xss-protection", "0"),
    ("login-status", "logged-in"),
    ("integrity-policy", "blocked-destinations=(script)"),
    ("integrity-policy-report-only", "x"),
    ("document-isolation-policy", "isolate-and-require-corp"),
    ("document-anything-new", "x"),
    ("connection-allowlist", "(response-origin)"),
    ("connection-allowlist-report-only", "x"),
    ("no-vary-search", "params"),
    ("cf-ray", "evil"),
    ("cf-cache-status", "HIT"),
    ("x-causeway-environment", "another"),
    ("x-causeway-anything-new", "x"),
    ("x-accel-buffering", "no"),
    ("x-accel-anything-new", "x"),
    ("tk", "T"),
    ("set-anything-new", "x"),
    ("origin-trial", "token"),
    ("content-security-anything-new", "x"),
    ("permissions-anything-new", "x"),
    ("surrogate-anything-new", "x"),
];

/// Fields that are about the answer.
const KEPT: &[(&str, &str)] = &[
    ("x-total-count", "7"),
    ("link", "</docs>; rel=\"help\""),
    ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ("content-language", "en"),
    ("x-request-cost", "3"),
];

const CACHE: &str = "public, max-age=60, s-maxage=600";

fn open() -> Scene {
    let file = files::with_key(
        "many-headers",
        &json!({
            "authorization": { "format": "header", "config": { "name": "x-key", "value": "{{api_key}}" } },
            "resources": { "r": {
                "list": { "path": "/r" },
                "get": { "path": "/r/{{id}}" },
                "create": { "method": "post", "path": "/r" },
                "cut": { "method": "post", "path": "/cut", "response_path": "a" },
            } },
            "actions": { "look": { "type": "request", "config": { "method": "get", "path": "/r/1" } } },
        }),
    );
    let scene = Scene::with_key(&[], &file);
    scene
        .world
        .provides(|sent| provider_reply(sent.url.contains("broken"), sent.url.contains("page")));
    scene
}

fn provider_reply(is_broken: bool, is_page: bool) -> Reply<Pieces> {
    let own = [
        (
            "content-type",
            if is_page {
                "text/html"
            } else {
                "application/json"
            },
        ),
        ("content-security-policy", "default-src *"),
        ("x-content-type-options", "sniff"),
        ("cache-control", CACHE),
        ("etag", "\"e\""),
    ];
    let headers: Vec<_> = own.iter().chain(DROPPED).chain(KEPT).copied().collect();
    let body = if is_page {
        "<script>alert(1)</script>"
    } else {
        r#"{"a":[1]}"#
    };
    reply(
        if is_broken { 403 } else { 200 },
        &headers,
        Body::from_bytes(body),
    )
}

#[test]
fn no_field_that_speaks_for_our_origin_goes_on_by_any_way() {
    let scene = open();
    let all = [("x-all-pages", "true")];
    let keyed = [("idempotency-key", "1")];
    let cases = [
        ("GET", "/proxy/r/1", &[][..], true),
        ("GET", "/proxy/r/page", &[], true),
        ("GET", "/proxy/r/broken", &[], true),
        ("GET", "/proxy/r?response=1", &[], false),
        ("GET", "/proxy/r", &all, false),
        ("POST", "/proxy/r/cut", &[], true),
        ("POST", "/proxy/r", &keyed, true),
        ("POST", "/proxy/r", &keyed, true),
        ("POST", "/proxy/_/look", &[], false),
        ("GET", "/custom/page", &[], true),
        ("GET", "/custom/broken", &[], true),
        ("GET", "/custom/broken/page", &[], true),
        ("HEAD", "/custom/page", &[], true),
        ("POST", "/custom/x", &keyed, true),
        ("POST", "/custom/x", &keyed, true),
    ];
    each_case(cases, |(method, path, headers, keeps)| {
        let body = if method == "POST" {
            Body::from_bytes("{}")
        } else {
            Body::Empty
        };
        let answer = scene.call_passing(method, path, headers, body);
        let at = format!("{method} {path} {headers:?}");
        each_case(DROPPED, |(name, _)| {
            assert_eq!(answer.header(name), None, "{at}: {name}");
        });
        each_case(
            KEPT.iter().filter(|_| keeps && answer.status != 502),
            |(name, value)| {
                assert_eq!(answer.header(name), Some(*value), "{at}: {name}");
            },
        );
        is_safe(&answer, &at);
    });
}

/// What is left cannot be kept for others, taken for another type, or run.
fn is_safe(answer: &Answer, at: &str) {
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{at}");
    assert_eq!(
        answer.header("x-content-type-options"),
        Some("nosniff"),
        "{at}"
    );
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("sandbox"),
        "{at}: {policy}"
    );
    let all: Vec<_> = answer
        .headers
        .get_all("content-security-policy")
        .iter()
        .collect();
    assert_eq!(all.len(), 1, "{at}");
}
