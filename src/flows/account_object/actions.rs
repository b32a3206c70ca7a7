//! What an action changed in an account's context comes into the context as it is by then.

use serde_json::Value;

use super::AccountObject;
use super::changes::refuse_host_keys;
use crate::error::Failure;
use crate::flows::import_account::check_context;
use crate::json as words;
use crate::ports::{Outside, Sees, Storage};

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Merges what an action changed between `before` and `after`, and nothing else: what others changed while it
    /// ran stays. When the account's host changed meanwhile nothing is kept, for what came from the old one is not
    /// the new one's.
    pub(in crate::flows) async fn keep_changes(
        &self,
        before: &Value,
        after: &Value,
    ) -> Result<(), Failure> {
        let Some(patch) = words::diff(before, after) else {
            return Ok(());
        };
        let _one_at_a_time = self.changing.lock().await;
        let loaded = self.visible(&Sees::All).await?;
        let effective = self.effective(&loaded.account).await?;
        let compiled = &effective.compiled;
        if refuse_host_keys(compiled, before, &loaded.context).is_err() {
            return Err(Failure::busy(
                "The account's credentials were replaced while the action ran: what it changed was not kept. Run it again.",
            ));
        }
        let mut context = loaded.context.clone();
        words::merge(&mut context, &patch);
        check_context(&context)?;
        // The action could set a first host only where it may; here it is that nothing stored is re-aimed.
        if compiled.moves_host(&loaded.context, &context) {
            refuse_host_keys(compiled, &loaded.context, &context)?;
        }
        self.store(&loaded, loaded.account.clone(), &context, &[])
            .await
            .map(drop)
    }
}
