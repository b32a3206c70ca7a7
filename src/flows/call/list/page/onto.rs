//! Adds the values of a page to the method's request.

use std::collections::BTreeSet;

use serde_json::Value;
use url::Url;

use crate::config::Pagination;
use crate::config::resource::{BodyFormat, Method};
use crate::error::Failure;
use crate::flows::call::list::page::Page;
use crate::json;
use crate::pagination::PageError;
use crate::proxy::body::{BodyError, BodySource, Writing};
use crate::proxy::form;
use crate::proxy::request::{self, CallerInput, Draft, Payload, RequestError};

impl Page<'_> {
    /// The method's request with the values of this page.
    pub(in crate::flows) fn onto(
        &self,
        mut draft: Draft,
        method: &Method,
        writing: &Writing,
        caller: &CallerInput,
    ) -> Result<Draft, Failure> {
        draft.url = self.address(&draft.url, method);
        for (name, value) in &self.ask.query {
            request::set_query(&mut draft.url, name, value);
        }
        for (name, value) in &self.ask.headers {
            draft.headers.insert(name, value.clone());
        }
        if self.ask.body.is_empty() {
            return Ok(draft);
        }
        if caller.source == BodySource::Caller {
            return Err(RequestError::PagesInBody.into());
        }
        let body = self.body(&draft, writing, caller.body)?;
        Ok(request::with_payload(draft, body, writing))
    }

    /// The URL of the page. If only the query of a link is used, the path is the file's path for later pages, if it has
    /// one.
    fn address(&self, own: &Url, method: &Method) -> Url {
        let mut url = self.ask.address(own);
        let is_by_query =
            matches!(self.pagination, Pagination::Cursor(cursor) if !cursor.include_path);
        if is_by_query && method.pagination_path.is_some() && url.query().is_some() {
            url.set_path(own.path());
        }
        url
    }

    fn body(&self, draft: &Draft, writing: &Writing, callers: &[u8]) -> Result<Vec<u8>, Failure> {
        if matches!(draft.method, http::Method::GET | http::Method::HEAD) {
            return Err(RequestError::NoBodyAllowed(draft.method.clone()).into());
        }
        let bytes = match &draft.body {
            Payload::Callers => callers,
            Payload::Nothing => &[],
            Payload::Ours(bytes) => bytes,
        };
        let text = std::str::from_utf8(bytes).map_err(|_| PageError::Body)?;
        match writing.format {
            BodyFormat::Json => Ok(self.ask.body_onto(text)?.into_bytes()),
            BodyFormat::Form => Ok(self.form_onto(text, writing)?.into_bytes()),
            BodyFormat::Raw | BodyFormat::Multipart | BodyFormat::Xml => {
                let message = "no page can be asked for in it, unless by {{pagination.…}}";
                Err(BodyError::Shape(message).into())
            }
        }
    }

    /// A form with the page's values. A form has only strings; nested values are written in brackets.
    fn form_onto(&self, text: &str, writing: &Writing) -> Result<String, Failure> {
        let mut nested = String::new();
        for (path, value) in &self.ask.body {
            let is_text = value.starts_with('"');
            let value = if is_text {
                value.clone()
            } else {
                Value::from(value.as_str()).to_string()
            };
            nested = json::set(&nested, path.parts(), &value).map_err(|_| PageError::Body)?;
        }
        let value: Value = serde_json::from_str(&nested).map_err(|_| PageError::Body)?;
        let own = form::encode(&value.into(), writing.arrays).map_err(BodyError::from)?;
        let own = own.unwrap_or_default();
        let names: BTreeSet<String> = form_urlencoded::parse(own.as_bytes())
            .map(|(name, _)| name.into_owned())
            .collect();
        let is_other = |piece: &&str| {
            let read = form_urlencoded::parse(piece.as_bytes()).next();
            read.is_some_and(|(name, _)| !names.contains(&*name))
        };
        let others = text.split('&').filter(is_other);
        let both: Vec<&str> = others
            .chain([own.as_str()].into_iter().filter(|own| !own.is_empty()))
            .collect();
        Ok(both.join("&"))
    }
}
