//! Link tokens and `state`s as they come in: proved before anything is read, then looked up.

use super::cookies::Jar;
use super::first;
use crate::account::token::{self, TokenKind, TokenProof};
use crate::api::RequestContext;
use crate::api::unproved::Sender;
use crate::connect::outcome::ConnectFailure;
use crate::crypto;
use crate::error::{Code, Failure};
use crate::flows::lifecycle::connect as flow;
use crate::flows::lifecycle::connect::OpenedLink;
use crate::ports::{Incoming, Outside};

/// The link that a page is opened by, when it is one of ours.
pub(super) async fn open<O: Outside>(
    context: &RequestContext<'_, O>,
    request: &Incoming<O::Stream>,
    asked: &[(String, String)],
) -> Result<Result<OpenedLink, ConnectFailure>, Failure> {
    let text = first(asked, "link_token").unwrap_or_default();
    let is_one = asked
        .iter()
        .all(|(key, value)| key != "link_token" || value == text);
    if text.is_empty() || !is_one {
        return Ok(Err(ConnectFailure::InvalidToken));
    }
    let sender = Sender::of(context, &request.headers);
    let read = token::read_token(sender.keyring()?, TokenKind::Link, text);
    let Some((environment, proof)) = proved(&sender, read).await? else {
        return Ok(Err(ConnectFailure::InvalidToken));
    };
    let hash = crypto::sha256_hex(text.as_bytes());
    let base = context.public_url(&request.url);
    let secret = Jar::read(&request.headers, &base).secret(&hash);
    let browser = secret.map(|secret| crypto::sha256_hex(secret.as_bytes()));
    let opened = flow::open(context.outside, environment, hash, browser).await?;
    if proof == TokenProof::Unsigned && matches!(opened, Err(ConnectFailure::InvalidToken)) {
        refused(sender.named_nothing(unproved()).await)?;
    }
    Ok(opened)
}

/// What a link token or a `state` names, before anything of it is read. `None` where it is none of ours.
pub(super) async fn proved<I>(
    sender: &Sender<'_, impl Outside>,
    read: Option<(I, TokenProof)>,
) -> Result<Option<(I, TokenProof)>, Failure> {
    if let Some((id, TokenProof::Signed)) = read {
        return Ok(Some((id, TokenProof::Signed)));
    }
    sender.check()?;
    match read {
        Some(unsigned) if sender.check_unsigned()? => Ok(Some(unsigned)),
        _ => refused(sender.failed(unproved()).await).map(|()| None),
    }
}

/// The failure for a forged link or `state`.
pub(super) fn unproved() -> Failure {
    Failure::new(
        Code::Unauthenticated,
        "This link is none of this gateway's.",
    )
}

/// The page says that the link does not work; only a limit is said otherwise.
pub(super) fn refused(failure: Failure) -> Result<(), Failure> {
    match failure.code {
        Code::Unauthenticated => Ok(()),
        _ => Err(failure),
    }
}
