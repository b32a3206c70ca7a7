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
mod answer_headers;
mod api_token_overrides;
mod binding;
mod bodies;
mod callback_values;
mod cases;
mod client;
mod coded_webhooks;
#[cfg(feature = "cli")]
mod command;
mod completed_writes;
mod components;
mod config_caches;
mod configured_limits;
mod connect;
mod connect_links;
mod connect_shipped;
mod content_codings;
mod content_fields;
mod copied_numbers;
mod counted_values;
mod credential_refusals;
mod credential_targets;
mod custom_tokens;
mod customer_pages;
mod deadlines;
mod deleted_accounts;
mod deliveries;
mod detected_refusals;
mod documentation;
mod dotted_keys;
mod echoed_urls;
mod environments;
mod failed_events;
mod file_rules;
mod files;
mod forged_tokens;
mod handshake_secrets;
mod header_bytes;
mod home;
mod idempotency;
mod inbound_webhooks;
mod install_lookup;
mod installs;
mod integration_files;
mod integrations;
mod kept_bindings;
mod layers;
mod limits;
mod link_tokens;
mod logs;
mod long_lists;
mod lookup_provenance;
mod me;
mod memory;
mod name_folding;
mod numbers;
mod oauth1_sign_in;
mod openapi;
mod operator_values;
mod outside;
mod overrides;
mod paging;
mod pasted_secrets;
mod planted_secrets;
mod provider_cases;
mod providers;
mod proxy;
mod publishing;
mod query_in_body;
mod quotas;
mod redaction;
mod refresh;
mod repeated_secrets;
mod request_signatures;
mod reservations;
mod reserved_names;
mod retried_writes;
mod routes;
mod scheme_lists;
mod sealing;
mod secrecy;
mod secrets;
mod shipped_lookups;
mod signed_tokens;
mod signed_urls;
mod sources;
mod stalled_bodies;
mod stored_webhooks;
mod streamed_errors;
mod subscriptions;
mod subscriptions_failing;
mod subscriptions_tested;
mod unclear_refusals;
mod visibility;
mod waiting_calls;
mod webhook_answers;
mod webhook_cases;
mod webhook_replays;
mod webhooks;
mod words_check;
