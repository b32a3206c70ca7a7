//! An account in the memory of its object: the record, its state, its capabilities, the renewal of its token.

pub mod capabilities;
pub mod loaded;
pub mod renewal;
pub mod set_up;
pub(in crate::flows) mod state;
pub mod token_in_context;
