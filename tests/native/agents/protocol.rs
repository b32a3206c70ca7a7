//! The protocol: versions, header fields, messages, lists of tools.

use serde_json::{Value, json};

use super::{Agent, context, crm};
use crate::cases::each_case;
use crate::client::Setting;
use crate::outside::World;

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn a_session_begins_with_the_version_that_both_speak() {
    let agent = Agent::new(&World::new(), &json!({}));
    let cases = [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
    ];
    each_case(cases, |(asked, agreed)| {
        let params = json!({ "protocolVersion": asked, "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } });
        let answer = agent.request("initialize", &params);
        let result = &answer["result"];
        assert_eq!(result["protocolVersion"], agreed);
        assert_eq!(result["capabilities"], json!({ "tools": {} }));
        assert_eq!(result["serverInfo"]["title"], "Acme CRM");
    });
    assert_eq!(
        agent.request("initialize", &json!({}))["error"]["code"],
        -32602
    );
    assert_eq!(agent.request("ping", &json!({}))["result"], json!({}));
    assert_eq!(
        agent.request("resources/list", &json!({}))["error"]["code"],
        -32601
    );
    let silent = agent.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    assert_eq!((silent.status, silent.body.len()), (202, 0));
    assert_eq!(agent.world().sent().len(), 0);
}

#[test]
fn header_fields_are_checked_as_the_specification_says() {
    let world = World::with(&[(
        "MCP_ALLOWED_ORIGINS",
        "https://app.example, http://localhost:6274",
    )]);
    let agent = Agent::new(&world, &json!({}));
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string();
    let origin = |origin| [JSON, ("origin", origin)];
    let cases = [
        (&[JSON][..], 200),
        (&[], 400),
        (&[("content-type", "text/plain")], 400),
        (&[JSON, ("accept", "text/event-stream")], 406),
        (&[JSON, ("mcp-protocol-version", "2025-06-18")], 200),
        (&[JSON, ("mcp-protocol-version", "1.0")], 400),
        (&origin("https://causeway.example"), 200),
        (&origin("https://app.example"), 200),
        (&[("origin", "https://app.example")], 400),
        (&origin("http://localhost:6274"), 200),
        (&origin("http://localhost:6275"), 403),
        (&origin("https://evil.example"), 403),
        (&origin("null"), 403),
    ];
    each_case(cases, |(headers, status)| {
        let answer = agent.post(&agent.path, headers, &ping);
        assert_eq!(answer.status, status, "{headers:?}");
        let shared = answer.header("access-control-allow-origin");
        let origin = headers.iter().find(|(name, _)| *name == "origin");
        let expected = origin.filter(|_| status != 403).map(|(_, own)| *own);
        assert_eq!(shared, expected, "{headers:?}");
    });
    for method in ["GET", "DELETE", "PUT"] {
        let answer =
            agent
                .anonymous
                .request(method, &agent.path, &[], causeway::ports::Body::Empty);
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("POST")),
            "{method}"
        );
    }
    for (origin, status) in [("https://app.example", 204), ("https://evil.example", 403)] {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
        ];
        let answer = agent.anonymous.request(
            "OPTIONS",
            &agent.path,
            &headers,
            causeway::ports::Body::Empty,
        );
        assert_eq!(answer.status, status);
        let allowed = answer
            .header("access-control-allow-headers")
            .unwrap_or_default();
        assert_eq!(allowed.contains("mcp-protocol-version"), status == 204);
    }
}

#[test]
fn what_is_no_message_is_refused() {
    let agent = Agent::new(&World::new(), &json!({}));
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{}{}}}"#,
        "[".repeat(63),
        "]".repeat(63)
    );
    let deeper = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{}{}}}"#,
        "[".repeat(64),
        "]".repeat(64)
    );
    let cases = [
        (deep.as_str(), 200, Value::Null),
        (&deeper, 400, json!(-32600)),
        ("", 400, json!(-32700)),
        ("{", 400, json!(-32700)),
        ("null", 400, json!(-32600)),
        ("{}", 400, json!(-32600)),
        (
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            400,
            json!(-32600),
        ),
    ];
    each_case(cases, |(text, status, code)| {
        let answer = agent.post(&agent.path, &[JSON], text);
        assert_eq!(answer.status, status, "{text}");
        assert_eq!(answer.json()["error"]["code"], code, "{text}");
    });
    let nested = "[".repeat(100_000);
    assert_eq!(agent.post(&agent.path, &[JSON], &nested).status, 400);
    let body = |bytes: usize| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":"{}"}}"#,
            "x".repeat(bytes - 52)
        )
    };
    assert_eq!(body(1024 * 1024).len(), 1024 * 1024);
    assert_eq!(
        agent.post(&agent.path, &[JSON], &body(1024 * 1024)).status,
        200
    );
    assert_eq!(
        agent
            .post(&agent.path, &[JSON], &body(1024 * 1024 + 1))
            .code(413),
        "caller.body_too_large"
    );
}

#[test]
fn batches_are_of_old_versions_and_bounded() {
    let agent = Agent::new(&World::new(), &json!({}));
    let batch = |count: usize| {
        let mut all: Vec<Value> = (0..count)
            .map(|id| json!({ "jsonrpc": "2.0", "id": id, "method": "ping" }))
            .collect();
        all.push(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled" }));
        Value::Array(all).to_string()
    };
    let answers = agent.post(&agent.path, &[JSON], &batch(19)).expect(200);
    assert_eq!(answers.as_array().unwrap().len(), 19);
    assert_eq!(
        answers[18],
        json!({ "jsonrpc": "2.0", "id": 18, "result": {} })
    );
    assert_eq!(agent.post(&agent.path, &[JSON], &batch(20)).status, 400);
    assert_eq!(agent.post(&agent.path, &[JSON], "[]").status, 400);
    assert_eq!(agent.post(&agent.path, &[JSON], &batch(0)).status, 202);
    let new = [JSON, ("mcp-protocol-version", "2025-06-18")];
    assert_eq!(agent.post(&agent.path, &new, &batch(1)).status, 400);
    let mixed = agent.post(&agent.path, &[JSON], "[1]").expect(200);
    assert_eq!(
        (&mixed[0]["id"], &mixed[0]["error"]["code"]),
        (&Value::Null, &json!(-32600))
    );
}

#[test]
fn tools_are_listed_as_the_token_says() {
    let setting = Setting::new(&World::new(), &crm());
    let read = context(&json!("contacts:read"));
    let agent = Agent::with(setting, &read, &json!({}));
    let listed = agent.request("tools/list", &json!({}));
    let tools = listed["result"]["tools"].as_array().unwrap();
    let list = tools
        .iter()
        .find(|tool| tool["name"] == "list_all_acme_crm_contacts")
        .unwrap();
    let keys: Vec<&String> = list.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        ["name", "title", "description", "inputSchema", "annotations"]
    );
    assert_eq!(list["inputSchema"]["type"], "object");
    assert_eq!(listed["result"].get("nextCursor"), None);
    assert!(
        !agent
            .tools()
            .contains(&"create_a_acme_crm_contacts".to_owned()),
        "its scope was not granted"
    );
    let agent = Agent::with(
        agent.setting,
        &read,
        &json!({ "methods": ["get"], "resources": ["contacts"] }),
    );
    assert_eq!(agent.tools(), ["get_single_acme_crm_contacts_by_id"]);
    let path = format!("/integrated-account/{}", agent.account);
    let agent = Agent::with(
        agent.setting,
        &read,
        &json!({ "methods": ["write", "get"] }),
    );
    assert_eq!(agent.tools().len(), 4);
    let sandbox = path.replace(path.rsplit('/').next().unwrap(), &agent.account);
    agent
        .setting
        .client
        .send("PATCH", &sandbox, &json!({ "is_sandbox": true }))
        .expect(200);
    assert_eq!(agent.tools(), ["get_single_acme_crm_contacts_by_id"]);
}

#[test]
fn a_long_list_of_tools_has_pages() {
    let mut file = crm();
    let method = |n: usize| {
        (
            format!("m{n:03}"),
            json!({ "method": "post", "path": "/m", "description": "Does it." }),
        )
    };
    file["config"]["resources"] =
        json!({ "many": (0..120).map(method).collect::<serde_json::Map<_, _>>() });
    let agent = Agent::with(
        Setting::new(&World::new(), &file),
        &context(&Value::Null),
        &json!({}),
    );
    let (mut cursor, mut names, mut pages) = (Value::Null, Vec::new(), Vec::new());
    loop {
        let page = agent.request("tools/list", &json!({ "cursor": cursor }));
        let tools = page["result"]["tools"].as_array().unwrap();
        pages.push(tools.len());
        names.extend(tools.iter().map(|tool| tool["name"].clone()));
        cursor = page["result"]["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(pages, [50, 50, 20]);
    assert_eq!(names[119], "acme_crm_many_m119");
    for wrong in [json!("x"), json!(1), json!("-1")] {
        let answer = agent.request("tools/list", &json!({ "cursor": wrong }));
        assert_eq!(answer["error"]["code"], -32602, "{wrong}");
    }
    let beyond = agent.request("tools/list", &json!({ "cursor": "1000" }));
    assert_eq!(beyond["result"], json!({ "tools": [] }));
}
