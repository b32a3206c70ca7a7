//! Which built-in functions have to be counted, and how their calls are
//! written so that they are.

use jsonata_core::ast::{AstNode, BinaryOp};

use super::super::produced::{CHECK, ENTRIES, IS_FUNCTION, ITEMS, MADE, NOTE, PRETTY, TEXT};
use super::frame::count_calls;
use super::{call, wrap};

/// How a function's product is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// A text, at most about three times its argument: counted when made.
    Text,
    /// JSON text: counted from its argument.
    Json,
    /// Estimated from all arguments together; the result is a text or not.
    Estimated,
    /// As many items as the first arguments (so many) have.
    Items(usize),
    /// As many items as the argument has, with the entries of its objects.
    Entries,
}

/// The guard of a function, and its parameters when it is passed as a value
/// (the arity that `$map` and its like look at).
pub(super) fn guard(name: &str) -> Option<(Guard, usize)> {
    Some(match name {
        "base64decode" | "base64encode" | "decodeUrl" | "decodeUrlComponent" | "encodeUrl"
        | "encodeUrlComponent" | "lowercase" | "trim" | "uppercase" => (Guard::Text, 1),
        "formatBase" | "substringAfter" | "substringBefore" => (Guard::Text, 2),
        "formatNumber" | "substring" => (Guard::Text, 3),
        "string" => (Guard::Json, 1),
        "formatInteger" | "join" | "toMillis" => (Guard::Estimated, 2),
        "pad" | "split" | "match" | "fromMillis" => (Guard::Estimated, 3),
        "replace" => (Guard::Estimated, 4),
        "reverse" | "shuffle" | "distinct" => (Guard::Items(1), 1),
        "append" | "map" | "filter" | "sort" | "each" | "sift" => {
            (Guard::Items(if name == "append" { 2 } else { 1 }), 2)
        }
        "zip" => (Guard::Items(usize::MAX), 4),
        "keys" | "spread" | "merge" => (Guard::Entries, 1),
        _ => return None,
    })
}

/// Writes a call so that it is counted. What is left out at the front stands
/// for the context.
pub(super) fn rewrite(name: &str, guard: Guard, mut args: Vec<AstNode>) -> AstNode {
    let context = || AstNode::Variable(String::new());
    if args.is_empty() && matches!(guard, Guard::Json | Guard::Entries) {
        args.push(context());
    }
    if args.len() == 1 && matches!(name, "each" | "sift") {
        args.insert(0, context());
    }
    match guard {
        Guard::Text => return call(MADE, vec![call(name, args)]),
        Guard::Json => {
            let is_plain = matches!(args.get(1), None | Some(AstNode::Boolean(false)));
            let count = if is_plain { TEXT } else { PRETTY };
            wrap_first(&mut args, 1, count);
        }
        Guard::Items(first) => wrap_first(&mut args, first, ITEMS),
        Guard::Entries => wrap_first(&mut args, 1, ENTRIES),
        Guard::Estimated => return estimated(name, args, context()),
    }
    call(name, args)
}

fn wrap_first(args: &mut [AstNode], first: usize, count: &str) {
    for arg in args.iter_mut().take(first) {
        wrap(arg, |arg| call(count, vec![arg]));
    }
}

fn estimated(name: &str, mut args: Vec<AstNode>, context: AstNode) -> AstNode {
    let count = AstNode::Number(f64::from(u32::try_from(args.len()).unwrap_or(u32::MAX)));
    if name == "replace" {
        count_replacements(&mut args);
    }
    if let Some((last, others)) = args.split_last_mut() {
        for other in others {
            wrap(other, |other| call(NOTE, vec![other]));
        }
        let named = AstNode::String(name.to_owned());
        wrap(last, |last| call(CHECK, vec![named, count, context, last]));
    }
    let made = call(name, args);
    match name {
        "split" | "match" | "toMillis" => made,
        _ => call(MADE, vec![made]),
    }
}

/// A function that gives replacements is counted by what it gives. Whether
/// the second or the third argument is the replacement, and whether what a
/// variable holds is a function, only the call shows.
fn count_replacements(args: &mut [AstNode]) {
    for arg in args.iter_mut().skip(1).take(2) {
        match arg {
            AstNode::Lambda { body, .. } => wrap(body, |body| call(MADE, vec![body])),
            AstNode::String(_) | AstNode::Number(_) | AstNode::Regex { .. } => {}
            other => wrap(other, counted_when_function),
        }
    }
}

/// `($r := value; $r is a function ? function($a, $b) { counted($r($a, $b)) } : $r)`
fn counted_when_function(value: AstNode) -> AstNode {
    let name = |index: usize| format!("causeway replacement {index}");
    let variable = |index: usize| AstNode::Variable(name(index));
    let inner = call(&name(0), vec![variable(1), variable(2)]);
    let params = vec![name(1), name(2)];
    let mut body = call(MADE, vec![inner]);
    count_calls(&params, &mut body);
    let function = AstNode::Lambda {
        params,
        body: Box::new(body),
        signature: None,
        thunk: false,
    };
    let bind = AstNode::Binary {
        op: BinaryOp::ColonEqual,
        lhs: Box::new(variable(0)),
        rhs: Box::new(value),
    };
    let choice = AstNode::Conditional {
        condition: Box::new(call(IS_FUNCTION, vec![variable(0)])),
        then_branch: Box::new(function),
        else_branch: Some(Box::new(variable(0))),
    };
    AstNode::Block(vec![bind, choice])
}
