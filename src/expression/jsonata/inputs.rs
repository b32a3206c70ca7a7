//! Which keys of its input the entries of an object that an expression gives can hold something of. Known only where it is
//! plain to see; in doubt it can be all of the input.

use std::collections::{BTreeMap, BTreeSet};

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};

use super::flow::{ABOUT, decides, filters, sources};

/// The variable that holds the input of a step.
const INPUT: &str = "previous";

/// Functions with the fewest arguments that leave none of them to the input.
const PLAIN: &[(&str, usize)] = &[
    ("append", 2),
    ("base64decode", 1),
    ("base64encode", 1),
    ("encodeUrlComponent", 1),
    ("join", 1),
    ("lookup", 2),
    ("lowercase", 1),
    ("max", 1),
    ("merge", 1),
    ("min", 1),
    ("number", 1),
    ("string", 1),
    ("substringAfter", 2),
    ("substringBefore", 2),
    ("sum", 1),
    ("trim", 1),
    ("uppercase", 1),
];

/// The keys by the entries of an object literal, in all its branches.
pub(super) fn of(node: &AstNode) -> BTreeMap<String, Option<BTreeSet<String>>> {
    let mut all = BTreeMap::new();
    add_entries(node, binds(node), &mut all);
    all
}

/// Whether a name can be anything but what it is at first sight.
fn binds(node: &AstNode) -> bool {
    let is_binding = match node {
        AstNode::Binary { op, .. } => *op == BinaryOp::ColonEqual,
        AstNode::Lambda { .. } => true,
        _ => false,
    };
    is_binding || sources(node).into_iter().chain(filters(node)).any(binds)
}

fn add_entries(
    node: &AstNode,
    is_bound: bool,
    all: &mut BTreeMap<String, Option<BTreeSet<String>>>,
) {
    match node {
        AstNode::Object(pairs) => {
            for (key, value) in pairs {
                let AstNode::String(key) = key else { continue };
                let mut names = BTreeSet::new();
                let is_known = !is_bound && add_names(value, &mut names);
                let entry = all
                    .entry(key.clone())
                    .or_insert_with(|| Some(BTreeSet::new()));
                if !is_known {
                    *entry = None;
                } else if let Some(own) = entry {
                    own.extend(names);
                }
            }
        }
        AstNode::Block(items) => {
            if let Some(last) = items.last() {
                add_entries(last, is_bound, all);
            }
        }
        AstNode::Conditional {
            then_branch,
            else_branch,
            ..
        } => {
            add_entries(then_branch, is_bound, all);
            if let Some(node) = else_branch {
                add_entries(node, is_bound, all);
            }
        }
        AstNode::Path { steps } => {
            if let [only] = steps.as_slice() {
                add_entries(&only.node, is_bound, all);
            }
        }
        _ => {}
    }
}

/// Adds the keys of the input whose values can be in that of a node; whether there are no others.
fn add_names(node: &AstNode, names: &mut BTreeSet<String>) -> bool {
    match node {
        AstNode::String(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Regex { .. } => true,
        AstNode::Name(name) => {
            names.insert(name.clone());
            true
        }
        AstNode::Path { steps } => add_path(steps, names),
        AstNode::Binary { op, .. } if decides(*op) => true,
        AstNode::Function { name, .. } if ABOUT.contains(&name.as_str()) => true,
        AstNode::Function {
            name,
            args,
            is_builtin,
        } => *is_builtin && is_plain(name, args.len()) && add_all(args, names),
        AstNode::Conditional {
            then_branch,
            else_branch,
            ..
        } => {
            let branches = [Some(then_branch.as_ref()), else_branch.as_deref()];
            add_all(branches.into_iter().flatten(), names)
        }
        AstNode::Binary { .. }
        | AstNode::Unary { .. }
        | AstNode::Array(_)
        | AstNode::ArrayGroup(_)
        | AstNode::Object(_) => add_all(sources(node), names),
        AstNode::Block(items) if items.len() == 1 => add_all(items, names),
        _ => false,
    }
}

fn add_all<'n>(nodes: impl IntoIterator<Item = &'n AstNode>, names: &mut BTreeSet<String>) -> bool {
    nodes.into_iter().all(|node| add_names(node, names))
}

fn is_plain(function: &str, given: usize) -> bool {
    PLAIN
        .iter()
        .any(|(name, fewest)| *name == function && given >= *fewest)
}

/// Behind its first name a path says what is taken of that.
fn add_path(steps: &[PathStep], names: &mut BTreeSet<String>) -> bool {
    let is_bare = |step: &PathStep| {
        let mut stages = step.stages.iter();
        step.focus.is_none()
            && stages.all(|stage| match stage {
                Stage::Filter(filter) => matches!(filter.as_ref(), AstNode::Number(_)),
                Stage::KeepArray => true,
                Stage::Index(_) => false,
            })
    };
    if !steps.iter().all(is_bare) {
        return false;
    }
    let are_names = |steps: &[PathStep]| {
        let mut steps = steps.iter();
        steps.all(|step| matches!(step.node, AstNode::Name(_)))
    };
    match steps {
        [only] => add_names(&only.node, names),
        [first, rest @ ..] if are_names(rest) => match (&first.node, rest.first()) {
            (AstNode::Name(name), _) => {
                names.insert(name.clone());
                true
            }
            (AstNode::Variable(own), Some(second)) if own == INPUT => {
                add_names(&second.node, names)
            }
            (AstNode::Variable(own), _) => own == "context",
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::expression::Expression;

    #[test]
    fn the_keys_of_the_input_are_known_where_they_are_plain() {
        for (value, expected) in [
            ("a", Some(vec!["a"])),
            ("a.b.c & $previous.d[0].e", Some(vec!["a", "d"])),
            ("x = 1 ? a : b", Some(vec!["a", "b"])),
            ("$exists(x) ? a", Some(vec!["a"])),
            ("$context.x & 1", Some(vec![])),
            ("[a, { \"k\": b }]", Some(vec!["a", "b"])),
            ("$string(a) & $lookup(b, \"c\")", Some(vec!["a", "b"])),
            ("(a)", Some(vec!["a"])),
            ("$", None),
            ("$.a", None),
            ("$$.a", None),
            ("$previous", None),
            ("$string()", None),
            ("$uppercase()", None),
            ("$lookup(\"c\")", None),
            ("a ~> $uppercase()", None),
            ("a[b = 1].c", None),
            ("a.(b)", None),
            ("a.$$.b", None),
            ("*", None),
            ("**.a", None),
            ("a^(b)", None),
            ("(a; b)", None),
            ("$f(a)", None),
            ("$map(a, $string)", None),
            ("(function() { a })()", None),
            ("a@$x.b", None),
        ] {
            let source = format!("{{ \"k\": {value} }}");
            let expression = Expression::parse(&source).unwrap();
            let flow = expression.context_variable();
            let expected = expected.map(|all| all.into_iter().map(str::to_owned).collect());
            assert_eq!(flow.inputs["k"], expected, "{value}");
        }
        let source = "( $string := function($x) { b }; { \"k\": $string(a) } )";
        let expression = Expression::parse(source).unwrap();
        assert_eq!(expression.context_variable().inputs["k"], None);
    }
}
