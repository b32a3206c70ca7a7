//! The account as an MCP server: what a token's client asks is answered in the account's object.

mod messages;

use std::rc::Rc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::error::{Code, Failure};
use crate::flows::account::account_tokens::unknown_token;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::mcp_tokens::McpTokenStore;
use crate::flows::agents::confirmations::Confirmations;
use crate::flows::agents::tools;
use crate::flows::base::body;
use crate::flows::base::memory::drained::until_drained;
use crate::flows::base::memory::values::parse_exact;
use crate::flows::call::account::{CallAccount, LiveAccount};
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::messages::mcp::McpTokenRecord;
use crate::ids::EnvironmentId;
use crate::json::is_deeper;
use crate::mcp::answer::{RpcCode, RpcError, answer};
use crate::mcp::{head, misfits_are_results, takes_arrays};
use crate::ports::{Body, Budget, HandOver, Incoming, Outside, Reply, Storage, Visibility};
use crate::proxy::headers::keep_harmless;
use crate::settings::{ADMIN_BODY_DEPTH, BODY_VALUES, MCP_BODY_BYTES};
use crate::time::Timestamp;
use crate::tools::ToolMethod;
use crate::tools::input::ConfirmationPolicy;

/// Answers the clients of the account's MCP tokens.
pub(in crate::flows) struct McpServer<O, S> {
    calls: Rc<AccountCalls<O, S>>,
    pub(super) tokens: Rc<McpTokenStore<O, S>>,
    pub(super) confirmations: Rc<Confirmations>,
}

/// One request of a client.
pub(super) struct McpRequest<'s, O, S> {
    pub(super) server: &'s McpServer<O, S>,
    pub(super) calls: &'s Rc<AccountCalls<O, S>>,
    pub(super) hand_over: &'s HandOver,
    pub(super) loaded: Rc<LoadedAccount>,
    pub(super) token: McpTokenRecord,
    /// The end of the time of the request, however many messages it has.
    pub(super) deadline: Timestamp,
    pub(super) max_retries: Option<u32>,
    /// Whether arguments that do not fit their schema are a failed result.
    pub(super) misfits_are_results: bool,
}

impl<O: Outside, S: Storage> McpServer<O, S> {
    pub(in crate::flows) fn new(
        calls: &Rc<AccountCalls<O, S>>,
        tokens: &Rc<McpTokenStore<O, S>>,
        confirmations: &Rc<Confirmations>,
    ) -> Self {
        Self {
            calls: Rc::clone(calls),
            tokens: Rc::clone(tokens),
            confirmations: Rc::clone(confirmations),
        }
    }

    pub(super) fn calls(&self) -> &Rc<AccountCalls<O, S>> {
        &self.calls
    }

    /// Answers one request: a message or, in older versions, an array of them. 202 where there is nothing to answer.
    pub(in crate::flows) async fn answer(
        &self,
        mut hand_over: HandOver,
        (api_token, budget): (Option<EnvironmentId>, Budget),
        request: Incoming<O::Stream>,
    ) -> Result<Reply<O::Stream>, Failure> {
        let token = self.token(&hand_over.visibility, api_token).await?;
        hand_over.caller = format!("mcp:{}", token.id);
        let version = request.headers.get(head::VERSION);
        let version = version
            .and_then(|own| own.to_str().ok())
            .unwrap_or_default();
        let (takes_arrays, misfits_are_results) =
            (takes_arrays(version), misfits_are_results(version));
        let room = self.calls.body_room();
        let deadline = self.calls.system().now().plus(budget.timeout);
        let (system, sent) = (self.calls.system(), request.body);
        let sent = body::read_until(system, sent, MCP_BODY_BYTES, &room, Some(deadline)).await?;
        let answered = match parse_exact(&sent, BODY_VALUES, &room) {
            Ok(message) if !is_deeper(message.inside(), ADMIN_BODY_DEPTH) => {
                let mcp = McpRequest {
                    server: self,
                    calls: &self.calls,
                    hand_over: &hand_over,
                    loaded: self.calls.visible(&hand_over.visibility).await?,
                    token,
                    deadline,
                    max_retries: budget.max_retries,
                    misfits_are_results,
                };
                mcp.messages(message.inside(), takes_arrays).await
            }
            Ok(_) => Err(RpcError::new(
                RpcCode::Request,
                Failure::body_too_deep(ADMIN_BODY_DEPTH).message,
            )),
            Err(error) => {
                let message = error.of_caller("The body").message;
                Err(RpcError::new(RpcCode::Parse, message))
            }
        };
        let reply = match answered {
            Ok(Some(text)) => reply(StatusCode::OK, text),
            Ok(None) => reply(StatusCode::ACCEPTED, String::new()),
            Err(error) => reply(StatusCode::BAD_REQUEST, answer("null", Err(error))),
        };
        // In the tick in which the room that was taken for the result of a write is released.
        until_drained(self.calls.system(), self.calls.room(), reply)
    }

    /// The token, and whether its client may use it.
    async fn token(
        &self,
        visibility: &Visibility,
        api_token: Option<EnvironmentId>,
    ) -> Result<McpTokenRecord, Failure> {
        let loaded = self.calls.visible(visibility).await?;
        let Visibility::McpToken(hash) = visibility else {
            return Err(Failure::new(Code::Internal, "A request had no MCP token."));
        };
        let token = self.tokens.find(hash)?;
        let token = token.ok_or_else(unknown_token)?;
        let has_api_token = api_token == Some(loaded.account.environment_id);
        if token.config.require_api_token_auth && !has_api_token {
            let message = "This MCP token also needs an API token of its environment with the scope `proxy`, as `Authorization: Bearer <token>`.";
            return Err(Failure::new(Code::Unauthenticated, message));
        }
        Ok(token)
    }
}

fn reply<T>(status: StatusCode, text: String) -> Reply<T> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    keep_harmless(&mut headers);
    Reply {
        status,
        headers,
        body: Body::from_bytes(text),
    }
}

impl<O: Outside, S: Storage> McpRequest<'_, O, S> {
    pub(super) fn confirmation_policy(&self) -> ConfirmationPolicy {
        if self.token.config.require_confirmation {
            ConfirmationPolicy::OfDestructive
        } else {
            ConfirmationPolicy::Never
        }
    }

    /// The most bytes of a result: a write has room for it before it is sent.
    pub(super) fn most_bytes(&self) -> usize {
        let settings = self.calls.system().settings();
        settings
            .mcp_result_bytes
            .min(settings.buffers.total_bytes / 8)
    }

    /// The resolved config of the account; an error of JSON-RPC (−32603) where it cannot be had.
    pub(super) async fn resolved(&self) -> Result<ResolvedConfig, RpcError> {
        let resolved = self.calls.resolved_config(&self.loaded.account).await;
        resolved.map_err(|failure| internal(&failure))
    }

    /// The time that is left for a call, and its retries.
    pub(super) fn budget(&self) -> Result<Budget, Failure> {
        let timeout = self.deadline.since(self.calls.system().now());
        if timeout.is_zero() {
            let message = "The request did not get to this call in time: x-timeout-ms.";
            return Err(Failure::new(Code::NotReached, message));
        }
        Ok(Budget {
            timeout,
            max_retries: self.max_retries,
        })
    }

    /// The tools that the token leaves and whose scopes the account was not refused.
    pub(super) fn offered<'c>(&self, resolved: &'c ResolvedConfig) -> Vec<ToolMethod<'c>> {
        let (config, name) = (&resolved.compiled.config, &resolved.integration.name);
        let all = tools::of_loaded(config, name, &self.loaded, self.token.config.filter());
        let offered = all
            .into_iter()
            .filter(|(_, is_allowed)| *is_allowed != Some(false));
        offered.map(|(tool, _)| tool).collect()
    }
}

/// An error of JSON-RPC for what the gateway could not do.
fn internal(failure: &Failure) -> RpcError {
    RpcError {
        code: RpcCode::Internal,
        message: failure.message.clone(),
        data: Some(json!({ "code": failure.code.as_str() })),
    }
}
