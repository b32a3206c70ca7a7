//! The account as it is when a request is sent: what was read before a wait may be wrong behind it.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::Value;
use tokio::sync::SemaphorePermit;

use crate::error::Failure;
use crate::flows::account_object::oauth_token::with_token;
use crate::flows::account_object::{AccountObject, LoadedAccount};
use crate::flows::proxy_call::{Errand, Work};
use crate::ports::{Outside, Sees, Storage};
use crate::proxy::{Target, is_read};
use crate::time::Timestamp;

/// The account as it was read last, and how it is read again.
pub(in crate::flows) struct Present<'a, O, S> {
    loaded: Rc<LoadedAccount>,
    read_at: Timestamp,
    whose: Whose<'a, O, S>,
}

/// Whose request it is.
enum Whose<'a, O, S> {
    /// A caller's, who may see the account as long as it may be called.
    Callers(&'a Rc<AccountObject<O, S>>, &'a Sees),
    /// A running action's: its context may be ahead of what is stored.
    Actions(Running<'a>),
}

/// The context of a running action.
struct Running<'a> {
    /// The whole of it.
    context: Cow<'a, Value>,
    /// Its public half.
    shown: &'a Value,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum Purpose {
    /// A list or one record, whatever verb the provider wants for that.
    Read,
    /// What its verb says.
    AsVerb,
}

impl Purpose {
    /// That of a call's target.
    pub(in crate::flows) fn of_target(target: &Target) -> Self {
        match target {
            Target::Method { method, .. } => Self::of_method(method),
            Target::Custom { .. } => Self::AsVerb,
        }
    }

    /// That of a resource's method of this name.
    pub(in crate::flows) fn of_method(name: &str) -> Self {
        match name {
            "list" | "get" => Self::Read,
            _ => Self::AsVerb,
        }
    }

    /// Whether a request of this verb writes.
    pub(in crate::flows) fn writes(self, verb: &http::Method) -> bool {
        self == Self::AsVerb && !is_read(verb)
    }
}

impl<'a, O: Outside, S: Storage> Present<'a, O, S> {
    pub(in crate::flows) fn of_call(
        object: &'a Rc<AccountObject<O, S>>,
        sees: &'a Sees,
        loaded: Rc<LoadedAccount>,
    ) -> Self {
        Self {
            loaded,
            read_at: object.outside.now(),
            whose: Whose::Callers(object, sees),
        }
    }

    pub(in crate::flows) fn of_step(
        object: &AccountObject<O, S>,
        loaded: Rc<LoadedAccount>,
        context: &'a Value,
        shown: &'a Value,
    ) -> Self {
        let context = Cow::Borrowed(context);
        Self {
            loaded,
            read_at: object.outside.now(),
            whose: Whose::Actions(Running { context, shown }),
        }
    }

    pub(in crate::flows) fn loaded(&self) -> &Rc<LoadedAccount> {
        &self.loaded
    }

    /// The account's whole context.
    pub(in crate::flows) fn context(&self) -> &Value {
        match &self.whose {
            Whose::Callers(..) => &self.loaded.context,
            Whose::Actions(running) => &running.context,
        }
    }

    /// Its public half.
    pub(in crate::flows) fn shown(&self) -> &Value {
        match &self.whose {
            Whose::Callers(..) => &self.loaded.account.context,
            Whose::Actions(running) => running.shown,
        }
    }

    /// The account is this by now; whether a request made with what was before has to be made again.
    pub(in crate::flows) fn set(&mut self, now: Rc<LoadedAccount>) -> bool {
        if Rc::ptr_eq(&self.loaded, &now) {
            return false;
        }
        let before = std::mem::replace(&mut self.loaded, now);
        let Whose::Actions(running) = &mut self.whose else {
            return true;
        };
        // Only its token: what else an action works with is its own.
        let own = running.context.pointer("/oauth/token");
        let is_outdated = own == before.token() && before.token() != self.loaded.token();
        if let Some(token) = self.loaded.token().filter(|_| is_outdated) {
            with_token(running.context.to_mut(), token);
        }
        is_outdated
    }
}

/// A connection of the account, and what has become of the account until it was had.
pub(in crate::flows) struct Ready<'a> {
    /// None for a refresh, which has a connection of its own.
    pub(in crate::flows) slot: Option<SemaphorePermit<'a>>,
    /// Whether the account changed: the request is made anew.
    pub(in crate::flows) is_changed: bool,
}

impl<'a, O: Outside, S: Storage> Work<'a, O, S> {
    /// Waits for the turn, for a connection, and for a refresh that the request would come too early for. While it waits
    /// for that it holds neither turn nor connection. What it finds then is true when it sends.
    pub(in crate::flows) async fn ready(
        &mut self,
        mut turn: Timestamp,
    ) -> Result<Ready<'a>, Failure> {
        let mut is_changed = false;
        let mut waited_for = None;
        loop {
            let (slot, taken) = self.slot_in(turn).await?;
            let now = self.read_again().await?;
            let wait = self
                .object
                .wait_before_sending(&now)
                .filter(|_| !is_same(waited_for.as_ref(), &now));
            is_changed |= self.present.set(Rc::clone(&now));
            let (Some(wait), Whose::Callers(object, _)) = (wait, &self.present.whose) else {
                return Ok(Ready { slot, is_changed });
            };
            drop(slot);
            self.give_back(taken);
            object.wait_for_token(wait, &now, self.deadline).await?;
            waited_for = Some(now);
            turn = self.take_turn(std::time::Duration::ZERO)?;
        }
    }

    /// The account as it is now, if it may be called still.
    async fn read_again(&self) -> Result<Rc<LoadedAccount>, Failure> {
        match &self.present.whose {
            Whose::Actions(_) if self.errand == Errand::Refresh => {
                self.object.present().ok_or_else(gone)
            }
            Whose::Actions(_) => {
                let now = self.object.present().ok_or_else(gone)?;
                // One that is being set up, or tried, may be called by its own actions.
                if self.loaded().account.status.check_callable().is_ok() {
                    now.account.status.check_callable()?;
                }
                Ok(now)
            }
            Whose::Callers(object, sees) => {
                if self.present.read_at < object.outside.now() {
                    let resolved = object.resolved_config(&self.loaded().account).await?;
                    if !resolved.install.is_enabled {
                        return Err(Failure::install_disabled());
                    }
                }
                let now = object.visible(sees).await?;
                now.account.status.check_callable()?;
                Ok(now)
            }
        }
    }
}

fn is_same(waited_for: Option<&Rc<LoadedAccount>>, now: &Rc<LoadedAccount>) -> bool {
    waited_for.is_some_and(|waited_for| Rc::ptr_eq(waited_for, now))
}

fn gone() -> Failure {
    Failure::not_found("integrated account")
}
