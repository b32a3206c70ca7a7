//! `page` and `offset`: pages that are counted. A list ends where the provider's totals say so. Without
//! totals it ends with an empty page, or with a short one where the file names the largest page there is:
//! only then is it known that the provider gave all that was asked for.

use super::cursor::at_path;
use super::{PageAnswer, PageError, PageLinks, PageParameters, PagePlace, PageStatus, Position};
use crate::config::Count;
use crate::config::pagination::{Offset, PagePagination};
use crate::json::Path;

/// Where the parameters go.
#[derive(Debug, Clone, Copy)]
enum Into {
    Query,
    Body,
}

pub(super) fn ask_page(
    config: &PagePagination,
    position: &Position,
) -> Result<PageParameters, PageError> {
    let PagePlace::Page(number) = position.at else {
        return Err(PageError::Foreign);
    };
    let mut ask = PageParameters::default();
    ask.tell("page", number);
    let into = into(config.add_to_body);
    put(&mut ask, into, &config.page_key, number);
    add_limit(&mut ask, into, config.limit_key.as_deref(), position);
    Ok(ask)
}

pub(super) fn ask_offset(
    config: &Offset,
    position: &Position,
) -> Result<PageParameters, PageError> {
    let PagePlace::Offset(offset) = position.at else {
        return Err(PageError::Foreign);
    };
    let mut ask = PageParameters::default();
    ask.tell("offset", offset);
    let into = into(config.add_to_body);
    put(&mut ask, into, &config.offset_key, offset);
    add_limit(&mut ask, into, config.limit_key.as_deref(), position);
    Ok(ask)
}

pub(super) fn next_page(
    config: &PagePagination,
    position: &Position,
    answer: &PageAnswer,
) -> Result<PageLinks, PageError> {
    let PagePlace::Page(number) = position.at else {
        return Err(PageError::Foreign);
    };
    let start = config.start_page.0;
    let prev = (number > start).then(|| position.back(PagePlace::Page(number - 1)));
    let page = number.saturating_sub(start).saturating_add(1);
    let seen = position.seen.saturating_add(answer.count);
    // A total that this very page contradicts says nothing.
    let pages = total(config.total_pages_path.as_ref(), answer)?.filter(|pages| *pages >= page);
    let total = total(config.total_path.as_ref(), answer)?.filter(|total| *total >= seen);
    let is_last = match (pages, total) {
        (Some(pages), _) => Some(page >= pages),
        (None, Some(total)) => Some(seen >= total),
        (None, None) => None,
    };
    let is_short = is_short(
        position,
        answer,
        config.limit_key.as_deref(),
        config.max_limit,
    );
    let at = PagePlace::Page(number.saturating_add(1));
    Ok(links(position, answer, (is_last, is_short), at, prev))
}

/// The next offset counts the records that came, not those that were asked for: a provider that gives fewer
/// than asked loses none.
pub(super) fn next_offset(
    config: &Offset,
    position: &Position,
    answer: &PageAnswer,
) -> Result<PageLinks, PageError> {
    let PagePlace::Offset(offset) = position.at else {
        return Err(PageError::Foreign);
    };
    let start = config.start_offset.0;
    let next = offset.saturating_add(answer.count);
    let passed = next.saturating_sub(start);
    let total = total(config.total_path.as_ref(), answer)?.filter(|total| *total >= passed);
    let is_last = total.map(|total| passed >= total);
    let is_short = is_short(
        position,
        answer,
        config.limit_key.as_deref(),
        config.max_limit,
    );
    let prev = before(offset, start, position.limit).map(|at| position.back(at));
    let at = PagePlace::Offset(next);
    Ok(links(position, answer, (is_last, is_short), at, prev))
}

/// The offset of the page before, where the page size is known.
pub(super) fn before(offset: u64, start: u64, limit: Option<u64>) -> Option<PagePlace> {
    let limit = limit.filter(|_| offset > start)?;
    Some(PagePlace::Offset(offset.saturating_sub(limit).max(start)))
}

/// Without totals the last page once more, which some providers give for any page behind it, is the end. So is an empty
/// page; but where a total says that there are more, that is a guess.
fn links(
    position: &Position,
    answer: &PageAnswer,
    (is_last, is_short): (Option<bool>, bool),
    at: PagePlace,
    prev: Option<Position>,
) -> PageLinks {
    let is_again = is_last.is_none() && position.is_same_again(answer);
    let is_end = is_last.unwrap_or(is_short) || is_again || answer.count == 0;
    let is_more = is_last == Some(false);
    let next = position.onward(at, answer).announced(is_more);
    PageLinks {
        next: (!is_end).then_some(next),
        prev,
        standing: if is_again {
            PageStatus::Repeated
        } else {
            PageStatus::New
        },
        is_guessed_end: is_again
            || (answer.count == 0 && is_last.map_or(position.is_announced, |_| is_more)),
    }
}

fn is_short(
    position: &Position,
    answer: &PageAnswer,
    limit_key: Option<&str>,
    max_limit: Option<Count>,
) -> bool {
    let asked = position
        .limit
        .filter(|_| limit_key.is_some() && max_limit.is_some());
    asked.is_some_and(|asked| answer.count < asked)
}

/// A number in the answer, also as text; anything else says nothing.
fn total(path: Option<&Path>, answer: &PageAnswer) -> Result<Option<u64>, PageError> {
    let Some(path) = path else { return Ok(None) };
    let found = at_path(answer.text, path)?;
    Ok(found.and_then(|json| json.trim_matches('"').trim().parse().ok()))
}

fn into(add_to_body: bool) -> Into {
    if add_to_body { Into::Body } else { Into::Query }
}

fn add_limit(ask: &mut PageParameters, into: Into, key: Option<&str>, position: &Position) {
    let Some(limit) = position.limit else { return };
    ask.tell("limit", limit);
    if let Some(key) = key {
        put(ask, into, key, limit);
    }
}

fn put(ask: &mut PageParameters, into: Into, key: &str, number: u64) {
    match into {
        Into::Query => ask.put_in_query(key, number.to_string()),
        Into::Body => ask.put_in_body(key, number.to_string()),
    }
}
