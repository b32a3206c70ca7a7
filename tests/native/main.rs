//! The service through `api::handle`, over the in-memory twin of the platform.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise; the lints do not see helpers as tests"
)]

mod account;
mod account_changes;
mod accounts;
mod actions;
mod addresses;
mod aimed;
mod answer_headers;
mod binding;
mod bodies;
mod cases;
mod client;
mod coded_webhooks;
#[cfg(feature = "cli")]
mod command;
mod components;
mod config_caches;
mod connect;
mod connect_shipped;
mod content_codings;
mod content_fields;
mod copied_numbers;
mod counted_values;
mod customer_pages;
mod deadlines;
mod delivered;
mod documentation;
mod dotted;
mod echoes;
mod environments;
mod erased;
mod failed_events;
mod file_rules;
mod files;
mod forged;
mod found;
mod found_refusals;
mod handed_over;
mod header_bytes;
mod held;
mod home;
mod idempotency;
mod installs;
mod integration_files;
mod integrations;
mod last_word;
mod layers;
mod limits;
mod link_tokens;
mod links;
mod logs;
mod long_lists;
mod made_writes;
mod me;
mod memory;
mod names;
mod narrowed;
mod numbers;
mod openapi;
mod operators_words;
mod outside;
mod overrides;
mod paging;
mod pasted_secrets;
mod planted;
mod proven;
mod provider_cases;
mod provider_says;
mod providers;
mod proxy;
mod publishing;
mod query_in_body;
mod quotas;
mod rebound;
mod received;
mod redacted;
mod refresh;
mod refusals;
mod retried_writes;
mod routes;
mod scheme_lists;
mod sealing;
mod secrecy;
mod secrets;
mod set_limits;
mod signed_urls;
mod sources;
mod stalled_bodies;
mod streamed_errors;
mod subscriptions;
mod subscriptions_failing;
mod subscriptions_tested;
mod told_again;
mod turns;
mod unclear_refusals;
mod visibility;
mod waiting_calls;
mod webhook_answers;
mod webhook_cases;
mod webhook_replays;
mod webhooks;
mod words_check;
