//! AWS Signature Version 4, in the `Authorization` header
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use url::Url;

use super::{
    AuthorizationError, SentBody, SignIn, UnauthenticatedRequest, optional, required, secret_value,
};
use crate::config::authorization::{
    AwsSigv4, SIGV4_CONTENT_HASH as CONTENT_HASH, SIGV4_DATE as DATE,
    SIGV4_SECURITY_TOKEN as SECURITY_TOKEN,
};
use crate::crypto::{self, Hash, sha256_hex};
use crate::expression::{Moment, Template, TemplateScope};
use crate::header_text;
use crate::media::canonical::{parameters, sorted};
use crate::media::percent_encoded;
use crate::time::Timestamp;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Services whose paths are encoded once and kept as they are. Others take them encoded twice, without empty and dot
/// segments.
const OBJECT_SERVICES: [&str; 4] = ["s3", "s3-outposts", "s3-object-lambda", "s3express"];

/// What signs a request, filled from the account.
struct SigningKeys {
    access_key_id: String,
    secret_access_key: String,
    region: String,
    service: String,
}

/// How a path is written where it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PathRule {
    Normalised,
    AsIs,
}

/// The parts of a request that are signed.
struct CanonicalRequest<'a> {
    method: &'a str,
    path: String,
    query: String,
    /// By their names in lower case.
    headers: BTreeMap<String, String>,
    /// The hash of the body, or what represents it.
    payload: &'a str,
}

/// The headers that sign a request.
pub(super) fn sign(
    own: &AwsSigv4,
    scope: &TemplateScope,
    request: &UnauthenticatedRequest,
    moment: &Moment,
) -> Result<SignIn, AuthorizationError> {
    let keys = SigningKeys::of(own, scope)?;
    let payload = match request.body {
        SentBody::None => sha256_hex(b""),
        SentBody::Held(bytes) => sha256_hex(bytes),
        SentBody::Streamed if own.unsigned_payload => "UNSIGNED-PAYLOAD".to_owned(),
        SentBody::Streamed => return Err(AuthorizationError::BodyNotHeld),
    };
    let time = time_of(moment);
    let mut added = vec![(DATE, time.clone()), (CONTENT_HASH, payload.clone())];
    let token = optional(own.session_token.as_ref(), scope)?;
    added.extend(token.map(|token| (SECURITY_TOKEN, token)));

    let mut headers = signed_headers(request);
    for (name, value) in &added {
        headers.insert((*name).to_owned(), value.clone());
    }
    let url = without_plus(request.url);
    let canonical = CanonicalRequest {
        method: request.method.as_str(),
        path: canonical_path(url.path(), keys.path_rule()),
        query: sorted(parameters(url.query().unwrap_or_default())),
        headers,
        payload: &payload,
    };
    let authorization = keys.authorization(&canonical, &time);
    added.push((AUTHORIZATION.as_str(), authorization));
    Ok(SignIn {
        headers: added
            .into_iter()
            .map(|(name, value)| header(name, &value))
            .collect::<Result<_, _>>()?,
        signed_url: Some(url),
        ..SignIn::default()
    })
}

/// The URL with each `+` encoded, as services read it as a space or as itself: a space in the query, itself in the path.
fn without_plus(url: &Url) -> Url {
    let mut encoded = url.clone();
    encoded.set_path(&url.path().replace('+', "%2B"));
    let query = url.query().map(|query| query.replace('+', "%20"));
    encoded.set_query(query.as_deref());
    encoded
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), AuthorizationError> {
    let wrong = || AuthorizationError::NotAHeader(name.to_owned());
    let name: HeaderName = name.parse().map_err(|_| wrong())?;
    Ok((name, secret_value(value).ok_or_else(wrong)?))
}

/// The headers of a request that are signed: those that say what the service does, and none that the platform may change
/// on its way.
fn signed_headers(request: &UnauthenticatedRequest) -> BTreeMap<String, String> {
    let is_signed = |name: &&HeaderName| {
        **name == CONTENT_TYPE || **name == "content-md5" || name.as_str().starts_with("x-amz-")
    };
    let names = request.headers.keys().filter(is_signed);
    let mut signed: BTreeMap<String, String> = names
        .map(|name| {
            let values = request.headers.get_all(name).iter();
            let values: Vec<String> = values
                .map(|value| canonical_value(&header_text::text(value)))
                .collect();
            (name.as_str().to_owned(), values.join(","))
        })
        .collect();
    signed.insert(HOST.as_str().to_owned(), host(request.url));
    signed
}

/// The `Host` of a request (RFC 9110 §7.2): without the default port.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Without white space around it, and with single spaces in it.
fn canonical_value(value: &str) -> String {
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    words.join(" ")
}

/// `20150830T123600Z`
fn time_of(moment: &Moment) -> String {
    let text = Timestamp::from_millis(moment.now_ms).to_string();
    let seconds = text.split('.').next().unwrap_or_default();
    let digits = seconds.chars().filter(|c| !matches!(c, '-' | ':'));
    digits.chain(['Z']).collect()
}

fn canonical_path(path: &str, rule: PathRule) -> String {
    let encoded = |segment: &[u8]| percent_encoded(segment);
    match rule {
        PathRule::AsIs => {
            // The slashes of an object's name are not encoded.
            let decoded: Vec<u8> = percent_decode_str(path).collect();
            let segments: Vec<String> = decoded.split(|byte| *byte == b'/').map(encoded).collect();
            segments.join("/")
        }
        PathRule::Normalised => {
            let mut segments: Vec<&str> = Vec::new();
            for segment in path.split('/') {
                match segment {
                    "" | "." => {}
                    ".." => {
                        segments.pop();
                    }
                    segment => segments.push(segment),
                }
            }
            let is_folder = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
            let end = if is_folder && !segments.is_empty() {
                "/"
            } else {
                ""
            };
            let segments: Vec<String> = segments
                .into_iter()
                .map(|segment| encoded(segment.as_bytes()))
                .collect();
            format!("/{}{end}", segments.join("/"))
        }
    }
}

impl SigningKeys {
    fn of(own: &AwsSigv4, scope: &TemplateScope) -> Result<Self, AuthorizationError> {
        let text = |template: &Template| required(template, scope);
        Ok(Self {
            access_key_id: text(&own.access_key_id)?,
            secret_access_key: text(&own.secret_access_key)?,
            region: text(&own.region)?,
            service: text(&own.service)?,
        })
    }

    fn path_rule(&self) -> PathRule {
        if OBJECT_SERVICES.contains(&self.service.as_str()) {
            PathRule::AsIs
        } else {
            PathRule::Normalised
        }
    }

    /// The day, region and service that a signature is good for.
    fn credential_scope(&self, time: &str) -> String {
        let day = time.split('T').next().unwrap_or_default();
        format!("{day}/{}/{}/aws4_request", self.region, self.service)
    }

    fn string_to_sign(&self, request: &CanonicalRequest, time: &str) -> String {
        let hash = sha256_hex(request.text().as_bytes());
        let scope = self.credential_scope(time);
        format!("{ALGORITHM}\n{time}\n{scope}\n{hash}")
    }

    fn signature(&self, request: &CanonicalRequest, time: &str) -> String {
        let day = time.split('T').next().unwrap_or_default();
        let step = |key: &[u8], text: &str| crypto::hmac(Hash::Sha256, key, text.as_bytes());
        let key = step(format!("AWS4{}", self.secret_access_key).as_bytes(), day);
        let key = step(&step(&key, &self.region), &self.service);
        let key = step(&key, "aws4_request");
        HEXLOWER.encode(&step(&key, &self.string_to_sign(request, time)))
    }

    fn authorization(&self, request: &CanonicalRequest, time: &str) -> String {
        format!(
            "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={}",
            self.access_key_id,
            self.credential_scope(time),
            request.header_names(),
            self.signature(request, time),
        )
    }
}

impl CanonicalRequest<'_> {
    fn header_names(&self) -> String {
        let names: Vec<&str> = self.headers.keys().map(String::as_str).collect();
        names.join(";")
    }

    fn text(&self) -> String {
        let headers = self.headers.iter();
        let lines: Vec<String> = headers
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let headers = lines.concat();
        format!(
            "{}\n{}\n{}\n{headers}\n{}\n{}",
            self.method,
            self.path,
            self.query,
            self.header_names(),
            self.payload
        )
    }
}

#[cfg(test)]
mod tests;
