//! The address a request was sent to: by which scheme and under which host this gateway answers at all, and what of its
//! settings cannot count there. One rule for every route but `/health`, asked before anything else.

use http::HeaderMap;
use url::Url;

use crate::error::{Code, Failure};
use crate::settings::{HostKind, PrivateUpstreams, Settings};

/// How a proxy of the operator's says that it was asked over TLS.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

const PRIVATE: &str = "ALLOW_PRIVATE_UPSTREAMS counts on loopback only";
const UNKNOWN: &str =
    "PUBLIC_URL is not set, and without it no link can say which of its names this gateway goes by";

/// Refuses a request under an address that is not to be trusted with a token, or from which no link should be made.
pub(super) fn check(settings: &Settings, url: &Url, headers: &HeaderMap) -> Result<(), Failure> {
    let place = HostKind::of(url);
    if place == HostKind::Loopback {
        return Ok(());
    }
    if url.scheme() != "https" && !is_proxied(settings, url, headers) {
        return Err(refused(
            "Over plain http a token can be read on its way: call this gateway by https.",
        ));
    }
    problem(settings, place).map_or(Ok(()), |problem| {
        Err(refused(&format!(
            "This gateway does not answer here: {problem}."
        )))
    })
}

/// What of the settings is wrong for a gateway that is asked at this URL; for `/health`.
pub(super) fn problem_at(settings: &Settings, url: &Url) -> Option<&'static str> {
    problem(settings, HostKind::of(url))
}

fn problem(settings: &Settings, place: HostKind) -> Option<&'static str> {
    match (place, settings.private_upstreams) {
        (HostKind::Loopback, _) => None,
        (_, PrivateUpstreams::Allowed) => Some(PRIVATE),
        (HostKind::Elsewhere, _) if settings.public_url.is_none() => Some(UNKNOWN),
        _ => None,
    }
}

/// Whether a proxy in front has ended TLS: it says so, for the host that `PUBLIC_URL` has over https. A caller who claims it
/// without one risks no token but their own.
fn is_proxied(settings: &Settings, url: &Url, headers: &HeaderMap) -> bool {
    let public = settings.public_url.as_ref();
    let is_ours = public
        .is_some_and(|public| public.scheme() == "https" && public.host_str() == url.host_str());
    let says = headers.get(FORWARDED_PROTO);
    is_ours && says.is_some_and(|value| value.as_bytes() == b"https")
}

fn refused(message: &str) -> Failure {
    Failure::new(Code::WrongAddress, message)
}
