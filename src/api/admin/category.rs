//! `/category`: the categories of the integrations.

use super::answer::List;
use super::call::AdminCall;
use crate::api::query::{FilterField, Filtered, QueryParameters};
use crate::error::Failure;
use crate::flows::base::records::ListPage;
use crate::flows::messages::category::Category;
use crate::flows::messages::{RootMessage, send_to_root};
use crate::ports::Outside;

impl Filtered for Category {
    const FILTERS: &'static [FilterField] =
        &[FilterField::text("name"), FilterField::time("created_at")];
}

pub(in crate::api) async fn list<O: Outside>(
    call: &AdminCall<'_, O>,
) -> Result<List<Category>, Failure> {
    let (_, page) = QueryParameters::of_names(&call.url, Category::FILTERS)?;
    let message = RootMessage::ListCategories(page.clone());
    let found: ListPage<Category> = send_to_root(call.outside(), &message).await?;
    Ok(List::of(found, &page, |category| category))
}
