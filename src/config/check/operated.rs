//! Keys of the context that an action fills with what is the operator's: a variable, or what a request was answered that the
//! operator's credential opened. A value there is not the customer's secret, even if its name says so.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::config::action::{ContextChange, EXCHANGE, REFRESH, StepKind};
use crate::config::source::Sources;
use crate::config::{Config, Credential};
use crate::expression::{Expression, TemplateTree, effort};

use super::carried::{CarriedReader, is_token};
use super::client::can_be_operators;
use super::opened::{is_own, sent};
use super::traced::{TracedStep, traced};
use super::typed::Typed;

/// Rounds in which what such a key opened is followed; after a longer chain every key is one.
const ROUNDS: usize = 8;

/// What of an account's context can be the operator's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Operated {
    keys: BTreeSet<String>,
    /// Whether any key can be that no field declares: the keys that are written are computed.
    is_any: bool,
    declared: Rc<BTreeSet<String>>,
    /// Whether the account's OAuth token can be: `refresh_token` answers with it.
    is_token: bool,
}

impl Operated {
    pub(super) fn of(config: &Config, typed: &Typed) -> Self {
        let declared = config
            .fields()
            .flat_map(|field| field.filled_keys().cloned());
        let mut operated = Self {
            declared: Rc::new(declared.collect()),
            ..Self::default()
        };
        let mut signed = config.credentials.values().filter_map(Credential::jwt);
        if signed.any(|jwt| jwt.has_operators_key(can_be_operators)) {
            operated.keys.insert("jwt".to_owned());
        }
        for _ in 0..ROUNDS {
            let next = operated.round(config, typed);
            if next == operated {
                return operated;
            }
            operated = next;
        }
        Self {
            is_any: true,
            is_token: true,
            ..operated
        }
    }

    /// Whether this key can hold what is the operator's.
    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.contains(key) || (self.is_any && !self.declared.contains(key))
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.is_any && self.keys.is_empty()
    }

    pub(super) fn is_token(&self) -> bool {
        self.is_token
    }

    /// These, and what is filled by way of them.
    fn round(&self, config: &Config, typed: &Typed) -> Self {
        let reader = CarriedReader::new(config, typed, self);
        let mut next = self.clone();
        for placed in config.placed_actions() {
            let (mut is_operators, mut asks_by_code) = (false, false);
            for step in traced(placed.name, placed.action) {
                let behind = next.behind(&reader, &step, is_operators);
                asks_by_code |= placed.name == EXCHANGE && sends_code(&reader, &step);
                is_operators = behind || (is_operators && step.may_be_skipped);
            }
            // A token for a code is the customer's, like one of the token endpoint.
            let is_grant = placed.name == REFRESH || (placed.name == EXCHANGE && !asks_by_code);
            next.is_token |= is_operators && is_grant;
        }
        next
    }

    /// Notes what a step writes; whether the value after it is the operator's.
    fn behind(&mut self, reader: &CarriedReader, step: &TracedStep, is_operators: bool) -> bool {
        match &step.step.kind {
            StepKind::Request(_) | StepKind::Call(_) => sent(reader, step).is_none_or(|carried| {
                (carried.variable || carried.operators_key) && !is_own(&carried)
            }),
            StepKind::SetContext(change) | StepKind::UpdateContext(change) => {
                self.add(change, step, is_operators);
                is_operators
            }
            StepKind::Transform(expression) => is_operators || self.is_read_by(expression),
            StepKind::GetContext(get) => match get.path.as_ref().and_then(|path| path.first()) {
                Some(key) => self.has(key),
                None => !self.is_empty(),
            },
            // Its alternatives are looked at one by one.
            StepKind::Form(_) | StepKind::AnyOf(_) => false,
        }
    }

    fn add(&mut self, change: &ContextChange, step: &TracedStep, is_operators: bool) {
        match change {
            // An expression sees no variables.
            ContextChange::Expression(expression)
                if !is_operators && !self.is_read_by(expression) => {}
            ContextChange::Expression(_) => match change.written(&step.before).provenances() {
                Ok(keys) => self.keys.extend(keys.keys().cloned()),
                Err(_) => self.is_any = true,
            },
            ContextChange::Values(TemplateTree::Object(entries)) => {
                for (key, value) in entries {
                    if self.holds_operators(value, is_operators) {
                        self.keys.insert(key.clone());
                    }
                }
            }
            ContextChange::Values(value) => {
                self.is_any |= self.holds_operators(value, is_operators);
            }
        }
    }

    fn is_read_by(&self, expression: &Expression) -> bool {
        let flow = expression.context_variable();
        match &flow.names {
            Some(names) => names.iter().any(|key| self.has(key)),
            None => !self.is_empty(),
        }
    }

    fn holds_operators(&self, value: &TemplateTree, is_operators: bool) -> bool {
        let placeholders = value.placeholders();
        if effort::take(A_PLACEHOLDER.saturating_mul(1 + placeholders.len() as u64)).is_err() {
            return true;
        }
        let sources = Sources::of_placeholders(placeholders.into_iter());
        let is_one = |key: &&str| self.has(key) || (self.is_token && is_token(key));
        sources.variable.is_some()
            || (sources.call && is_operators)
            || sources.whole_context && !self.is_empty()
            || sources.context.iter().any(is_one)
    }
}

/// Whether a request carries the code of a callback.
fn sends_code(reader: &CarriedReader, step: &TracedStep) -> bool {
    let carried = sent(reader, step);
    carried.is_some_and(|carried| carried.given || carried.body.contains("code"))
}

/// Steps of looking at a placeholder.
const A_PLACEHOLDER: u64 = 60;
