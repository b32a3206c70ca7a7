//! The admin calls: everything that configures. One file per noun; the route table names its functions.

pub(super) mod account_token;
pub(super) mod answer;
pub(super) mod api_token;
pub(super) mod call;
pub(super) mod capabilities;
pub(super) mod category;
pub(super) mod environment;
pub(super) mod environment_integration;
pub(super) mod event;
pub(super) mod integrated_account;
pub(super) mod integration;
pub(super) mod link_token;
mod listed_account;
pub(super) mod log;
pub(super) mod mcp_token;
pub(super) mod noun;
pub(super) mod sealing;
pub(super) mod sync;
pub(super) mod tools;
pub(super) mod webhook;
pub(super) mod webhook_test;
mod webhook_url;
