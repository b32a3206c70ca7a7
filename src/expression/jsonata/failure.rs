//! Errors of the engine in words that quote no data: its own messages name
//! values ("Cannot convert 'x' to number"), and what failed is logged.

use jsonata_core::evaluator::EvaluatorError;

use super::ExpressionError;

/// Our own reasons, distinguished from the engine's by their mark.
pub(super) const TOO_MUCH_WORK: &str = "too_much_work";
pub(super) const TOO_LARGE: &str = "too_large";
pub(super) const TOO_DEEP: &str = "too_deep";
pub(super) const NOT_A_VALUE: &str = "not_a_value";
pub(super) const BAD_PICTURE: &str = "bad_picture";
pub(super) const BAD_NUMBER: &str = "bad_number";
pub(super) const BAD_TEXT: &str = "bad_text";
pub(super) const BAD_SIGNATURE_ARGUMENT: &str = "bad_signature_argument";
const UNKNOWN: &str = "failed";
const MARK: &str = "causeway:";

/// An error that a host function ends the evaluation with.
pub(super) fn refuse(code: &str) -> EvaluatorError {
    EvaluatorError::EvaluationError(format!("{MARK}{code}"))
}

impl From<EvaluatorError> for ExpressionError {
    fn from(error: EvaluatorError) -> Self {
        let own = error.message().strip_prefix(MARK);
        let code = own.or(error.code()).unwrap_or(UNKNOWN);
        Self::Evaluation {
            code: code.to_owned(),
            text: text(code),
        }
    }
}

fn text(code: &str) -> String {
    let words = match code {
        TOO_MUCH_WORK => {
            "the expression took more steps than it may; does it compare everything with everything, or never end?"
        }
        TOO_LARGE => "the expression produced more text or values than it may",
        TOO_DEEP => "a value nests too deep",
        NOT_A_VALUE => "this built-in function can be called but not stored under its own name",
        BAD_PICTURE => {
            "a picture has more than 256 bytes, 32 markers, or 18 digits, separators or places, or an option or marker that cannot be used: see docs/scopes.md"
        }
        BAD_NUMBER => "a number is not finite, or larger than what is done with it allows",
        BAD_TEXT => {
            "a text that a picture reads has more than 128 bytes, or digits or letters that cannot be read"
        }
        BAD_SIGNATURE_ARGUMENT => {
            "`$hash`, `$hmac` or `$sign` was given an unknown algorithm or encoding, a text or key that is missing or too long, or a key that cannot be read: see docs/scopes.md"
        }
        UNKNOWN => "the expression failed",
        engine => return format!("{engine}: {}", of_engine(engine)),
    };
    words.to_owned()
}

/// The engine's codes are those of JSONata (docs.jsonata.org).
fn of_engine(code: &str) -> &'static str {
    match code {
        "T0410" => "an argument does not match the function's signature",
        "T0411" => "the context value does not match the function's signature",
        "T0412" => "an argument must be an array of the type in the signature",
        "T1003" => "a key of an object must be a string",
        "T1005" | "T1006" => "what is called is not a function",
        "T1007" | "T1008" => "what is partially applied is not a function",
        "T1010" => "the matcher function does not return the right object",
        "T2001" => "the left side of an operator must be a number",
        "T2002" => "the right side of an operator must be a number",
        "T2003" | "T2004" => "the bounds of a range must be integers",
        "T2006" => "the right side of `~>` must be a function",
        "T2007" => "values of different types cannot be ordered",
        "T2008" => "what is ordered by must be numbers or strings",
        "T2009" => "both sides of an operator must be of the same type",
        "T2010" => "only numbers and strings can be compared",
        "T2011" | "T2012" => "a transform must update by objects and delete by strings",
        "T2013" => "a transform cannot copy its input",
        "D1001" | "D3001" => "a number is out of range",
        "D1002" => "only a number can be negated",
        "D1004" => "a regular expression matches an empty string",
        "D1009" => "several keys of an object are the same",
        "D1011" | "U1001" => "the evaluation nests too deep; is there an endless recursion?",
        "D2014" | "D2015" => "a sequence has too many items",
        "D3010" | "D3011" | "D3012" => {
            "`$replace` was given a pattern or replacement it cannot use"
        }
        "D3020" => "`$split` was given a negative limit",
        "D3030" => "a value cannot be converted to a number",
        "D3040" => "`$match` was given a negative limit",
        "D3050" => "the function of `$reduce` needs two parameters",
        "D3060" | "D3061" => "a number function has no result for its argument",
        "D3070" => "`$sort` needs a function for what are not numbers or strings",
        "D3100" => "a radix must be between 2 and 36",
        "D3110" => "a time is not in ISO 8601",
        "D3137" => "the expression called `$error`",
        "D3138" | "D3139" => "`$single` needs exactly one match",
        "D3140" => "a URL is malformed",
        "D3141" => "an `$assert` failed",
        code if code.starts_with("D308") || code.starts_with("D313") => "a picture string is wrong",
        _ => "the evaluation failed",
    }
}
