//! An account's secrets under the first sealing key, so that the one before can be dropped.

use crate::error::Failure;
use crate::flows::account_object::AccountObject;
use crate::flows::account_object::row::{SetUp, context_secrets};
use crate::flows::base::sealed;
use crate::ports::{Outside, Sees, Storage};

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Seals its secrets under the first key; a change that is pending is finished first, under it.
    pub(in crate::flows) async fn reseal(&self) -> Result<Option<String>, Failure> {
        let _one_at_a_time = self.changing.lock().await;
        self.visible(&Sees::All).await?;
        self.finish_what_is_pending().await?;
        self.reseal_row()?;
        Ok(self.reload()?.sealing_key.clone())
    }

    /// The secrets under the first key; what counts, and what is still pending.
    fn reseal_row(&self) -> Result<Option<String>, Failure> {
        let row = self
            .read_row()?
            .ok_or_else(|| Failure::not_found("integrated account"))?;
        let id = self.id.to_string();
        let new = sealed::resealed(&self.outside, context_secrets(&id), row.sealed.as_deref())?;
        if let Some(text) = &new {
            self.storage.exec(
                "UPDATE account SET sealed = ? WHERE one = 1",
                &[text.as_str().into()],
            )?;
        }
        let token = self.reseal_token(row.token)?;
        let held = row
            .set_up
            .as_ref()
            .and_then(|set_up| set_up.found_by.clone());
        let held_again = self.held_again(held.as_deref())?;
        if let (Some(text), Some(account), Some(set_up)) = (&held_again, &row.account, row.set_up) {
            let set_up = SetUp {
                found_by: Some(text.clone()),
                ..set_up
            };
            self.amend_record(account, Some(set_up), row.origins)?;
        }
        self.reseal_unread()?;
        self.reseal_kept_answers()?;
        Ok(new.or(row.sealed).or(token).or(held_again).or(held))
    }
}
