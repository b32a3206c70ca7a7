//! What every flow may use: rows of an object's own tables, numbers that count up with the time, an object's alarm,
//! deadlines.

pub mod alarm;
pub mod sequence;
pub mod sql;
pub mod within;
