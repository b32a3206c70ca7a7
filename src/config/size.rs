//! How much memory a compiled config takes: many times its text.

use std::mem::size_of;

use super::Config;
use super::action::StepConfig;
use super::resource::Method;
use super::syncs::Sync;

/// Places of a node of a `BTreeMap`, all of them inside it, and how many of them are filled at least where there are
/// several nodes.
const NODE: usize = 11;
const FILLED: usize = 5;
/// What templates and expressions take in addition, for each byte of their text.
const TEXT: usize = 8;

impl Config {
    /// The bytes it takes, estimated; `json` is how long its JSON is.
    pub fn memory_bytes(&self, json: usize) -> usize {
        let nodes = |methods: usize| methods.div_ceil(FILLED).max(1);
        let methods = self.resources.values().map(|methods| nodes(methods.len()));
        let methods = methods.sum::<usize>() * NODE * size_of::<(String, Method)>();
        let steps = self
            .placed_actions()
            .map(|placed| placed.action.placed().count());
        let steps = steps.sum::<usize>() * size_of::<StepConfig>();
        json.saturating_mul(TEXT)
            .saturating_add(methods)
            .saturating_add(steps)
            .saturating_add(self.syncs.len() * size_of::<(String, Sync)>())
    }
}
