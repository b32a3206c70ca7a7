//! Lists: a page, the cursor that names it, and all pages one after another.

pub(in crate::flows) mod all_pages;
pub(in crate::flows) mod cursor;
pub(in crate::flows) mod page;
