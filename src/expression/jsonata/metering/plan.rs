//! What a path will visit, known before it runs: the steps that are names, one after the other.

use super::price::{HASHED, VISIT};

/// Steps of a path that follow one another without anything computed.
pub(super) type PathPlan = Vec<PlanStep>;

/// One step.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct PlanStep {
    pub axis: Axis,
    /// Steps of work for each value that comes of it: its simple predicates.
    pub each: u64,
    /// How often such a predicate looks at the value itself or at a field of
    /// it, which is a list where the value is one.
    pub looks: u64,
    /// Whether the whole of the value is compared.
    pub compares: bool,
    /// Variables that are compared with each value, by their slots.
    pub with: Vec<usize>,
    /// The only item that goes on, where the predicate is a number.
    pub only: Option<f64>,
    /// `@`: the next step starts where this one did, once for each value.
    pub focus: bool,
    /// Part of a stream of tuples.
    pub tuple: bool,
}

/// Where a step goes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Axis {
    /// `name`
    Name(String),
    /// `*`
    Children,
    /// `**`
    Descendants,
    /// `$`, or the variable the path starts with.
    #[default]
    Itself,
    /// `^(…)`: so many terms.
    Sort(u64),
}

/// What looking a name up costs, relative to a short name; 0 for a step that is no name.
pub(super) fn name_steps(axis: &Axis) -> u64 {
    match axis {
        Axis::Name(name) => 1 + (name.len() / HASHED) as u64 / VISIT,
        _ => 0,
    }
}

impl PlanStep {
    pub(super) fn of(axis: Axis) -> Self {
        Self {
            axis,
            ..Self::default()
        }
    }

    /// Whether it costs nothing beyond its node for any value.
    pub(super) fn is_free(&self) -> bool {
        self.axis == Axis::Itself && !self.tuple && !self.focus && self.is_plain()
    }

    fn is_plain(&self) -> bool {
        self.each == 0 && self.looks == 0 && !self.compares && self.with.is_empty()
    }
}
