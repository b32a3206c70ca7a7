//! `GET /health`: whether the gateway can work as its operator has set it. It asks neither storage nor a provider.

use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use url::Url;

use super::{RequestContext, address, reply};
use crate::ports::{Outside, Reply};
use crate::settings::Settings;

/// Whether the gateway can work.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(super) struct HealthReport {
    status: Health,
    version: &'static str,
    /// The settings that are missing or cannot be read.
    problems: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Health {
    Ok,
    Misconfigured,
}

/// Healthy: all settings can be read, and what every call needs is set. A mistyped setting shows here, and
/// not at the call that would have needed it.
pub(super) fn get<O: Outside>(context: &RequestContext<'_, O>, url: &Url) -> Reply<O::Stream> {
    let problems = problems(context.outside.settings(), url);
    let (code, status) = if problems.is_empty() {
        (StatusCode::OK, Health::Ok)
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Health::Misconfigured)
    };
    let report = HealthReport {
        status,
        version: env!("CARGO_PKG_VERSION"),
        problems,
    };
    reply::json(code, &report)
}

/// Names of settings and what is wrong with them; no value: the answer is open to all.
fn problems(settings: &Settings, url: &Url) -> Vec<String> {
    let mut problems = Vec::new();
    let is_noted = |name: &str| {
        settings
            .unreadable
            .iter()
            .any(|note| note.starts_with(name))
    };
    if settings.admin_token.is_none() && !is_noted("ADMIN_TOKEN") {
        problems.push("ADMIN_TOKEN is not set".to_owned());
    }
    if let Err(error) = settings.keyring() {
        problems.push(error.to_string());
    }
    problems.extend(settings.unreadable.iter().cloned());
    problems.extend(address::problem_at(settings, url).map(str::to_owned));
    problems
}
