//! The method a call is about, or the provider's own path.

use crate::config::Config;
use crate::config::resource::Method;
use crate::error::{Code, Failure};
use crate::proxy::body::BodySource;
use crate::proxy::request::is_body_kept;
use crate::proxy::{Target, is_read};

/// What the file says of the target.
#[derive(Clone, Copy)]
pub(in crate::flows) enum Plan<'a> {
    Method {
        method: &'a Method,
        is_list: bool,
    },
    Custom {
        path: &'a str,
        verb: &'a http::Method,
    },
}

/// A sandbox account was asked to write.
pub(in crate::flows) fn sandbox_refusal() -> Failure {
    Failure::new(
        Code::MethodNotAllowed,
        "This is a sandbox account: it refuses writes.",
    )
}

/// The method a target names, or that there is none.
pub(in crate::flows) fn plan<'a>(
    config: &'a Config,
    target: &'a Target,
    verb: &'a http::Method,
) -> Result<Plan<'a>, Failure> {
    let (resource, name) = match target {
        Target::Custom { path } => return Ok(Plan::Custom { path, verb }),
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
    Ok(Plan::Method {
        method,
        is_list: target.is_list(),
    })
}

pub(in crate::flows) fn refuse_sandbox_write(is_sandbox: bool, plan: Plan) -> Result<(), Failure> {
    let verb = match plan {
        Plan::Method { method, .. } => &method.method.0,
        Plan::Custom { verb, .. } => verb,
    };
    if is_sandbox && !is_read(verb) {
        return Err(sandbox_refusal());
    }
    Ok(())
}

/// `/custom` and bodies that go as they are, where the file has switched them off; and a body in the place of one
/// in which the file says whose account it is.
pub(in crate::flows) fn refuse_switched_off(
    config: &Config,
    plan: Plan,
    source: BodySource,
) -> Result<(), Failure> {
    let words = match plan {
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
    Err(Failure::new(Code::SwitchedOff, words))
}
