//! The account as a call knows it: what was read before a wait is not used after it.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::Value;

use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::token_in_context::with_token;

/// The account as it was read last.
pub(in crate::flows) struct Current<'a> {
    loaded: Rc<LoadedAccount>,
    /// A running action's context may be ahead of what is stored.
    running: Option<Running<'a>>,
}

/// The context of a running action.
struct Running<'a> {
    /// The whole of it.
    context: Cow<'a, Value>,
    /// Its public half.
    shown: &'a Value,
}

impl<'a> Current<'a> {
    pub(in crate::flows) fn of_call(loaded: Rc<LoadedAccount>) -> Self {
        let running = None;
        Self { loaded, running }
    }

    pub(in crate::flows) fn of_action(
        loaded: Rc<LoadedAccount>,
        context: &'a Value,
        shown: &'a Value,
    ) -> Self {
        let context = Cow::Borrowed(context);
        let running = Some(Running { context, shown });
        Self { loaded, running }
    }

    pub(in crate::flows) fn loaded(&self) -> &Rc<LoadedAccount> {
        &self.loaded
    }

    /// The account's whole context.
    pub(in crate::flows) fn context(&self) -> &Value {
        match &self.running {
            None => &self.loaded.context,
            Some(running) => &running.context,
        }
    }

    /// Its public half.
    pub(in crate::flows) fn shown(&self) -> &Value {
        match &self.running {
            None => &self.loaded.account.context,
            Some(running) => running.shown,
        }
    }

    /// The account is this by now. Returns whether a request made with what was before has to be made again.
    pub(in crate::flows) fn set(&mut self, now: Rc<LoadedAccount>) -> bool {
        if Rc::ptr_eq(&self.loaded, &now) {
            return false;
        }
        let before = std::mem::replace(&mut self.loaded, now);
        let Some(running) = &mut self.running else {
            return true;
        };
        // Of the account only the token: the rest of an action's context is its own.
        let own = running.context.pointer("/oauth/token");
        let is_outdated = own == before.token() && before.token() != self.loaded.token();
        if let Some(token) = self.loaded.token().filter(|_| is_outdated) {
            with_token(running.context.to_mut(), token);
        }
        is_outdated
    }
}
