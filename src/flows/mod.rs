//! What the service does, as the user would say it. Flows know the outside only by `ports`.

pub mod ask;
pub mod directory;
pub mod isolate;
pub mod published;
pub mod records;
pub mod sealed;
