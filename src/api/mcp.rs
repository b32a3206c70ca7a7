//! `/mcp/{token}`: MCP clients, whose token is in the path. It is checked here, and the messages are handed over to the
//! account's object without it.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, AUTHORIZATION, CONTENT_TYPE, ORIGIN,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::caller::{self, Caller};
use super::unproved::Sender;
use super::{FrontReply, RequestContext, budget, proxy, route};
use crate::account::token::{self, TokenKind, TokenProof};
use crate::crypto;
use crate::error::{Code, Failure};
use crate::flows::base::records::TokenScope;
use crate::flows::base::{body, token_rate};
use crate::ids::{AccountId, EnvironmentId};
use crate::mcp::head::{self, HeadError};
use crate::ports::{Body, HandOver, Incoming, ObjectRoute, Outside, Reply, Visibility};
use crate::settings::Settings;

/// What scripts of an allowed origin may send.
const ALLOWED_FIELDS: &str = "accept, authorization, content-type, mcp-protocol-version, mcp-session-id, last-event-id, x-timeout-ms, x-max-retries";

/// The origin of a browser's page that may read the answer to this request of `/mcp`, an error included. An object shares its
/// own answers.
pub(super) fn page<O: Outside>(outside: &O, request: &Incoming<O::Stream>) -> Option<HeaderValue> {
    let origin = request.headers.get(ORIGIN)?;
    let is_admitted = route::is_mcp(request.url.path())
        && check_origin(outside.settings(), &request.headers).is_ok();
    is_admitted.then(|| origin.clone())
}

pub(super) async fn answer<O: Outside>(
    context: &RequestContext<'_, O>,
    text: &str,
    request: Incoming<O::Stream>,
) -> Result<FrontReply<O>, Failure> {
    check_origin(context.outside.settings(), &request.headers).map_err(|error| refused(&error))?;
    if request.method == Method::OPTIONS {
        return Ok(FrontReply::Own(preflight()));
    }
    answer_client(context, text, request).await
}

/// Without `PUBLIC_URL` the own address is what the request says: a page whose name was bound to this gateway's address
/// would be its own.
fn check_origin(settings: &Settings, headers: &HeaderMap) -> Result<(), HeadError> {
    let own = settings.public_url.as_ref();
    let own = own.map(|url| url.origin().ascii_serialization());
    let allowed = settings.mcp_allowed_origins.iter().chain(&own);
    let allowed: Vec<&str> = allowed.map(String::as_str).collect();
    head::check_origin(headers, &allowed)
}

/// Hands the messages of a client over.
async fn answer_client<O: Outside>(
    context: &RequestContext<'_, O>,
    text: &str,
    request: Incoming<O::Stream>,
) -> Result<FrontReply<O>, Failure> {
    let outside = context.outside;
    head::check(&request.headers).map_err(|error| refused(&error))?;
    let budget = budget::read(&request.headers, outside.settings().call_timeout)?;
    let (account, hash) = authenticate(context, text, &request.headers).await?;
    let hand_over = HandOver {
        route: ObjectRoute::Mcp(api_token(context, &request.headers).await, budget),
        request_id: context.request_id.to_owned(),
        visibility: Visibility::McpToken(hash),
        caller: "mcp_token".to_owned(),
        token: None,
        raw_target: None,
    };
    let mut url = request.url;
    url.set_path("/mcp");
    url.set_query(None);
    let request = Incoming {
        headers: handed_over(&request.headers),
        body: body::hold_small(outside, request.body, &context.room).await?,
        url,
        method: request.method,
        raw_target: None,
    };
    let answer = outside.call(account, &hand_over, request).await;
    let answer = answer.map_err(|fault| proxy::not_answered(context, account, fault))?;
    Ok(FrontReply::Object(answer))
}

/// The account and the hash of a token with our signature. Its object says whether it is revoked.
async fn authenticate<O: Outside>(
    context: &RequestContext<'_, O>,
    text: &str,
    headers: &HeaderMap,
) -> Result<(AccountId, String), Failure> {
    let sender = Sender::of(context, headers);
    let read = token::read_token(sender.keyring()?, TokenKind::Mcp, text);
    let Some((account, TokenProof::Signed)) = read else {
        sender.check()?;
        return Err(sender.failed(caller::unknown_token()).await);
    };
    let hash = crypto::sha256_hex(text.as_bytes());
    token_rate::count(context.outside, &hash).await?;
    Ok((account, hash))
}

/// The environment of the API token that is sent, too, where it may make calls. Another `authorization` is ignored.
async fn api_token<O: Outside>(
    context: &RequestContext<'_, O>,
    headers: &HeaderMap,
) -> Option<EnvironmentId> {
    let sent = headers.get(AUTHORIZATION)?.to_str().ok()?;
    // A look at the prefix spares the look-up of a token that is none of ours.
    sent.contains(" ct_").then_some(())?;
    match Caller::authenticate(context, headers).await {
        Ok(Caller::Token(token)) => {
            let caller = Caller::Token(token);
            caller.has(TokenScope::Proxy).then_some(())?;
            caller.environment(None).ok()
        }
        _ => None,
    }
}

/// What of a request its answer depends on.
fn handed_over(headers: &HeaderMap) -> HeaderMap {
    let names = [CONTENT_TYPE, ORIGIN, HeaderName::from_static(head::VERSION)];
    let kept = names.into_iter().filter_map(|name| {
        let value = headers.get(&name)?.clone();
        Some((name, value))
    });
    kept.collect()
}

/// What a browser asks before a page's script may send (Fetch, CORS preflight).
fn preflight<S>() -> Reply<S> {
    let fields = [
        (ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_FIELDS),
    ];
    let fields = fields.map(|(name, value)| (name, HeaderValue::from_static(value)));
    Reply {
        status: StatusCode::NO_CONTENT,
        headers: HeaderMap::from_iter(fields),
        body: Body::Empty,
    }
}

fn refused(error: &HeadError) -> Failure {
    let code = match error {
        HeadError::Origin => Code::WrongAddress,
        HeadError::Accept => Code::NotAcceptable,
        HeadError::ContentType | HeadError::Version(_) => Code::Malformed,
    };
    Failure::new(code, error.to_string())
}
