//! `x-all-pages: true`: a list from here to its end as lines (`application/x-ndjson`), made while they are read.

use std::rc::Rc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::{proxy, reply};
use crate::error::{Code, Failure};
use crate::flows::account_object::AccountObject;
use crate::flows::proxy_call::call::Pages;
use crate::flows::proxy_call::walk::Piece;
use crate::flows::recorded_call::RecordedWalk;
use crate::ports::{Body, Outside, Reply, Storage};
use crate::proxy::headers::keep_harmless;

/// How much of a list a caller wants.
pub(super) fn wanted(headers: &HeaderMap) -> Result<Pages, Failure> {
    match headers.get("x-all-pages").map(HeaderValue::as_bytes) {
        None | Some(b"false") => Ok(Pages::One),
        Some(b"true") => Ok(Pages::All),
        Some(_) => Err(Failure::new(
            Code::Malformed,
            "x-all-pages is neither `true` nor `false`.",
        )),
    }
}

/// The answer of a walk, whose first page is at hand.
pub(super) fn answer<O: Outside, S: Storage>(
    account: &Rc<AccountObject<O, S>>,
    request_id: &str,
    walk: RecordedWalk<O, S>,
) -> Reply<O::Stream> {
    let mut headers = walk.limits().clone();
    let ndjson = HeaderValue::from_static("application/x-ndjson");
    headers.insert(CONTENT_TYPE, ndjson);
    keep_harmless(&mut headers);
    let state = (walk, Rc::clone(account), request_id.to_owned());
    let pieces = stream::unfold(state, |(mut walk, account, request_id)| async move {
        let bytes = match walk.next().await? {
            Piece::Lines(lines) => lines,
            Piece::Broken {
                failure,
                next_cursor,
            } => {
                proxy::log_failure(&account, &request_id, &failure);
                let line = reply::last_line(&failure, &request_id, next_cursor.as_deref());
                Bytes::from(line)
            }
        };
        Some((bytes, (walk, account, request_id)))
    });
    Reply {
        status: StatusCode::OK,
        headers,
        body: Body::Stream(account.outside.stream(pieces.boxed_local())),
    }
}
