//! An account's secrets under the first sealing key, so that the one before can be dropped.

use crate::error::Failure;
use crate::flows::object::AccountObject;
use crate::ports::{Outside, Storage, Visibility};

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Seals its secrets under the first key; a change that is pending is finished first, under it.
    pub(in crate::flows) async fn reseal(&self) -> Result<Option<String>, Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        self.record.visible(&Visibility::All).await?;
        self.record.finish_pending_locked().await?;
        self.components.reseal()?;
        Ok(self.record.reload()?.sealing_key.clone())
    }
}
