//! Lists: one page, the cursor that names it, and auto-pagination.

pub(in crate::flows) mod all_pages;
pub(in crate::flows) mod cursor;
pub(in crate::flows) mod page;
