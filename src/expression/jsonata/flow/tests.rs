use crate::expression::Expression;

#[test]
fn what_flows_is_told_from_what_decides() {
    for (source, flows) in [
        ("$context", true),
        ("$context.a.b", true),
        ("a ? $context.b : c", true),
        ("$context.b ? a : c", false),
        ("a[b = $context.b].c", false),
        ("$context.b = a", false),
        ("$exists($context.b)", false),
        ("$string($context.b)", true),
        ("( $c := $context.b; $d := $c & 1; [$d] )", true),
        ("( $f := function() { $x }; $x := $context.b; $f() )", true),
        ("( $c := $context.b; a )", true),
        ("a.{ \"b\": $context.b }", true),
        ("function($x) { $x }($context)", true),
        ("$sort(a, function($l, $r) { $l > $context.b })", false),
        ("a ~> $f($context.b)", true),
        ("a^(b)", false),
        ("previous.context", false),
    ] {
        let expression = Expression::parse(source).unwrap();
        let flow = expression.context_variable();
        assert_eq!(flow.flows, flows, "{source}");
    }
}

#[test]
fn the_names_that_are_looked_at_are_known_where_they_are_written() {
    for (source, names) in [
        ("$context.a & $context.b.c", Some(vec!["a", "b"])),
        ("a[b = $context.c]", Some(vec!["c"])),
        ("$context[0].a", Some(vec!["a"])),
        ("a", Some(vec![])),
        ("$context", None),
        ("$context.*", None),
        ("$lookup($context, \"a\")", None),
        ("( $c := $context; $c.a )", None),
    ] {
        let expression = Expression::parse(source).unwrap();
        let flow = expression.context_variable();
        let names: Option<std::collections::BTreeSet<String>> =
            names.map(|all: Vec<&str>| all.into_iter().map(str::to_owned).collect());
        assert_eq!(flow.names, names, "{source}");
    }
}

#[test]
fn entries_of_an_object_are_known_by_their_keys() {
    for (source, expected) in [
        (
            "{ \"a\": b, \"c\": $context.d }",
            Some(vec![("a", false), ("c", true)]),
        ),
        (
            "x ? { \"a\": b } : { \"a\": $context.b }",
            Some(vec![("a", true)]),
        ),
        (
            "( $c := $context; { \"a\": $c.b } )",
            Some(vec![("a", true)]),
        ),
        ("({ \"a\": 1 })", Some(vec![("a", false)])),
        ("{}", Some(vec![])),
        ("{ a: b }", None),
        ("{ \"a\" & b: 1 }", None),
        ("$merge([a, {}])", None),
        ("$", None),
    ] {
        let expression = Expression::parse(source).unwrap();
        let flow = expression.context_variable();
        let expected = expected.map(|all| {
            all.into_iter()
                .map(|(key, flows)| (key.to_owned(), flows))
                .collect()
        });
        assert_eq!(flow.entries, expected, "{source}");
    }
}

#[test]
fn a_chain_that_is_too_long_to_follow_flows() {
    let links: Vec<String> = (0..100).map(|n| format!("$a{n} := $a{}", n + 1)).collect();
    let source = format!("( {}; $a100 := 1; {{ \"a\": 1 }} )", links.join("; "));
    let expression = Expression::parse(&source).unwrap();
    assert!(!expression.context_variable().flows);
    let source = format!(
        "( {}; $a100 := $context; {{ \"a\": 1 }} )",
        links.join("; ")
    );
    let expression = Expression::parse(&source).unwrap();
    let flow = expression.context_variable();
    assert!(flow.flows && flow.entries.is_none());
}

#[test]
fn a_name_is_not_all_that_is_looked_at_where_a_path_comes_back() {
    for source in ["$context@$c.a.($c.b)", "$context.a.(%.b)"] {
        let expression = Expression::parse(source).unwrap();
        assert_eq!(expression.context_variable().names, None, "{source}");
    }
}

#[test]
fn a_root_is_followed_like_a_variable() {
    let one = |name: &str| Some(std::collections::BTreeSet::from([name.to_owned()]));
    for (source, flows, names) in [
        ("context.a", true, one("a")),
        (
            "{ \"x\": \"Key \" & $base64encode(context.a & \":\") }",
            true,
            one("a"),
        ),
        ("( $k := context.a; { \"x\": $k } )", true, one("a")),
        ("context.a ? { \"x\": 1 }", false, one("a")),
        (
            "{ \"context\": url }",
            false,
            Some(std::collections::BTreeSet::new()),
        ),
        ("requestOptions.context.a", false, None),
        ("context", true, None),
        ("$string(context)", true, None),
        ("context.a & $lookup($$, \"context\").b", true, None),
        ("context.a & $.context.b", true, None),
        ("context.a & **.b", true, None),
        ("url.(context.a)", false, None),
        ("(function() { context.a })()", false, None),
    ] {
        let expression = Expression::parse(source).unwrap();
        let flow = expression.context_root();
        assert_eq!((flow.flows, &flow.names), (flows, &names), "{source}");
    }
}
