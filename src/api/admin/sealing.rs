//! `/sealing`: which keys secrets rest under, and sealing them anew.

use serde_json::{Value, json};

use super::{Answer, ok};
use crate::api::Desk;
use crate::error::Failure;
use crate::flows::messages::{RootMessage, Sealing, send_to_root};
use crate::ports::Outside;

/// Begins; `GET /sealing` shows how far it is.
pub(super) async fn rotate<O: Outside>(desk: &Desk<'_, O>) -> Answer<O> {
    send_to_root::<()>(desk.outside, &RootMessage::Rotate).await?;
    get(desk).await
}

/// A key may be dropped from `SEALING_KEYS` when its count is 0.
pub(super) async fn get<O: Outside>(desk: &Desk<'_, O>) -> Answer<O> {
    let sealing: Sealing = send_to_root(desk.outside, &RootMessage::CountSealed).await?;
    let current = current_key(desk)?;
    let keys: Vec<Value> = sealing
        .counts
        .iter()
        .map(|(id, count)| json!({ "id": id, "count": count, "is_current": *id == current }))
        .collect();
    Ok(ok(
        &json!({ "keys": keys, "is_rotating": sealing.is_rotating }),
    ))
}

fn current_key<O: Outside>(desk: &Desk<'_, O>) -> Result<String, Failure> {
    Ok(desk
        .outside
        .settings()
        .keyring()?
        .ids()
        .next()
        .unwrap_or_default()
        .to_owned())
}
