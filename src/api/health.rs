//! `GET /health`: whether the gateway can work as its operator has set it. It asks neither storage nor a provider.

use http::StatusCode;
use serde_json::json;
use url::Url;

use super::{RequestContext, address, reply};
use crate::ports::{Outside, Reply};
use crate::settings::Settings;

/// Healthy is: everything that is set can be read, and what every call needs is there. Whoever deploys sees a mistyped
/// setting here, and not at the call that would have needed it.
pub(super) fn get<O: Outside>(context: &RequestContext<'_, O>, url: &Url) -> Reply<O::Stream> {
    let problems = problems(context.outside.settings(), url);
    let (status, word) = if problems.is_empty() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "misconfigured")
    };
    let body =
        json!({ "status": word, "version": env!("CARGO_PKG_VERSION"), "problems": problems });
    reply::json(status, &body)
}

/// Names of settings and what is wrong with them; no value, since everybody may read them.
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
