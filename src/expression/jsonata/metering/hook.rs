//! The names of what the rewritten tree calls. No JSONata name has a space.

/// `(charge, starts…, parameters…)`: pays for a body or a path. For the
/// body of a function it also counts the frames, and gives what represents
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
/// Counts what a bound of a range represents, and gives the bound.
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

/// Represents the name of a built-in where a value is called that may be a
/// regular expression, or what searches on after a match.
pub const CALLED: &str = "causeway called";

/// The same after `~>`, where the function comes last.
pub const PIPED: &str = "causeway piped";
