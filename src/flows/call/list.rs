//! Lists: a page, the cursor that names it, and all pages one after another.

mod all_pages;
mod cursor;
mod page;

pub(super) use all_pages::begin;
pub(in crate::flows) use all_pages::{AllPages, Piece};
pub(super) use page::{ListCall, Page, puts_into_body};
