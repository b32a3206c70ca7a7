//! Key rotation: an account's secrets are encrypted again with the first sealing key, so that the old key can be removed.

use crate::error::Failure;
use crate::flows::object::AccountObject;
use crate::ports::{Outside, Storage, Visibility};

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Encrypts the secrets with the first key. A pending change is finished first.
    pub(in crate::flows) async fn reseal(&self) -> Result<Option<String>, Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        self.record.visible(&Visibility::All).await?;
        self.record.finish_pending_locked().await?;
        self.components.reseal()?;
        Ok(self.record.reload()?.sealing_key.clone())
    }
}
