//! `/sealing`: the keys that secrets are encrypted with, and the rotation to the first of them.

use schemars::JsonSchema;
use serde::Serialize;

use super::call::AdminCall;
use crate::error::Failure;
use crate::flows::messages::{RootMessage, Sealing, send_to_root};
use crate::ports::Outside;

/// The sealed values of each key. A key whose count is 0 seals nothing. It may still have signed API tokens and webhook URLs, which
/// end with it: docs/operations.md, Changing the sealing key.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(in crate::api) struct SealingKeys {
    keys: Vec<SealingKey>,
    is_rotating: bool,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct SealingKey {
    id: String,
    count: u64,
    is_current: bool,
}

/// Begins; `GET /sealing` shows the progress.
pub(in crate::api) async fn rotate<O: Outside>(
    call: &AdminCall<'_, O>,
) -> Result<SealingKeys, Failure> {
    send_to_root::<()>(call.outside(), &RootMessage::Rotate).await?;
    get(call).await
}

pub(in crate::api) async fn get<O: Outside>(
    call: &AdminCall<'_, O>,
) -> Result<SealingKeys, Failure> {
    let sealing: Sealing = send_to_root(call.outside(), &RootMessage::CountSealed).await?;
    let current = call.outside().settings().keyring()?.ids().next();
    let current = current.unwrap_or_default();
    let keys = sealing.counts.into_iter().map(|(id, count)| SealingKey {
        is_current: id == current,
        id,
        count,
    });
    Ok(SealingKeys {
        keys: keys.collect(),
        is_rotating: sealing.is_rotating,
    })
}
