//! Authenticates a request: which header fields and query parameters carry the credential. Applied last,
//! over the fields that the caller sent.

mod aws_sigv4;
mod oauth1;

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use data_encoding::BASE64;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use url::Url;

use crate::config::authorization::{Authorization, Basic, Header, Query, context_seen_by};
use crate::expression::{
    Expression, ExpressionError, ExpressionScope, Moment, RenderError, Template, TemplateScope,
};
use crate::header_text;
use crate::json::Path;
use crate::media::canonical;

/// Where the OAuth access token is looked for.
const ACCESS_TOKEN: &str = "access_token";

/// The request as an `authorization.expression` sees it.
pub struct UnauthenticatedRequest<'a> {
    pub method: &'a Method,
    pub url: &'a Url,
    /// Its header fields so far.
    pub headers: &'a HeaderMap,
    pub body: SentBody<'a>,
}

/// The body of a request, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentBody<'a> {
    None,
    Held(&'a [u8]),
    /// It is passed on unread.
    Streamed,
}

/// What to add to a request. Its values are secret.
#[derive(Default, PartialEq, Eq)]
pub struct SignIn {
    /// Set, replacing any of the same name.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Set, replacing any of the same name.
    pub query: Option<(String, String)>,
    /// The URL as it was signed, in place of the request's.
    pub signed_url: Option<Url>,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("SignIn")
            .field("headers", &names)
            .field("query", &self.query.as_ref().map(|(name, _)| name))
            .finish_non_exhaustive()
    }
}

/// Why a request cannot be authenticated. Names paths, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// The credential has no usable value.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A user name with a colon (RFC 7617 §2).
    #[error("the user name of basic authorization contains a colon")]
    Colon,
    /// The header's name or value is not valid.
    #[error("`{0}` does not give a header name or value")]
    NotAHeader(String),
    /// The expression failed.
    #[error("authorization.expression: {0}")]
    Expression(#[from] ExpressionError),
    /// The expression gave something else than headers.
    #[error("authorization.expression must give an object of header names and texts")]
    NotHeaders,
    /// The body is not in memory.
    #[error("the body of the request is not held, so it cannot be signed")]
    BodyNotHeld,
    /// Two authorizations of a list gave the same header or parameter.
    #[error("two authorizations of the list write the same {0}")]
    Twice(&'static str),
    /// There is no client to sign with.
    #[error("`oauth1` has no `consumer`, and there is no credential `oauth`")]
    NoConsumer,
}

/// The names of what the authorizations of a request have written so far. Names that are computed, or filled from the
/// account, are known only now.
#[derive(Debug, Default)]
pub struct Written {
    headers: HashSet<HeaderName>,
    parameters: BTreeSet<String>,
}

impl Written {
    /// Notes what another adds. Fails where that is there already.
    pub fn with(&mut self, signed: SignIn) -> Result<SignIn, AuthorizationError> {
        let names = signed.headers.iter().map(|(name, _)| name);
        if names.clone().any(|name| self.headers.contains(name)) {
            return Err(AuthorizationError::Twice("header"));
        }
        self.headers.extend(names.cloned());
        let parameter = signed.query.as_ref().map(|(name, _)| name.clone());
        let is_new = parameter.is_none_or(|name| self.parameters.insert(name));
        is_new
            .then_some(signed)
            .ok_or(AuthorizationError::Twice("parameter"))
    }
}

/// What `authorization` adds to `request`.
pub fn sign_in(
    authorization: &Authorization,
    scope: &TemplateScope,
    context: &Value,
    request: &UnauthenticatedRequest,
    moment: &Moment,
) -> Result<SignIn, AuthorizationError> {
    match authorization {
        Authorization::Bearer(bearer) => bearer_header(bearer.token.as_ref(), scope),
        Authorization::Basic(basic) => basic_header(basic, scope),
        Authorization::Header(Header::Fixed { name, value }) => fixed_header(name, value, scope),
        Authorization::Header(Header::Computed { expression }) => {
            computed_headers(expression, context, request, moment)
        }
        Authorization::Query(query) => query_parameter(query, scope),
        Authorization::Oauth1(own) => oauth1::sign(own, scope, request, moment),
        Authorization::AwsSigv4(own) => aws_sigv4::sign(own, scope, request, moment),
        Authorization::None(_) => Ok(SignIn::default()),
    }
}

fn bearer_header(
    token: Option<&Template>,
    scope: &TemplateScope,
) -> Result<SignIn, AuthorizationError> {
    let token = match token {
        Some(template) => required(template, scope)?,
        None => access_token(scope)?,
    };
    header(AUTHORIZATION, &format!("Bearer {token}"), "token")
}

fn access_token(scope: &TemplateScope) -> Result<String, AuthorizationError> {
    let path: Option<Path> = ACCESS_TOKEN.parse().ok();
    let token = path
        .and_then(|path| scope.lookup(&path))
        .and_then(Value::as_str);
    let missing = || RenderError::Missing {
        path: "oauth.token.access_token".to_owned(),
        source_text: "bearer".to_owned(),
    };
    Ok(token.ok_or_else(missing)?.to_owned())
}

fn basic_header(basic: &Basic, scope: &TemplateScope) -> Result<SignIn, AuthorizationError> {
    // Some providers take the password alone. Only the file can say so: a value that is empty is none.
    let is_nameless = basic.username.literal() == Some("");
    let (username, password) = match &basic.password {
        Some(password) if is_nameless => (String::new(), required(password, scope)?),
        password => {
            let text = password.as_ref().map(|password| password.text(scope));
            let text = text.transpose()?.flatten().unwrap_or_default();
            (required(&basic.username, scope)?, text)
        }
    };
    if username.contains(':') {
        return Err(AuthorizationError::Colon);
    }
    header(
        AUTHORIZATION,
        &format!(
            "Basic {}",
            BASE64.encode(format!("{username}:{password}").as_bytes())
        ),
        "username",
    )
}

fn fixed_header(
    name: &Template,
    value: &Template,
    scope: &TemplateScope,
) -> Result<SignIn, AuthorizationError> {
    let name_text = required(name, scope)?;
    let parsed: HeaderName = name_text
        .parse()
        .map_err(|_| AuthorizationError::NotAHeader(name.source().to_owned()))?;
    header(parsed, &required(value, scope)?, value.source())
}

fn query_parameter(query: &Query, scope: &TemplateScope) -> Result<SignIn, AuthorizationError> {
    let pair = (
        required(&query.name, scope)?,
        required(&query.value, scope)?,
    );
    Ok(SignIn {
        query: Some(pair),
        ..SignIn::default()
    })
}

fn computed_headers(
    expression: &Expression,
    context: &Value,
    request: &UnauthenticatedRequest,
    moment: &Moment,
) -> Result<SignIn, AuthorizationError> {
    let query = request.url.query().unwrap_or_default();
    let options = json!({
        "method": request.method.as_str(),
        "headers": header_text::object_of(request.headers),
        "body": body_value(request.body),
        "canonicalQuery": canonical::sorted(canonical::parameters(query)),
    });
    let context = context_seen_by(expression, context);
    let scope = ExpressionScope::authorization(request.url.as_str(), &options, &context);
    let result = expression.evaluate(&scope, moment)?.unwrap_or_default();
    let headers = Authorization::headers_of(&result).ok_or(AuthorizationError::NotHeaders)?;
    let parsed = headers.iter().map(|(name, value)| {
        let name: HeaderName = name.parse().map_err(|_| AuthorizationError::NotHeaders)?;
        Ok((
            name,
            secret_value(value).ok_or(AuthorizationError::NotHeaders)?,
        ))
    });
    Ok(SignIn {
        headers: parsed.collect::<Result<_, AuthorizationError>>()?,
        ..SignIn::default()
    })
}

fn required(template: &Template, scope: &TemplateScope) -> Result<String, AuthorizationError> {
    let missing = || RenderError::Missing {
        path: template.source().to_owned(),
        source_text: template.source().to_owned(),
    };
    Ok(template
        .header(scope)?
        .filter(|text| !text.is_empty())
        .ok_or_else(missing)?)
}

/// The text of a template that may be absent, or have no value.
fn optional(
    template: Option<&Template>,
    scope: &TemplateScope,
) -> Result<Option<String>, AuthorizationError> {
    let Some(template) = template else {
        return Ok(None);
    };
    match template.header(scope) {
        Ok(text) => Ok(text.filter(|text| !text.is_empty())),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn header(name: HeaderName, value: &str, source: &str) -> Result<SignIn, AuthorizationError> {
    let value =
        secret_value(value).ok_or_else(|| AuthorizationError::NotAHeader(source.to_owned()))?;
    Ok(SignIn {
        headers: vec![(name, value)],
        ..SignIn::default()
    })
}

/// White space beyond ASCII is in no credential: it was pasted along with one.
fn secret_value(text: &str) -> Option<HeaderValue> {
    if text.contains(|c: char| !c.is_ascii() && c.is_whitespace()) {
        return None;
    }
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn body_value(body: SentBody) -> Value {
    match body {
        SentBody::Held(bytes) => Value::String(String::from_utf8_lossy(bytes).into_owned()),
        SentBody::None | SentBody::Streamed => Value::Null,
    }
}

#[cfg(test)]
mod tests;
