//! The bounds of expressions, each with its reason. A test is just under
//! and just over each.

use jsonata_core::parser::{Lexer, Token};

use super::ExpressionError;

/// Bytes of source. The longest expression we ship has 700.
pub const SOURCE_BYTES: usize = 16 * 1024;
/// Steps of compiling a byte of source.
pub(super) const COMPILING_A_BYTE: u64 = 250;
/// Steps of following where the values of an expression come from, for a byte of its source: some ten traversals.
pub(super) const FOLLOWING_A_BYTE: u64 = 30;
/// Steps of converting a value for the engine or from it, where an evaluation is one of several that are counted together.
pub(super) const CONVERTING_A_VALUE: u64 = 10;
/// Built-in functions that are named as values, such as `$map(list, $string)`.
/// Each becomes a separate function.
pub const NAMED_FUNCTIONS: usize = 100;
/// Levels the source may nest, operators of one chain counted. The engine's
/// parser recurses once per level, and V8's stack is about 1 MB.
pub const SOURCE_DEPTH: usize = 200;
/// Levels of evaluation. The engine's default of 30,000 overflows V8's stack,
/// which resets the isolate; a recursive function uses four per call.
/// 1,000 levels of every operator were seen to work.
pub const STACK_DEPTH: usize = 400;
/// Functions of the expression that may be running at once, one within the
/// other; tail calls, which end the function that makes them, do not add up.
/// A call by a built-in (`$sort`, `$map`) is one level of evaluation but three
/// times the stack of others: 400 were seen to work.
pub const FRAMES: usize = 100;
/// So many conditionals and blocks around a function's last step take the
/// stack of one more function: the engine counts no level for them.
pub const TAIL_STEPS_PER_FRAME: usize = 8;
/// Levels a value given to a function may nest, functions that remember values
/// included. The engine visits and drops values by recursion.
pub const ARGUMENT_DEPTH: usize = 256;
/// Items a sequence may have while it is computed.
pub const SEQUENCE_LENGTH: usize = 100_000;
/// Steps of one evaluation, of at most some 5 ns of native release code each:
/// see `super::metering`. In the Worker this is well below a second.
pub const STEPS: u64 = 64_000_000;
/// Steps below which an expression is not counted: it cannot take more on what
/// it is given.
pub const UNCOUNTED_STEPS: u64 = 6_000_000;
/// Bytes of text an evaluation may produce on its way, garbage included.
/// Without it `$a & $a` thirty times over ends the isolate.
pub const PRODUCED_BYTES: usize = 8 * 1024 * 1024;
/// Items, entries and containers it may produce, at 16 to 60 bytes each.
pub const PRODUCED_VALUES: usize = 1_000_000;
/// Bytes of a picture of a number or a time. The longest we know has 50.
pub const PICTURE_BYTES: usize = 256;
/// Markers such as `[Y]` in a picture of a time.
pub const PICTURE_MARKERS: usize = 32;
/// Digits in a picture of a number or in a marker, and separators: those of the
/// largest number that is exact in an i64.
pub const PICTURE_DIGITS: usize = 18;
/// Bytes of a text that is read by a picture. The longest date in words has
/// some 100.
pub const PARSED_BYTES: usize = 128;
/// Bytes of a text that is hashed or signed: the largest body that is held for a signature.
pub const SIGNED_BYTES: usize = 1024 * 1024;
/// Bytes of a key. The longest in use are a private key as PEM, and secrets of some 100 bytes.
pub const SIGNING_KEY_BYTES: usize = 8 * 1024;
/// The largest bound of a range: the difference of two fits in 32 bits.
pub const RANGE_BOUND: f64 = 2_147_483_647.0;
/// Bytes of the compiled regular expressions of one expression in all, each
/// rounded up to a power of four.
pub const REGEX_BYTES_IN_ALL: usize = 1024 * 1024;
/// Bytes of strings and keys in a result.
pub const RESULT_BYTES: usize = 8 * 1024 * 1024;
/// Values in a result, containers and scalars. Shared parts count each time.
pub const RESULT_VALUES: usize = 500_000;
/// Levels of an input or a result; `serde_json` reads no more either.
pub const VALUE_DEPTH: usize = 128;

/// Refuses a source that is too long or nests too deep, before the parser
/// recurses into it.
pub(super) fn check_source(source: &str) -> Result<(), ExpressionError> {
    if source.len() > SOURCE_BYTES {
        return Err(ExpressionError::TooLong);
    }
    let mut lexer = Lexer::new(source.to_owned());
    // Tokens since the last separator, for each bracket that is open.
    let mut open = vec![0_usize];
    loop {
        let token = lexer
            .next_token()
            .map_err(|error| ExpressionError::Syntax(error.to_string()))?;
        match token {
            Token::Eof => return Ok(()),
            Token::LeftParen | Token::LeftBracket | Token::LeftBrace => open.push(1),
            Token::RightParen | Token::RightBracket | Token::RightBrace if open.len() > 1 => {
                open.pop();
            }
            Token::Comma | Token::Semicolon => {
                if let Some(count) = open.last_mut() {
                    *count = 1;
                }
            }
            operator if nests(&operator) => {
                if let Some(count) = open.last_mut() {
                    *count += 1;
                }
            }
            _ => {}
        }
        if open.iter().sum::<usize>() > SOURCE_DEPTH {
            return Err(ExpressionError::TooDeep);
        }
    }
}

/// Whether a token puts its neighbours one level deeper. Dots do not:
/// the steps of a path lie in one list.
fn nests(token: &Token) -> bool {
    !matches!(
        token,
        Token::String(_)
            | Token::Number(_)
            | Token::True
            | Token::False
            | Token::Null
            | Token::Undefined
            | Token::Regex { .. }
            | Token::Identifier(_)
            | Token::Variable(_)
            | Token::ParentVariable(_)
            | Token::Dot
    )
}
