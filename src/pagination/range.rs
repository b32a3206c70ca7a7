//! `range`: the header fields `Range` and `Content-Range` with a unit of records (RFC 9110 §14).

use http::header::{CONTENT_RANGE, RANGE};
use http::{HeaderValue, StatusCode};

use super::{PageAnswer, PageError, PageLinks, PageParameters, PagePlace, Position, numbered};
use crate::config::pagination::Range;
use crate::expression::TemplateScope;
use crate::header_text;

pub(super) fn ask(
    config: &Range,
    position: &Position,
    scope: &TemplateScope,
) -> Result<PageParameters, PageError> {
    let PagePlace::Offset(start) = position.at else {
        return Err(PageError::Foreign);
    };
    let mut ask = PageParameters::default();
    ask.tell("start", start);
    let mut end = String::new();
    if let Some(limit) = position.limit {
        // Both ends are within the range; one that is open asks for all there is.
        let last = start.saturating_add(limit) - 1;
        end = last.to_string();
        ask.tell("end", last);
        ask.tell("limit", limit);
    }
    let unit = unit(config, scope)?;
    let value = HeaderValue::from_str(&format!("{unit}={start}-{end}"));
    let value = value.map_err(|_| PageError::Header(RANGE.to_string()))?;
    ask.headers.insert(RANGE, value);
    Ok(ask)
}

fn unit(config: &Range, scope: &TemplateScope) -> Result<String, PageError> {
    let said = match &config.range_unit {
        Some(template) => template.header(scope)?,
        None => None,
    };
    Ok(said.unwrap_or_else(|| "items".to_owned()))
}

/// Ends where `Content-Range` says so; at an answer that is no part (200, 416); where it says no total, at a short page if
/// the file names the largest one there is, or at the page before once more.
pub(super) fn next(
    config: &Range,
    position: &Position,
    answer: &PageAnswer,
) -> Result<PageLinks, PageError> {
    let PagePlace::Offset(start) = position.at else {
        return Err(PageError::Foreign);
    };
    let given = answer.headers.get(CONTENT_RANGE);
    let given = given.and_then(|value| read(&header_text::text(value)));
    let behind = given.map_or(start.saturating_add(answer.count), |given| given.behind);
    let complete = given.and_then(|given| given.complete);
    let is_more = complete.is_some_and(|complete| behind < complete);
    let is_again = complete.is_none() && position.is_same_again(answer);
    let is_last = match (complete, position.limit) {
        (Some(_), _) => !is_more,
        (None, Some(asked)) => config.max_limit.is_some() && answer.count < asked,
        (None, None) => true,
    };
    let is_part = answer.status == StatusCode::PARTIAL_CONTENT || given.is_some();
    let is_end = is_last || is_again || !is_part || answer.count == 0;
    let next = position.onward(PagePlace::Offset(behind), answer);
    let is_empty = answer.count == 0;
    let is_announced = complete.map_or(position.is_announced, |_| is_more);
    let prev = numbered::before(start, 0, position.limit).map(|at| position.back(at));
    Ok(PageLinks {
        next: (!is_end).then(|| next.announced(is_more)),
        prev,
        is_guessed_end: is_again || (is_empty && is_announced),
        ..PageLinks::default()
    })
}

/// The part that an answer says it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct GivenRange {
    /// The first record behind it.
    behind: u64,
    /// How many there are in all, where that is known.
    complete: Option<u64>,
}

/// `items 0-24/66`, `items 0-24/*`; some leave out the unit or write `=` behind it.
fn read(value: &str) -> Option<GivenRange> {
    let value = value.trim();
    let range = value.rsplit([' ', '=']).next()?;
    let (part, complete) = range.split_once('/')?;
    let (_, last) = part.split_once('-')?;
    Some(GivenRange {
        behind: last.parse::<u64>().ok()?.checked_add(1)?,
        complete: complete.parse().ok(),
    })
}
