//! `GET /oauth-client/{id}`: the metadata document of an install's client, whose URL is the client's id
//! (draft-ietf-oauth-client-id-metadata-document). It is public, and holds no secret.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use url::Url;

use super::path_id;
use super::unproved::Sender;
use super::{RequestContext, body_of};
use crate::config::Credential;
use crate::error::Failure;
use crate::flows::config::{config_cache, resolved_config};
use crate::ids::InstallId;
use crate::oauth::client_document;
use crate::ports::{Outside, Reply};

/// The URL of the document.
pub(super) fn address(base: &Url, install: InstallId) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.clear().push("oauth-client").push(&install.to_string());
    }
    url
}

/// An id that names nothing costs its sender as an unsigned webhook URL does, by a count of its own: it is looked up. What
/// the isolate knows is not.
pub(super) async fn get<O: Outside>(
    context: &RequestContext<'_, O>,
    text: &str,
    (url, headers): (&Url, &HeaderMap),
) -> Result<Reply<O::Stream>, Failure> {
    let sender = Sender::of_document(context, headers);
    sender.check()?;
    let install = path_id::parse::<InstallId>(text);
    let Ok(install) = install else {
        return Err(sender.failed(path_id::not_found::<InstallId>()).await);
    };
    let installs = &context.isolate.installs;
    let known = installs.get(&install.to_string(), context.outside.now());
    if known.is_none() {
        sender.check_misses()?;
    }
    match document(context, install, url).await? {
        Some(document) => Ok(reply(document.to_string())),
        None => Err(sender
            .named_nothing(path_id::not_found::<InstallId>())
            .await),
    }
}

async fn document<O: Outside>(
    context: &RequestContext<'_, O>,
    install: InstallId,
    url: &Url,
) -> Result<Option<serde_json::Value>, Failure> {
    let (outside, isolate) = (context.outside, context.isolate);
    let record = config_cache::published_install(outside, isolate, install).await?;
    let Some(record) = record.filter(|record| record.is_enabled) else {
        return Ok(None);
    };
    let name = record.integration_name.clone();
    let resolved = resolved_config::of_install(outside, isolate, record).await?;
    let credentials = resolved.compiled.config.credentials.values();
    let mut oauths = credentials.filter_map(Credential::oauth);
    let config = oauths.find(|config| config.client.metadata_document);
    Ok(config.map(|config| {
        let base = context.public_url(url);
        let callback = super::connect::address(&base, &[&name, "callback"], &[]);
        let own = address(&base, install);
        client_document(&config.registration, own.as_str(), callback.as_str())
    }))
}

fn reply<S>(document: String) -> Reply<S> {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    Reply {
        status: StatusCode::OK,
        headers: HeaderMap::from_iter(headers),
        body: body_of(document),
    }
}
