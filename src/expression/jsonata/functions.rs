//! The functions whose result depends on time or chance, made to depend on
//! the [`Moment`] alone.

use std::cell::Cell;
use std::rc::Rc;

use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, HostFnResult};
use jsonata_core::parser;
use jsonata_core::value::JValue;

use crate::crypto::sha256;

use super::failure::refuse;
use super::{ExpressionError, Moment, metering, signatures};

/// Registers them on an evaluator that is used once.
pub(super) fn register(evaluator: &mut Evaluator, moment: &Moment) -> Result<(), EvaluatorError> {
    let now_ms = moment.now_ms;
    evaluator.register_fn_override("now", move |args: &[JValue]| now(now_ms, args))?;
    evaluator.register_fn_override("millis", move |_: &[JValue]| Ok(JValue::from(now_ms)))?;
    let chance = RandomSource::new(moment);
    let dice = Rc::clone(&chance);
    evaluator.register_fn_override("random", move |_: &[JValue]| {
        Ok(JValue::from(dice.fraction()))
    })?;
    let dice = Rc::clone(&chance);
    evaluator.register_fn("uuid", move |_: &[JValue]| Ok(JValue::from(dice.uuid())))?;
    evaluator.register_fn_override("shuffle", move |args: &[JValue]| Ok(shuffle(&chance, args)))?;
    signatures::register(evaluator)
}

/// `$now(picture?, timezone?)` by the engine's own `$fromMillis`.
fn now(now_ms: i64, args: &[JValue]) -> HostFnResult {
    metering::check_picture("now", &JValue::Undefined, args).map_err(refuse)?;
    let mut context = Context::new();
    context.bind("ms".to_owned(), JValue::from(now_ms));
    context.bind(
        "picture".to_owned(),
        args.first().cloned().unwrap_or(JValue::Undefined),
    );
    context.bind(
        "zone".to_owned(),
        args.get(1).cloned().unwrap_or(JValue::Undefined),
    );
    run("$fromMillis($ms, $picture, $zone)", context)
}

fn run(source: &str, context: Context) -> HostFnResult {
    let ast = parser::parse(source)
        .map_err(|error| EvaluatorError::EvaluationError(error.to_string()))?;
    Evaluator::with_context(context).evaluate(&ast, &JValue::Null)
}

/// JSONata's `$boolean` of a value; undefined is false.
pub(super) fn boolean(value: &JValue) -> Result<bool, ExpressionError> {
    let mut context = Context::new();
    context.bind("value".to_owned(), value.clone());
    let result = run("$boolean($value)", context)?;
    Ok(result.as_bool().unwrap_or(false))
}

/// Fisher–Yates, as the engine's own `$shuffle`.
fn shuffle(chance: &RandomSource, args: &[JValue]) -> JValue {
    let mut items = match args.first() {
        None | Some(JValue::Undefined) => return JValue::Undefined,
        Some(JValue::Array(items)) => items.to_vec(),
        Some(other) => vec![other.clone()],
    };
    for last in (1..items.len()).rev() {
        items.swap(last, chance.below(last + 1));
    }
    JValue::array(items)
}

/// Numbers drawn from SHA-256(seed ‖ counter): the same for the same moment,
/// and no result tells the next.
struct RandomSource {
    seed: [u8; 32],
    drawn: Cell<u64>,
}

impl RandomSource {
    fn new(moment: &Moment) -> Rc<Self> {
        Rc::new(Self {
            seed: moment.random,
            drawn: Cell::new(0),
        })
    }

    fn draw(&self) -> u128 {
        let counter = self.drawn.get();
        self.drawn.set(counter.wrapping_add(1));
        let hash = sha256(&[self.seed.as_slice(), &counter.to_be_bytes()].concat());
        hash.iter()
            .take(16)
            .fold(0, |number, byte| number << 8 | u128::from(*byte))
    }

    /// At least 0, below 1: 53 bits, which an f64 holds exactly.
    #[allow(clippy::cast_precision_loss)]
    fn fraction(&self) -> f64 {
        (self.draw() >> 75) as f64 / (1_u64 << 53) as f64
    }

    #[allow(clippy::cast_possible_truncation)] // the remainder fits
    fn below(&self, bound: usize) -> usize {
        (self.draw() % bound.max(1) as u128) as usize
    }

    /// RFC 9562, version 4.
    fn uuid(&self) -> String {
        uuid::Builder::from_random_bytes(self.draw().to_be_bytes())
            .into_uuid()
            .to_string()
    }
}
