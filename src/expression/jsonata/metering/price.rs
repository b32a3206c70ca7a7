//! What things cost, in steps of about 5 ns of native release code, and the
//! static part: the nodes of a body. The numbers were measured; none is less
//! than what was seen.

use jsonata_core::ast::{AstNode, Stage};

/// A node of the tree, evaluated once.
pub(super) const NODE: u64 = 6;
/// A call of a host function of ours, with its look-up by name.
pub(super) const HOOK: u64 = 40;
/// A call of a function of the expression.
pub(super) const CALL: u64 = 160;
/// Making a function costs this for each node of its body: it is copied.
pub(super) const COPY: u64 = 75;
/// A value a path visits.
pub(super) const VISIT: u64 = 10;
/// An item that joins a group of others with its key.
pub(super) const GROUPED: u64 = 80;
/// An item that came of a step of a path.
pub(super) const FOUND: u64 = 15;
/// A container that `*` opens.
pub(super) const OPENED: u64 = 100;
/// A predicate, evaluated for one item.
pub(super) const PREDICATE: u64 = 8;
/// An item that a step's result is made longer by. The engine bounds a sequence
/// when it is complete: at this price it has 24 MiB before.
pub(super) const JOINED: u64 = 50;
/// An item that a function makes a new list or object for.
pub(super) const REMADE: u64 = 120;
/// A tuple of a path with `@`, `#` or `%`, which copies its bindings: some 300
/// bytes each, which nothing else bounds.
pub(super) const TUPLE: u64 = 250;
/// What a built-in applies a function to, beside the function's own price.
pub(super) const APPLY: u64 = 40;
/// An item, entry or container that is made or looked at.
pub(super) const ITEM: u64 = 6;
/// Halvings of the longest sequence, which is how often an item is compared
/// when a list is sorted.
pub(super) const HALVINGS: u64 = 17;
/// So many bytes are compared in one step. On wasm32 there is no wider way.
pub(super) const COMPARED: usize = 8;
/// So many bytes of a key are hashed in one step.
pub(super) const HASHED: usize = 4;
/// So many bytes of a text are worked through in one step.
pub(super) const WORKED: usize = 1;
/// So many bytes of produced text cost one step.
pub(super) const MADE: usize = 2;

/// Each byte of a picture of a time or number.
pub(super) const PICTURE: u64 = 10;
/// Each byte of a text that is looked for, split at or padded with: it is
/// prepared for that by us and by the engine.
pub(super) const NEEDLE: u64 = 2;
/// A marker of a picture by which a time is read: a part of a regular
/// expression that is compiled at each use.
pub(super) const MARKER: u64 = 2_000;
/// A marker in words is so many parts.
pub(super) const WORDS: u64 = 20;

/// Calls of these cost more than a node, whatever their arguments.
fn base(name: &str) -> u64 {
    match name {
        "toMillis" => 4_000, // builds a regular expression from the picture
        "fromMillis" | "now" => 1_500,
        "formatNumber" | "formatInteger" | "parseInteger" | "formatBase" => 600,
        "random" | "uuid" => 120,
        _ => 20,
    }
}

/// Steps of a node and what is below it, when each part runs once. Parts that
/// run more often pay again for themselves.
pub(super) fn of(node: &AstNode) -> u64 {
    within(node, 0)
}

/// A variable is looked for in one scope after the other.
fn within(node: &AstNode, scopes: u64) -> u64 {
    let inner = scopes + u64::from(matches!(node, AstNode::Block(_)));
    let below = match node {
        AstNode::Lambda { .. } | AstNode::Transform { .. } => size(node) * COPY,
        _ => children(node)
            .into_iter()
            .map(|child| within(child, inner))
            .sum(),
    };
    own(node, scopes) + below
}

fn own(node: &AstNode, scopes: u64) -> u64 {
    NODE + match node {
        AstNode::Name(name) => (name.len() / HASHED) as u64,
        AstNode::String(text) => (text.len() / COMPARED) as u64,
        AstNode::Variable(name) if name.is_empty() => scopes + NODE,
        AstNode::Variable(_) | AstNode::Lambda { .. } => scopes,
        AstNode::Function { name, .. } => scopes + base(name),
        AstNode::Call { .. } => CALL,
        AstNode::Array(_) | AstNode::ArrayGroup(_) => 4 * NODE,
        AstNode::Block(_) => 8 * NODE,
        AstNode::Object(entries)
        | AstNode::ObjectTransform {
            pattern: entries, ..
        } => (6 + 5 * entries.len() as u64) * NODE,
        _ => 0,
    }
}

/// Nodes of a tree.
fn size(node: &AstNode) -> u64 {
    1 + children(node).into_iter().map(size).sum::<u64>()
}

/// What stands directly below a node.
pub(super) fn children(node: &AstNode) -> Vec<&AstNode> {
    match node {
        AstNode::String(_)
        | AstNode::Name(_)
        | AstNode::Number(_)
        | AstNode::Boolean(_)
        | AstNode::Null
        | AstNode::Undefined
        | AstNode::Placeholder
        | AstNode::Regex { .. }
        | AstNode::Variable(_)
        | AstNode::ParentVariable(_)
        | AstNode::Wildcard
        | AstNode::Descendant
        | AstNode::Parent(_) => Vec::new(),
        AstNode::Path { steps } => steps
            .iter()
            .flat_map(|step| {
                let filters = step.stages.iter().filter_map(|stage| match stage {
                    Stage::Filter(filter) => Some(filter.as_ref()),
                    Stage::KeepArray | Stage::Index(_) => None,
                });
                std::iter::once(&step.node).chain(filters)
            })
            .collect(),
        AstNode::Binary { lhs, rhs, .. } => vec![lhs, rhs],
        AstNode::Unary { operand: inner, .. }
        | AstNode::FunctionApplication(inner)
        | AstNode::Lambda { body: inner, .. } => vec![inner],
        AstNode::Function { args: items, .. }
        | AstNode::Array(items)
        | AstNode::ArrayGroup(items)
        | AstNode::Block(items) => items.iter().collect(),
        AstNode::Call { procedure, args } => std::iter::once(&**procedure).chain(args).collect(),
        AstNode::Object(entries) => pairs(entries).collect(),
        AstNode::ObjectTransform { input, pattern } => {
            std::iter::once(&**input).chain(pairs(pattern)).collect()
        }
        AstNode::Conditional {
            condition,
            then_branch,
            else_branch,
        } => [&**condition, &**then_branch]
            .into_iter()
            .chain(else_branch.as_deref())
            .collect(),
        AstNode::Sort { input, terms } => std::iter::once(&**input)
            .chain(terms.iter().map(|(term, _)| term))
            .collect(),
        AstNode::Transform {
            location,
            update,
            delete,
        } => [&**location, &**update]
            .into_iter()
            .chain(delete.as_deref())
            .collect(),
    }
}

fn pairs(entries: &[(AstNode, AstNode)]) -> impl Iterator<Item = &AstNode> {
    entries.iter().flat_map(|(key, value)| [key, value])
}

/// Whether a variable is bound in it, outside of a block or function within.
pub(super) fn binds(node: &AstNode) -> bool {
    use jsonata_core::ast::BinaryOp::ColonEqual;
    match node {
        AstNode::Block(_) | AstNode::Lambda { .. } => false,
        AstNode::Binary { op: ColonEqual, .. } => true,
        other => children(other).into_iter().any(binds),
    }
}
