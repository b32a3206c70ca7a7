//! Time and random bytes, as expressions see them.

use crate::expression::Moment;
use crate::ports::System;

/// The clock and the random bytes of one evaluation.
pub(in crate::flows) fn moment(system: &impl System) -> Moment {
    Moment {
        now_ms: system.now().as_millis(),
        random: system.random(),
    }
}
