//! Fields by which an answer speaks for its whole origin, or tells a browser or a shared cache what to do. The origin of
//! what we pass on is ours, for all accounts and providers: what a provider says so goes no further, and what keeps its
//! answer harmless there is ours to say.
//!
//! A list of what is dropped, not of what is kept: what providers say of their answers (`link`, `etag`, `x-total-count`,
//! fields of their own) has no end, and all of it goes on.

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue};

const SPEAKS_FOR_ORIGIN: &[&str] = &[
    // Cookies, storage and what the browser remembers of an origin.
    "login-status",
    "clear-site-data",
    "strict-transport-security",
    "delegate-ch",
    "shared-storage-write",
    "tk",
    "activate-storage-access",
    "service-worker-allowed",
    "observe-browsing-topics",
    "p3p",
    // Where the browser connects, reports and looks next.
    "alt-svc",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "nel",
    "sourcemap",
    "x-sourcemap",
    "speculation-rules",
    "supports-loading-mode",
    "use-as-dictionary",
    "x-dns-prefetch-control",
    "onion-location",
    // What a page may do, and who may read or embed it.
    "x-content-security-policy",
    "x-webkit-csp",
    "x-content-type-options",
    "x-frame-options",
    "x-xss-protection",
    "x-ua-compatible",
    "x-download-options",
    "x-permitted-cross-domain-policies",
    "feature-policy",
    "require-document-policy",
    "referrer-policy",
    "timing-allow-origin",
    "x-robots-tag",
    // Credentials: the caller authenticates to the gateway, never to the provider.
    "www-authenticate",
    "authentication-info",
    "proxy-authentication-info",
    // How long others may keep it.
    "cache-control",
    "pragma",
    "expires",
    "age",
    "no-vary-search",
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "cache-tag",
    "edge-cache-tag",
    "x-sendfile",
];

/// Families whose next member is not known yet.
const PREFIXES: &[&str] = &[
    // Of browsers.
    "accept-ch",
    "access-control-",
    "ad-auction-",
    "attribution-reporting-",
    "connection-allowlist",
    "content-security-",
    "critical-",
    "cross-origin-",
    "document-",
    "expect-",
    "integrity-policy",
    "origin-",
    "permissions-",
    "public-key-pins",
    "sec-",
    "set-",
    // Of what is before an origin, and of this gateway.
    "cf-",
    "surrogate-",
    "x-accel-",
    "x-causeway-",
];

/// No script, no form, no frame, nothing loaded: also if a browser shows the HTML.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// Whether a field of a provider is one of these.
pub(super) fn speaks_for_origin(name: &HeaderName) -> bool {
    let name = name.as_str();
    SPEAKS_FOR_ORIGIN.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// What is ours to say of any answer of the data plane: it is neither kept for others, nor taken for another type, nor run.
pub fn keep_harmless(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
}
