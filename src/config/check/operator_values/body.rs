//! The operator's values in bodies.

use std::fmt;

use crate::expression::TemplateTree;

use super::{Name, OperatorValue, holds_key, kind};

/// The operator's values in a body.
pub(in crate::config::check) fn of_tree(tree: &TemplateTree, at: &str) -> Vec<OperatorValue> {
    let mut values = Vec::new();
    add_tree(tree, Name::Other, &BodyPlace::Root(at), &mut values);
    values
}

/// The same of one entry of an object.
pub(in crate::config::check) fn of_entry(
    name: &str,
    tree: &TemplateTree,
    at: &str,
) -> Vec<OperatorValue> {
    let mut values = Vec::new();
    let root = BodyPlace::Root(at);
    add_tree(
        tree,
        Name::of(name),
        &BodyPlace::Key(&root, name),
        &mut values,
    );
    values
}

/// Where in a body something is; written only where a value is found.
enum BodyPlace<'p> {
    Root(&'p str),
    Key(&'p BodyPlace<'p>, &'p str),
    Index(&'p BodyPlace<'p>, usize),
}

/// The characters of a key that a place quotes.
const KEY_CHARACTERS: usize = 80;

impl fmt::Display for BodyPlace<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(at) => out.write_str(at),
            Self::Key(parent, key) => write!(out, "{parent}.{key:.KEY_CHARACTERS$}"),
            Self::Index(parent, index) => write!(out, "{parent}[{index}]"),
        }
    }
}

/// The recursion is as deep as the file, which is bounded.
fn add_tree(tree: &TemplateTree, name: Name, at: &BodyPlace, values: &mut Vec<OperatorValue>) {
    match tree {
        TemplateTree::Plain(_) => {}
        TemplateTree::Text(template) => {
            if let Some(kind) = kind(template, || holds_key(name, template)) {
                let at = at.to_string();
                values.push(OperatorValue { at, kind });
            }
        }
        TemplateTree::List(items) => {
            for (index, item) in items.iter().enumerate() {
                add_tree(item, name, &BodyPlace::Index(at, index), values);
            }
        }
        TemplateTree::Object(entries) => {
            for (key, item) in entries {
                add_tree(item, Name::of(key), &BodyPlace::Key(at, key), values);
            }
        }
    }
}
