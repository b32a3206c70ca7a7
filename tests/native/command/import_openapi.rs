//! `causeway import openapi`: what becomes of each form that a document can have. The document is invented.

use std::fs;

use causeway::config::read;
use causeway::ports::Body;
use serde_json::{Value, json};

use super::{Folder, causeway};
use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::integration_files::{load, mistakes_by_schema, root};
use crate::integrations::file;
use crate::outside::{World, reply};

const DOCUMENT: &str = "tests/cases/import/things.yaml";

/// The file of the invented document, and what was printed.
fn imported(test: &str) -> (Value, String) {
    let folder = Folder::new(test);
    let (document, out) = (root().join(DOCUMENT), folder.path().join("things.json"));
    let printed = causeway([
        "import".as_ref(),
        "openapi".as_ref(),
        document.as_os_str(),
        "--out".as_ref(),
        out.as_os_str(),
    ])
    .expect(0);
    (load(&out), printed)
}

#[test]
fn the_file_is_free_of_findings_and_has_the_head_of_the_document() {
    let (file, printed) = imported("openapi-head");
    let findings = read(&file).findings;
    assert!(findings.is_empty(), "{findings:#?}");
    assert_eq!(mistakes_by_schema(&file), Vec::<String>::new());
    assert_eq!(file["name"], "things");
    let config = &file["config"];
    assert_eq!(config["label"], "Things API");
    assert_eq!(config["base_url"], "https://eu.things.dev/v1");
    let auth = &config["credentials"]["oauth2"]["config"]["auth"];
    assert_eq!(auth["tokenUrl"], "https://login.things.dev/token");
    assert_eq!(config["authorization"], json!({ "format": "bearer" }));
    assert!(printed.contains("left out     1  deprecated"), "{printed}");
}

#[test]
fn each_operation_has_a_resource_and_a_method() {
    let (file, printed) = imported("openapi-methods");
    let resources = &file["config"]["resources"];
    let cases = [
        ("things", "list", "get", "/things"),
        ("things", "create", "post", "/things"),
        ("things", "get", "get", "/things/{{id}}"),
        ("things", "update", "patch", "/things/{{id}}"),
        ("things", "replace", "put", "/things/{{query.thing_id}}"),
        ("things", "delete", "delete", "/things/{{id}}"),
        (
            "things",
            "close",
            "post",
            "/things/{{query.thing_id}}/close",
        ),
        (
            "things_parts",
            "list",
            "get",
            "/things/{{query.thing_id}}/parts",
        ),
        (
            "things_parts",
            "create",
            "post",
            "/things/{{query.thing_id}}/parts",
        ),
        (
            "things_parts",
            "get",
            "get",
            "/things/{{query.thing_id}}/parts/{{id}}",
        ),
        ("me", "read", "get", "/me"),
        ("files", "create", "post", "/files"),
        ("broken", "read", "get", "/broken"),
    ];
    each_case(cases, |(resource, method, http, path)| {
        let own = &resources[resource][method];
        assert_eq!(
            (&own["method"], &own["path"]),
            (&json!(http), &json!(path)),
            "{resources:#}"
        );
    });
    assert!(
        printed.contains("13 methods in 5 resources, schemas of up to 8 levels"),
        "{printed}"
    );
}

#[test]
fn methods_have_descriptions_scopes_pages_and_schemas() {
    let (file, _) = imported("openapi-schemas");
    let resources = &file["config"]["resources"];
    let list = &resources["things"]["list"];
    assert_eq!(list["description"], "Things, newest first");
    assert_eq!(
        list["api_documentation_url"],
        "https://docs.things.dev/list"
    );
    assert_eq!(list["scopes"], json!(["things.read", "things.list"]));
    assert_eq!(list["response_path"], "data");
    assert_eq!(
        list["pagination"],
        json!({ "format": "link_header", "config": { "limit_key": "per_page" } })
    );
    let size = json!({ "type": "integer", "maximum": 100, "description": "Things on a page" });
    assert_eq!(list["query_schema"]["properties"]["per_page"], size);
    let body = &resources["things"]["create"]["body_schema"];
    assert_eq!(
        body["properties"]["state"],
        json!({ "enum": ["open", "closed"] })
    );
    assert_eq!(
        body["properties"].get("parent"),
        None,
        "a schema in itself ends there"
    );
    let both = json!({ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "integer" } } });
    assert_eq!(body["properties"]["both"], both);
    let parts = &resources["things_parts"];
    assert_eq!(
        parts["list"]["query_schema"]["required"],
        json!(["thing_id"])
    );
    assert_eq!(parts["create"]["body_format"], "form");
    assert_eq!(parts["create"]["query_array_format"], "indices");
    assert_eq!(resources["files"]["create"]["body_format"], "multipart");
    assert_eq!(
        resources["things"]["close"]["headers"],
        json!({ "Things-Version": "2026" })
    );
    assert_eq!(resources["things"]["close"]["ignore_body"], true);
    assert!(
        !resources["me"]["read"]["description"]
            .as_str()
            .unwrap()
            .contains("{{")
    );
}

#[test]
fn a_parameter_named_id_is_no_placeholder_of_another_one() {
    let folder = Folder::new("openapi-names");
    let states: Vec<String> = (0..61).map(|n| format!("s{n}")).collect();
    let size = |values: &[String]| json!({ "name": format!("of_{}", values.len()), "in": "query", "schema": { "type": "string", "enum": values } });
    let document = json!({
        "openapi": "3.0.3", "info": { "title": "Boards" }, "servers": [{ "url": "https://api.boards.dev" }],
        "paths": { "/projects/{id}/boards/{boardId}": { "get": {
            "parameters": [size(&states), size(&states[..60])], "responses": {},
        } } },
    });
    let (document, out) = (
        folder.json("boards.json", &document),
        folder.path().join("out.json"),
    );
    causeway([
        "import",
        "openapi",
        &document,
        "--out",
        out.to_str().unwrap(),
    ])
    .expect(0);
    let file = load(&out);
    let get = &file["config"]["resources"]["projects_boards"]["get"];
    assert_eq!(get["path"], "/projects/{{query.id}}/boards/{{id}}");
    let properties = &get["query_schema"]["properties"];
    assert_eq!(properties["of_60"]["enum"], json!(&states[..60]));
    let string = json!({ "type": "string" });
    assert_eq!(
        properties["of_61"], string,
        "a part of an enumeration is another rule"
    );
}

#[test]
fn callers_reach_the_paths_of_the_document() {
    let (file, _) = imported("openapi-calls");
    let world = World::new();
    world.provides(|_| reply(200, &JSON, Body::from_bytes("{\"data\": []}")));
    let context = json!({ "oauth": { "token": { "access_token": "t" } } });
    let scene = Scene::new(world, &file, "oauth2", &context);
    let form = [("content-type", "application/json")];
    let calls: [(&str, &str, &str, &str); 4] = [
        (
            "GET",
            "/proxy/things/7",
            "",
            "GET https://eu.things.dev/v1/things/7",
        ),
        (
            "GET",
            "/proxy/things_parts?thing_id=a%2Fb&x=1",
            "",
            "GET https://eu.things.dev/v1/things/a%2Fb/parts?x=1",
        ),
        (
            "POST",
            "/proxy/things/close?thing_id=7",
            "",
            "POST https://eu.things.dev/v1/things/7/close",
        ),
        (
            "POST",
            "/proxy/things_parts?thing_id=7",
            "{\"name\": \"a b\"}",
            "POST https://eu.things.dev/v1/things/7/parts name=a+b",
        ),
    ];
    each_case(calls, |(method, path, body, expected)| {
        let body = match body {
            "" => Body::Empty,
            text => Body::from_bytes(text),
        };
        scene.call(method, path, &form, body);
        let sent = scene.world.sent();
        let sent = sent.last().unwrap();
        let text = String::from_utf8_lossy(&sent.body).replace("%20", "+");
        let line = format!("{} {} {text}", sent.method, sent.url);
        assert_eq!(line.trim(), expected);
    });
}

#[test]
fn resources_are_added_to_a_file_whose_methods_stay() {
    let folder = Folder::new("openapi-into");
    let document = root().join(DOCUMENT);
    let document = document.to_str().unwrap();
    let mut own = file();
    own["config"]["base_url"] = json!("https://api.things.dev");
    own["config"]["resources"] = json!({ "things": { "get": { "path": "/own/{{id}}" } } });
    let path = folder.json("shop.json", &own);
    let printed = causeway([
        "import", "openapi", document, "--into", &path, "--only", "things",
    ])
    .expect(0);
    assert!(
        printed.contains("left out     1  already in the file"),
        "{printed}"
    );
    let file = load(path.as_ref());
    let things = &file["config"]["resources"]["things"];
    assert_eq!(things["get"]["path"], "/own/{{id}}");
    assert_eq!(
        things["list"]["path"], "/v1/things",
        "below the file's own base_url"
    );
    assert_eq!(file["config"]["resources"].get("me"), None);
    assert_eq!(file["config"]["credentials"], own["config"]["credentials"]);
}

#[test]
fn a_document_of_many_operations_has_schemas_of_fewer_levels() {
    let folder = Folder::new("openapi-large");
    let schema = |depth: usize| {
        let mut schema = json!({ "type": "string", "description": "x".repeat(100) });
        for _ in 0..depth {
            schema =
                json!({ "type": "object", "properties": { "a": schema.clone(), "b": schema } });
        }
        schema
    };
    let answer = json!({ "200": { "content": { "application/json": { "schema": schema(4) } } } });
    let path = |n: usize| {
        (
            format!("/r{n}"),
            json!({ "get": { "summary": "One", "responses": answer } }),
        )
    };
    let document = |count: usize| {
        let paths: serde_json::Map<String, Value> = (0..count).map(path).collect();
        json!({ "openapi": "3.0.3", "info": { "title": "Large" }, "servers": [{ "url": "https://api.large.dev" }], "paths": paths })
    };
    let small = folder.json("small.json", &document(10));
    let printed = causeway(["import", "openapi", &small]).expect(0);
    assert!(
        printed.contains("10 methods in 10 resources, schemas of up to 8 levels"),
        "{printed}"
    );
    let large = folder.json("large.json", &document(1_000));
    let out = folder.path().join("out.json");
    let printed = causeway(["import", "openapi", &large, "--out", out.to_str().unwrap()]).expect(0);
    assert!(
        printed.contains("1000 methods in 1000 resources") && !printed.contains("8 levels"),
        "{printed}"
    );
    assert!(fs::metadata(&out).unwrap().len() <= 1024 * 1024);
    let huge = folder.json("huge.json", &document(5_001));
    assert!(
        causeway(["import", "openapi", &huge])
            .complaint(1)
            .contains("more than 5000 operations")
    );
}

#[test]
fn what_is_no_document_is_a_clear_problem() {
    let folder = Folder::new("openapi-problems");
    let chain: Vec<String> = (0..40)
        .map(|n| {
            format!(
                "\"s{n}\": {{ \"$ref\": \"#/components/schemas/s{}\" }}",
                n + 1
            )
        })
        .collect();
    let chained = format!(
        "{{\"openapi\": \"3.0.0\", \"servers\": [{{\"url\": \"https://a.things.dev\"}}], \"paths\": {{\"/a\": {{\"$ref\": \"#/components/schemas/s0\"}}}}, \"components\": {{\"schemas\": {{{}}}}}}}",
        chain.join(",")
    );
    let cases = [
        ("two.json", "{\"swagger\": \"2.0\"}", "OpenAPI 2.0"),
        (
            "four.json",
            "{\"openapi\": \"4.0.0\"}",
            "`openapi` is `4.0.0`",
        ),
        ("none.yaml", "a: 1\n", "no OpenAPI document"),
        ("list.yaml", "- 1\n", "no OpenAPI document"),
        (
            "server.json",
            "{\"openapi\": \"3.0.0\", \"paths\": {}}",
            "--base-url",
        ),
        (
            "relative.json",
            "{\"openapi\": \"3.0.0\", \"servers\": [{\"url\": \"/v1\"}], \"paths\": {}}",
            "--base-url",
        ),
        (
            "empty.json",
            "{\"openapi\": \"3.0.0\", \"servers\": [{\"url\": \"https://a.things.dev\"}], \"paths\": {}}",
            "no operation",
        ),
        ("chain.json", chained.as_str(), "no operation"),
    ];
    each_case(cases, |(name, text, reported)| {
        let file = folder.file(name, text);
        let complaint = causeway(["import", "openapi", &file]).complaint(1);
        assert!(complaint.contains(reported), "{name}: {complaint}");
    });
}

/// Documents with one value replaced by another kind of value: each is converted or refused, and none ends the command otherwise.
#[test]
fn damaged_documents_are_converted_or_refused() {
    let folder = Folder::new("openapi-damaged");
    let text = fs::read_to_string(root().join(DOCUMENT)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let values = [": [1]", ": {a: 1}", ": null", ": \"${{{{\"", ": 5"];
    let damaged = (8..lines.len()).step_by(3).map(|line| {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let own = lines[line].clone();
        if let Some((key, _)) = own.split_once(':') {
            lines[line] = format!("{key}{}", values[line % values.len()]);
        }
        lines.join("\n")
    });
    each_case(damaged, |text| {
        let file = folder.file("damaged.yaml", &text);
        let run = causeway(["import", "openapi", &file]);
        assert!([0, 1].contains(&run.code), "{} {}", run.code, run.err);
    });
}
