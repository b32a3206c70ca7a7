//! What can go wrong, sorted by who must act: the one place of HTTP statuses, codes and public words.
//!
//! A [`Failure`] is safe to show: it carries no secret, no stack and no storage detail. What only the
//! operator may read goes to the log where the failure is made.

mod sort;
mod write;

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

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

            /// The text of the envelope's `code`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The status it is answered with; for a provider's error only where the provider's own is not kept.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }

            /// What it means, as the documentation says it.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc),* }
            }
        }
    };
}

codes! {
    #[doc = "The request could not be read: broken JSON, an unreadable parameter."]
    Malformed = "caller.malformed", 400;
    #[doc = "The `next_cursor` was made for another account, resource or method, was changed, or is too old for today's keys or file; start the list anew without it."]
    BadCursor = "caller.bad_cursor", 400;
    #[doc = "The request was read and is wrong; `details.failures` says where."]
    Invalid = "caller.invalid", 422;
    #[doc = "A placeholder needs a value the request does not carry."]
    MissingValue = "caller.missing_value", 422;
    #[doc = "No token, or one that is unknown, revoked or expired."]
    Unauthenticated = "caller.unauthenticated", 401;
    #[doc = "A webhook that is not proved to come from its provider; the log has the reason."]
    BadSignature = "caller.bad_signature", 401;
    #[doc = "The token is good, but lacks the scope."]
    Forbidden = "caller.forbidden", 403;
    #[doc = "The integration file has switched it off: `/custom`, or a body that goes as it is."]
    SwitchedOff = "caller.switched_off", 403;
    #[doc = "The gateway does not answer at this address: over plain http, under a name it does not know for its own, or to a delivery of its own."]
    WrongAddress = "caller.wrong_address", 403;
    #[doc = "It does not exist, or this token cannot see it."]
    NotFound = "caller.not_found", 404;
    #[doc = "The path exists, the method does not; or the resource defines no such method; or a sandbox account was asked to write."]
    MethodNotAllowed = "caller.method_not_allowed", 405;
    #[doc = "The name is taken."]
    Duplicate = "caller.duplicate", 409;
    #[doc = "Something still depends on it; `details` counts what."]
    InUse = "caller.in_use", 409;
    #[doc = "The version is not the one you changed; read it again, `details.version` says which it is."]
    VersionMismatch = "caller.version_mismatch", 409;
    #[doc = "The first write under this `Idempotency-Key` has no answer yet, or was cut off before it had one, by a restart or a time-out."]
    IdempotencyInProgress = "caller.idempotency_in_progress", 409;
    #[doc = "The write under this `Idempotency-Key` was answered with `details.status`, and that answer was not kept."]
    IdempotencyNotReplayable = "caller.idempotency_not_replayable", 409;
    #[doc = "This `Idempotency-Key` stands for a write with another body."]
    IdempotencyMismatch = "caller.idempotency_mismatch", 422;
    #[doc = "It decides which host is called or where a secret goes: a value of the context changes only together with new credentials, a file or an override brings the secret again, and some entries of an override only the admin token may write."]
    HostKey = "caller.host_key", 422;
    #[doc = "The body is over a limit; `details.limit_bytes` says which."]
    BodyTooLarge = "caller.body_too_large", 413;
    #[doc = "The body did not arrive in time: 10 seconds where nothing proves its sender yet, 30 else."]
    BodyTimeout = "caller.body_timeout", 408;
    #[doc = "More requests than the operator lets this token or this account send; `retry-after` says for how long."]
    TooManyRequests = "caller.rate_limited", 429;
    #[doc = "The customer must connect the account again."]
    NeedsReauth = "account.needs_reauth", 401;
    #[doc = "The account is not set up (yet)."]
    NotReady = "account.not_ready", 409;
    #[doc = "There is nothing to refresh: the account's credential does not expire, or comes from the customer."]
    NotRefreshable = "account.not_refreshable", 422;
    #[doc = "The install of the account's integration is disabled."]
    InstallDisabled = "account.install_disabled", 409;
    #[doc = "A placeholder needs a value that the account's context does not have, or that cannot stand where it would land."]
    ContextValue = "account.context_value", 422;
    #[doc = "The integration file has a mistake that shows only when it is used."]
    BadIntegration = "integration.invalid", 500;
    #[doc = "A secret was given for another use: the file or an override has changed where it goes or how it is used since. The message says which to send again."]
    SecretUnbound = "integration.secret_unbound", 409;
    #[doc = "An override has an entry that only the admin token may write, and it did not; `details.entries` names it."]
    OverrideRefused = "integration.override_refused", 409;
    #[doc = "An expression of the integration file failed."]
    ExpressionFailed = "integration.expression_failed", 500;
    #[doc = "A webhook could not be read as its integration file says; it is kept, and can be replayed once the file is mended."]
    TransformFailed = "integration.transform_failed", 422;
    #[doc = "The integration file asks for something this version cannot send."]
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
    #[doc = "The account's token could not be refreshed for the moment; try again after `retry-after` seconds."]
    TokenEndpoint = "provider.token_endpoint", 503;
    #[doc = "The provider took too long."]
    Timeout = "provider.timeout", 504;
    #[doc = "The answer is too large to be looked into; fetch it as it is by `/custom` or a get without `response_path`."]
    AnswerTooLarge = "provider.answer_too_large", 502;
    #[doc = "The answer is not what the integration file says it is."]
    UnexpectedAnswer = "provider.unexpected_answer", 502;
    #[doc = "The provider redirects a request whose body was streamed and cannot be sent again."]
    RedirectNeedsBody = "provider.redirect_needs_body", 502;
    #[doc = "The provider redirects to where this request must not go."]
    RedirectRefused = "provider.redirect_refused", 502;
    #[doc = "Too much at once; try again after `retry-after` seconds."]
    Busy = "internal.busy", 503;
    #[doc = "Storage did not answer or just restarted; try again after `retry-after` seconds."]
    Storage = "internal.storage", 503;
    #[doc = "A stored secret cannot be opened or sealed; the log says which key is missing."]
    SealingKey = "internal.sealing_key", 500;
    #[doc = "Our mistake; the log has the reason under the request id."]
    Internal = "internal.error", 500;
}

/// One wrong thing in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// Where: a dotted path into the body, or the parameter's name.
    pub path: String,
    /// What to change.
    pub message: String,
}

/// A refusal or fault on its way to the caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Its stable code.
    pub code: Code,
    /// Words for a person: what happened and what to change.
    pub message: String,
    /// More, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// Seconds to wait before trying again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Present when the provider said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<Box<Remote>>,
}

/// The provider's side of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// The status to answer with: the provider's own, or the one its error expression names.
    pub status: u16,
    /// The provider's answer as JSON text, byte for byte when it was JSON, else as a JSON string.
    pub raw_response: String,
    /// The provider's header fields that go to the caller.
    #[serde(skip)]
    pub headers: HeaderMap,
    /// Who said it. Of an answer that is given again it is not known.
    #[serde(skip)]
    pub speaker: Speaker,
}

/// Who answered a request. Only the account's own provider can say anything of the account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Speaker {
    /// The origin that the request was sent to.
    Provider,
    /// Another one, behind a redirect, where no credential went.
    #[default]
    Stranger,
}

impl Failure {
    /// A failure of `code` in these words.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
            retry_after: None,
            remote: None,
        }
    }

    /// The status to answer with.
    pub fn status(&self) -> u16 {
        self.remote
            .as_ref()
            .map_or(self.code.status(), |remote| remote.status)
    }

    /// Whether the gateway itself is at fault.
    pub fn is_ours(&self) -> bool {
        self.remote.is_none() && self.code.as_str().starts_with("internal.")
    }

    /// With `details`.
    #[must_use]
    pub fn with_details(self, details: Value) -> Self {
        Self {
            details: Some(details),
            ..self
        }
    }

    /// With a wait before the next try.
    #[must_use]
    pub fn with_retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// `what` does not exist, or this token cannot see it.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            Code::NotFound,
            format!("There is no such {what}, or this token cannot see it."),
        )
    }

    /// The request is wrong in one place.
    pub fn invalid(path: &str, message: impl Into<String>) -> Self {
        Self::invalid_in(&[Complaint {
            path: path.to_owned(),
            message: message.into(),
        }])
    }

    /// The request is wrong in these places.
    pub fn invalid_in(failures: &[Complaint]) -> Self {
        let message = match failures {
            [one] if one.path.is_empty() => one.message.clone(),
            [one] => format!("{}: {}", one.path, one.message),
            many => format!(
                "{} things are wrong with this request; details.failures names them.",
                many.len()
            ),
        };
        Self::new(Code::Invalid, message).with_details(json!({ "failures": failures }))
    }

    /// Somebody changed it in between.
    pub fn version_mismatch(version: u64) -> Self {
        Self::new(
            Code::VersionMismatch,
            format!("It is at version {version} by now: read it again and repeat the change."),
        )
        .with_details(json!({ "version": version }))
    }

    /// A value that decides which host is called may not change this way.
    pub fn host_key(path: &str, message: &str) -> Self {
        Self {
            code: Code::HostKey,
            ..Self::invalid(path, message)
        }
    }

    /// The install is there, and switched off.
    pub fn install_disabled() -> Self {
        Self::new(
            Code::InstallDisabled,
            "This integration is disabled in this environment (is_enabled is false).",
        )
    }

    /// A secret was given for another use than this one.
    pub fn secret_unbound(secret: &str) -> Self {
        let words = format!(
            "`{secret}` was given for another use: the integration file or an override has changed where it goes or how it is used since. Send it again where it was given."
        );
        Self::new(Code::SecretUnbound, words).with_details(json!({ "secret": secret }))
    }

    /// The name is taken.
    pub fn duplicate(what: &str, name: &str) -> Self {
        Self::new(
            Code::Duplicate,
            format!("The name `{name}` is taken by another {what}."),
        )
    }

    /// The body is over `limit` bytes.
    pub fn body_too_large(limit: usize) -> Self {
        Self::new(
            Code::BodyTooLarge,
            format!("The body is over {limit} bytes."),
        )
        .with_details(json!({ "limit_bytes": limit }))
    }

    /// More requests than the operator lets through.
    pub fn too_many_requests(message: &str, seconds: u64) -> Self {
        Self::new(Code::TooManyRequests, message).with_retry_after(seconds)
    }

    /// Too much at once.
    pub fn busy(message: &str) -> Self {
        Self::new(Code::Busy, message).with_retry_after(1)
    }

    /// Storage could not be reached or was restarted in between.
    pub fn storage() -> Self {
        Self::new(Code::Storage, "Storage did not answer. Try again.").with_retry_after(1)
    }
}

#[cfg(test)]
mod tests;
