//! A scene for the engine: an account, its file and its calls.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::flows::account::loaded::LoadedAccount;
use crate::flows::base::memory::{MemoryBudget, Room};
use crate::flows::base::moment::moment;
use crate::flows::call::account::CallAccount;
use crate::flows::call::build::{CallerPart, Prepared, Values};
use crate::flows::call::current::Current;
use crate::flows::call::engine::Engine;
use crate::flows::call::engine::protocol::Streamed;
use crate::flows::call::engine::protocol::{Answer, Input, Limit, Step};
use crate::flows::call::engine::tests::records::{NOW, account, account_id, install, integration};
use crate::flows::call::engine_response::EngineResponse;
use crate::flows::call::list::page::ListCall;
use crate::flows::call::subject::Subject;
use crate::flows::config::isolate::Isolate;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config;
use crate::flows::config::resolved_config::{Compiled, PublishedPair, ResolvedConfig};
use crate::ids::AccountId;
use crate::ports::{Body, System};
use crate::proxy::Target;
use crate::proxy::body::BodySource;
use crate::proxy::query::CallerQuery;
use crate::settings::{Buffers, Settings};
use crate::time::Timestamp;

const KEYS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A clock that a test sets, and random bytes that are all zero.
struct Clock {
    now: Cell<Timestamp>,
    settings: Settings,
}

impl System for Clock {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    async fn sleep(&self, _: Duration) {
        panic!("the engine does not wait");
    }

    fn spawn(&self, _: LocalBoxFuture<'static, ()>) {
        panic!("the engine leaves nothing behind");
    }

    fn log(&self, _: &Value) {}
}

/// The engine's account.
struct Lock {
    clock: Clock,
    memory: MemoryBudget,
    notes: RefCell<Vec<String>>,
}

impl Lock {
    fn note(&self, note: impl Into<String>) {
        self.notes.borrow_mut().push(note.into());
    }
}

impl CallAccount for Lock {
    type System = Clock;

    fn system(&self) -> &Clock {
        &self.clock
    }

    fn id(&self) -> AccountId {
        account_id()
    }

    fn room(&self) -> Room {
        self.memory.room()
    }

    fn redactor(&self, compiled: &Rc<Compiled>, context: &Value) -> Rc<Redactor> {
        Rc::new(Redactor::new(compiled, context, &Value::Null))
    }

    fn pause(&self, wait: Duration) {
        self.note(format!("pause {} ms", wait.as_millis()));
    }

    fn count_redirect(&self) {
        self.note("redirect");
    }

    fn note_credential_accepted(&self) {
        self.note("credential accepted");
    }

    fn note_renewal_helped(&self) {
        self.note("renewal helped");
    }
}

pub(in crate::flows) struct Scene {
    lock: Lock,
    resolved: ResolvedConfig,
}

/// A call that has not begun.
pub(in crate::flows) struct Calling<'a>(Engine<'a, Lock>);

impl Scene {
    pub(in crate::flows) fn new() -> Self {
        let settings = Settings::read(|name| (name == "SEALING_KEYS").then(|| KEYS.to_owned()));
        let clock = Clock {
            now: Cell::new(Timestamp::from_millis(NOW)),
            settings,
        };
        let published = PublishedPair {
            integration: Rc::new(integration()),
            install: Rc::new(install()),
        };
        let compiled =
            resolved_config::compiled(&clock, &Isolate::default(), &account(), &published).unwrap();
        Self {
            lock: Lock {
                clock,
                memory: MemoryBudget::new(Buffers::default()),
                notes: RefCell::default(),
            },
            resolved: ResolvedConfig {
                integration: published.integration,
                install: published.install,
                compiled,
            },
        }
    }

    pub(in crate::flows) fn pass(&self, time: Duration) {
        let now = &self.lock.clock.now;
        now.set(now.get().plus(time));
    }

    /// The notes that the engine gave to its account.
    pub(in crate::flows) fn notes(&self) -> Vec<String> {
        self.lock.notes.borrow().clone()
    }

    pub(in crate::flows) fn get(&self, name: &str) -> Calling<'_> {
        self.call(name, Method::GET, Body::Empty)
    }

    pub(in crate::flows) fn call(
        &self,
        name: &str,
        method: Method,
        body: Body<Streamed>,
    ) -> Calling<'_> {
        let target: &Target = Box::leak(Box::new(Target::Method {
            resource: "keys".to_owned(),
            method: name.to_owned(),
            id: Some("1".to_owned()).filter(|_| name != "list"),
        }));
        let method: &Method = Box::leak(Box::new(method));
        let subject = Subject::of_call(&self.resolved, target, method).unwrap();
        let query = CallerQuery::read("", &[]);
        let given = CallerPart {
            values: Values {
                id: json!("1"),
                query: query.to_value(),
                body: None,
                text: Bytes::new(),
            },
            query,
            announced: None,
            headers: HeaderMap::new(),
            room: self.lock.room(),
        };
        let moment = moment(&self.lock.clock);
        let mut prepared = Prepared::new(subject, given, BodySource::Method, moment);
        let current = || Current::of_call(loaded("old"));
        if target.is_list() {
            let list = ListCall {
                target,
                query: "limit=2",
                at: None,
            };
            prepared = prepared.with_page(&self.lock, &current(), list).unwrap();
        }
        let limit = Limit {
            deadline: self.lock.clock.now().plus(Duration::from_secs(30)),
            max_retries: None,
            confirmed: None,
        };
        let trace = Rc::default();
        let engine = Engine::new(&self.lock, prepared, current(), body, limit, trace);
        Calling(engine)
    }
}

impl Calling<'_> {
    /// Checks the step after each input.
    pub(in crate::flows) fn plays(mut self, story: Vec<(Input, String)>) {
        let mut steps = Vec::new();
        let mut expected = Vec::new();
        for (input, step) in story {
            steps.push(in_words(&self.0.advance(input)));
            expected.push(step);
        }
        assert_eq!(steps, expected);
    }
}

/// An account with this token.
pub(in crate::flows) fn loaded(token: &str) -> Rc<LoadedAccount> {
    let mut loaded = LoadedAccount::new(account());
    loaded.context = json!({ "oauth": { "token": { "access_token": token } } });
    Rc::new(loaded)
}

/// The input for a connection of an account with this token.
pub(in crate::flows) fn connected(token: &str) -> Input {
    Input::Connected(Ok(loaded(token)))
}

pub(in crate::flows) fn with(input: Input, step: &str) -> (Input, String) {
    (input, step.to_owned())
}

pub(in crate::flows) fn answer(
    status: u16,
    headers: &[(&str, &str)],
    body: Body<Streamed>,
) -> Input {
    let field = |(name, value): &(&str, &str)| {
        let name: HeaderName = name.parse().unwrap();
        (name, HeaderValue::from_str(value).unwrap())
    };
    let mut headers: HeaderMap = headers.iter().map(field).collect();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    Input::Answered(Ok(Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body,
    }))
}

pub(in crate::flows) fn read(scene: &Scene, text: &str) -> Input {
    let room = scene.lock.room();
    Input::BodyRead(Ok((Bytes::from(text.to_owned()), room)))
}

fn in_words(step: &Step) -> String {
    match step {
        Step::Reserve { after } => format!("reserve after {} ms", after.as_millis()),
        Step::Connect => "connect".to_owned(),
        Step::Send(request) => {
            let authorization = request.headers.get("authorization");
            let token =
                authorization.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
            let (method, url) = (&request.method, &request.url);
            let body = match &request.body {
                Body::Empty => String::new(),
                Body::Bytes(bytes) => format!(", {}", String::from_utf8_lossy(bytes)),
                Body::Stream(Streamed) => ", streamed".to_owned(),
            };
            let token = token.map_or("without a credential".to_owned(), |token| {
                format!("as {token}")
            });
            format!("send {method} {url} {token}{body}")
        }
        Step::Transfer(request) => format!("transfer {}", request.operation),
        Step::ReadBody => "read body".to_owned(),
        Step::ReadSmallBody => "read small body".to_owned(),
        Step::Renew(renewal) => format!("renew for {renewal:?}"),
        Step::ConfirmRefusal => "confirm refusal".to_owned(),
        Step::Respond(Ok(EngineResponse::Single(reply))) => {
            let body = match &reply.body {
                Body::Empty => "empty".to_owned(),
                Body::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Body::Stream(Streamed) => "as it came".to_owned(),
            };
            format!("respond {} {body}", reply.status.as_u16())
        }
        Step::Respond(Ok(EngineResponse::Page(list))) => {
            let envelope: Value = serde_json::from_str(&list.text).unwrap();
            let count = envelope["result"].as_array().unwrap().len();
            let next = match (&list.next, envelope["next_cursor"].is_string()) {
                (Some(_), true) => "and one behind it",
                (None, false) => "the last",
                _ => "which says two things",
            };
            format!("respond a page of {count}, {next}")
        }
        Step::Respond(Ok(EngineResponse::Value(_))) => "respond a value".to_owned(),
        Step::Respond(Err(failure)) => {
            let message = failure.remote.as_ref().map(|remote| &remote.raw_response);
            let message = message.map_or(String::new(), |message| format!(": {message}"));
            format!(
                "fail {} {}{message}",
                failure.status(),
                failure.code.as_str()
            )
        }
    }
}
