//! The built-in functions, each with its price. One that is not in the table is
//! not available: it would run uncounted.

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::Evaluator;
use jsonata_core::value::JValue;

use super::super::hook;
use super::super::meter::{Scan, is_position};
use super::super::table::ValueRead;
use super::Rewriter;
use super::nodes::{call, context, scanned, wrap};
use super::predicate::is_literal;
use crate::expression::ExpressionError;

/// How a function's work and its product are paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pricing {
    /// Nothing beyond its node: it looks at no more than one number.
    Free,
    /// Each argument is looked through; the product is small.
    Scan(Scan),
    /// A text, at most about three times its argument: counted when made.
    Text,
    /// JSON text: counted from its argument.
    Json,
    /// Estimated from all arguments together; the result is a text or not.
    Estimated,
    /// As many items as the first arguments (so many) have, looked through so.
    Items(usize, Option<Scan>),
    /// As many items as the argument has, with the entries of its objects.
    Entries(Option<Scan>),
}

/// The guard of a function, and its parameters when it is passed as a value
/// (the arity that `$map` and its like look at).
pub fn guard(name: &str) -> Option<(Pricing, usize)> {
    Some(match name {
        "millis" | "random" | "uuid" => (Pricing::Free, 0),
        "abs" | "ceil" | "count" | "exists" | "floor" | "sqrt" | "type" => (Pricing::Free, 1),
        "power" | "round" => (Pricing::Free, 2),
        "length" | "number" | "error" => (Pricing::Scan(Scan::Text), 1),
        "assert" | "now" => (Pricing::Scan(Scan::Text), 2),
        "boolean" | "not" => (Pricing::Scan(Scan::Truth), 1),
        "sum" | "max" | "min" | "average" => (Pricing::Scan(Scan::Numbers), 1),
        "base64decode" | "base64encode" | "decodeUrl" | "decodeUrlComponent" | "encodeUrl"
        | "encodeUrlComponent" | "lowercase" | "trim" | "uppercase" => (Pricing::Text, 1),
        "substringAfter" | "substringBefore" => (Pricing::Text, 2),
        "substring" => (Pricing::Text, 3),
        "string" => (Pricing::Json, 1),
        "contains" | "formatBase" | "formatInteger" | "join" | "lookup" | "parseInteger"
        | "toMillis" => (Pricing::Estimated, 2),
        "pad" | "split" | "match" | "formatNumber" | "fromMillis" | "hash" => {
            (Pricing::Estimated, 3)
        }
        "replace" | "hmac" | "sign" => (Pricing::Estimated, 4),
        "reverse" => (Pricing::Items(1, None), 1),
        "shuffle" => (Pricing::Items(1, Some(Scan::Remade)), 1),
        "distinct" => (Pricing::Items(1, Some(Scan::Distinct)), 1),
        "append" => (Pricing::Items(2, None), 2),
        "map" | "filter" | "each" | "sift" => (Pricing::Items(1, Some(Scan::Apply)), 2),
        "sort" => (Pricing::Items(1, Some(Scan::Sort)), 2),
        "single" => (Pricing::Scan(Scan::Apply), 2),
        "reduce" => (Pricing::Scan(Scan::Apply), 3),
        "zip" => (Pricing::Items(usize::MAX, Some(Scan::Remade)), 4),
        "keys" => (Pricing::Entries(Some(Scan::Keys)), 1),
        "spread" => (Pricing::Entries(Some(Scan::Remade)), 1),
        "merge" => (Pricing::Entries(None), 1),
        _ => return None,
    })
}

/// Whether a built-in function is counted, so that its name alone must not
/// give the engine's own.
pub fn is_counted(name: &str) -> bool {
    guard(name).is_some_and(|(guard, _)| guard != Pricing::Free)
}

/// Whether it gives a single value.
pub(super) fn gives_scalar(name: &str) -> bool {
    match guard(name) {
        Some((Pricing::Free | Pricing::Text | Pricing::Json, _)) => true,
        Some((Pricing::Scan(_), _)) => !matches!(name, "single" | "reduce"),
        _ => matches!(
            name,
            "contains"
                | "formatBase"
                | "formatNumber"
                | "hash"
                | "hmac"
                | "join"
                | "pad"
                | "parseInteger"
                | "replace"
                | "sign"
        ),
    }
}

/// Refuses a function of the engine that the table does not know.
pub(super) fn check_known(name: &str) -> Result<(), ExpressionError> {
    if guard(name).is_some() {
        return Ok(());
    }
    let nothing = |_: &[JValue]| Ok(JValue::Undefined);
    match Evaluator::new().register_fn(name, nothing) {
        // The engine does not accept the name of a built-in function here.
        Err(_) => Err(ExpressionError::Unavailable(name.to_owned())),
        Ok(()) => Ok(()),
    }
}

/// The functions that apply one of their arguments to the items of another.
fn applies(name: &str) -> bool {
    matches!(
        name,
        "map" | "filter" | "each" | "sift" | "sort" | "single" | "reduce"
    )
}

impl Rewriter {
    /// Writes a call so that it is counted. What is left out at the front
    /// represents the context.
    pub(super) fn counted(
        &mut self,
        name: &str,
        guard: Pricing,
        mut args: Vec<AstNode>,
    ) -> AstNode {
        if args.is_empty() && matches!(guard, Pricing::Json | Pricing::Entries(_)) {
            args.push(context());
        }
        if args.is_empty() && matches!(name, "formatBase" | "fromMillis" | "toMillis") {
            args.push(context());
        }
        if args.len() == 1 && matches!(name, "each" | "sift") {
            args.insert(0, context());
        }
        let arity = self::guard(name).map_or(0, |(_, arity)| arity);
        if args.len() < arity && matches!(guard, Pricing::Text | Pricing::Scan(Scan::Text)) {
            self.body.starts.add(context(), ValueRead::Text);
        }
        match guard {
            Pricing::Free => {}
            Pricing::Text => {
                let how = match name {
                    "substring" => Scan::Position,
                    _ => Scan::Text,
                };
                scan(&mut args, usize::MAX, how);
                return call(hook::MADE, vec![call(name, args)]);
            }
            Pricing::Scan(how) => {
                let first = match how {
                    Scan::Text => usize::MAX,
                    _ => 1,
                };
                self.scan_for(name, &mut args, first, how);
            }
            Pricing::Json => {
                let is_plain = matches!(args.get(1), None | Some(AstNode::Boolean(false)));
                let count = if is_plain { hook::TEXT } else { hook::PRETTY };
                wrap_first(&mut args, 1, count);
            }
            Pricing::Items(first, how) => {
                if let Some(how) = how {
                    self.scan_for(name, &mut args, 1, how);
                }
                wrap_first(&mut args, first, hook::ITEMS);
            }
            Pricing::Entries(how) => {
                if let Some(how) = how {
                    scan(&mut args, 1, how);
                }
                wrap_first(&mut args, 1, hook::ENTRIES);
            }
            Pricing::Estimated => return self.estimated(name, args),
        }
        call(name, args)
    }

    /// What is applied may be anything where it is not written here.
    fn scan_for(&mut self, name: &str, args: &mut [AstNode], first: usize, how: Scan) {
        let is_written = matches!(args.get(1), None | Some(AstNode::Lambda { .. }));
        let how = match how {
            Scan::Sort if args.len() > 1 && is_written => Scan::Apply,
            Scan::Sort if args.len() > 1 => Scan::SortBy,
            how => how,
        };
        let applied = args
            .get(1)
            .filter(|_| self.has_patterns && applies(name) && !is_written)
            .map(|applied| match applied {
                AstNode::Variable(_) | AstNode::Regex { .. } => applied.clone(),
                _ => AstNode::Null,
            });
        scan(args, first, how);
        if name == "sort" {
            wrap_first(args, 1, hook::FINITE);
        }
        if let (Some(applied), Some(list)) = (applied, args.first_mut()) {
            wrap(list, |list| call(hook::SEARCH, vec![list, applied]));
        }
    }

    fn estimated(&mut self, name: &str, mut args: Vec<AstNode>) -> AstNode {
        if name == "replace" {
            self.count_replacements(&mut args);
        }
        check(name, &mut args, context());
        let made = call(name, args);
        match name {
            "contains" | "lookup" | "split" | "match" | "toMillis" => made,
            "parseInteger" => call(hook::FINITE, vec![made]),
            _ => call(hook::MADE, vec![made]),
        }
    }
}

fn scan(args: &mut [AstNode], first: usize, how: Scan) {
    for arg in args.iter_mut().take(first) {
        let is_free = is_literal(arg) && (how != Scan::Position || !is_far(arg));
        if !is_free && *arg != AstNode::Placeholder {
            wrap(arg, |arg| scanned(how, arg));
        }
    }
}

/// Whether a literal is a number no position can be.
fn is_far(literal: &AstNode) -> bool {
    match literal {
        AstNode::Number(position) => !is_position(*position),
        AstNode::Unary { operand, .. } => is_far(operand),
        _ => false,
    }
}

fn wrap_first(args: &mut [AstNode], first: usize, count: &str) {
    for arg in args.iter_mut().take(first) {
        wrap(arg, |arg| call(count, vec![arg]));
    }
}

/// Has all arguments looked at together, before the call.
pub(super) fn check(name: &str, args: &mut [AstNode], context: AstNode) {
    let count = args.len();
    if let Some((last, others)) = args.split_last_mut() {
        for other in others {
            wrap(other, |other| call(hook::NOTE, vec![other]));
        }
        wrap(last, |last| checked(name, count, context, last));
    }
}

/// The last of `count` arguments, the others of which were noted.
pub(super) fn checked(name: &str, count: usize, context: AstNode, last: AstNode) -> AstNode {
    let count = AstNode::Number(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    let named = AstNode::String(name.to_owned());
    call(hook::CHECK, vec![named, count, context, last])
}
