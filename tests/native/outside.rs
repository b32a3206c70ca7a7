//! The in-memory twin of the platform: KV, objects with SQLite, a clock that the test moves, and a
//! provider that answers as scripted. Everything runs through `api::handle`, as in the Worker.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use causeway::error::Failure;
use causeway::flows::call::leased::Leases;
use causeway::flows::config::isolate::Isolate;
use causeway::flows::directory::{Directory, DirectoryName};
use causeway::flows::messages::answer_text;
use causeway::flows::object::AccountObject;
use causeway::flows::object::dispatch::dispatch;
use causeway::header_text;
use causeway::ids::AccountId;
use causeway::ports::*;
use causeway::settings::{PrivateUpstreams, Settings};
use causeway::time::Timestamp;
use futures::StreamExt;
use futures::future::{Either, LocalBoxFuture, select};
use futures::stream::LocalBoxStream;
use http::HeaderMap;
use rusqlite::types::ValueRef;
use serde_json::Value;

use crate::planted_secrets::{self, Place};
use crate::sftp_server::FileServer;

/// A streamed body made of pieces; or of what the service makes while it is read.
pub struct Pieces {
    pub length: Option<u64>,
    pub left: VecDeque<Bytes>,
    pub made: Option<LocalBoxStream<'static, Bytes>>,
    pub pace: Pace,
}

/// How its sender sends it.
#[derive(Clone, Default)]
pub enum Pace {
    #[default]
    AtOnce,
    /// So long before each piece.
    Every(World, Duration),
    /// What there is at once; then nothing, and no end.
    Stalls,
}

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.left)
    }
}

impl ByteStream for Pieces {
    fn length(&self) -> Option<u64> {
        self.length
    }

    async fn next(&mut self) -> Option<Result<Bytes, BrokenStream>> {
        if let Some(made) = &mut self.made {
            return made.next().await.map(Ok);
        }
        match &self.pace {
            Pace::Every(world, wait) => world.sleep(*wait).await,
            Pace::Stalls if self.left.is_empty() => futures::future::pending().await,
            Pace::AtOnce | Pace::Stalls => {}
        }
        self.left.pop_front().map(Ok)
    }

    fn in_pieces(self) -> Self {
        self
    }

    fn tee(self) -> (Self, Self) {
        assert!(
            self.made.is_none(),
            "what we make ourselves is not looked into"
        );
        let look = Self {
            length: self.length,
            left: self.left.clone(),
            made: None,
            pace: self.pace.clone(),
        };
        (look, self)
    }
}

/// A request as the provider got it.
#[derive(Debug, Clone)]
pub struct Sent {
    pub method: String,
    pub url: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Sent {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// How late an answer is, depending on the request.
pub type Lateness = Rc<dyn Fn(&Sent) -> Duration>;

/// Answers depending on the request.
pub type Provider = Rc<dyn Fn(&Sent) -> Reply<Pieces>>;

/// One scripted answer.
pub struct Scripted {
    pub outcome: Result<Reply<Pieces>, SendError>,
    /// Answers only when the clock has come so far.
    pub not_before: i64,
}

/// A path that every provider answers with `{}`, apart from what a story scripts and looks at.
pub const SILENT: &str = "/answers-nothing";

/// Where a fault strikes a message to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The object never saw it.
    Lost,
    /// It was done, and the answer was lost.
    AnswerLost,
    /// The object never saw it, and its caller waits for ever.
    Silence,
}

#[derive(Default)]
pub struct Disk {
    connection: Option<rusqlite::Connection>,
    tables: Rc<KnownTables>,
    alarm: Option<Timestamp>,
    writes: usize,
    /// The next statement with this word in it is refused.
    refuses: Option<String>,
    /// The texts that the largest result of a statement had, in bytes.
    largest: usize,
}

#[derive(Clone)]
pub struct DiskHandle(Rc<RefCell<Disk>>);

pub struct Inner {
    now: Cell<i64>,
    seed: Cell<u64>,
    settings: Settings,
    isolate: RefCell<Rc<Isolate>>,
    pub leases: RefCell<Rc<Leases>>,
    pub kv: RefCell<BTreeMap<String, String>>,
    pub kv_failures: Cell<usize>,
    pub faults: RefCell<VecDeque<(String, Fault)>>,
    script: RefCell<VecDeque<Scripted>>,
    /// Answers what is not scripted.
    provider: RefCell<Option<Provider>>,
    /// How late its answers are.
    lateness: RefCell<Option<Lateness>>,
    pub sent: RefCell<Vec<Sent>>,
    /// The SFTP Worker; nothing without the binding.
    pub sftp: RefCell<Option<Rc<FileServer>>>,
    pub logs: RefCell<Vec<Value>>,
    disks: RefCell<BTreeMap<ObjectName, DiskHandle>>,
    directories: RefCell<BTreeMap<ObjectName, Rc<Directory<World, DiskHandle>>>>,
    accounts: RefCell<BTreeMap<AccountId, Rc<AccountObject<World, DiskHandle>>>>,
    sleepers: RefCell<Vec<Waker>>,
    /// What goes on in the background.
    tasks: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
    pub call_faults: Cell<usize>,
    /// The platform's limit of requests per token in ten seconds; nothing without the binding.
    pub token_rate: Cell<Option<usize>>,
    /// The platform's limit of failed authentications per address in a minute; nothing without the binding.
    pub failed_auth: Cell<Option<usize>>,
    /// Requests by token, each with its ten seconds.
    counted: RefCell<BTreeMap<String, (i64, usize)>>,
    /// Asks with this word in them never return.
    pub hangs: RefCell<Vec<String>>,
    /// The answers to objects' next messages, given in place of the objects.
    object_answers: RefCell<BTreeMap<ObjectName, VecDeque<String>>>,
    /// The messages that were answered so.
    intercepted: RefCell<Vec<(ObjectName, Value)>>,
    /// KV operations wait until this is false and the clock moves.
    pub kv_waits: Cell<bool>,
    /// Operations on KV, and messages and calls to objects.
    touches: Cell<usize>,
    /// Messages that accounts' objects got since they are counted.
    asked_accounts: Cell<usize>,
    /// Requests that the front Worker handed over to accounts' objects.
    pub handed_over: Cell<usize>,
}

/// The twin; clones are the same world.
#[derive(Clone)]
pub struct World(pub Rc<Inner>);

pub const ADMIN: &str = "admin-token-of-the-tests";
/// Where the gateway is reached.
pub const ORIGIN: &str = "https://causeway.example";
/// The same, where it may call private addresses.
const ORIGIN_ON_LOOPBACK: &str = "http://127.0.0.1:8787";
const SEALING_KEYS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

impl World {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// A world whose operator has set these variables on top of the usual ones.
    pub fn with(variables: &[(&str, &str)]) -> Self {
        planted_secrets::begin();
        let everywhere = [Place::Answered, Place::Logged, Place::Stored];
        planted_secrets::plant("ADMIN_TOKEN", ADMIN, &everywhere);
        planted_secrets::plant("SEALING_KEYS", &SEALING_KEYS[3..], &everywhere);
        Self::of_settings(variables)
    }

    fn of_settings(variables: &[(&str, &str)]) -> Self {
        let settings = Settings::read(|name| {
            let own = variables
                .iter()
                .find(|(own, _)| *own == name)
                .map(|(_, value)| (*value).to_owned());
            own.or_else(|| match name {
                "ADMIN_TOKEN" => Some(ADMIN.to_owned()),
                "SEALING_KEYS" => Some(SEALING_KEYS.to_owned()),
                // Private upstreams are for a gateway on loopback, which needs no other name.
                "PUBLIC_URL" if !variables.contains(&("ALLOW_PRIVATE_UPSTREAMS", "true")) => {
                    Some(ORIGIN.to_owned())
                }
                _ => None,
            })
        });
        Self(Rc::new(Inner {
            now: Cell::new(1_700_000_000_000),
            seed: Cell::new(1),
            isolate: RefCell::new(Rc::new(Isolate::new(settings.buffers))),
            leases: RefCell::default(),
            settings,
            kv: RefCell::default(),
            kv_failures: Cell::new(0),
            faults: RefCell::default(),
            script: RefCell::default(),
            provider: RefCell::default(),
            lateness: RefCell::default(),
            sent: RefCell::default(),
            sftp: RefCell::default(),
            logs: RefCell::default(),
            disks: RefCell::default(),
            directories: RefCell::default(),
            accounts: RefCell::default(),
            sleepers: RefCell::default(),
            tasks: RefCell::default(),
            call_faults: Cell::new(0),
            token_rate: Cell::new(None),
            failed_auth: Cell::new(None),
            counted: RefCell::default(),
            hangs: RefCell::default(),
            object_answers: RefCell::default(),
            intercepted: RefCell::default(),
            kv_waits: Cell::new(false),
            touches: Cell::new(0),
            asked_accounts: Cell::new(0),
            handed_over: Cell::new(0),
        }))
    }

    /// The same data under other settings: the operator changed a variable and deployed again.
    pub fn deployed_with(&self, variables: &[(&str, &str)]) -> Self {
        let next = Self::of_settings(variables);
        next.0.now.set(self.0.now.get());
        next.0.seed.set(self.0.seed.get());
        *next.0.kv.borrow_mut() = self.0.kv.borrow().clone();
        *next.0.disks.borrow_mut() = self.0.disks.borrow().clone();
        next
    }

    /// Runs `work` to its end, together with all background tasks.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            let outcome = work.as_mut().poll(context);
            self.poll_tasks(context);
            outcome
        })
        .await
    }

    /// The same, the clock going on by half a second whenever all of it waits.
    pub async fn run_passing<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(self.run(work));
        poll_fn(|context| {
            let outcome = work.as_mut().poll(context);
            if outcome.is_pending() {
                self.pass(Duration::from_millis(500));
                context.waker().wake_by_ref();
            }
            outcome
        })
        .await
    }

    /// Whether a background task is still running, after each has been polled.
    pub fn poll_tasks(&self, context: &mut Context<'_>) -> bool {
        // A task may begin another: those run in the next round of this loop.
        let mut waiting = Vec::new();
        loop {
            let tasks = std::mem::take(&mut *self.0.tasks.borrow_mut());
            if tasks.is_empty() {
                break;
            }
            for mut task in tasks {
                if task.as_mut().poll(context).is_pending() {
                    waiting.push(task);
                }
            }
        }
        let is_busy = !waiting.is_empty();
        self.0.tasks.borrow_mut().extend(waiting);
        is_busy
    }

    /// Lets the clock run and rings what is due, until nothing is left to do.
    pub fn settle(&self) {
        for _ in 0..50 {
            self.pass(Duration::from_secs(61));
            if futures::executor::block_on(self.run(self.ring_alarms())) == 0 {
                return;
            }
        }
        panic!("its background tasks never end");
    }

    /// Moves the clock.
    pub fn pass(&self, duration: Duration) {
        self.0
            .now
            .set(self.0.now.get() + i64::try_from(duration.as_millis()).unwrap());
        self.0.sleepers.borrow_mut().drain(..).for_each(Waker::wake);
    }

    /// The runtime is killed and starts again: memory goes, disks stay.
    pub fn restart(&self) {
        self.0.tasks.borrow_mut().clear();
        self.0.directories.borrow_mut().clear();
        self.0.accounts.borrow_mut().clear();
        *self.0.isolate.borrow_mut() = Rc::new(Isolate::new(self.0.settings.buffers));
        self.0.leases.take();
    }

    /// The platform evicts the objects of accounts: their memory goes, and nothing else.
    pub fn evict_accounts(&self) {
        self.0.accounts.borrow_mut().clear();
    }

    /// Runs `change` as if in another isolate: this one's leases and cached records stay as they are.
    pub fn elsewhere<T>(&self, change: impl FnOnce() -> T) -> T {
        let leases = self.0.leases.take();
        let other = Rc::new(Isolate::new(self.0.settings.buffers));
        let isolate = self.0.isolate.replace(other);
        let outcome = change();
        self.0.leases.replace(leases);
        self.0.isolate.replace(isolate);
        outcome
    }

    /// An object's alarm is gone, as if a stop had come before it was set.
    pub async fn lose_alarm(&self, name: ObjectName) {
        self.disk(name).delete_alarm().await.unwrap();
    }

    /// Rings every alarm that is due; how many rang.
    pub async fn ring_alarms(&self) -> usize {
        let due: Vec<ObjectName> = self
            .0
            .disks
            .borrow()
            .iter()
            .filter(|(_, disk)| disk.is_due(self.now()))
            .map(|(name, _)| *name)
            .collect();
        for name in &due {
            self.disk(*name).0.borrow_mut().alarm = None;
            match *name {
                ObjectName::Account(id) => self.account(id).alarm().await,
                directory => self.directory(directory).alarm().await,
            }
        }
        due.len()
    }

    /// The provider's next answer.
    pub fn answers(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        plant_tokens(body);
        self.answers_with(reply(status, headers, Body::from_bytes(body.to_owned())));
    }

    pub fn answers_with(&self, reply: Reply<Pieces>) {
        self.answers_with_at(0, reply);
    }

    /// The provider's next answer, given when the clock has come so far.
    pub fn answers_at(&self, millis: i64, status: u16, body: &str) {
        plant_tokens(body);
        self.answers_with_at(
            millis,
            reply(status, &[], Body::from_bytes(body.to_owned())),
        );
    }

    pub fn answers_with_at(&self, millis: i64, reply: Reply<Pieces>) {
        self.scripts(Scripted {
            outcome: Ok(reply),
            not_before: millis,
        });
    }

    /// The provider's next request fails without an answer.
    pub fn fails(&self, error: SendError) {
        self.scripts(Scripted {
            outcome: Err(error),
            not_before: 0,
        });
    }

    pub fn scripts(&self, scripted: Scripted) {
        self.0.script.borrow_mut().push_back(scripted);
    }

    /// A provider that answers by what it is asked, where nothing is scripted.
    pub fn provides(&self, provider: impl Fn(&Sent) -> Reply<Pieces> + 'static) {
        *self.0.provider.borrow_mut() = Some(Rc::new(provider));
    }

    /// The answers of that provider come so late; what they say is decided when the request arrives.
    pub fn answers_late(&self, lateness: impl Fn(&Sent) -> Duration + 'static) {
        *self.0.lateness.borrow_mut() = Some(Rc::new(lateness));
    }

    /// Takes back what was scripted and not asked for.
    pub fn unscript(&self) {
        self.0.script.borrow_mut().clear();
    }

    /// Lets everything else that is under way run.
    pub async fn sleep_turn(&self) {
        self.sleep(Duration::from_millis(1)).await;
    }

    /// The requests the provider got since the last look.
    pub fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.0.sent.borrow_mut())
    }

    /// Where requests of stories go.
    pub fn origin(&self) -> &'static str {
        match self.0.settings.private_upstreams {
            PrivateUpstreams::Allowed => ORIGIN_ON_LOOPBACK,
            PrivateUpstreams::Refused => ORIGIN,
        }
    }

    /// Operations on KV, and messages and calls to objects, so far.
    pub fn touches(&self) -> usize {
        self.0.touches.get()
    }

    fn touch(&self) {
        self.0.touches.set(self.0.touches.get() + 1);
    }

    /// Writes to an object's storage so far.
    pub fn writes(&self, name: ObjectName) -> usize {
        self.disk(name).0.borrow().writes
    }

    /// An object's storage refuses its next statement with this word in it, once.
    pub fn storage_refuses(&self, name: ObjectName, word: &str) {
        self.disk(name).0.borrow_mut().refuses = Some(word.to_owned());
    }

    /// Every value of every table of every object, and of KV: all that is stored.
    pub fn at_rest(&self) -> String {
        let mut all: Vec<String> = self
            .0
            .kv
            .borrow()
            .iter()
            .map(|(key, value)| format!("{key} {value}"))
            .collect();
        for disk in self.0.disks.borrow().values() {
            let disk = disk.0.borrow();
            let Some(connection) = &disk.connection else {
                continue;
            };
            let mut tables = connection
                .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
                .unwrap();
            let names: Vec<String> = tables
                .query_map([], |row| row.get(0))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            for name in names {
                all.extend(
                    query(connection, &format!("SELECT * FROM {name}"), &[])
                        .unwrap()
                        .iter()
                        .map(|row| format!("{row:?}")),
                );
            }
        }
        all.join("\n")
    }

    /// The bytes of text in the largest result that an object's statements had since the last look.
    pub fn largest_result(&self, name: ObjectName) -> usize {
        std::mem::take(&mut self.disk(name).0.borrow_mut().largest)
    }

    /// How many objects have a table at all.
    pub fn objects_with_data(&self) -> usize {
        let is_used = |disk: &DiskHandle| {
            disk.0.borrow().connection.as_ref().is_some_and(|c| {
                !query(c, "SELECT name FROM sqlite_master", &[])
                    .unwrap()
                    .is_empty()
            })
        };
        self.0
            .disks
            .borrow()
            .values()
            .filter(|disk| is_used(disk))
            .count()
    }

    /// The leases of the front Worker's isolate.
    pub fn leases(&self) -> Rc<Leases> {
        Rc::clone(&self.0.leases.borrow())
    }

    pub fn isolate(&self) -> Rc<Isolate> {
        Rc::clone(&self.0.isolate.borrow())
    }

    fn disk(&self, name: ObjectName) -> DiskHandle {
        self.0
            .disks
            .borrow_mut()
            .entry(name)
            .or_insert_with(|| DiskHandle(Rc::default()))
            .clone()
    }

    fn directory(&self, name: ObjectName) -> Rc<Directory<World, DiskHandle>> {
        let own = match name {
            ObjectName::Environment(id) => DirectoryName::Environment(id),
            _ => DirectoryName::Root,
        };
        let disk = self.disk(name);
        Rc::clone(
            self.0
                .directories
                .borrow_mut()
                .entry(name)
                .or_insert_with(|| {
                    Rc::new(Directory::new(self.clone(), self.isolate(), disk, own))
                }),
        )
    }

    pub fn account(&self, id: AccountId) -> Rc<AccountObject<World, DiskHandle>> {
        let disk = self.disk(ObjectName::Account(id));
        Rc::clone(
            self.0.accounts.borrow_mut().entry(id).or_insert_with(|| {
                Rc::new(AccountObject::new(self.clone(), self.isolate(), disk, id))
            }),
        )
    }

    fn fault_for(&self, message: &str) -> Option<Fault> {
        let mut faults = self.0.faults.borrow_mut();
        let index = faults
            .iter()
            .position(|(word, _)| message.contains(word.as_str()))?;
        faults.remove(index).map(|(_, fault)| fault)
    }

    /// Rows of an object's statement.
    pub fn rows(&self, name: ObjectName, statement: &str) -> usize {
        self.disk(name).exec(statement, &[]).unwrap().len()
    }

    /// The rows of an object's statement.
    pub fn select(&self, name: ObjectName, statement: &str) -> Vec<Row> {
        self.disk(name).exec(statement, &[]).unwrap()
    }

    /// The object does not receive its next message: this is its answer.
    pub fn object_answers(&self, object: ObjectName, answer: &Result<Value, Failure>) {
        let answer = answer_text(answer);
        let mut answers = self.0.object_answers.borrow_mut();
        answers.entry(object).or_default().push_back(answer);
    }

    /// The messages that [`World::object_answers`] answered, since the last look.
    pub fn intercepted_messages(&self) -> Vec<(ObjectName, Value)> {
        std::mem::take(&mut *self.0.intercepted.borrow_mut())
    }

    fn scripted_answer(&self, object: ObjectName, message: &str) -> Option<String> {
        let answer = self
            .0
            .object_answers
            .borrow_mut()
            .get_mut(&object)?
            .pop_front()?;
        let message = serde_json::from_str(message).unwrap();
        self.0.intercepted.borrow_mut().push((object, message));
        Some(answer)
    }

    /// From now on the messages to accounts' objects are counted.
    pub fn object_messages_are_counted(&self) {
        self.0.asked_accounts.set(0);
    }

    /// How many there were since.
    pub fn object_messages(&self) -> usize {
        self.0.asked_accounts.get()
    }

    /// A message that never returns: its object is cut off in the middle.
    async fn hang_on(&self, message: &str) {
        if self
            .0
            .hangs
            .borrow()
            .iter()
            .any(|word| message.contains(word))
        {
            self.0.hangs.borrow_mut().clear();
            futures::future::pending::<()>().await;
        }
    }

    fn kv_turn(&self, context: &std::task::Context<'_>) -> Poll<()> {
        if !self.0.kv_waits.get() {
            return Poll::Ready(());
        }
        self.0.sleepers.borrow_mut().push(context.waker().clone());
        Poll::Pending
    }

    fn kv_step(&self) -> Result<(), StoreUnavailable> {
        match self.0.kv_failures.get() {
            0 => Ok(()),
            left => {
                self.0.kv_failures.set(left - 1);
                Err(StoreUnavailable)
            }
        }
    }
}

/// A provider's answer that hands tokens over.
fn plant_tokens(body: &str) {
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    if answer.get("access_token").is_some() {
        planted_secrets::plant_all(&answer, &[Place::Answered, Place::Logged, Place::Stored]);
    }
}

pub fn reply(status: u16, headers: &[(&str, &str)], body: Body<Pieces>) -> Reply<Pieces> {
    let headers = headers
        .iter()
        .map(|(name, value)| {
            (
                name.parse::<http::HeaderName>().unwrap(),
                value.parse().unwrap(),
            )
        })
        .collect();
    Reply {
        status: status.try_into().unwrap(),
        headers,
        body,
    }
}

/// Header fields as the shell has them of the platform, which shows their bytes decoded as UTF-8.
pub fn as_platform_shows(wire: &HeaderMap) -> HeaderMap {
    let field = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let text = String::from_utf8_lossy(value.as_bytes());
        Some((name.clone(), header_text::value_of(&text)?))
    };
    wire.iter().filter_map(field).collect()
}

/// What the platform sends of them.
pub fn on_wire(headers: &HeaderMap) -> HeaderMap {
    let field = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let text = header_text::text(value);
        (name.clone(), http::HeaderValue::from_str(&text).unwrap())
    };
    headers.iter().map(field).collect()
}

fn arrived(reply: Reply<Pieces>) -> Reply<Pieces> {
    Reply {
        headers: as_platform_shows(&reply.headers),
        ..reply
    }
}

/// The same with these bytes in a header field.
pub fn with_bytes(mut reply: Reply<Pieces>, name: &'static str, value: &[u8]) -> Reply<Pieces> {
    let value = http::HeaderValue::from_bytes(value).unwrap();
    reply.headers.insert(name, value);
    reply
}

pub fn streamed(pieces: &[&'static [u8]], length: Option<u64>) -> Body<Pieces> {
    Body::Stream(Pieces {
        length,
        left: pieces
            .iter()
            .map(|piece| Bytes::from_static(piece))
            .collect(),
        made: None,
        pace: Pace::AtOnce,
    })
}

/// A body of which so many bytes come at once, in pieces of 64 KiB, and then nothing more.
pub fn stalled(bytes: usize, length: Option<u64>) -> Body<Pieces> {
    let pieces = vec![b'x'; bytes];
    Body::Stream(Pieces {
        length,
        left: pieces
            .chunks(64 * 1024)
            .map(Bytes::copy_from_slice)
            .collect(),
        made: None,
        pace: Pace::Stalls,
    })
}

/// A body that comes a byte at a time, with so long before each.
pub fn dripping(world: &World, text: &str, wait: Duration) -> Body<Pieces> {
    Body::Stream(Pieces {
        length: None,
        left: text
            .as_bytes()
            .chunks(1)
            .map(Bytes::copy_from_slice)
            .collect(),
        made: None,
        pace: Pace::Every(world.clone(), wait),
    })
}

/// The outcome, or nothing when it takes longer than this.
pub fn within<T>(world: &World, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let outcome = async {
        match select(pin!(work), pin!(world.sleep(limit))).await {
            Either::Left((outcome, _)) => Some(outcome),
            Either::Right(_) => None,
        }
    };
    futures::executor::block_on(world.run_passing(outcome))
}

pub async fn collect(body: Body<Pieces>) -> Vec<u8> {
    match body {
        Body::Empty => Vec::new(),
        Body::Bytes(bytes) => bytes.to_vec(),
        Body::Stream(mut stream) => {
            let mut whole = Vec::new();
            while let Some(piece) = stream.next().await {
                whole.extend_from_slice(&piece.unwrap());
            }
            whole
        }
    }
}

impl System for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now.get())
    }

    /// Different each time, the same in each run.
    fn fill_random(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let seed = self
                .0
                .seed
                .get()
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            self.0.seed.set(seed);
            *byte = seed.to_be_bytes()[0];
        }
    }

    fn settings(&self) -> &Settings {
        &self.0.settings
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.now().plus(duration);
        poll_fn(|context| {
            if self.now() >= until {
                return Poll::Ready(());
            }
            self.0.sleepers.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn spawn(&self, work: LocalBoxFuture<'static, ()>) {
        self.0.tasks.borrow_mut().push(work);
    }

    fn log(&self, line: &Value) {
        planted_secrets::look(Place::Logged, &line.to_string(), &"the log");
        self.0.logs.borrow_mut().push(line.clone());
    }
}

impl ConfigStore for World {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreUnavailable> {
        self.touch();
        poll_fn(|context| self.kv_turn(context)).await;
        self.kv_step()?;
        Ok(self.0.kv.borrow().get(key).cloned())
    }

    async fn put(&self, key: &str, text: &str) -> Result<(), StoreUnavailable> {
        self.touch();
        poll_fn(|context| self.kv_turn(context)).await;
        self.kv_step()?;
        planted_secrets::look(Place::Stored, text, &format_args!("KV {key}"));
        self.0
            .kv
            .borrow_mut()
            .insert(key.to_owned(), text.to_owned());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreUnavailable> {
        self.touch();
        poll_fn(|context| self.kv_turn(context)).await;
        self.kv_step()?;
        self.0.kv.borrow_mut().remove(key);
        Ok(())
    }
}

impl HttpClient for World {
    type Stream = Pieces;

    async fn send(&self, request: Outgoing<Pieces>) -> Result<Reply<Pieces>, SendError> {
        let late = self.sleep(request.timeout);
        let body = match select(pin!(collect(request.body)), pin!(late)).await {
            Either::Left((body, _)) => body,
            Either::Right(_) => return Err(SendError::Timeout),
        };
        let sent = Sent {
            method: request.method.to_string(),
            url: request.url.to_string(),
            headers: on_wire(&request.headers),
            body,
        };
        if sent.url.ends_with(SILENT) {
            return Ok(arrived(reply(200, &[], Body::from_bytes("{}"))));
        }
        self.0.sent.borrow_mut().push(sent.clone());
        let scripted = self.0.script.borrow_mut().pop_front();
        let provider = self.0.provider.borrow().clone();
        let scripted = match (scripted, provider) {
            (Some(scripted), _) => scripted,
            (None, Some(provider)) => {
                let answer = arrived(provider(&sent));
                let lateness = self.0.lateness.borrow().clone();
                let wait = lateness.map_or(Duration::ZERO, |late| late(&sent));
                if !wait.is_zero() {
                    self.sleep(wait.min(request.timeout)).await;
                }
                let is_in_time = wait < request.timeout;
                return is_in_time.then_some(answer).ok_or(SendError::Timeout);
            }
            (None, None) => panic!("the provider was asked once more than scripted"),
        };
        let wait = Timestamp::from_millis(scripted.not_before).since(self.now());
        if wait > request.timeout {
            self.sleep(request.timeout).await;
            return Err(SendError::Timeout);
        }
        self.sleep(wait).await;
        scripted.outcome.map(arrived)
    }

    fn stream(&self, pieces: LocalBoxStream<'static, Bytes>) -> Pieces {
        Pieces {
            length: None,
            left: VecDeque::new(),
            made: Some(pieces),
            pace: Pace::AtOnce,
        }
    }
}

impl Sftp for World {
    async fn ask_sftp(&self, request: SftpRequest<Pieces>) -> Result<Reply<Pieces>, SftpFault> {
        let server = self.0.sftp.borrow().clone().ok_or(SftpFault::Unbound)?;
        let late = self.sleep(request.timeout);
        let work = async {
            let content = collect(request.body).await;
            server.note(request.operation, request.head.expose());
            let wait = server.lateness.get();
            if !wait.is_zero() {
                self.sleep(wait).await;
            }
            server.answer(request.operation, request.head.expose(), content)
        };
        match select(pin!(work), pin!(late)).await {
            Either::Left((reply, _)) => reply,
            Either::Right(_) => Err(SftpFault::Timeout),
        }
    }
}

impl TokenRate for World {
    async fn admits(&self, key: &str) -> bool {
        self.counts(key, self.0.token_rate.get(), 10_000)
    }

    async fn admits_failure(&self, address: &str) -> bool {
        self.counts(address, self.0.failed_auth.get(), 60_000)
    }
}

impl World {
    fn counts(&self, key: &str, limit: Option<usize>, period: i64) -> bool {
        let Some(limit) = limit else {
            return true;
        };
        let window = self.0.now.get() / period;
        let mut counted = self.0.counted.borrow_mut();
        let count = counted.entry(key.to_owned()).or_default();
        if count.0 != window {
            *count = (window, 0);
        }
        count.1 += 1;
        count.1 <= limit
    }
}

impl Objects for World {
    type ObjectReply = Reply<Pieces>;

    async fn send_message(
        &self,
        object: ObjectName,
        message: String,
        _: Duration,
    ) -> Result<String, ObjectFault> {
        self.touch();
        let fault = self.fault_for(&message);
        if fault == Some(Fault::Lost) {
            return Err(ObjectFault::Interrupted);
        }
        if fault == Some(Fault::Silence) {
            futures::future::pending::<()>().await;
        }
        if matches!(object, ObjectName::Account(_)) {
            self.0.asked_accounts.set(self.0.asked_accounts.get() + 1);
        }
        if let Some(answer) = self.scripted_answer(object, &message) {
            return Ok(answer);
        }
        let (world, asked) = (self.clone(), message.clone());
        // Boxed: an object asks an object.
        let answer: Pin<Box<dyn Future<Output = String>>> = Box::pin(async move {
            match object {
                ObjectName::Account(id) => world.account(id).answer(&message).await,
                directory => world.directory(directory).answer(&message).await,
            }
        });
        let answer = answer.await;
        self.hang_on(&asked).await;
        if fault == Some(Fault::AnswerLost) {
            Err(ObjectFault::Interrupted)
        } else {
            Ok(answer)
        }
    }

    async fn call(
        &self,
        account: AccountId,
        hand_over: &HandOver,
        request: Incoming<Pieces>,
    ) -> Result<Reply<Pieces>, ObjectFault> {
        self.touch();
        if self.0.call_faults.get() > 0 {
            self.0.call_faults.set(self.0.call_faults.get() - 1);
            return Err(ObjectFault::Interrupted);
        }
        self.0.handed_over.set(self.0.handed_over.get() + 1);
        let object = self.account(account);
        let answer = dispatch(&object, hand_over.clone(), request);
        Ok(Box::pin(answer).await)
    }
}

impl DiskHandle {
    fn is_due(&self, now: Timestamp) -> bool {
        self.0.borrow().alarm.is_some_and(|alarm| alarm <= now)
    }
}

impl Storage for DiskHandle {
    fn exec(&self, statement: &str, values: &[SqlValue]) -> Result<Vec<Row>, StorageFault> {
        let mut disk = self.0.borrow_mut();
        disk.tables.note(statement);
        if disk
            .refuses
            .take_if(|word| statement.contains(word.as_str()))
            .is_some()
        {
            return Err(StorageFault("refused".to_owned()));
        }
        if !statement.starts_with("SELECT") {
            disk.writes += 1;
        }
        let connection = disk
            .connection
            .get_or_insert_with(|| rusqlite::Connection::open_in_memory().unwrap());
        let rows = query(connection, statement, values)
            .map_err(|error| StorageFault(error.to_string()))?;
        let texts = rows.iter().flatten().filter_map(SqlValue::as_text);
        disk.largest = disk.largest.max(texts.map(str::len).sum());
        Ok(rows)
    }

    fn has_table(&self, name: &str) -> Result<bool, StorageFault> {
        let tables = Rc::clone(&self.0.borrow().tables);
        tables.has(self, name)
    }

    async fn set_alarm(&self, at: Timestamp) -> Result<(), StorageFault> {
        let mut disk = self.0.borrow_mut();
        disk.alarm = Some(at);
        disk.writes += 1;
        Ok(())
    }

    async fn alarm(&self) -> Result<Option<Timestamp>, StorageFault> {
        Ok(self.0.borrow().alarm)
    }

    async fn delete_alarm(&self) -> Result<(), StorageFault> {
        self.0.borrow_mut().alarm = None;
        Ok(())
    }

    async fn erase(&self) -> Result<(), StorageFault> {
        *self.0.borrow_mut() = Disk::default();
        Ok(())
    }
}

fn query(
    connection: &rusqlite::Connection,
    statement: &str,
    values: &[SqlValue],
) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare(statement)?;
    for (index, value) in values.iter().enumerate() {
        match value {
            SqlValue::Null => statement.raw_bind_parameter(index + 1, rusqlite::types::Null)?,
            SqlValue::Integer(number) => statement.raw_bind_parameter(index + 1, number)?,
            SqlValue::Text(text) => {
                planted_secrets::look(Place::Stored, text, &format_args!("SQL value {index}"));
                statement.raw_bind_parameter(index + 1, text)?;
            }
        }
    }
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        read.push(
            (0..columns)
                .map(|column| value_of(row.get_ref_unwrap(column)))
                .collect(),
        );
    }
    Ok(read)
}

fn value_of(value: ValueRef<'_>) -> SqlValue {
    match value {
        ValueRef::Integer(number) => SqlValue::Integer(number),
        ValueRef::Text(text) => SqlValue::Text(String::from_utf8(text.to_vec()).unwrap()),
        _ => SqlValue::Null,
    }
}
