//! Writes the log line of a call, to the account's log and to the console. It also notes 403 answers for the account's
//! record.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::{Code, Failure};
use crate::flows::account::capabilities::{granted, missing};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::call::account::{LiveAccount, StreamOf, WriteStore};
use crate::flows::call::admit::Access;
use crate::flows::call::ended::{Ended, WriteOutcome, forbidden, length};
use crate::flows::call::idempotency::call_once;
use crate::flows::call::list::all_pages::Piece;
use crate::flows::call::trace::Trace;
use crate::flows::call::{Call, CallResponse, Completed, execute};
use crate::flows::messages::log_line::LogLine;
use crate::ports::{ByteStream, HandOver, System, Visibility};
use crate::settings::LogCalls;
use crate::time::Timestamp;

/// The part of a log line that is known before the call.
struct Opening {
    request_id: String,
    caller: String,
    began: Timestamp,
    method: String,
    bytes_in: Option<u64>,
}

/// The log of a call in progress.
struct Log<A: LiveAccount> {
    account: Rc<A>,
    opening: Opening,
    trace: Rc<Trace>,
}

/// Makes a call and logs it. A call of an account that the caller may not see is not logged.
pub(in crate::flows) async fn logged_call<A: LiveAccount + WriteStore>(
    account: &Rc<A>,
    hand_over: &HandOver,
    call: Call<StreamOf<A>>,
) -> Result<CallResponse<A>, Failure> {
    logged_by(account, hand_over, call, call_once).await
}

/// The same without the storage of an `Idempotency-Key`.
pub(in crate::flows) async fn logged_without_key<A: LiveAccount>(
    account: &Rc<A>,
    hand_over: &HandOver,
    call: Call<StreamOf<A>>,
) -> Result<CallResponse<A>, Failure> {
    logged_by(account, hand_over, call, execute).await
}

async fn logged_by<'a, A: LiveAccount>(
    account: &'a Rc<A>,
    hand_over: &'a HandOver,
    call: Call<StreamOf<A>>,
    make: impl AsyncFnOnce(Access<'a, A>, Call<StreamOf<A>>) -> Completed<A>,
) -> Result<CallResponse<A>, Failure> {
    let access = Access::check(account, &hand_over.visibility, call.timeout).await?;
    let loaded = Rc::clone(access.loaded());
    let log = Log {
        account: Rc::clone(account),
        opening: Opening::of_call(hand_over, &call, account.system().now()),
        trace: Rc::clone(&call.trace),
    };
    let Completed { response, ended } = make(access, call).await;
    match response {
        Ok(CallResponse::Pages(mut pages)) => {
            pages.logged(LogOfPages {
                log,
                code: None,
                bytes_out: 0,
            });
            Ok(CallResponse::Pages(pages))
        }
        response => {
            log.end(&loaded, &ended).await;
            response
        }
    }
}

/// Runs an action by `run` and logs it. The requests of its steps have no log lines.
pub(in crate::flows) async fn logged_action<'a, A: LiveAccount, T>(
    access: Access<'a, A>,
    hand_over: &HandOver,
    trace: &Rc<Trace>,
    run: impl AsyncFnOnce(Access<'a, A>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let account = access.account();
    let loaded = Rc::clone(access.loaded());
    let log = Log {
        account: Rc::clone(account),
        opening: Opening::of_action(hand_over, account.system().now()),
        trace: Rc::clone(trace),
    };
    let result = run(access).await;
    let result = result.map_err(|failure| trace.behind_write(failure));
    let ended = match &result {
        Ok(_) => Ended::good(200),
        Err(failure) => Ended::failed(failure, WriteOutcome::NotMade),
    };
    log.end(&loaded, &ended).await;
    result
}

/// The one log line of an auto-paginated list. It is written when the list is dropped: at its end, or when the reader
/// disconnects.
pub(in crate::flows) struct LogOfPages<A: LiveAccount> {
    log: Log<A>,
    code: Option<Code>,
    bytes_out: u64,
}

impl<A: LiveAccount> LogOfPages<A> {
    pub(in crate::flows) async fn note(&mut self, visibility: &Visibility, piece: &Piece) {
        match piece {
            Piece::Lines(lines) => self.bytes_out += lines.len() as u64,
            Piece::Broken { failure, .. } => {
                self.code = Some(failure.code);
                if let Some(message) = forbidden(failure)
                    && let Ok(loaded) = self.log.account.visible(visibility).await
                {
                    self.log.note_forbidden(&loaded, &message).await;
                }
            }
        }
    }
}

impl<A: LiveAccount> Drop for LogOfPages<A> {
    fn drop(&mut self) {
        self.log.write(&Ended {
            code: self.code,
            bytes_out: Some(self.bytes_out),
            ..Ended::good(200)
        });
    }
}

impl Opening {
    fn of_call<S: ByteStream>(hand_over: &HandOver, call: &Call<S>, began: Timestamp) -> Self {
        Self {
            request_id: hand_over.request_id.clone(),
            caller: hand_over.caller.clone(),
            began,
            method: call.method.to_string(),
            bytes_in: length(&call.body),
        }
    }

    fn of_action(hand_over: &HandOver, began: Timestamp) -> Self {
        Self {
            request_id: hand_over.request_id.clone(),
            caller: hand_over.caller.clone(),
            began,
            method: "POST".to_owned(),
            bytes_in: None,
        }
    }
}

impl<A: LiveAccount> Log<A> {
    async fn end(&self, loaded: &LoadedAccount, ended: &Ended) {
        if let Some(message) = &ended.forbidden {
            self.note_forbidden(loaded, message).await;
        }
        self.write(ended);
    }

    fn write(&self, ended: &Ended) {
        let (opening, trace) = (&self.opening, &self.trace);
        let now = self.account.system().now();
        let about = trace.about();
        let millis = |took: Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let line = LogLine {
            request_id: opening.request_id.clone(),
            created_at: now,
            method: opening.method.clone(),
            resource: about.resource,
            resource_method: about.resource_method,
            host: about.host,
            path: about.path,
            status: ended.status,
            code: ended.code.map(|code| code.as_str().to_owned()),
            duration_ms: millis(now.since(opening.began)),
            upstream_status: trace.status(),
            upstream_ms: trace.took().map(millis),
            bytes_in: opening.bytes_in,
            bytes_out: ended.bytes_out,
            retries: trace.retries(),
            replayed: ended.is_replayed,
            caller: opening.caller.clone(),
        };
        let settings = self.account.system().settings();
        if self.is_in(settings.log_calls, &line) {
            self.write_on_console(&line);
        }
        if self.is_in(settings.log_stored_calls, &line) {
            self.account.write_log(line);
        }
    }

    fn is_in(&self, calls: LogCalls, line: &LogLine) -> bool {
        let is_sampled = || match calls {
            LogCalls::Failed => false,
            LogCalls::All => true,
            LogCalls::Share(share) => {
                let random = u32::from_le_bytes(self.account.system().random());
                f64::from(random) < share * 4_294_967_296.0
            }
        };
        line.status >= 400 || line.code.is_some() || is_sampled()
    }

    fn write_on_console(&self, line: &LogLine) {
        let id = self.account.id();
        let mut console = json!({ "level": "info", "event": "call", "integrated_account_id": id });
        // Not `json::merge`, which would drop null values.
        if let (Some(console), Value::Object(line)) = (console.as_object_mut(), json!(line)) {
            console.extend(line);
        }
        self.account.system().log(&console);
    }

    /// Notes a 403 answer of the provider, with the method's scopes that the account was not granted.
    async fn note_forbidden(&self, loaded: &LoadedAccount, message: &str) {
        let about = self.trace.about();
        let needed = about.scopes;
        let config = self.account.resolved_config(&loaded.account).await.ok();
        let granted = config
            .and_then(|config| granted(&config.compiled.config, &loaded.account, &loaded.context));
        self.account.write_forbidden(json!({
            "status": 403,
            "resource": about.resource,
            "method": about.resource_method,
            "message": message,
            "scopes": needed,
            "missing_scopes": granted.map(|granted| missing(&needed, &granted)),
            "request_id": self.opening.request_id,
            "at": self.account.system().now(),
        }));
    }
}
