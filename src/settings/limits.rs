//! The fixed limits, each with its reason, and the defaults of those that the operator can set.
use std::time::Duration;

/// A body of known length up to this is held, so that it may be sent again.
pub const REPLAYABLE_BODY_BYTES: usize = 64 * 1024;
/// The largest answer that is looked into, unless `BUFFERED_ANSWER_BYTES` says otherwise.
pub const BUFFERED_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// The most it can be set to: built, such an answer takes several times its size of the isolate's 128 MB.
pub const BUFFERED_ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// All buffered answers of an isolate together, unless `BUFFERED_TOTAL_BYTES` says otherwise.
pub const BUFFERED_TOTAL_BYTES: usize = 32 * 1024 * 1024;
/// The least it can be set to: what the largest body of an admin call takes, built.
pub const BUFFERED_TOTAL_BYTES_MIN: usize = 12 * 1024 * 1024;
/// The most it can be set to: half of the isolate's memory.
pub const BUFFERED_TOTAL_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What unproved senders may hold of an isolate together, in addition to that, unless `UNPROVED_BYTES` says otherwise.
pub const UNPROVED_BYTES: usize = 4 * 1024 * 1024;
/// The most it can be set to.
pub const UNPROVED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a body may take to arrive whose sender has proved nothing: a webhook's, a connect form's, one with an
/// account token that only the account's object can confirm.
pub const UNPROVED_BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long any other body of a caller may take that is read, not passed on.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Bodies of one account's callers have this part of what an isolate may hold.
pub const BODIES_OF_ACCOUNT_PART: usize = 4;
/// The largest body of an admin call.
pub const ADMIN_BODY_BYTES: usize = 1024 * 1024;
/// The deepest nesting of such a body.
pub const ADMIN_BODY_DEPTH: usize = 64;
/// The most values, at any depth, of a caller's JSON: of an admin call, an action's input, a body that a template looks into.
pub const BODY_VALUES: usize = 100_000;
/// The most values of what endpoints of OAuth and addresses of published keys answer.
pub const SMALL_ANSWER_VALUES: usize = 10_000;
/// The largest body of a method of `files` that takes paths: two of the longest, escaped.
pub const FILE_PATHS_BYTES: usize = 64 * 1024;
/// How long the log-in of a new account, and a look at its server's key, may take.
pub const SFTP_LOGIN_TIMEOUT: Duration = Duration::from_secs(20);
/// Records that the syncs of an account keep together, unless `SYNC_RECORDS` says otherwise.
pub const SYNC_RECORDS: u64 = 1_000_000;
/// What these records take of an object's 10 GB, encrypted, unless `SYNC_BYTES` says otherwise.
pub const SYNC_BYTES: u64 = 5_000_000_000;
/// The most it can be set to: events, logs and the indexes of records need the rest.
pub const SYNC_BYTES_MAX: u64 = 8_000_000_000;
/// The largest record that a sync keeps: a row has 2 MB, and encrypted it takes four thirds.
pub const SYNC_RECORD_BYTES: usize = 1_000_000;
/// How long a slice of a sync works before the alarm rings again.
pub const SYNC_SLICE: Duration = Duration::from_secs(25);
/// What a slice reads of records at most, and a page more: its processor time stays below the Worker's `cpu_ms`.
pub const SYNC_SLICE_BYTES: usize = 8 * 1024 * 1024;
/// How long a deleted record is known by its id.
pub const TOMBSTONES: Duration = Duration::from_hours(30 * 24);
/// Events of an account that wait to be delivered, until a sync waits that would add one for each record.
pub const PENDING_EVENTS: usize = 10_000;
/// At most one run in this time is started by webhooks.
pub const SYNC_DEBOUNCE: Duration = Duration::from_secs(10);
/// Runs that are kept of a sync.
pub const SYNC_RUNS: i64 = 50;
/// A page of a list ends when its records have so many bytes, or so many values; it has one record at least.
pub const LIST_BYTES: usize = 4 * 1024 * 1024;
/// The same, of values.
pub const LIST_VALUES: usize = 100_000;
/// What an isolate keeps of published records, of each kind, by the length of their JSON; built they take several times that.
pub const RECORD_CACHE_BYTES: usize = 2 * 1024 * 1024;
/// What it keeps of compiled configs, which take many times the length of their JSON (`Config::memory_bytes`).
pub const COMPILED_CACHE_BYTES: usize = 24 * 1024 * 1024;
/// What it keeps of subscriptions, and of published keys, by the length of their sources.
pub const SMALL_CACHE_BYTES: usize = 1024 * 1024;
/// Callers that may wait inside one object, unless `CALLS_WAITING` says otherwise.
pub const CALLS_WAITING: usize = 1_000;
/// The most it can be set to: an object has 10,000 timers, and a caller may wait by two.
pub const CALLS_WAITING_MAX: usize = 4_000;
/// Subscriptions of an environment: every account that delivers reads them all.
pub const SUBSCRIPTIONS: i64 = 1_000;
/// The largest context that a link token brings, as JSON.
pub const LINK_CONTEXT_BYTES: usize = 16 * 1024;
/// Link tokens of an environment that may be used.
pub const LINK_TOKENS: usize = 100_000;
/// How long an isolate trusts its copy of a published record, unless `CONFIG_CACHE_SECONDS` says otherwise.
pub const CONFIG_CACHE_SECONDS: u64 = 30;
/// With KV's own minute, 120 s for a change to reach everywhere, as the documentation promises.
pub const MAX_CONFIG_CACHE_SECONDS: u64 = 60;
/// The largest context of an account, as JSON. SQLite's row takes 2 MB, and holds it twice while it changes.
pub const CONTEXT_BYTES: usize = 256 * 1024;
/// The largest change that an account token may ask for, as JSON.
pub const OWN_CHANGE_BYTES: usize = 16 * 1024;
/// How often account tokens may change their account in [`OWN_CHANGES_PERIOD`]: each change is an event.
pub const OWN_CHANGES: usize = 10;
/// The time that is counted in.
pub const OWN_CHANGES_PERIOD: Duration = Duration::from_mins(1);
/// The most values of it, at any depth: the object holds it built.
pub const CONTEXT_VALUES: usize = 10_000;
/// The largest body that a method's `body` template may look into.
pub const TEMPLATE_BODY_BYTES: usize = 1024 * 1024;
/// The largest body of a caller that is held to be signed.
pub const SIGNED_BODY_BYTES: usize = 1024 * 1024;
/// The most values (at any depth) of an answer that an expression looks into. Built, each takes
/// [`VALUE_BYTES`] or so.
pub const EXPRESSION_VALUES: usize = 200_000;
/// The memory that a built value needs in addition to its text: 50 to 200 bytes in wasm.
pub const VALUE_BYTES: usize = 100;
/// Calls of one account that may wait for the head of an answer at a time. The platform gives an
/// object six such connections; one is kept for refreshing tokens, one for deliveries.
pub const CALL_SLOTS: usize = 4;
/// How long a token endpoint may take.
pub const TOKEN_TIMEOUT: Duration = Duration::from_secs(20);
/// Between two refreshes that a refusal by the provider (401) causes; doubled while they do not help.
pub const REFUSED_REFRESH_PAUSE: Duration = Duration::from_mins(1);
/// The longest of these pauses.
pub const REFUSED_REFRESH_PAUSE_MAX: Duration = Duration::from_mins(15);
/// Between two runs of `validation` that are to confirm a refusal.
pub const CONFIRMATION_PAUSE: Duration = Duration::from_mins(1);
/// What one of them may take.
pub const CONFIRMATION_TIMEOUT: Duration = Duration::from_secs(20);
/// Without a `validation` a second refusal confirms the first: so long behind it at least …
pub const REFUSAL_APART: Duration = Duration::from_mins(1);
/// … and less than that.
pub const REFUSAL_FORGOTTEN: Duration = Duration::from_hours(1);
/// A token endpoint that gave neither a token nor a clear reason for so long means that the grant is dead.
pub const UNCLEAR_REFUSAL_MAX: Duration = Duration::from_hours(1);
/// Shorter secrets are not looked for where a provider repeats one: they could be anything.
pub const REDACTED_SECRET_BYTES: usize = 8;
/// Longer ones are looked for in plain and escaped, but not in base64 and hex.
pub const REDACTED_FORMS_SECRET_BYTES: usize = 1024;
/// In longer texts one layer of escapes is undone, else three.
pub const REDACTED_LAYERS_BYTES: usize = 1024 * 1024;
/// What the base64 and hex forms of an account's secrets take together; beyond it the longest have none.
pub const REDACTED_FORMS_BYTES: usize = 64 * 1024;
/// How long the discovery of an account's authorization server may take together: at most six requests.
pub const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(15);
/// How long each of them may take.
pub const DISCOVERY_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest document that is read for it.
pub const DISCOVERY_BYTES: usize = 64 * 1024;
/// How long an isolate uses what it discovered for other logins.
pub const DISCOVERY_FRESH: Duration = Duration::from_mins(5);
/// How long the registration of a client may take, its lock included: other logins wait for it.
pub const REGISTRATION_TIMEOUT: Duration = Duration::from_secs(25);
/// Registered clients of an install; its oldest is forgotten for a further one.
pub const INSTALL_CLIENTS: i64 = 1_000;
/// Registered clients of an environment; the oldest is forgotten for a further one.
pub const REGISTERED_CLIENTS: i64 = 10_000;
/// The largest answer of a token endpoint.
pub const TOKEN_ANSWER_BYTES: usize = 256 * 1024;
/// What the lifecycle actions of an account may take together.
pub const SET_UP_TIMEOUT: Duration = Duration::from_mins(1);
/// Steps that an action may run.
pub const ACTION_STEPS: usize = 50;
/// The largest form of a connect page.
pub const FORM_BYTES: usize = 256 * 1024;
/// The most fields of a form, no matter who sends it.
pub const FORM_FIELDS: usize = 1_000;
/// The largest webhook, unless `WEBHOOK_BODY_BYTES` says otherwise; also the largest payload of an event.
pub const WEBHOOK_BODY_BYTES: usize = 1024 * 1024;
/// The most it can be set to: an event is one row, and a row takes 2 MB.
pub const WEBHOOK_BODY_BYTES_MAX: usize = 1_900_000;
/// The most values, at any depth, of a webhook's JSON.
pub const WEBHOOK_VALUES: usize = 100_000;
/// The most of them that are looked at before the webhook is verified.
pub const UNPROVED_VALUES: usize = 10_000;
/// How long a webhook's sender waits at most.
pub const RECEIVE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a repeated webhook is known by its `event_id`.
pub const DEDUPLICATION: Duration = Duration::from_hours(72);
/// How long an event is kept at most.
pub const EVENT_RETENTION_DAYS: u64 = 30;
/// How many settled events an account keeps, unless `EVENT_RETENTION_COUNT` says otherwise.
pub const EVENT_RETENTION_COUNT: usize = 10_000;
/// Pages that one call for all pages (`x-all-pages`) reads, unless `LIST_PAGES` says otherwise: a list that never ends is cut off there.
pub const LIST_PAGES: u32 = 100_000;
/// The largest place in a list, as JSON: sealed, it has to fit into the 16 KB of a URL.
pub const CURSOR_BYTES: usize = 8 * 1024;
/// The answer to a call for all pages is passed on in pieces of this size.
pub const PIECE_BYTES: usize = 64 * 1024;
/// The largest body of a write with an `Idempotency-Key`.
pub const KEYED_BODY_BYTES: usize = 1024 * 1024;
/// The largest answer that is given again under one.
pub const KEPT_ANSWER_BYTES: usize = 256 * 1024;
/// What such answers of an account take together, sealed; the oldest are then known by their status alone.
pub const KEPT_ANSWERS_BYTES: i64 = 64 * 1024 * 1024;
/// How long such a key is known.
pub const KEPT_ANSWER: Duration = Duration::from_hours(24);
/// How many such keys an account has at a time.
pub const STORED_RESPONSES: i64 = 100_000;
/// Records of a list that a node of a batch reads.
pub const BATCH_RECORDS: usize = 10_000;
/// Steps of some 5 ns that a batch may take for its expressions and its texts with placeholders together: as many as one
/// expression.
pub const BATCH_STEPS: u64 = 64_000_000;
/// Calls of a batch: the platform counts each of their requests.
pub const BATCH_CALLS: usize = 1_000;
/// The results of a batch together.
pub const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// MCP tokens of an account.
pub const MCP_TOKENS: i64 = 100;
/// Entries of each list in the configuration of an MCP token.
pub const MCP_CONFIG_WORDS: usize = 100;
/// The longest of them.
pub const MCP_WORD_CHARACTERS: usize = 100;
/// The largest body of an MCP request.
pub const MCP_BODY_BYTES: usize = 1024 * 1024;
/// The most messages of one such request.
pub const MCP_MESSAGES: usize = 20;
/// Tools on a page of `tools/list`.
pub const MCP_PAGE: usize = 50;
/// The largest result of a tool, unless `MCP_RESULT_BYTES` says otherwise; it is written twice, as JSON and as text. Not more
/// than an eighth of `BUFFERED_TOTAL_BYTES` counts.
pub const MCP_RESULT_BYTES: usize = 256 * 1024;
/// The least it can be set to: a page has its cursor, of up to `CURSOR_BYTES` before it is sealed, and a record.
pub const MCP_RESULT_BYTES_MIN: usize = 16 * 1024;
/// The most it can be set to.
pub const MCP_RESULT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// What of a provider's error an agent reads.
pub const MCP_ERROR_BYTES: usize = 8 * 1024;
/// How long a dry run can be confirmed.
pub const CONFIRMATION_LIFE: Duration = Duration::from_mins(10);
/// Dry runs of an account that can be confirmed at a time; the oldest is forgotten for a further one.
pub const CONFIRMATIONS: usize = 100;
/// The longest such key.
pub const KEY_CHARACTERS: usize = 255;
/// How many lines the log of an account keeps, unless `LOG_RETENTION_COUNT` says otherwise.
pub const LOG_RETENTION_COUNT: usize = 10_000;
/// The most it can be set to: they are counted when the account's object starts.
pub const LOG_RETENTION_COUNT_MAX: usize = 100_000;
/// How long it keeps one at most.
pub const LOG_RETENTION_DAYS: u64 = 7;
/// Redirects that are followed.
pub const MAX_REDIRECTS: usize = 5;
/// How long a proxied call may take, unless its caller says otherwise by `x-timeout-ms`, or the operator by
/// `CALL_TIMEOUT_MS`.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest either may ask for.
pub const CALL_TIMEOUT_MAX: Duration = Duration::from_secs(100);
/// How often a request that only reads is sent again, unless its caller says otherwise by `x-max-retries`.
pub const READ_RETRIES: u32 = 2;
/// The most a caller may ask for.
pub const CALL_RETRIES_MAX: u32 = 5;
/// What the caller of a rate-limited provider waits when the provider does not say.
pub const RATE_LIMIT_WAIT: Duration = Duration::from_secs(30);
/// The time that `ACCOUNT_RATE` and `TOKEN_RATE` count requests in.
pub const RATE_PERIOD: Duration = Duration::from_secs(10);
/// The most `ACCOUNT_RATE` can be set to: the times of so many requests are held in memory.
pub const ACCOUNT_RATE_MAX: usize = 10_000;
/// The shortest `ADMIN_TOKEN`, in characters: it is the one token that can be guessed.
pub const ADMIN_TOKEN_CHARACTERS: usize = 24;
/// The time that `FAILED_AUTH` counts failed authentications of one address in.
pub const FAILED_AUTH_PERIOD: Duration = Duration::from_mins(1);
/// Addresses whose failures an isolate remembers; the least used go first.
pub const FAILED_ADDRESSES: usize = 1_000;
/// Unsigned tokens and webhook URLs of one isolate that may be looked up and found unknown in [`UNSIGNED_PERIOD`]. Beyond it unsigned
/// ones wait: looking one up costs storage, and any sender can invent one.
pub const UNSIGNED_MISSES: usize = 100;
/// The time they are counted in.
pub const UNSIGNED_PERIOD: Duration = Duration::from_mins(1);
/// How long a link token may be used, unless its maker says otherwise.
pub const LINK_LIFE: Duration = Duration::from_hours(24);
/// The shortest life of one.
pub const LINK_LIFE_MIN: Duration = Duration::from_mins(1);
/// The longest.
pub const LINK_LIFE_MAX: Duration = Duration::from_hours(7 * 24);
/// The longest time that a front Worker uses a lease of an account. The documentation names it.
pub const LEASE: Duration = Duration::from_secs(30);
/// How long the object may take to refresh the token of a leased call that waited until its lease had ended.
pub const LEASED_CALL: Duration = Duration::from_secs(25);
/// After a request for a lease an isolate makes none for the account for so long.
pub const LEASE_REQUEST_PAUSE: Duration = Duration::from_secs(5);
/// What the leases of one isolate may weigh together.
pub const LEASES_BYTES: usize = 4 * 1024 * 1024;
