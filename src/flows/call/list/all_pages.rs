//! Auto-pagination: all pages of a list, from one page to the end. A page is requested once the reader has taken the
//! one before, so one page is in memory at a time. Each page is its own call: it checks the account again and uses a
//! fresh token.

use std::rc::Rc;

use bytes::Bytes;
use http::HeaderMap;

use crate::error::{Code, Failure};
use crate::flows::base::body;
use crate::flows::base::memory::Room;
use crate::flows::call::account::{LiveAccount, StreamOf};
use crate::flows::call::admit::Access;
use crate::flows::call::engine_response::{EngineResponse, PageResponse};
use crate::flows::call::list::cursor::CursorPlace;
use crate::flows::call::log::LogOfPages;
use crate::flows::call::{Call, CallResponse, execute_one, single};
use crate::flows::config::config_cache;
use crate::pagination::Position;
use crate::ports::{Body, Visibility};
use crate::rate_limit;
use crate::settings::{PIECE_BYTES, TEMPLATE_BODY_BYTES};

/// A list that is read to its end. Dropping it releases its memory and writes its log line.
pub(in crate::flows) struct AllPages<A: LiveAccount> {
    account: Rc<A>,
    visibility: Visibility,
    /// Its body is kept in memory, so that it can be sent with each page.
    call: Call<StreamOf<A>>,
    #[expect(dead_code, reason = "holding it keeps the body's memory counted")]
    room: Room,
    page: Option<Lines>,
    next: Option<Position>,
    limits: HeaderMap,
    log: Option<LogOfPages<A>>,
}

/// A piece of the list's output.
#[derive(Debug)]
pub(in crate::flows) enum Piece {
    /// Records, each on its own line. A line may continue in the next piece.
    Lines(Bytes),
    /// The list cannot continue. This is the last piece.
    Broken {
        /// The failure of the next page.
        failure: Failure,
        /// Names the page that failed; absent where no cursor can be made.
        next_cursor: Option<String>,
    },
}

/// The lines of a page that the reader has not taken yet.
struct Lines {
    bytes: Bytes,
    #[expect(dead_code, reason = "holding it is its use")]
    room: Room,
}

/// Requests the first page. A failure of it is answered like the failure of any call.
pub(in crate::flows) async fn begin<A: LiveAccount>(
    access: Access<'_, A>,
    mut call: Call<StreamOf<A>>,
) -> Result<CallResponse<A>, Failure> {
    let (account, visibility) = (Rc::clone(access.account()), access.visibility().clone());
    let body = std::mem::replace(&mut call.body, Body::Empty);
    let (room, limit) = (account.isolate().memory.pages_room(), TEMPLATE_BODY_BYTES);
    let deadline = Some(access.deadline());
    let body = body::read_until(account.system(), body, limit, &room, deadline).await?;
    call.body = Body::from_bytes(body);
    let again = call.body.again().unwrap_or(Body::Empty);
    let access = Access::check(&account, &visibility, call.timeout).await?;
    let first = match execute_one(access, &call, again, None).await? {
        EngineResponse::Page(first) => first,
        outcome => return single(outcome).map(CallResponse::Single),
    };
    let limits = rate_limit::limit_fields(&first.headers);
    let (page, next) = Lines::of(&*account, first)?;
    Ok(CallResponse::Pages(Box::new(AllPages {
        account,
        visibility,
        call,
        room,
        page: Some(page),
        next,
        limits,
        log: None,
    })))
}

/// Makes the call of one page: it checks the account again and uses a fresh token.
pub(in crate::flows) async fn read_page<A: LiveAccount>(
    (account, visibility): (&Rc<A>, &Visibility),
    call: &Call<StreamOf<A>>,
    position: Option<Position>,
) -> Result<PageResponse, Failure> {
    let body = call.body.again().unwrap_or(Body::Empty);
    let access = Access::check(account, visibility, call.timeout).await?;
    match execute_one(access, call, body, position).await? {
        EngineResponse::Page(list) => Ok(list),
        EngineResponse::Single(_) | EngineResponse::Value(_) => {
            let message = "The provider answered a page of the list with something that is neither a list nor an error.";
            Err(Failure::new(Code::UnexpectedAnswer, message))
        }
    }
}

impl<A: LiveAccount> AllPages<A> {
    /// The rate limit header fields of the first page's answer, for the caller.
    pub(in crate::flows) fn limits(&self) -> &HeaderMap {
        &self.limits
    }

    /// Sets the log line to be written when the list is dropped.
    pub(in crate::flows) fn logged(&mut self, log: LogOfPages<A>) {
        self.log = Some(log);
    }

    /// The next piece; `None` at the end.
    pub(in crate::flows) async fn next(&mut self) -> Option<Piece> {
        let piece = self.next_piece().await?;
        if let Some(log) = &mut self.log {
            log.note(&self.visibility, &piece).await;
        }
        Some(piece)
    }

    async fn next_piece(&mut self) -> Option<Piece> {
        loop {
            if let Some(piece) = self.page.as_mut().and_then(Lines::take) {
                return Some(Piece::Lines(piece));
            }
            self.page = None;
            let position = self.next.take()?;
            if let Err(failure) = self.read_page(position.clone()).await {
                let place = CursorPlace::of(self.account.id(), &self.call.target);
                let next_cursor = place.seal(self.account.system(), &position).ok();
                return Some(Piece::Broken {
                    failure,
                    next_cursor,
                });
            }
        }
    }

    async fn read_page(&mut self, position: Position) -> Result<(), Failure> {
        let _inside = self.account.enter()?;
        self.check_token().await?;
        let account = (&self.account, &self.visibility);
        let list = read_page(account, &self.call, Some(position)).await?;
        let (page, next) = Lines::of(&*self.account, list)?;
        (self.page, self.next) = (Some(page), next);
        Ok(())
    }

    /// Checks the caller's token for each page, as for each call, since a list may be read for a long time.
    async fn check_token(&self) -> Result<(), Failure> {
        let (Some(hash), Visibility::Environment(environment)) =
            (&self.call.token, &self.visibility)
        else {
            return Ok(());
        };
        let (system, isolate) = (self.account.system(), self.account.isolate());
        config_cache::check_token(system, isolate, *environment, hash).await
    }
}

impl Lines {
    /// The lines of a page, and the position of the next page. The memory for reading the page is released; the lines
    /// take their own.
    fn of<A: LiveAccount>(
        account: &A,
        list: PageResponse,
    ) -> Result<(Self, Option<Position>), Failure> {
        let PageResponse {
            text, room, next, ..
        } = list;
        drop(room);
        let room = account.isolate().memory.pages_room();
        room.take(text.len())?;
        let bytes = Bytes::from(text);
        Ok((Self { bytes, room }, next))
    }

    fn take(&mut self) -> Option<Bytes> {
        let piece = self.bytes.split_to(self.bytes.len().min(PIECE_BYTES));
        Some(piece).filter(|piece| !piece.is_empty())
    }
}
