//! Answers a browser shows: pages with their headers, redirects, outcomes.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use url::Url;

use crate::api::{RequestContext, body_of};
use crate::connect::outcome::{ConnectFailure, ConnectOutcome};
use crate::connect::page::{
    self, Application, Brand, ConnectedPage, FailedPage, Nonce, PageKind, Popup, Question,
    content_security_policy, explanation,
};
use crate::error::Failure;
use crate::expression::PlainHttp;
use crate::flows::base::records::{ApplicationNames, LinkRecord};
use crate::flows::messages::connecting::ConnectResult;
use crate::ports::{Body, Outside, Reply};
use crate::settings::PrivateUpstreams;

pub(in crate::api) fn nonce<O: Outside>(context: &RequestContext<'_, O>) -> Nonce {
    Nonce::new(context.outside.random())
}

/// A page, and what it may do in the browser.
pub(in crate::api) struct HtmlPage<'a> {
    text: String,
    nonce: &'a Nonce,
    kind: PageKind,
    /// The origins of its logos.
    pictures: &'a [String],
}

impl<'a> HtmlPage<'a> {
    /// One without a script.
    pub(in crate::api) fn plain(text: String, nonce: &'a Nonce, pictures: &'a [String]) -> Self {
        let kind = PageKind::Plain;
        Self {
            text,
            nonce,
            kind,
            pictures,
        }
    }
}

/// A page with its headers.
pub(in crate::api) fn html<O: Outside>(
    context: &RequestContext<'_, O>,
    status: u16,
    page: HtmlPage<'_>,
) -> Reply<O::Stream> {
    let plain_http = match context.outside.settings().private_upstreams {
        PrivateUpstreams::Refused => PlainHttp::Refused,
        PrivateUpstreams::Allowed => PlainHttp::Allowed,
    };
    let policy = content_security_policy(page.nonce, page.kind, plain_http, page.pictures);
    let mut headers = HeaderMap::new();
    let fixed: [(HeaderName, &'static str); 6] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    Reply {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK),
        headers,
        body: body_of(page.text),
    }
}

/// 303, so that a form is not sent on.
pub(super) fn redirect<S>(url: &Url) -> Reply<S> {
    let mut headers = HeaderMap::new();
    if let Ok(url) = HeaderValue::from_str(url.as_str()) {
        headers.insert(LOCATION, url);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Reply {
        status: StatusCode::SEE_OTHER,
        headers,
        body: Body::Empty,
    }
}

/// A failure before an application waits for an outcome.
pub(super) fn failed<O: Outside>(
    context: &RequestContext<'_, O>,
    failure: ConnectFailure,
    again: Option<&str>,
) -> Reply<O::Stream> {
    let page = FailedPage {
        brand: None,
        application: None,
        failure,
        provider_words: None,
        again,
        reference: context.request_id,
    };
    let nonce = nonce(context);
    let text = page::failed(&page, &nonce);
    html(context, status(failure), HtmlPage::plain(text, &nonce, &[]))
}

/// The question that comes before everything else.
pub(super) fn question<O: Outside>(
    context: &RequestContext<'_, O>,
    brand: Option<Brand<'_>>,
    link: &LinkRecord,
    href: &str,
) -> Reply<O::Stream> {
    let page = Question {
        brand,
        application: application(link),
        href,
    };
    let pictures = page::pictures([brand.and_then(|brand| brand.logo), page.application.logo]);
    let nonce = nonce(context);
    let text = page::question(&page, &nonce);
    html(context, 200, HtmlPage::plain(text, &nonce, &pictures))
}

/// For whom a link connects.
pub(super) fn application(link: &LinkRecord) -> Application<'_> {
    named(link.application.as_ref(), link.redirect_uri.as_deref())
}

fn named<'a>(
    names: Option<&'a ApplicationNames>,
    redirect_uri: Option<&'a str>,
) -> Application<'a> {
    Application {
        name: names.and_then(|names| names.display_name.as_deref()),
        logo: names.and_then(|names| names.logo_url.as_deref()),
        goes_to: redirect_uri.and_then(host_in),
    }
}

/// The host in a URL that was checked when the link was made.
fn host_in(url: &str) -> Option<&str> {
    let behind = url.split_once("//")?.1;
    behind.split(['/', '?', '#']).next()
}

/// Ours, or a limit: the customer can only try again. A failure of anything else never gets a 5xx status: a proxy
/// between the customer and this page may replace such a page with its own.
pub(super) fn broken<O: Outside>(
    context: &RequestContext<'_, O>,
    failure: &Failure,
) -> Reply<O::Stream> {
    let mut reply = failed(context, ConnectFailure::ConnectionError, None);
    let status = StatusCode::from_u16(failure.status());
    if let Ok(status) = status
        && (status.is_client_error() || failure.is_ours())
    {
        reply.status = status;
    }
    if let Some(seconds) = failure.retry_after {
        reply.headers.insert(RETRY_AFTER, seconds.into());
    }
    reply
}

/// The outcome: reported to the application, or shown.
pub(super) fn ended<O: Outside>(
    context: &RequestContext<'_, O>,
    ended: &ConnectResult,
) -> Reply<O::Stream> {
    let account = ended.account.to_string();
    let message = ended.failed.as_ref().map(|failed| {
        let provider = failed.provider.as_deref();
        provider.map_or_else(
            || explanation(failed.why, ended.label.as_deref()),
            str::to_owned,
        )
    });
    let outcome = match (&ended.failed, &message) {
        (Some(failed), Some(message)) => ConnectOutcome::Failed {
            integration: Some(&ended.integration),
            failure: failed.why,
            error: message,
        },
        _ => ConnectOutcome::Connected {
            integration: &ended.integration,
            integrated_account_id: &account,
        },
    };
    let return_to = &ended.return_to;
    let redirect_uri = return_to.redirect_uri.as_deref();
    let application = named(return_to.application.as_ref(), redirect_uri);
    let pictures = page::pictures([ended.logo.as_deref(), application.logo]);
    let page = page_of(ended, application, context.request_id);
    let nonce = nonce(context);
    match redirect_uri.and_then(|uri| Url::parse(uri).ok()) {
        Some(uri) if return_to.is_popup => {
            let text = page::popup(&page, &outcome, &uri, &nonce);
            let page = HtmlPage {
                kind: PageKind::Popup,
                ..HtmlPage::plain(text, &nonce, &pictures)
            };
            html(context, 200, page)
        }
        Some(mut uri) => {
            uri.query_pairs_mut().extend_pairs(outcome.parameters());
            redirect(&uri)
        }
        None => {
            let text = match &page {
                Popup::Connected(page) => page::connected(page, &nonce),
                Popup::Failed(page) => page::failed(page, &nonce),
            };
            let page = HtmlPage::plain(text, &nonce, &pictures);
            html(context, status_of(ended), page)
        }
    }
}

fn page_of<'a>(
    ended: &'a ConnectResult,
    application: Application<'a>,
    reference: &'a str,
) -> Popup<'a> {
    let brand = ended.label.as_deref().map(|label| Brand {
        label,
        logo: ended.logo.as_deref(),
    });
    match &ended.failed {
        None => Popup::Connected(ConnectedPage {
            brand: brand.unwrap_or(Brand {
                label: &ended.integration,
                logo: None,
            }),
            application,
            purpose: super::form::purpose(ended.is_again),
        }),
        Some(failed) => Popup::Failed(FailedPage {
            brand,
            application: Some(application),
            failure: failed.why,
            provider_words: failed.provider.as_deref(),
            again: Some(&ended.again),
            reference,
        }),
    }
}

fn status_of(ended: &ConnectResult) -> u16 {
    match &ended.failed {
        None => 200,
        Some(failed) if failed.is_ours => 502,
        Some(failed) => status(failed.why),
    }
}

/// None of 5xx: these pages tell what the customer, the provider or the file did.
fn status(failure: ConnectFailure) -> u16 {
    match failure {
        ConnectFailure::InvalidToken
        | ConnectFailure::AlreadyUsed
        | ConnectFailure::OtherBrowser => 401,
        ConnectFailure::InvalidIntegration => 404,
        ConnectFailure::AccessDenied => 403,
        ConnectFailure::ConnectionError
        | ConnectFailure::UnknownSignIn
        | ConnectFailure::UnsafeSignIn
        | ConnectFailure::NoNewClients
        | ConnectFailure::PostInstallError
        | ConnectFailure::ValidationError => 422,
    }
}
