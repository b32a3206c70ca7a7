//! `dynamic`: JSONata computes the values of each request; they enter it as `{{pagination.x}}`.

use serde_json::{Map, Value};

use super::{PageAnswer, PageContext, PageError, PageLinks, PageParameters, PagePlace, Position};
use crate::config::pagination::Dynamic;
use crate::expression::ExpressionScope;
use crate::header_text;

/// The values of the first page.
pub(super) fn first(config: &Dynamic, request: &PageContext) -> Result<PagePlace, PageError> {
    let Some(expression) = &config.get_initial_pagination_values_expression else {
        return Ok(PagePlace::Values(Value::Object(Map::new())));
    };
    let scope = ExpressionScope::first_page(request.query, request.url.as_str(), request.options);
    match expression.evaluate(&scope, request.moment)? {
        None | Some(Value::Null) => Ok(PagePlace::Values(Value::Object(Map::new()))),
        Some(values @ Value::Object(_)) => Ok(PagePlace::Values(values)),
        Some(_) => Err(PageError::Values),
    }
}

pub(super) fn ask(position: &Position) -> Result<PageParameters, PageError> {
    let PagePlace::Values(Value::Object(values)) = &position.at else {
        return Err(PageError::Foreign);
    };
    let mut ask = PageParameters::default();
    if let Some(limit) = position.limit {
        ask.tell("limit", limit);
    }
    ask.values.extend(values.clone());
    Ok(ask)
}

pub(super) fn next(
    config: &Dynamic,
    position: &Position,
    request: &PageContext,
    answer: &PageAnswer,
) -> Result<PageLinks, PageError> {
    let PagePlace::Values(own) = &position.at else {
        return Err(PageError::Foreign);
    };
    let headers = header_text::object_of(answer.headers);
    let page = (answer.value.unwrap_or(&Value::Null), &headers);
    let url = request.url.as_str();
    let scope = ExpressionScope::next_page(request.query, url, request.options, page, own);
    let Some(values) = values(config, &scope, request)? else {
        return Ok(PageLinks::default());
    };
    let next = position.onward(PagePlace::Values(Value::Object(values)), answer);
    Ok(PageLinks {
        next: Some(next),
        ..PageLinks::default()
    })
}

/// Null values end the list, and so does a cursor that the file computes and that is null. The cursor is
/// named `cursor` among the values, unless they have one of their own.
fn values(
    config: &Dynamic,
    scope: &ExpressionScope,
    request: &PageContext,
) -> Result<Option<Map<String, Value>>, PageError> {
    let values = &config.get_pagination_values_expression;
    let mut values = match values.evaluate(scope, request.moment)? {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(values)) => values,
        Some(_) => return Err(PageError::Values),
    };
    if let Some(cursor) = &config.get_cursor_from_response_expression {
        match cursor.evaluate(scope, request.moment)? {
            None | Some(Value::Null) => return Ok(None),
            Some(cursor) => {
                values.entry("cursor").or_insert(cursor);
            }
        }
    }
    Ok(Some(values))
}
