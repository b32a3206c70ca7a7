//! `causeway eval` and `causeway render`.

use crate::cases::each_case;

use causeway::expression::scope::SCOPES;
use serde_json::{Value, json};

use super::{Folder, causeway, run};

fn eval(scope: &str, expression: &str, input: &Value) -> String {
    run(
        ["eval", "--scope", scope, expression],
        &input.to_string(),
        &[],
    )
    .expect(0)
}

fn render(place: &str, template: &str, input: &Value) -> String {
    run(["render", "--as", place, template], &input.to_string(), &[]).expect(0)
}

#[test]
fn every_scope_of_the_docs_can_be_tried_with_every_name_it_has() {
    each_case(SCOPES, |row| {
        let Some(name) = row.name else { return };
        each_case(row.roots, |root| {
            let key = root.trim_start_matches('$');
            let value = match key {
                "status" | "status_code" => json!(404),
                "url" | "method" => json!("text"),
                _ => json!({ "a": 1 }),
            };
            let out = eval(name, root, &json!({ key: value }));
            assert_eq!(out, format!("{value:#}\n"), "{name} {root}");
        });
    });
}

#[test]
fn an_expression_sees_a_response_as_the_gateway_shows_it() {
    let response = json!({ "body": { "error": { "code": "gone" } }, "headers": { "Retry-After": "7" }, "status": 404 });
    let cases = [
        ("response.error.code & data.error.code", "\"gonegone\""),
        ("$number(headers.`retry-after`) + 1", "8"),
        ("status >= 400 and status_code = status", "true"),
        ("{{body.error.code}}", "\"gone\""),
        ("body.absent", "undefined"),
        ("-1", "-1"),
    ];
    each_case(cases, |(expression, result)| {
        assert_eq!(
            eval("response", expression, &response),
            format!("{result}\n"),
            "{expression}"
        );
    });
}

#[test]
fn a_step_has_variables_and_the_result_before_as_root() {
    let input = json!({ "previous": { "id": 7 }, "context": { "region": "eu" } });
    let out = eval(
        "step",
        "$context.region & '-' & $previous.id & '-' & id",
        &input,
    );
    assert_eq!(out, "\"eu-7-7\"\n");
}

#[test]
fn without_input_the_scope_is_empty_and_time_is_now() {
    let out = causeway([
        "eval",
        "--scope",
        "response",
        "[status, $millis() > 1.7e12, body]",
    ]);
    assert_eq!(out.expect(0), "[\n  200,\n  true,\n  null\n]\n");
}

#[test]
fn input_may_come_from_a_file() {
    let folder = Folder::new("eval-file");
    let file = folder.json("input.json", &json!({ "body": [1, 2, 3] }));
    let out = causeway(["eval", "--scope", "webhook", "--input", &file, "$sum(body)"]);
    assert_eq!(out.expect(0), "6\n");
}

#[test]
fn what_an_expression_cannot_do_is_said() {
    let cases = [
        (
            ["eval", "--scope", "response", "status ="],
            "",
            "not a JSONata expression",
        ),
        (
            ["eval", "--scope", "response", "$number('x')"],
            "",
            "the expression has no result",
        ),
        (
            ["eval", "--scope", "response", "1"],
            "{\"bdy\": 1}",
            "`bdy`",
        ),
        (
            ["eval", "--scope", "webhook", "1"],
            "{\"status\": 1}",
            "body, headers, query, method, context",
        ),
        (["eval", "--scope", "response", "1"], "[]", "not an object"),
        (["eval", "--scope", "response", "1"], "{", "not JSON"),
        (
            ["eval", "--scope", "response", "1"],
            "{\"status\": \"x\"}",
            "`status`",
        ),
        (
            ["eval", "--scope", "webhook", "1"],
            "{\"method\": 1}",
            "`method`",
        ),
    ];
    each_case(cases, |(args, input, reported)| {
        let complaint = run(args, input, &[]).complaint(1);
        assert!(complaint.contains(reported), "{args:?}: {complaint}");
    });
    let complaint = causeway(["eval", "--scope", "respons", "1"]).complaint(2);
    assert!(complaint.contains("'response'"), "{complaint}");
    let complaint = causeway(["eval", "--scope", "response", "--input", "/no/such", "1"]);
    assert!(complaint.complaint(1).contains("/no/such cannot be read"));
}

#[test]
fn a_placeholder_is_filled_as_in_a_file() {
    let input = json!({
        "context": { "api_key": "k", "age": "42", "oauth": { "token": { "access_token": "t" } } },
        "id": "a/b", "query": { "q": ["x", "y"] }, "body": { "n": 1 }, "pagination": { "page": 2 },
        "integration": { "name": "acme" }, "environment_variables": { "region": "eu" },
    });
    let cases = [
        ("Bearer {{access_token}}", "\"Bearer t\""),
        ("{{context.api_key}}{{credentials.api_key}}", "\"kk\""),
        ("{{age:int}}", "42"),
        (
            "{{id}} {{integration.name}} {{environment_variables.region}} {{pagination.page}}",
            "\"a/b acme eu 2\"",
        ),
        ("{{absent?:default}}", "\"default\""),
        ("{{absent:undefined}}", "undefined"),
        ("{{absent:null}}", "null"),
        (
            r#"{"n": "{{body.n:int}}", "left": "{{body.out:undefined}}"}"#,
            "{\n  \"n\": 1\n}",
        ),
    ];
    each_case(cases, |(template, result)| {
        assert_eq!(
            render("value", template, &input),
            format!("{result}\n"),
            "{template}"
        );
    });
}

#[test]
fn where_a_value_lands_decides_what_it_may_be() {
    let input =
        json!({ "context": { "sub": "eu-1", "dots": "a.b", "lines": "a\nb" }, "id": "a/b c" });
    assert_eq!(
        render("path", "/users/{{id}}?x={{sub}}", &input),
        "\"/users/a%2Fb%20c?x=eu-1\"\n"
    );
    assert_eq!(
        render("url", "https://{{sub}}.acme.example/v1", &input),
        "\"https://eu-1.acme.example/v1\"\n"
    );
    assert_eq!(render("header", "{{sub}}", &input), "\"eu-1\"\n");
    let cases = [
        ("url", "https://{{dots}}.acme.example", "one label"),
        ("header", "{{lines}}", "control character"),
        ("path", "/users/{{query.id}}", "`query.id` has no value"),
        (
            "value",
            "{{context.absent}}",
            "`context.absent` has no value",
        ),
        ("value", "{{a:uint}}", "`uint` is not a cast"),
    ];
    each_case(cases, |(place, template, reported)| {
        let input = input.to_string();
        let complaint = run(["render", "--as", place, template], &input, &[]).complaint(1);
        assert!(complaint.contains(reported), "{template}: {complaint}");
    });
    let complaint = run(["render", "{{x}}"], "{\"api_key\": 1}", &[]).complaint(1);
    assert!(
        complaint.contains("`api_key`") && complaint.contains("context"),
        "{complaint}"
    );
}
