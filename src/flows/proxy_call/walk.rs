//! A walk through a list from here to its end, page after page, each asked for when the one before was taken. It
//! holds one page at a time. Each page is a call of its own: the account is looked at anew, its token is fresh.

use std::rc::Rc;

use bytes::Bytes;
use http::HeaderMap;

use crate::error::{Code, Failure};
use crate::flows::account_object::AccountObject;
use crate::flows::base::body;
use crate::flows::base::memory::Room;
use crate::flows::config::config_cache;
use crate::flows::proxy_call::call::{Call, Given};
use crate::flows::proxy_call::cursor::CursorPlace;
use crate::flows::proxy_call::made;
use crate::flows::proxy_call::outcome::{Listed, Outcome};
use crate::pagination::Position;
use crate::ports::{Body, Outside, Sees, Storage};
use crate::rate_limit;
use crate::settings::{PIECE_BYTES, TEMPLATE_BODY_BYTES};
use crate::time::Timestamp;

/// A walk under way. Dropped, it lets go of everything.
pub struct Walk<O: Outside, S: Storage> {
    object: Rc<AccountObject<O, S>>,
    sees: Sees,
    /// Its body is held, so that it can be sent with each page.
    call: Call<O::Stream>,
    #[expect(dead_code, reason = "what the body holds, for as long")]
    room: Room,
    page: Option<Lines>,
    next: Option<Position>,
    limits: HeaderMap,
}

/// What a walk gives next.
#[derive(Debug)]
pub enum Piece {
    /// Records, each on a line of its own; a line may go on in the next piece.
    Lines(Bytes),
    /// It cannot go on. This is the last.
    Broken {
        /// Why not.
        failure: Failure,
        /// Names the page that failed; absent where no cursor can be made.
        next_cursor: Option<String>,
    },
}

/// What was not yet taken of a page.
struct Lines {
    bytes: Bytes,
    #[expect(dead_code, reason = "holding it is its use")]
    room: Room,
}

/// Asks for the first page: what goes wrong with it is answered as anywhere else.
pub(in crate::flows) async fn begin<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    sees: &Sees,
    mut call: Call<O::Stream>,
) -> Result<Given<O, S>, Failure> {
    // Nothing is read of a body whose sender's token is not known to be good.
    object.visible(sees).await?;
    let deadline = object.outside.now().plus(call.timeout);
    let body = std::mem::replace(&mut call.body, Body::Empty);
    let (room, limit) = (object.isolate.memory.walk_room(), TEMPLATE_BODY_BYTES);
    let body = body::read_until(&object.outside, body, limit, &room, Some(deadline)).await?;
    call.body = Body::from_bytes(body);
    let again = call.body.again().unwrap_or(Body::Empty);
    let first = match made(object, sees, &call, again, None).await? {
        Outcome::List(first) => first,
        Outcome::Reply(reply) => return Ok(Given::Reply(reply)),
    };
    let limits = rate_limit::told(&first.headers);
    let (page, next) = Lines::of(object, first)?;
    Ok(Given::Walk(Box::new(Walk {
        object: Rc::clone(object),
        sees: sees.clone(),
        call,
        room,
        page: Some(page),
        next,
        limits,
    })))
}

impl<O: Outside, S: Storage> Walk<O, S> {
    /// What the first page's answer said of the provider's limits, as callers are told.
    pub fn limits(&self) -> &HeaderMap {
        &self.limits
    }

    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Option<Piece> {
        loop {
            if let Some(piece) = self.page.as_mut().and_then(Lines::take) {
                return Some(Piece::Lines(piece));
            }
            self.page = None;
            let position = self.next.take()?;
            if let Err(failure) = self.turn(position.clone()).await {
                let place = CursorPlace::of(self.object.id(), &self.call.target);
                let next_cursor = place.seal(&self.object.outside, &position).ok();
                return Some(Piece::Broken {
                    failure,
                    next_cursor,
                });
            }
        }
    }

    async fn turn(&mut self, position: Position) -> Result<(), Failure> {
        let _inside = self.object.enter()?;
        self.check_token().await?;
        let body = self.call.body.again().unwrap_or(Body::Empty);
        let outcome = made(&self.object, &self.sees, &self.call, body, Some(position)).await?;
        let Outcome::List(list) = outcome else {
            let words = "The provider answered a page of the list with something that is neither a list nor an error.";
            return Err(Failure::new(Code::UnexpectedAnswer, words));
        };
        let (page, next) = Lines::of(&self.object, list)?;
        (self.page, self.next) = (Some(page), next);
        Ok(())
    }

    /// Whoever walks may walk for long: his token is looked at again for each page, as it is for each call.
    async fn check_token(&self) -> Result<(), Failure> {
        let (Some(hash), Sees::Environment(environment)) = (&self.call.token, &self.sees) else {
            return Ok(());
        };
        let AccountObject {
            outside, isolate, ..
        } = &*self.object;
        let record = config_cache::token(outside, isolate, *environment, hash).await?;
        let is_good = |end: Option<Timestamp>| end.is_none_or(|end| end > outside.now());
        match record {
            Some(record) if is_good(record.expires_at) => Ok(()),
            _ => Err(Failure::new(
                Code::Unauthenticated,
                "The token is unknown, revoked or expired.",
            )),
        }
    }
}

impl Lines {
    /// The lines of a page, and where the next one is. Of the room that reading it took, only theirs is kept.
    fn of<O: Outside, S: Storage>(
        object: &AccountObject<O, S>,
        list: Listed,
    ) -> Result<(Self, Option<Position>), Failure> {
        let Listed {
            text, room, next, ..
        } = list;
        drop(room);
        let room = object.isolate.memory.walk_room();
        room.take(text.len())?;
        let bytes = Bytes::from(text);
        Ok((Self { bytes, room }, next))
    }

    fn take(&mut self) -> Option<Bytes> {
        let piece = self.bytes.split_to(self.bytes.len().min(PIECE_BYTES));
        Some(piece).filter(|piece| !piece.is_empty())
    }
}
