//! What is known of an expression before its input is there: so nothing is read, parsed or evaluated for
//! one whose outcome does not depend on it.

use jsonata_core::ast::{AstNode, BinaryOp, PathStep};

use super::syntax::children;

/// Roots that are numbers, and known.
type KnownNumbers<'a> = &'a [(&'a str, f64)];

/// Built-in functions that look at no context when nothing is given to them.
const OF_NOTHING: &[&str] = &["now", "millis", "random", "uuid"];
/// Those that look at the context when only one argument is.
const OF_CONTEXT: &[&str] = &["lookup", "each", "sift"];

/// Whether it is true, where numbers that are known decide it: `status = 429 or (status = 403 and …)` is
/// false for 200.
pub(super) fn truth(node: &AstNode, known: KnownNumbers) -> Option<bool> {
    match node {
        AstNode::Boolean(value) => Some(*value),
        AstNode::Block(items) => match items.as_slice() {
            [only] => truth(only, known),
            _ => None,
        },
        AstNode::Path { steps } => truth(lone(steps)?, known),
        AstNode::Binary { op, lhs, rhs } => match op {
            BinaryOp::And => junction(truth(lhs, known), truth(rhs, known), false),
            BinaryOp::Or => junction(truth(lhs, known), truth(rhs, known), true),
            BinaryOp::In => is_in(number(lhs, known)?, rhs, known),
            _ => compare(*op, number(lhs, known)?, number(rhs, known)?),
        },
        _ => None,
    }
}

/// `and` is false when one side is, `or` true: that is what `decides` says.
fn junction(left: Option<bool>, right: Option<bool>, decides: bool) -> Option<bool> {
    match (left, right) {
        (Some(one), _) | (_, Some(one)) if one == decides => Some(decides),
        (Some(_), Some(_)) => Some(!decides),
        _ => None,
    }
}

#[allow(clippy::float_cmp)] // as the language does
fn compare(op: BinaryOp, left: f64, right: f64) -> Option<bool> {
    match op {
        BinaryOp::Equal => Some(left == right),
        BinaryOp::NotEqual => Some(left != right),
        BinaryOp::LessThan => Some(left < right),
        BinaryOp::LessThanOrEqual => Some(left <= right),
        BinaryOp::GreaterThan => Some(left > right),
        BinaryOp::GreaterThanOrEqual => Some(left >= right),
        _ => None,
    }
}

#[allow(clippy::float_cmp)] // as the language does
fn is_in(value: f64, list: &AstNode, known: KnownNumbers) -> Option<bool> {
    let AstNode::Array(items) = list else {
        return None;
    };
    let numbers: Option<Vec<f64>> = items.iter().map(|item| number(item, known)).collect();
    Some(numbers?.contains(&value))
}

fn number(node: &AstNode, known: KnownNumbers) -> Option<f64> {
    match node {
        AstNode::Number(value) => Some(*value),
        AstNode::Name(name) => known
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| *value),
        AstNode::Path { steps } => number(lone(steps)?, known),
        _ => None,
    }
}

/// The only step of a path that does nothing else.
fn lone(steps: &[PathStep]) -> Option<&AstNode> {
    match steps {
        [step] if step.stages.is_empty() && step.focus.is_none() && step.index_var.is_none() => {
            Some(&step.node)
        }
        _ => None,
    }
}

/// Whether it may look at one of these roots; in doubt it may.
pub(super) fn may_see(node: &AstNode, roots: &[&str]) -> bool {
    let sees = |node: &AstNode| may_see(node, roots);
    match node {
        AstNode::Name(name) => roots.contains(&name.as_str()),
        AstNode::Variable(name) => name.is_empty(),
        AstNode::ParentVariable(_)
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_)
        | AstNode::Transform { .. } => true,
        AstNode::Function {
            name,
            args,
            is_builtin: true,
        } if takes_context(name, args.len()) => true,
        AstNode::Path { steps } if steps.iter().any(|step| is_named(step, roots)) => true,
        _ => children(node).into_iter().any(sees),
    }
}

/// Whether a step is the name of a root in quotation marks.
fn is_named(step: &PathStep, roots: &[&str]) -> bool {
    matches!(&step.node, AstNode::String(name) if roots.contains(&name.as_str()))
}

fn takes_context(function: &str, given: usize) -> bool {
    match given {
        0 => !OF_NOTHING.contains(&function),
        1 => OF_CONTEXT.contains(&function),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::expression::Expression;

    #[test]
    fn what_the_status_decides_needs_nothing_else() {
        let limits = "status = 429 or (status = 403 and ($exists(headers.a) or $contains($lowercase(response.message), \"x\")))";
        for (source, status, truth) in [
            ("status = 429", 429, Some(true)),
            ("status = 429", 200, Some(false)),
            ("429 = status_code", 429, Some(true)),
            ("status >= 500 and status != 501", 503, Some(true)),
            ("status >= 500 and status != 501", 501, Some(false)),
            ("status in [420, 429]", 420, Some(true)),
            ("status in [420, 429]", 200, Some(false)),
            ("status in codes", 200, None),
            ("(status = 420)", 420, Some(true)),
            (limits, 429, Some(true)),
            (limits, 403, None),
            (limits, 200, Some(false)),
            ("status = 429 or response.busy", 200, None),
            ("response.status = 429", 429, None),
            ("status[0] = 429", 429, None),
            ("$not(status = 429)", 429, None),
            ("status = \"429\"", 429, None),
            ("false", 200, Some(false)),
        ] {
            let expression = Expression::parse(source).unwrap();
            let known = [("status", status), ("status_code", status)];
            assert_eq!(expression.foretell(&known), truth, "{source} for {status}");
        }
    }

    #[test]
    fn in_doubt_an_expression_sees_the_body() {
        for (source, sees) in [
            ("$number(headers.`x-reset`) * 1000", false),
            ("headers.`retry-after`", false),
            (
                "$exists(headers.a) ? $split(headers.a, \"/\")[1] : 1",
                false,
            ),
            ("( $u := $match(headers.a, /(\\d+)/); $u.groups[0] )", false),
            ("$fromMillis($millis() + 1000)", false),
            ("\"body\"", false),
            ("$join([\"a\", \"data\"])", false),
            ("response.code", true),
            ("\"response\".code", true),
            ("`data`", true),
            ("status = 400 and body.x", true),
            ("headers.a ? response.b", true),
            ("$", true),
            ("$$.body", true),
            ("*.code", true),
            ("**", true),
            ("$string()", true),
            ("$string($)", true),
            ("$split($, \"/\")", true),
            ("$split(headers.a, \"/\")", false),
            ("$lookup(\"bo\" & \"dy\")", true),
            ("{ \"left\": response.left }", true),
            ("[1, response.left]", true),
            ("headers[$$.response.ok]", true),
            ("$map([1], function($x) { response.a })", true),
        ] {
            let expression = Expression::parse(source).unwrap();
            assert_eq!(
                expression.may_see(&["response", "body", "data"]),
                sees,
                "{source}"
            );
        }
    }
}
