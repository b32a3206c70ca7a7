//! Metering: bounds what one evaluation of a JSONata expression may do. This module is the only border between the
//! project and how the engine (`jsonata-core` 2.2.13) works inside.
//!
//! # What it guarantees
//!
//! An evaluation ends with a result or an [`ExpressionError`](super::ExpressionError); it neither panics nor exceeds
//! these limits, each defined in [`limits`](super::limits) and tested just below and just above:
//!
//! | limit | of |
//! |---|---|
//! | `STEPS` | work; one step is at most about 5 ns of native release code |
//! | `PRODUCED_BYTES`, `PRODUCED_VALUES` | text and values that are made, those dropped again included |
//! | `FRAMES`, `ARGUMENT_DEPTH` | functions that run within each other, depth of their arguments |
//! | `PICTURE_*`, `PARSED_BYTES`, `RANGE_BOUND` | arguments at which the engine panics or does not end |
//! | `REGEX_BYTES_IN_ALL` | compiled regular expressions |
//!
//! The result is the one that the engine gives without metering.
//!
//! # Why it is needed
//!
//! The engine bounds the depth of an evaluation and the length of a sequence, not its work: `$v[$ = $x]` for each of
//! 20,000 numbers took 133 s. On wasm32 a panic or an exhausted memory ends the isolate, which serves many accounts.
//! A time limit is no substitute: the clock of a Worker does not advance during a computation, and no second thread
//! exists that could interrupt it.
//!
//! # How it works
//!
//! The engine offers no hook but host functions. So [`prepare`] copies the syntax tree and puts calls of host functions
//! into the copy ([`rewrite`]; [`hook`] has their names). [`Meter::register`] gives an evaluator these functions, which
//! subtract from what is left ([`meter`]). [`price`] has the price list. Charged are:
//!
//! - each *body* (of a function, predicate, step, sort term, key or value of a group, update), once per run, by the
//!   number of its nodes;
//! - each *path*, before it runs, by the values it will visit ([`plan`]): consecutive names, the items of arrays between
//!   them, what simple predicates look at, the tuples of `@` and `#`. A path that starts at the context or at a variable
//!   from outside is paid with its body, any other one before itself; what follows on a computed step is paid
//!   with the value of that step;
//! - each *operator* whose operands may be large (`=`, `!=`, `in`, `<`, `&`, `..`, conditions, `|…|…|`), by looking at
//!   them as far as the engine will;
//! - each *built-in function*, by its arguments (`rewrite::builtin` has the table; a built-in that is not in the table
//!   is not available);
//! - each use of a *regular expression*, by its compiled size and the length of the text;
//! - what is *produced*, before it is made: text in bytes, and values.
//!
//! # What it costs
//!
//! A metered evaluation makes at least one call of a host function per body (`price::HOOK`, some 200 ns). An expression
//! that cannot exceed `limits::UNCOUNTED_STEPS` on an input of the given size runs as it was written
//! ([`rewrite::MeteredTree::plain`]); that is the usual case. Each compiled expression holds its tree twice. The price list
//! is coarse: work is overestimated, on some paths several times.
//!
//! # What it relies on in the engine
//!
//! To be examined whenever the version changes; `tests::counting_changes_no_result` and the tables of `tests` fail for
//! most of it:
//!
//! - A host function's arguments are evaluated once and in order. Its call may be put where its value may be. No
//!   JSONata name contains a space.
//! - A block holds the values of its steps until its end (`rewrite::frame`).
//! - `$map`, `$filter`, `$reduce`, `$single` and `$each` evaluate their first argument twice and depend on the form of
//!   the second, so their arguments are scanned one by one. `$exists` depends on the form of its argument.
//! - The kind of a path's first step (variable, sort, array, block) decides whether it maps over the context. A path of
//!   one step and the input of a group filter the value before it is unwrapped. These steps keep their kind.
//! - A partial application is a function of parameters `__p…` (`meter::nesting`).
//! - Pictures, numbers and texts at which the engine panics or does not end (`meter::picture`).
//! - It sorts numbers, and objects by a field, by an order that NaN breaks.
//! - On wasm32 it takes the length of a range by its lower 32 bits.
//! - It compiles a regular expression at each use, with the `regex` crate.
//!
//! # When it may go
//!
//! When the engine has its own step limit and its own limit of produced bytes. The tests of this module are the
//! specification for that limit: `tests/too_large.txt` and `tests/same_results.txt` must pass before and after the
//! change. A patched or vendored engine was rejected: the project carries neither.

mod hook;
mod meter;
mod plan;
mod price;
mod rewrite;
mod table;

pub(super) use self::meter::{Meter, check_picture};
pub(super) use self::rewrite::prepare;
pub(super) use self::table::Table;

#[cfg(test)]
mod tests;
