//! Time and chance, as expressions see them.

use crate::expression::Moment;
use crate::ports::System;

/// What the expressions that run now know of time and chance.
pub(in crate::flows) fn moment(system: &impl System) -> Moment {
    Moment {
        now_ms: system.now().as_millis(),
        random: system.random(),
    }
}
