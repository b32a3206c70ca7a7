//! An account as its object holds it: the record, its state in memory, what it can be asked.

pub mod capabilities;
pub mod loaded;
pub mod renewal;
pub mod set_up;
pub(in crate::flows) mod state;
pub mod token_in_context;
