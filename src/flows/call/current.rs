//! The account's state during a call. After each wait it is read again.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::Value;

use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::token_in_context::with_token;

/// The account as it was read last.
pub(in crate::flows) struct Current<'a> {
    loaded: Rc<LoadedAccount>,
    /// The context of a running action may be newer than the stored one.
    running: Option<Running<'a>>,
}

/// The context of a running action.
struct Running<'a> {
    /// The whole context.
    context: Cow<'a, Value>,
    /// The public half of the context.
    shown: &'a Value,
    /// What placeholders read in place of the install's variables.
    variables: Option<&'a Value>,
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
        Self {
            loaded,
            running: Some(Running {
                context: Cow::Borrowed(context),
                shown,
                variables: None,
            }),
        }
    }

    /// Sets what placeholders read in place of the install's variables.
    pub(in crate::flows) fn with_variables(mut self, variables: &'a Value) -> Self {
        if let Some(running) = &mut self.running {
            running.variables = Some(variables);
        }
        self
    }

    pub(in crate::flows) fn variables(&self) -> Option<&Value> {
        self.running.as_ref().and_then(|running| running.variables)
    }

    pub(in crate::flows) fn loaded(&self) -> &Rc<LoadedAccount> {
        &self.loaded
    }

    /// The whole context.
    pub(in crate::flows) fn context(&self) -> &Value {
        match &self.running {
            None => &self.loaded.context,
            Some(running) => &running.context,
        }
    }

    /// The public half of the context.
    pub(in crate::flows) fn shown(&self) -> &Value {
        match &self.running {
            None => &self.loaded.account.context,
            Some(running) => running.shown,
        }
    }

    /// Sets the account's state. Returns whether a request that was built from the state before has to be built again.
    pub(in crate::flows) fn set(&mut self, now: Rc<LoadedAccount>) -> bool {
        if Rc::ptr_eq(&self.loaded, &now) {
            return false;
        }
        let before = std::mem::replace(&mut self.loaded, now);
        let Some(running) = &mut self.running else {
            return true;
        };
        // Only the token is taken from the account: the action owns the other values of its context.
        let own = running.context.pointer("/oauth/token");
        let is_outdated = own == before.token() && before.token() != self.loaded.token();
        if let Some(token) = self.loaded.token().filter(|_| is_outdated) {
            with_token(running.context.to_mut(), token);
        }
        is_outdated
    }
}
