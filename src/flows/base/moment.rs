//! TODO-DOC

use crate::flows::proxy_call::call::{Call, Given, Pages};
use crate::flows::proxy_call::present::Purpose;
use crate::flows::proxy_call::trace::Trace;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use crate::config::Config;
use crate::error::{Code, Failure, Speaker};
use crate::expression::{Moment, TemplateScope};
use crate::flows::account_object::refused::Renewed;
use crate::flows::account_object::{AccountObject, Loaded};
use crate::flows::config::resolved_config::Effective;
use crate::flows::proxy_call::attempts::Retries;
use crate::flows::proxy_call::outcome::Outcome;
use crate::flows::proxy_call::page::Page;
use crate::flows::proxy_call::plan::Plan;
use crate::flows::proxy_call::present::Present;
use crate::flows::proxy_call::refused::{Heard, needs_reauth};
use crate::json::Exact;
use crate::pagination::Position;
use crate::ports::{Body, Outside, Sees, Storage, System};
use crate::proxy::body::{BodySource, Writing};
use crate::proxy::query::{CallerQuery, PASSTHROUGH};
use crate::proxy::request::{self, Caller, Draft, Round, Words};
use crate::proxy::{Target, description, headers};
use crate::time::Timestamp;

/// What the expressions that run now know of time and chance.
pub(in crate::flows) fn moment(system: &impl System) -> Moment {
    Moment {
        now_ms: system.now().as_millis(),
        random: system.random(),
    }
}
