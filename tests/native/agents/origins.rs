//! Pages of browsers: which may use tools, and what they can read.

use causeway::ports::Body;
use serde_json::json;

use super::Agent;
use crate::cases::each_case;
use crate::client::Client;
use crate::outside::World;

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn a_page_of_an_allowed_origin_reads_errors_too() {
    let world = World::with(&[("MCP_ALLOWED_ORIGINS", "https://app.example")]);
    let agent = Agent::new(&world, &json!({ "require_api_token_auth": true }));
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string();
    let origin = ("origin", "https://app.example");
    let cases = [
        ("/mcp/forged", &[JSON][..], 401),
        (&agent.path, &[JSON], 401),
        (&agent.path, &[JSON, ("accept", "text/html")], 406),
        (&agent.path, &[JSON, ("x-timeout-ms", "soon")], 400),
    ];
    each_case(cases, |(path, headers, status)| {
        let with_origin = [headers, &[origin]].concat();
        let shared = agent.post(path, &with_origin, &ping);
        assert_eq!(shared.status, status, "{path} {headers:?}");
        assert_eq!(
            shared.header("access-control-allow-origin"),
            Some(origin.1),
            "{path} {headers:?}"
        );
        assert_eq!(shared.header("vary"), Some("origin"), "{path} {headers:?}");
        assert!(
            shared.header("x-request-id").is_some(),
            "{path} {headers:?}"
        );
        let alone = agent.post(path, headers, &ping);
        assert_eq!(
            alone.header("access-control-allow-origin"),
            None,
            "{path} {headers:?}"
        );
    });
}

#[test]
fn an_allowed_page_reads_every_answer_and_another_page_none() {
    let world = World::with(&[("MCP_ALLOWED_ORIGINS", "https://app.example")]);
    let agent = Agent::new(&world, &json!({}));
    let own = agent.path.as_str();
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string();
    let plain = format!("http://causeway.example{own}");
    let escaped = own.replace("/mcp/", "/%6dcp/");
    let below = format!("{own}/below");
    let cases = [
        ("POST", own, 200),
        ("POST", &escaped, 200),
        ("OPTIONS", own, 204),
        ("GET", own, 405),
        ("HEAD", own, 405),
        ("PUT", own, 405),
        ("DELETE", own, 405),
        ("DELETE", &escaped, 405),
        ("POST", "/mcp", 404),
        ("POST", &below, 404),
        ("POST", "/mcp/forged", 401),
        ("POST", &plain, 403),
    ];
    each_case(cases, |(method, path, status)| {
        let read_by = |origin: &str| {
            let body = Body::from_bytes(ping.clone());
            let headers = [JSON, ("origin", origin)];
            let answer = agent.anonymous.request(method, path, &headers, body);
            let shared = answer.header("access-control-allow-origin");
            let vary = answer.header("vary");
            (
                answer.status,
                shared.map(str::to_owned),
                vary.map(str::to_owned),
            )
        };
        let app = "https://app.example";
        let expected = (status, Some(app.to_owned()), Some("origin".to_owned()));
        assert_eq!(read_by(app), expected, "{method} {path}");
        let (refused, shared, _) = read_by("https://evil.example");
        assert!((400..500).contains(&refused), "{method} {path}: {refused}");
        assert_eq!(shared, None, "{method} {path}");
    });
    let elsewhere = agent.anonymous.request(
        "GET",
        "/health",
        &[("origin", "https://app.example")],
        Body::Empty,
    );
    assert_eq!(elsewhere.header("access-control-allow-origin"), None);
}

#[test]
fn without_public_url_no_page_is_the_gateways_own() {
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string();
    let at_home = [("PUBLIC_URL", ""), ("ALLOW_PRIVATE_UPSTREAMS", "true")];
    let path = |address: &str| format!("{address}/mcp/forged");
    let status = |world: &World, address: &str, origin: &str| {
        let anybody = Client::admin(world).with_token("");
        let body = Body::from_bytes(ping.clone());
        let headers = [JSON, ("origin", origin)];
        anybody
            .request("POST", &path(address), &headers, body)
            .status
    };
    let (own, local) = ("https://causeway.me.workers.dev", "http://127.0.0.1:8787");
    let world = World::with(&at_home);
    assert_eq!(status(&world, own, own), 403);
    assert_eq!(status(&world, local, local), 403);
    let world = World::with(&[("PUBLIC_URL", own)]);
    assert_eq!(status(&world, own, own), 401, "only its token is wrong");
}
