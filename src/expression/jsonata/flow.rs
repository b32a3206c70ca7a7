//! Where the values of an expression come from: whether what a variable holds can be part of its result.
//!
//! A value flows by being named, put together or handed to a function. What only decides (a condition, a comparison, the
//! predicate of a path) hands nothing on. In doubt a value flows.

use std::collections::{BTreeMap, BTreeSet};

use jsonata_core::ast::{AstNode, BinaryOp, Stage};

use super::inputs;
use super::links::bound;

/// Functions whose result says something about what is given to them, and holds nothing of it.
pub(super) const ABOUT: &[&str] = &[
    "boolean", "contains", "count", "exists", "length", "not", "type",
];

/// What an expression gives of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// The keys of the object it gives, each with whether the variable flows into its value; `None` where the keys are
    /// computed.
    pub entries: Option<BTreeMap<String, bool>>,
    /// Whether the variable flows into any of it.
    pub flows: bool,
    /// What it looks at of the variable, by the names right below it; `None` where it can be anything.
    pub names: Option<BTreeSet<String>>,
    /// For each of `entries` the keys of the input that its value can hold something of; `None` where it can be any.
    pub inputs: BTreeMap<String, Option<BTreeSet<String>>>,
}

impl Flow {
    /// What is assumed of an expression that is not looked at: all of it flows.
    pub(super) fn unknown() -> Self {
        Self {
            entries: None,
            flows: true,
            names: None,
            inputs: BTreeMap::new(),
        }
    }
}

pub(super) fn of(node: &AstNode, variable: &str) -> Flow {
    let Some(bound) = bound(node, variable) else {
        return Flow::unknown();
    };
    let mut entries = BTreeMap::new();
    let is_plain = add_entries(node, &bound, &mut entries);
    let mut names = BTreeSet::new();
    let is_named = add_names(node, variable, &mut names);
    let inputs = if is_plain {
        inputs::of(node)
    } else {
        BTreeMap::new()
    };
    Flow {
        inputs,
        names: is_named.then_some(names),
        entries: is_plain.then_some(entries),
        flows: flows(node, &bound),
    }
}

/// The texts that stand in an expression.
pub(super) fn texts<'n>(node: &'n AstNode, texts: &mut Vec<&'n str>) {
    if let AstNode::String(text) = node {
        texts.push(text);
    }
    for child in children(node).into_iter().chain(filters(node)) {
        self::texts(child, texts);
    }
}

/// Whether something of the bound variables is in the result.
fn flows(node: &AstNode, bound: &BTreeSet<String>) -> bool {
    match node {
        AstNode::Variable(name) => bound.contains(name),
        AstNode::Binary { op, .. } if decides(*op) => false,
        AstNode::Function { name, .. } if ABOUT.contains(&name.as_str()) => false,
        AstNode::Function { name, args, .. } => {
            bound.contains(name) || args.iter().any(|arg| flows(arg, bound))
        }
        AstNode::Conditional {
            then_branch,
            else_branch,
            ..
        } => {
            flows(then_branch, bound)
                || else_branch
                    .as_deref()
                    .is_some_and(|node| flows(node, bound))
        }
        AstNode::Sort { input, .. } => flows(input, bound),
        node => children(node).into_iter().any(|child| flows(child, bound)),
    }
}

/// Adds the names that are looked at; whether nothing else is.
fn add_names(node: &AstNode, variable: &str, names: &mut BTreeSet<String>) -> bool {
    match node {
        AstNode::Variable(name) if name == variable => return false,
        // A path may come back by it to the variable that it began with.
        AstNode::Parent(_) => return false,
        _ => {}
    }
    let mut parts = children(node);
    if let Some(name) = named(node, variable) {
        names.insert(name.to_owned());
        parts.drain(..2);
    }
    let mut parts = parts.into_iter().chain(filters(node));
    parts.all(|part| add_names(part, variable, names))
}

/// The name in `$variable.name`.
fn named<'n>(node: &'n AstNode, variable: &str) -> Option<&'n str> {
    let AstNode::Path { steps } = node else {
        return None;
    };
    let first = steps.first()?;
    match (&first.node, &steps.get(1)?.node) {
        (AstNode::Variable(own), AstNode::Name(name))
            if own == variable && first.focus.is_none() =>
        {
            Some(name)
        }
        _ => None,
    }
}

pub(super) fn decides(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::LessThan
            | BinaryOp::LessThanOrEqual
            | BinaryOp::GreaterThan
            | BinaryOp::GreaterThanOrEqual
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::In
    )
}

/// Adds what an object literal names; whether it is one, in all its branches.
fn add_entries(
    node: &AstNode,
    bound: &BTreeSet<String>,
    entries: &mut BTreeMap<String, bool>,
) -> bool {
    match node {
        AstNode::Object(pairs) => pairs.iter().all(|(key, value)| {
            let AstNode::String(key) = key else {
                return false;
            };
            *entries.entry(key.clone()).or_default() |= flows(value, bound);
            true
        }),
        AstNode::Block(items) => items
            .last()
            .is_some_and(|last| add_entries(last, bound, entries)),
        AstNode::Conditional {
            then_branch,
            else_branch,
            ..
        } => {
            add_entries(then_branch, bound, entries)
                && else_branch
                    .as_deref()
                    .is_none_or(|node| add_entries(node, bound, entries))
        }
        AstNode::Path { steps } => match steps.as_slice() {
            [only] if only.stages.is_empty() => add_entries(&only.node, bound, entries),
            _ => false,
        },
        _ => false,
    }
}

/// The parts whose values can be in that of the whole.
pub(super) fn children(node: &AstNode) -> Vec<&AstNode> {
    match node {
        AstNode::Path { steps } => steps.iter().map(|step| &step.node).collect(),
        AstNode::Binary { lhs, rhs, .. } => vec![lhs, rhs],
        AstNode::Unary { operand, .. } => vec![operand],
        AstNode::Function { args, .. } => args.iter().collect(),
        AstNode::Call { procedure, args } => {
            std::iter::once(procedure.as_ref()).chain(args).collect()
        }
        AstNode::Lambda { body, .. } => vec![body],
        AstNode::Array(items) | AstNode::ArrayGroup(items) | AstNode::Block(items) => {
            items.iter().collect()
        }
        AstNode::Object(entries) => of_pairs(entries).collect(),
        AstNode::ObjectTransform { input, pattern } => std::iter::once(input.as_ref())
            .chain(of_pairs(pattern))
            .collect(),
        AstNode::Conditional {
            condition,
            then_branch,
            else_branch,
        } => {
            let branches = [condition.as_ref(), then_branch.as_ref()];
            branches.into_iter().chain(else_branch.as_deref()).collect()
        }
        AstNode::FunctionApplication(inner) => vec![inner],
        AstNode::Sort { input, terms } => {
            let terms = terms.iter().map(|(term, _)| term);
            std::iter::once(input.as_ref()).chain(terms).collect()
        }
        AstNode::Transform {
            location,
            update,
            delete,
        } => {
            let parts = [location.as_ref(), update.as_ref()];
            parts.into_iter().chain(delete.as_deref()).collect()
        }
        _ => Vec::new(),
    }
}

fn of_pairs(pairs: &[(AstNode, AstNode)]) -> impl Iterator<Item = &AstNode> {
    pairs.iter().flat_map(|(key, value)| [key, value])
}

/// The predicates of a path.
pub(super) fn filters(node: &AstNode) -> Vec<&AstNode> {
    let AstNode::Path { steps } = node else {
        return Vec::new();
    };
    steps
        .iter()
        .flat_map(|step| &step.stages)
        .filter_map(|stage| match stage {
            Stage::Filter(filter) => Some(filter.as_ref()),
            Stage::KeepArray | Stage::Index(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
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
}
