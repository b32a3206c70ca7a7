//! The account of what one evaluation does: steps of work, bytes of text,
//! values, calls within calls. This is the only border between the project and
//! how the engine works inside.
//!
//! **Why.** The engine bounds the depth of an evaluation and the length of a
//! sequence, not its work: `$v[$ = $x]` for each of 20,000 numbers took 133 s,
//! and on wasm32 nothing else runs beside it, as no clock ticks and no thread
//! can stop it. It has no step limit of its own and offers no place to count at
//! but host functions, so the syntax tree is rewritten: [`prepare`] puts calls
//! of host functions ([`hook`]) into it, [`Meter::register`] gives them to the
//! evaluator that runs it. The tree as it was written is kept beside it.
//!
//! **What is charged.** One step is at most some 5 ns of native release code
//! ([`price`] has the list):
//! - each *body* (of a function, predicate, step, sort term, key or value of a
//!   group, update) once per run, by the number of its nodes;
//! - each *path*, before it runs, by the values it will visit ([`plan`]): the
//!   names behind one another, the items of arrays between them, what simple
//!   predicates look at, the tuples of `@` and `#`. Paths that start at the
//!   context or at a variable from outside are paid with their body, others in
//!   front of themselves, and what a computed step gives with that step;
//! - each *operator* whose operands may be large (`=`, `!=`, `in`, `<`, `&`,
//!   `..`, conditions, `|…|…|`), by walking as far as the engine will;
//! - each *built-in function*, by its arguments ([`builtin`] has the table; a
//!   built-in that is not in it is not available);
//! - each use of a *regular expression*, by its compiled size and the text;
//! - what is *produced*: text in bytes, values, before it is made.
//!
//! **What it relies on** in jsonata-core 2.2.13, to be looked at when the
//! version changes (`tests::counting_changes_no_result` and the tables of
//! `tests::*` fail for most of it):
//! - a host function's arguments are evaluated once, in order, and a call of it
//!   stands for the value it gives; no name with a space can be written;
//! - a block holds the values of its steps until its end ([`frame`]);
//! - `$map`, `$filter`, `$reduce`, `$single` and `$each` evaluate their first
//!   argument twice and look at how the second is written, so those are scanned
//!   one by one and not noted; `$exists` looks at how its argument is written;
//! - a path's first step decides by its kind (variable, sort, array, block)
//!   whether it maps over the context, a one-step path and the input of a
//!   group filter the value before it is unwrapped: those keep their kind;
//! - a partial application is a function of parameters `__p…` ([`nesting`]);
//! - pictures, numbers and texts at which it panics or never ends ([`picture`]);
//! - it sorts numbers, and objects by a field, with an order that NaN breaks;
//! - on wasm32 it takes the length of a range by its lower 32 bits;
//! - it compiles a regular expression at each use, with the `regex` crate.

mod account;
mod body;
mod builtin;
mod chain;
mod compare;
mod construct;
mod estimate;
mod frame;
mod marker;
mod nesting;
mod picture;
mod pictured;
mod plan;
mod predicate;
mod price;
mod reference;
mod regular;
mod rewrite;
mod scan;

pub(super) use account::Meter;
pub(super) use body::Table;
pub(super) use picture::check as check_picture;
pub(super) use rewrite::prepare;

/// The host functions of the rewritten tree. No JSONata name has a space.
mod hook {
    /// `(charge, starts…, parameters…)`: pays for a body or a path. For the
    /// body of a function it also counts the frames, and gives what stands for
    /// them while the function runs.
    pub const PAY: &str = "causeway pay";
    /// `(paid, value)`: gives the value, where a block would hide a binding.
    pub const THEN: &str = "causeway then";
    /// `(charge, starts…, value)`: pays for what follows on a computed value.
    pub const RESULT: &str = "causeway result";
    /// `(how, value)`: pays for looking through a value, and gives it.
    pub const SCAN: &str = "causeway scan";
    /// `(list, function)`: pays for applying what may be a pattern to each item.
    pub const SEARCH: &str = "causeway search";
    /// The operators `=` and `!=`, paid by what they compare.
    pub const EQUAL: &str = "causeway equal";
    /// See [`EQUAL`].
    pub const UNEQUAL: &str = "causeway unequal";
    /// `(targets, input)`: pays for the search of a transform's targets.
    pub const LOCATE: &str = "causeway locate";
    /// `(names, object)`: pays for the removal of keys.
    pub const REMOVE: &str = "causeway remove";
    /// Counts what a bound of a range stands for, and gives the bound.
    pub const BOUND: &str = "causeway bound";
    /// Counts a value as the text it will be written as, and gives it.
    pub const TEXT: &str = "causeway text";
    /// As [`TEXT`], written with line breaks and indentation.
    pub const PRETTY: &str = "causeway pretty";
    /// Counts a text that a function has made, and gives it.
    pub const MADE: &str = "causeway made";
    /// Counts the items of an array or entries of an object, and gives it.
    pub const ITEMS: &str = "causeway items";
    /// As [`ITEMS`], with the entries of the objects in an array.
    pub const ENTRIES: &str = "causeway entries";
    /// Refuses what is no finite number, or a list of such, and gives the value.
    pub const FINITE: &str = "causeway finite";
    /// Counts everything in a value, and gives it.
    pub const WHOLE: &str = "causeway whole";
    /// `(values, bytes, value)`: counts what a constructor makes, and `value`'s items.
    pub const COST: &str = "causeway cost";
    /// Remembers an argument for [`CHECK`], and gives it.
    pub const NOTE: &str = "causeway note";
    /// `(name, count, context, last)`: what the function will do with the
    /// `count` arguments that end with `last`; counts it, and gives `last`.
    pub const CHECK: &str = "causeway check";
    /// Gives a value unless it is a built-in function that has to be counted.
    pub const VALUE: &str = "causeway value";
    /// Whether a value is a function that the expression or the engine defines.
    pub const IS_FUNCTION: &str = "causeway is function";
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_panics;
#[cfg(test)]
mod tests_pictures;
#[cfg(test)]
mod tests_random;
#[cfg(test)]
mod tests_steps;
#[cfg(test)]
mod tests_texts;
