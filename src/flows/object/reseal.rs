//! An account's secrets under the first sealing key, so that the one before can be dropped.

use crate::error::Failure;
use crate::flows::object::AccountObject;
use crate::ports::{Outside, Storage, Visibility};

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Seals its secrets under the first key; a change that is pending is finished first, under it.
    pub(super) async fn reseal(&self) -> Result<Option<String>, Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        self.visible(&Visibility::All).await?;
        self.finish_what_is_pending().await?;
        let components = self.components().stored;
        components.iter().try_for_each(|one| one.reseal())?;
        Ok(self.reload()?.sealing_key.clone())
    }
}
