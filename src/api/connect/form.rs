//! The form's page, and the addresses on it.

use url::Url;

use super::show::{HtmlPage, application};
use super::{first, show};
use crate::api::RequestContext;
use crate::connect::form::Problems;
use crate::connect::outcome::ConnectFailure;
use crate::connect::page::{self, Brand, ConnectForm, ConnectPurpose, CredentialLink, way_label};
use crate::flows::lifecycle::connect::{Chosen, OpenedLink};
use crate::ports::{Outside, Reply};

/// Shown as posted, when a form is not as it should be.
pub(super) struct RejectedForm<'a> {
    pub(super) posted: &'a [(String, String)],
    pub(super) problems: Problems,
    pub(super) refusal: Option<String>,
}

pub(super) fn no_such<O: Outside>(
    context: &RequestContext<'_, O>,
    opened: &OpenedLink,
    url: &Url,
    asked: &[(String, String)],
) -> Reply<O::Stream> {
    // A customer who may choose may choose again.
    let choice = opened.link.integration.is_none();
    let again = choice.then(|| address(&context.public_url(url), &[], &link_of(asked)));
    let again = again.as_ref().map(Url::as_str);
    show::failed(context, ConnectFailure::InvalidIntegration, again)
}

pub(super) fn form<O: Outside>(
    context: &RequestContext<'_, O>,
    opened: &OpenedLink,
    chosen: &Chosen,
    url: &Url,
    asked: &[(String, String)],
    again: Option<&RejectedForm>,
) -> Reply<O::Stream> {
    let base = context.public_url(url);
    let Some((format, credential)) = chosen.credential(first(asked, "credential")) else {
        return no_such(context, opened, url, asked);
    };
    let ways = chosen.ways().map(|(other, credential)| {
        let mut asked = link_of(asked);
        asked.push(("credential".to_owned(), other.to_owned()));
        CredentialLink {
            label: way_label(credential),
            href: address(&base, &[&chosen.name], &asked).into(),
            is_current: other == format,
        }
    });
    let action = address(&base, &[&chosen.name], &[]);
    let mut hidden: Vec<(&str, &str)> = vec![
        ("link_token", first(asked, "link_token").unwrap_or_default()),
        ("credential", format),
    ];
    for name in ["display", "confirmed"] {
        hidden.extend(first(asked, name).map(|value| (name, value)));
    }
    let is_wrong = again.is_some();
    let no_problems = Problems::default();
    let page = ConnectForm {
        brand: Brand::of(&chosen.name, chosen.config()),
        application: application(&opened.link),
        purpose: purpose(opened.link.integrated_account_id.is_some()),
        credential,
        ways: ways.collect(),
        action: action.path(),
        hidden,
        posted: again.map(|again| again.posted),
        kept: chosen.initial_values(),
        problems: again.map_or(&no_problems, |again| &again.problems),
        refusal: again.and_then(|again| again.refusal.as_deref()),
    };
    let nonce = show::nonce(context);
    let status = if is_wrong { 422 } else { 200 };
    let pictures = page::pictures([page.brand.logo, page.application.logo]);
    let text = page::form(&page, &nonce);
    show::html(context, status, HtmlPage::plain(text, &nonce, &pictures))
}

pub(super) fn purpose(is_again: bool) -> ConnectPurpose {
    if is_again {
        ConnectPurpose::Reconnect
    } else {
        ConnectPurpose::Connect
    }
}

/// `/connect/…` at `base`, with these parameters.
pub(in crate::api) fn address(
    base: &Url,
    segments: &[&str],
    parameters: &[(String, String)],
) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.clear().push("connect").extend(segments);
    }
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    url
}

/// The same without its origin: the cookie of the page belongs to the name it was opened by.
pub(super) fn on_this_host(address: &Url) -> String {
    let query = address.query().unwrap_or_default();
    format!("{}?{query}", address.path())
}

/// The parameters that belong to the link.
pub(super) fn link_of(asked: &[(String, String)]) -> Vec<(String, String)> {
    let is_ours = |(key, _): &&(String, String)| {
        ["link_token", "display", "confirmed"].contains(&key.as_str())
    };
    let mut seen = Vec::new();
    for pair in asked.iter().filter(is_ours) {
        if !seen
            .iter()
            .any(|(key, _): &(String, String)| *key == pair.0)
        {
            seen.push(pair.clone());
        }
    }
    seen
}
