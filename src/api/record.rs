//! `/record`: the feed of a sync's records, as pages or as lines, and one record.

use std::rc::Rc;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;
use url::Url;

use super::caller::Caller;
use super::query::{DEFAULT_LIMIT, MAX_LIMIT, QueryParameters};
use super::{RequestContext, all_pages, body_of};
use crate::error::{Code, Failure};
use crate::flows::base::reply;
use crate::flows::config::config_cache;
use crate::flows::config::isolate::Isolate;
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::send_to_account;
use crate::flows::messages::sync::{ChangeKind, FeedPage, FeedRequest, SyncMessage};
use crate::ids::AccountId;
use crate::ports::{Body, Incoming, Outside, Pages, Reply, Visibility};

/// Whose records are asked for.
#[derive(Clone)]
struct FeedOwner {
    account: AccountId,
    visibility: Visibility,
    /// The hash of the caller's API token.
    token: Option<String>,
}

impl FeedOwner {
    fn of(caller: &Caller, query: &QueryParameters) -> Result<Self, Failure> {
        let account = caller.account(query.get("integrated_account_id"))?;
        let visibility = match query.get("environment_id") {
            Some(_) => Visibility::Environment(caller.environment(query.get("environment_id"))?),
            None => caller.visibility(),
        };
        Ok(Self {
            account,
            visibility,
            token: caller.token_hash(),
        })
    }
}

fn sync_of(query: &QueryParameters) -> Result<String, Failure> {
    let named = query.get("sync").map(str::to_owned);
    named.ok_or_else(|| Failure::invalid("sync", "is required in the query: the name of a sync"))
}

/// `GET /record`: a page of the feed, or with `x-all-pages` all of it as lines.
pub(super) async fn changes<O: Outside>(
    context: &RequestContext<'_, O>,
    caller: &Caller,
    request: &Incoming<O::Stream>,
) -> Result<Reply<O::Stream>, Failure> {
    let known = [
        "environment_id",
        "integrated_account_id",
        "sync",
        "after",
        "filter",
        "limit",
    ];
    let query = QueryParameters::read(&request.url, &known)?;
    let owner = FeedOwner::of(caller, &query)?;
    let malformed = |message: &str| Failure::new(Code::Malformed, message);
    let limit = match query.get("limit").map(str::parse::<usize>) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit)) => limit.clamp(1, MAX_LIMIT),
        Some(Err(_)) => return Err(malformed("`limit` is not a whole number.")),
    };
    let filter = match query.get("filter").map(ChangeKind::named) {
        Some(None) => {
            return Err(malformed(
                "`filter` is not `added`, `updated` or `deleted`.",
            ));
        }
        filter => filter.flatten(),
    };
    let feed = FeedRequest {
        sync: sync_of(&query)?,
        after: query
            .get("after")
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
        filter,
        limit,
    };
    match all_pages::wanted(&request.headers)? {
        Pages::All => lines(context, owner, feed).await,
        Pages::One | Pages::Sync => page(context.outside, &owner, feed).await,
    }
}

async fn read<O: Outside>(
    outside: &O,
    owner: &FeedOwner,
    request: FeedRequest,
) -> Result<FeedPage, Failure> {
    let message = SyncMessage::Feed(request);
    let message = AccountMessage::Sync(owner.visibility.clone(), message);
    send_to_account(outside, owner.account, &message).await
}

fn json_reply<S>(text: String) -> Reply<S> {
    let json = HeaderValue::from_static("application/json");
    Reply {
        status: StatusCode::OK,
        headers: HeaderMap::from_iter([(CONTENT_TYPE, json)]),
        body: body_of(text),
    }
}

async fn page<O: Outside>(
    outside: &O,
    owner: &FeedOwner,
    feed: FeedRequest,
) -> Result<Reply<O::Stream>, Failure> {
    let page = read(outside, owner, feed).await?;
    let cursor = serde_json::Value::from(page.next_cursor);
    let text = format!(
        "{{\"result\":[{}],\"next_cursor\":{cursor},\"has_more\":{}}}",
        page.changes.join(","),
        page.has_more
    );
    Ok(json_reply(text))
}

/// A feed that is read up to where it was when the reading began.
struct FeedReading<O> {
    outside: O,
    isolate: Rc<Isolate>,
    owner: FeedOwner,
    sync: String,
    filter: Option<ChangeKind>,
    request_id: String,
    /// The part that was read and is not answered yet; `None` at the end.
    next: Option<FeedPage>,
}

impl<O: Outside> FeedReading<O> {
    /// The token may have been revoked since the part before. Of an account's own token the object says so.
    async fn check_token(&self) -> Result<(), Failure> {
        let (Some(hash), Visibility::Environment(environment)) =
            (&self.owner.token, &self.owner.visibility)
        else {
            return Ok(());
        };
        config_cache::check_token(&self.outside, &self.isolate, *environment, hash).await
    }

    /// The lines of the next part; after an error the last line says where to go on.
    async fn piece(mut self) -> Option<(Bytes, Self)> {
        let page = self.next.take()?;
        let mut text = page.changes.join("\n");
        if !text.is_empty() {
            text.push('\n');
        }
        if page.has_more {
            let feed = FeedRequest {
                sync: self.sync.clone(),
                after: Some(page.next_cursor.clone()),
                filter: self.filter,
                limit: MAX_LIMIT,
            };
            let next = async {
                self.check_token().await?;
                read(&self.outside, &self.owner, feed).await
            };
            match next.await {
                Ok(next) => self.next = Some(next),
                Err(failure) => {
                    let cursor = Some(page.next_cursor.as_str());
                    text.push_str(&reply::last_line(&failure, &self.request_id, cursor));
                }
            }
        } else {
            // The cursor is only known now; it is the last line.
            let last = json!({ "next_cursor": page.next_cursor });
            text.push_str(&last.to_string());
            text.push('\n');
        }
        Some((Bytes::from(text), self))
    }
}

/// The feed as JSON lines. What fails before the first line is an error of the request.
async fn lines<O: Outside>(
    context: &RequestContext<'_, O>,
    owner: FeedOwner,
    feed: FeedRequest,
) -> Result<Reply<O::Stream>, Failure> {
    let outside = context.outside;
    let (sync, filter) = (feed.sync.clone(), feed.filter);
    let first = FeedRequest {
        limit: MAX_LIMIT,
        ..feed
    };
    let reading = FeedReading {
        next: Some(read(outside, &owner, first).await?),
        outside: outside.clone(),
        isolate: Rc::clone(context.isolate),
        owner,
        sync,
        filter,
        request_id: context.request_id.to_owned(),
    };
    let pieces = stream::unfold(reading, FeedReading::piece);
    let ndjson = HeaderValue::from_static("application/x-ndjson");
    Ok(Reply {
        status: StatusCode::OK,
        headers: HeaderMap::from_iter([(CONTENT_TYPE, ndjson)]),
        body: Body::Stream(outside.stream(pieces.boxed_local())),
    })
}

/// `GET /record/{id}`: the record as the feed shows it.
pub(super) async fn one<O: Outside>(
    context: &RequestContext<'_, O>,
    caller: &Caller,
    url: &Url,
    id: String,
) -> Result<Reply<O::Stream>, Failure> {
    let query = QueryParameters::read(url, &["environment_id", "integrated_account_id", "sync"])?;
    let owner = FeedOwner::of(caller, &query)?;
    let message = SyncMessage::Record(sync_of(&query)?, id);
    let message = AccountMessage::Sync(owner.visibility, message);
    let text: String = send_to_account(context.outside, owner.account, &message).await?;
    Ok(json_reply(text))
}
