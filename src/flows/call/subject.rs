//! The subject of a call: a method of the file, or a path of the provider.

use http::HeaderMap;

use crate::config::authorization::{Authorization, also_names};
use crate::config::files::FileOperation;
use crate::config::resource::Method;
use crate::config::{Config, Credential, ErrorExpression, Pagination, RateLimit};
use crate::error::{Code, Failure};
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::proxy::body::BodySource;
use crate::proxy::request::{is_body_kept, reads_callers};
use crate::proxy::{Target, is_read};

/// The file's definition of the target.
#[derive(Clone, Copy)]
pub(in crate::flows) enum Plan<'a> {
    Method {
        method: &'a Method,
        is_list: bool,
    },
    Custom {
        path: &'a str,
        method: &'a http::Method,
    },
}

/// For whom a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum Errand {
    /// A caller, who is given the answer.
    Call,
    /// An action, which reads every answer.
    Step,
    /// The account itself, for a fresh credential, which calls wait for.
    Refresh,
    /// An account whose new credential is not stored yet.
    Connect,
}

impl Errand {
    /// Whether its requests get a credential: the limiter does not delay them.
    pub(in crate::flows) fn is_exempt(self) -> bool {
        matches!(self, Self::Refresh | Self::Connect)
    }
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum Purpose {
    /// Reads a list or a record, with any HTTP method that the provider uses for it.
    Read,
    /// Reads or writes as its HTTP method says.
    AsMethod,
}

impl Purpose {
    fn of_target(target: &Target) -> Self {
        match target {
            Target::Method { method, .. } => Self::of_method(method),
            Target::Custom { .. } => Self::AsMethod,
        }
    }

    /// The purpose of a resource's method with this name.
    pub(in crate::flows) fn of_method(name: &str) -> Self {
        match name {
            "list" | "get" => Self::Read,
            _ => Self::AsMethod,
        }
    }

    /// Whether a request with this HTTP method writes.
    pub(in crate::flows) fn writes(self, method: &http::Method) -> bool {
        self == Self::AsMethod && !is_read(method)
    }
}

/// The subject of a call, and for whom it is sent.
pub(in crate::flows) struct Subject<'a> {
    pub(in crate::flows) resolved: &'a ResolvedConfig,
    pub(in crate::flows) plan: Plan<'a>,
    pub(in crate::flows) purpose: Purpose,
    pub(in crate::flows) errand: Errand,
}

impl<'a> Subject<'a> {
    /// The subject of a caller's call. Fails with 404 or 405 if the file does not have the target.
    pub(in crate::flows) fn of_call(
        resolved: &'a ResolvedConfig,
        target: &'a Target,
        method: &'a http::Method,
    ) -> Result<Self, Failure> {
        Ok(Self {
            resolved,
            plan: plan(&resolved.compiled.config, target, method)?,
            purpose: Purpose::of_target(target),
            errand: Errand::Call,
        })
    }

    /// Makes any method a list that only reads.
    pub(in crate::flows) fn read_as_list(&mut self) {
        self.purpose = Purpose::Read;
        if let Plan::Method { is_list, .. } = &mut self.plan {
            *is_list = true;
        }
    }

    pub(in crate::flows) fn config(&self) -> &'a Config {
        &self.resolved.compiled.config
    }

    /// What it does on a server of files.
    pub(in crate::flows) fn operation(&self) -> Option<FileOperation> {
        match self.plan {
            Plan::Method { method, .. } => method.operation,
            Plan::Custom { .. } => None,
        }
    }

    /// Whether the caller's body goes to the provider, with entries of the file's `body`.
    pub(in crate::flows) fn callers_body_gets_entries(
        &self,
        headers: &HeaderMap,
        source: BodySource,
    ) -> bool {
        let is_sent = match self.plan {
            Plan::Custom { .. } => true,
            Plan::Method { method, .. } => {
                !method.ignore_body && (method.body.is_none() || source == BodySource::Caller)
            }
        };
        is_sent && reads_callers(self.config(), self.method(), headers)
    }

    /// How the request is authenticated, in this order. A call of `files` logs in by its credential alone.
    pub(in crate::flows) fn authorizations(&self) -> &'a [Authorization] {
        match self.plan {
            Plan::Method { method, .. } if method.operation.is_some() => &[],
            Plan::Method { method, .. } => self.config().authorizations_of(method),
            Plan::Custom { .. } => self.config().authorizations(),
        }
    }

    /// The further tokens that the request of an account with this credential carries.
    pub(in crate::flows) fn also_names(&self, format: &str) -> Vec<String> {
        let oauth = self.config().credential(format).and_then(Credential::oauth);
        let oauth = oauth.filter(|_| !self.errand.is_exempt());
        oauth.map_or_else(Vec::new, |oauth| {
            also_names(self.authorizations(), &oauth.also_for)
        })
    }

    /// Whether the request is authenticated.
    pub(in crate::flows) fn is_authenticated(&self) -> bool {
        let mut all = self.authorizations().iter();
        self.operation().is_some() || all.any(|one| !matches!(one, Authorization::None(_)))
    }

    pub(in crate::flows) fn error_expression(&self) -> Option<&'a ErrorExpression> {
        match self.plan {
            Plan::Method { method, .. } if method.operation.is_some() => None,
            Plan::Method { method, .. } => self.config().error_expression_of(method),
            Plan::Custom { .. } => None,
        }
    }

    pub(in crate::flows) fn rate_limit(&self) -> Option<&'a RateLimit> {
        match self.plan {
            Plan::Method { method, .. } if method.operation.is_some() => None,
            Plan::Method { method, .. } => self.config().rate_limit_of(method),
            Plan::Custom { .. } => self.config().rate_limit.as_ref(),
        }
    }

    pub(in crate::flows) fn pagination(&self) -> Option<&'a Pagination> {
        match self.plan {
            Plan::Method { method, .. } => self.config().pagination_of(method),
            Plan::Custom { .. } => None,
        }
    }

    /// Whether redirects never get the credentials.
    pub(in crate::flows) fn drops_credentials(&self) -> bool {
        matches!(self.plan, Plan::Method { method, .. } if method.ignore_credentials_on_redirect)
    }

    /// The HTTP method of the request to the provider.
    pub(in crate::flows) fn method(&self) -> &'a http::Method {
        match self.plan {
            Plan::Method { method, .. } => &method.method.0,
            Plan::Custom { method, .. } => method,
        }
    }

    /// Refuses (405) a write of a sandbox account.
    pub(in crate::flows) fn refuse_sandbox_write(&self, is_sandbox: bool) -> Result<(), Failure> {
        if is_sandbox && !is_read(self.method()) {
            return Err(sandbox_refusal());
        }
        Ok(())
    }

    /// Refuses `/custom` and raw bodies if the file disables them. Refuses a raw body, too, if it would replace a body
    /// in which the file identifies the account.
    pub(in crate::flows) fn refuse_switched_off(&self, source: BodySource) -> Result<(), Failure> {
        let config = self.config();
        let message = match self.plan {
            Plan::Custom { .. } if !config.allows_custom() => {
                "The integration has switched `/custom` off: call a method of one of its resources."
            }
            Plan::Method { method, .. } if source == BodySource::Caller => {
                if config.allows_custom() && !is_body_kept(method) {
                    return Ok(());
                }
                "The body of this method cannot be passed over: leave truto_body_passthrough out, and send what its template asks for."
            }
            Plan::Custom { .. } | Plan::Method { .. } => return Ok(()),
        };
        Err(Failure::new(Code::SwitchedOff, message))
    }
}

/// The failure for a write of a sandbox account.
pub(in crate::flows) fn sandbox_refusal() -> Failure {
    Failure::new(
        Code::MethodNotAllowed,
        "This is a sandbox account: it refuses writes.",
    )
}

/// The method that the target names. Fails if the file does not have it.
fn plan<'a>(
    config: &'a Config,
    target: &'a Target,
    caller: &'a http::Method,
) -> Result<Plan<'a>, Failure> {
    let (resource, name) = match target {
        Target::Custom { path } => {
            return Ok(Plan::Custom {
                path,
                method: caller,
            });
        }
        Target::Method {
            resource, method, ..
        } => (resource, method),
    };
    let methods = config
        .resource(resource)
        .ok_or_else(|| Failure::not_found("resource of this integration"))?;
    let method = methods.get(name).ok_or_else(|| {
        let known = methods
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        Failure::new(
            Code::MethodNotAllowed,
            format!("The resource `{resource}` has no method `{name}`; it has: {known}."),
        )
    })?;
    if method.operation == Some(FileOperation::Write) && caller == http::Method::PATCH {
        let message = "A file is written as a whole: use PUT.";
        return Err(Failure::new(Code::MethodNotAllowed, message));
    }
    Ok(Plan::Method {
        method,
        is_list: target.is_list(),
    })
}
