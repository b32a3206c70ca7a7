//! The errors, sorted by who must act: the one place of HTTP statuses, codes and public messages.
//!
//! A [`Failure`] can be shown to its caller: it holds no secret, no stack and no storage detail. Details for the
//! operator go to the log, where the failure is created.

mod failure;
mod sort;
mod write;

use serde::{Deserialize, Serialize};

pub use failure::{AnsweredBy, Complaint, Failure, Remote};

macro_rules! codes {
    ($(#[doc = $doc:literal] $variant:ident = $text:literal, $status:literal;)*) => {
        /// The stable codes of the error envelope. The prefix says who must act.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Code {
            $(#[doc = $doc] #[serde(rename = $text)] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The HTTP status. For a provider's error only where the provider's own status is not passed on.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }

            /// The description in the documentation.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc),* }
            }
        }
    };
}

codes! {
    #[doc = "The request could not be read: broken JSON, an unreadable parameter."]
    Malformed = "caller.malformed", 400;
    #[doc = "The `next_cursor` was made for another account, resource or method, was changed, or is too old for the current keys or file; start the list again without it."]
    BadCursor = "caller.bad_cursor", 400;
    #[doc = "Deletions since this cursor of a feed are no longer known: it is older than 30 days, or the sync was reset. Read the feed again without it."]
    CursorExpired = "caller.cursor_expired", 410;
    #[doc = "The request was read and is wrong; `details.failures` says where."]
    Invalid = "caller.invalid", 422;
    #[doc = "A placeholder needs a value the request does not carry."]
    MissingValue = "caller.missing_value", 422;
    #[doc = "No token, or one that is unknown, revoked or expired."]
    Unauthenticated = "caller.unauthenticated", 401;
    #[doc = "The webhook could not be verified; the log has the reason."]
    BadSignature = "caller.bad_signature", 401;
    #[doc = "The token is valid, but lacks the scope."]
    Forbidden = "caller.forbidden", 403;
    #[doc = "The integration file disables it: `/custom`, or a body that is passed on unchanged."]
    SwitchedOff = "caller.switched_off", 403;
    #[doc = "The gateway does not answer here: by plain http; under a name of the operator's while `PUBLIC_URL` is not set; outside of loopback with `ALLOW_PRIVATE_UPSTREAMS`. Or a webhook is one of its own deliveries, or a page's origin is not in `MCP_ALLOWED_ORIGINS`."]
    WrongAddress = "caller.wrong_address", 403;
    #[doc = "It does not exist, or this token cannot see it."]
    NotFound = "caller.not_found", 404;
    #[doc = "The path does not support the method; or the resource does not define it; or a sandbox account refuses a write."]
    MethodNotAllowed = "caller.method_not_allowed", 405;
    #[doc = "The `accept` of the request admits no form in which it is answered."]
    NotAcceptable = "caller.not_acceptable", 406;
    #[doc = "The name is taken."]
    Duplicate = "caller.duplicate", 409;
    #[doc = "It is still in use; `details` counts by what."]
    InUse = "caller.in_use", 409;
    #[doc = "The record was changed since you read it; read it again. `details.version` is the current version."]
    VersionMismatch = "caller.version_mismatch", 409;
    #[doc = "The first request with this `Idempotency-Key` is still running; try again after `retry-after` seconds."]
    IdempotencyRunning = "caller.idempotency_running", 503;
    #[doc = "The first request with this `Idempotency-Key` was cut off by a restart or a time-out before it had an answer."]
    IdempotencyInProgress = "caller.idempotency_in_progress", 409;
    #[doc = "The first request with this `Idempotency-Key` got `details.status`, and its response was not stored."]
    IdempotencyNotReplayable = "caller.idempotency_not_replayable", 409;
    #[doc = "This `Idempotency-Key` was used with another body."]
    IdempotencyMismatch = "caller.idempotency_mismatch", 422;
    #[doc = "It decides which host is called or where a secret goes: a value of the context changes only together with new credentials, a file or an override brings the secret again, and some entries of an override only the admin token may write."]
    HostKey = "caller.host_key", 422;
    #[doc = "The body is over a limit; `details.limit_bytes` says which."]
    BodyTooLarge = "caller.body_too_large", 413;
    #[doc = "The body did not arrive in time: 10 seconds for an unverified sender, else 30."]
    BodyTimeout = "caller.body_timeout", 408;
    #[doc = "A file is uploaded without a `content-length`: if it ended early, it would pass for a whole file."]
    LengthRequired = "caller.length_required", 411;
    #[doc = "More requests than the operator lets this token or this account send; `retry-after` says for how long."]
    TooManyRequests = "caller.rate_limited", 429;
    #[doc = "A call of a batch, or of an MCP request, was not made: a node that it depends on failed, or the time, the calls or the steps of the request were used up."]
    NotReached = "caller.not_reached", 424;
    #[doc = "The customer must connect the account again."]
    NeedsReauth = "account.needs_reauth", 401;
    #[doc = "The provider gave no token for the values of an account that is imported: it refuses them, or its answer has no token. Nothing was stored."]
    ConnectionError = "account.connection_error", 422;
    #[doc = "The set-up of the account is not finished; try again after `retry-after` seconds."]
    Connecting = "account.connecting", 503;
    #[doc = "The set-up of the account failed; `last_error` of the account says why."]
    NotReady = "account.not_ready", 409;
    #[doc = "There is nothing to refresh: the account's credential does not expire, or comes from the customer."]
    NotRefreshable = "account.not_refreshable", 422;
    #[doc = "The install of the account's integration is disabled."]
    InstallDisabled = "account.install_disabled", 409;
    #[doc = "A sync met more records than the account may keep, by number (`SYNC_RECORDS`) or size (`SYNC_BYTES`)."]
    SyncLimit = "account.sync_limit", 409;
    #[doc = "A run of a sync over everything would delete more records than `max_deletions` allows; run it with `confirm_deletions: true`."]
    SyncSuspicious = "account.sync_suspicious", 409;
    #[doc = "A placeholder needs a value that the account's context does not have, or that is not valid in its place."]
    ContextValue = "account.context_value", 422;
    #[doc = "No host key is pinned for the account's server, so nothing is sent to it. `details` has the key that it presents, where it was asked: compare it, then set it in the account's context."]
    ServerKeyMissing = "account.host_key_missing", 409;
    #[doc = "The account's server presented another host key than those that are pinned, so it got no credential; `details` has the key that it presented."]
    ServerKeyMismatch = "account.host_key_mismatch", 502;
    #[doc = "The integration file has an error that appears only when it is used."]
    BadIntegration = "integration.invalid", 500;
    #[doc = "A secret was set for another use: since then the file or an override has changed where it is sent or how it is used. The message names the secret to set again."]
    SecretUnbound = "integration.secret_unbound", 409;
    #[doc = "An override has an entry that only the admin token may write, and it did not; `details.entries` names it."]
    OverrideRefused = "integration.override_refused", 409;
    #[doc = "An expression of the integration file failed."]
    ExpressionFailed = "integration.expression_failed", 500;
    #[doc = "A webhook could not be read by its integration file; it is stored, and can be replayed after the file is corrected."]
    TransformFailed = "integration.transform_failed", 422;
    #[doc = "The integration file needs something that this version does not support."]
    Unsupported = "integration.unsupported", 501;
    #[doc = "The address is private or not https, and the operator has not allowed that."]
    UpstreamRefused = "integration.upstream_refused", 422;
    #[doc = "The provider refused the request (4xx); its answer is in `raw_response`."]
    Rejected = "provider.rejected", 502;
    #[doc = "The provider failed (5xx); its answer is in `raw_response`."]
    Failed = "provider.failed", 502;
    #[doc = "The provider asks to slow down; `retry-after` says for how long."]
    RateLimited = "provider.rate_limited", 429;
    #[doc = "The provider answered 2xx with an error in the body."]
    ErrorInBody = "provider.error_in_body", 502;
    #[doc = "The provider could not be reached."]
    Unreachable = "provider.unreachable", 502;
    #[doc = "The account's token could not be refreshed; try again after `retry-after` seconds."]
    TokenEndpoint = "provider.token_endpoint", 503;
    #[doc = "The provider took too long."]
    Timeout = "provider.timeout", 504;
    #[doc = "The response is too large to be read; fetch it unread by `/custom` or a get without `response_path`."]
    AnswerTooLarge = "provider.answer_too_large", 502;
    #[doc = "The response does not match the integration file."]
    UnexpectedAnswer = "provider.unexpected_answer", 502;
    #[doc = "The provider redirects a request whose body was streamed and cannot be sent again."]
    RedirectNeedsBody = "provider.redirect_needs_body", 502;
    #[doc = "The provider redirects to an address that this request must not follow."]
    RedirectRefused = "provider.redirect_refused", 502;
    #[doc = "Too much at once; try again after `retry-after` seconds."]
    Busy = "internal.busy", 503;
    #[doc = "Storage did not answer or just restarted; try again after `retry-after` seconds."]
    Storage = "internal.storage", 503;
    #[doc = "A stored secret cannot be opened or sealed; the log says which key is missing."]
    SealingKey = "internal.sealing_key", 500;
    #[doc = "The gateway was deployed without the Worker for SFTP: its operator deploys that, too (docs/operations.md, The SFTP Worker)."]
    SftpMissing = "internal.sftp_missing", 501;
    #[doc = "An error of the gateway; the log has the reason under the request id."]
    Internal = "internal.error", 500;
}

#[cfg(test)]
mod tests;
