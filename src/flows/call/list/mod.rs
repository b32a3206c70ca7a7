//! Lists: a page, the cursor that names it, and all pages one after another.

pub(in crate::flows) mod all_pages;
pub(in crate::flows) mod cursor;
pub(in crate::flows) mod page;

use crate::flows::call::list::all_pages::begin;
use crate::flows::call::list::all_pages::{AllPages, Piece};
use crate::flows::call::list::page::{ListCall, Page, puts_into_body};
