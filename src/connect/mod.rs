//! Connecting, as the customer meets it: what was typed into the hosted form
//! ([`form`]), the pages themselves ([`page`]), and what the opener is sent in
//! the end ([`outcome`]).
//!
//! Link tokens, sign-in at the provider and storing are the flows' work.

pub mod form;
pub mod outcome;
pub mod page;
