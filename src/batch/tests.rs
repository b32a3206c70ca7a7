use serde_json::{Value, json};

use super::plan::MOST_MISTAKES;
use super::{BatchPlan, MOST_NODES};

fn plan(resources: &Value) -> Result<Vec<(String, Vec<usize>)>, Vec<String>> {
    let batch = serde_json::from_value(json!({ "resources": resources })).unwrap();
    let planned = BatchPlan::of(batch).map_err(|mistakes| {
        let paths = mistakes.into_iter();
        paths.map(|own| own.path).collect::<Vec<_>>()
    })?;
    let nodes = planned.nodes.into_iter();
    Ok(nodes
        .map(|own| (own.name, own.after.into_iter().collect()))
        .collect())
}

#[test]
fn a_node_waits_for_what_it_names_and_reads() {
    let found = plan(&json!([
        { "resource": "a", "method": "list" },
        { "name": "b", "resource": "a", "method": "get", "id": "{{resources.a.0.id}}" },
        { "name": "c", "resource": "x", "method": "list", "query": { "of": ["{{args.x}}", "{{resources.b.0.n|args.y}}"] } },
        { "name": "d", "resource": "x", "method": "create", "body": { "e": { "f": "{{resources.c}}" } }, "depends_on": ["a"] },
        { "name": "e-1", "resource": "x", "method": "get", "loop_on": "resources.a[id > 1]", "id": "{{item.id}}" },
        { "name": "f", "resource": "x", "method": "get", "run_if": "$count(resources.`e-1`) > 0" },
    ]));
    let expected = [
        ("a", vec![]),
        ("b", vec![0]),
        ("c", vec![1]),
        ("d", vec![0, 2]),
        ("e-1", vec![0]),
        ("f", vec![4]),
    ];
    let expected = expected.map(|(name, after)| (name.to_owned(), after));
    assert_eq!(found.unwrap(), expected);
}

#[test]
fn an_expression_waits_for_the_nodes_it_reads_and_where_that_is_open_for_all_before() {
    let after = |expression: &str| {
        let node = |name: &str| json!({ "name": name, "resource": "x", "method": "list" });
        let mut own = node("own");
        own["loop_on"] = json!(expression);
        let found = plan(&json!([node("a"), node("b"), own, node("c")]));
        found.map(|mut nodes| nodes.swap_remove(2).1)
    };
    for (expression, expected) in [
        ("resources.b[a > 1].id", vec![1]),
        ("$count(resources.c) > 0 ? resources.a : args.b", vec![0, 3]),
        ("args.ids", vec![]),
        ("args.resources", vec![0, 1]),
        ("$lookup(resources, args.which)", vec![0, 1]),
        ("resources.*", vec![0, 1]),
        ("$$.resources.b", vec![0, 1]),
        ("args.ids[$ in $$.resources.b.id]", vec![0, 1]),
        ("($all := resources; $all.c)", vec![0, 1, 3]),
        (
            "$map(args.ids, function($id) { resources.c[id = $id] })",
            vec![0, 1, 3],
        ),
    ] {
        assert_eq!(after(expression), Ok(expected), "{expression}");
    }
    for expression in [
        "resources.d",
        "[resources.a, resources.d]",
        "$append(resources.a, resources.d.id)",
    ] {
        assert_eq!(
            after(expression),
            Err(vec!["resources[2].loop_on".to_owned()]),
            "{expression}"
        );
    }
    assert_eq!(after("resources.own"), Err(vec!["resources".to_owned()]));
}

#[test]
fn the_first_hundred_mistakes_are_said() {
    let unknown = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("n{n}")).collect();
        let node = json!([{ "resource": "a", "method": "list", "depends_on": names }]);
        plan(&node).unwrap_err().len()
    };
    assert_eq!(
        [MOST_MISTAKES - 1, MOST_MISTAKES, 10_000].map(unknown),
        [MOST_MISTAKES - 1, MOST_MISTAKES, MOST_MISTAKES]
    );
}

#[test]
fn what_is_wrong_is_found_before_anything_is_sent() {
    let node = |more: Value| {
        let mut own = json!({ "resource": "a", "method": "list" });
        crate::json::merge(&mut own, &more);
        own
    };
    for (resources, paths) in [
        (json!([]), vec!["resources"]),
        (
            json!([node(json!({ "depends_on": ["b"] }))]),
            vec!["resources[0].depends_on"],
        ),
        (
            json!([node(json!({ "id": "{{resources.b.id}}" }))]),
            vec!["resources[0].id"],
        ),
        (
            json!([node(json!({})), node(json!({}))]),
            vec!["resources[1].name"],
        ),
        (
            json!([node(json!({ "name": "a b" }))]),
            vec!["resources[0].name"],
        ),
        (
            json!([node(json!({ "name": "" }))]),
            vec!["resources[0].name"],
        ),
        (
            json!([node(json!({ "name": "n".repeat(65) }))]),
            vec!["resources[0].name"],
        ),
        (
            json!([node(json!({ "id": "{{resources.a.0}}" }))]),
            vec!["resources"],
        ),
        (
            json!([
                node(json!({ "name": "a", "depends_on": ["c"] })),
                node(json!({ "name": "b", "depends_on": ["a"] })),
                node(json!({ "name": "c", "loop_on": "resources.b" })),
            ]),
            vec!["resources"],
        ),
    ] {
        assert_eq!(plan(&resources).unwrap_err(), paths, "{resources}");
    }
}

#[test]
fn a_batch_has_at_most_so_many_nodes() {
    let nodes = |count: usize| {
        let all = (0..count)
            .map(|n| json!({ "name": format!("n{n}"), "resource": "a", "method": "list" }));
        Value::Array(all.collect())
    };
    assert_eq!(plan(&nodes(MOST_NODES)).unwrap().len(), MOST_NODES);
    assert_eq!(plan(&nodes(MOST_NODES + 1)).unwrap_err(), ["resources"]);
}
