//! `GET /`: a page that names the service and leads on.

use url::Url;

use super::RequestContext;
use super::connect::show::{self, HtmlPage};
use crate::connect::page::{Home, home};
use crate::ports::{Outside, Reply};

/// The address of the documents; empty where `Cargo.toml` has none.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

pub(super) fn show<O: Outside>(context: &RequestContext<'_, O>, url: &Url) -> Reply<O::Stream> {
    let base = context.public_url(url);
    let links = [
        (
            "/docs",
            "The API, to read and try",
            "Every call with its parameters and answers. Calls are made with a token that you paste.",
        ),
        (
            "/openapi.json",
            "The API, for tools",
            "The same as OpenAPI 3.1, which clients are generated from.",
        ),
        (
            "/integration.schema.json",
            "Integration files",
            "Their JSON Schema, which editors complete by.",
        ),
        (
            "/health",
            "Health",
            "Whether this gateway can work, and what is missing if not.",
        ),
    ];
    let page = Home {
        version: env!("CARGO_PKG_VERSION"),
        host: base.host_str().unwrap_or_default(),
        links: &links,
        documents: Some(REPOSITORY).filter(|address| !address.is_empty()),
    };
    let nonce = show::nonce(context);
    let text = home(&page, &nonce);
    show::html(context, 200, HtmlPage::plain(text, &nonce, &[]))
}
