//! Link tokens: what a customer's browser may connect. Opening a link token only reads. Sending the form binds it to
//! that browser. Storing the account spends it; the same browser may try again for ten minutes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::account::seal::{self, SealKind, SealPlace};
use crate::error::Failure;
use crate::flows::base::context_limits::context_too_large;
use crate::flows::base::records::{LinkRecord, LinkUse, ListPage, PageRequest};
use crate::flows::base::sealed;
use crate::flows::base::sql;
use crate::flows::directory::{Directory, DirectoryName, table};
use crate::flows::messages::environment::LinkState;
use crate::ids::{AccountId, LinkTokenId};
use crate::json;
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::settings::{LINK_CONTEXT_BYTES, LINK_TOKENS};
use crate::time::Timestamp;

/// How long a link token stays bound to the browser that used it: to come back from the provider, and to repeat a
/// failed attempt.
const RETRY_PERIOD: Duration = Duration::from_mins(10);

impl<O: Outside, S: Storage> Directory<O, S> {
    /// Creates a link token, unless too many are valid. The alarm deletes expired ones.
    pub(in crate::flows) async fn create_link(
        &self,
        record: LinkRecord,
        context: &Value,
    ) -> Result<LinkRecord, Failure> {
        if json::length(context) > LINK_CONTEXT_BYTES {
            return Err(context_too_large(LINK_CONTEXT_BYTES));
        }
        let live = self.live_links()?;
        if usize::try_from(live).unwrap_or(usize::MAX) >= LINK_TOKENS {
            return Err(self.too_many_links()?);
        }
        let id = record.id.to_string();
        let sealed = sealed::seal(&self.outside, link_secrets(&id), context)?;
        let text = |text: Option<&str>| text.map_or(SqlValue::Null, SqlValue::from);
        let values = [
            id.as_str().into(),
            record.hash.as_str().into(),
            record.expires_at.as_millis().into(),
            sql::json(&record)?,
            text(sealed.as_deref().map(seal::key_id)),
            text(sealed.as_deref()),
        ];
        self.storage.exec(
            "INSERT INTO link_token (id, hash, expires_at, record, sealing_key, sealed) VALUES (?, ?, ?, ?, ?, ?)",
            &values,
        )?;
        self.live_links.set(Some(live + 1));
        let end = record.expires_at.plus(RETRY_PERIOD);
        self.wake_by(end.since(self.outside.now())).await;
        Ok(record)
    }

    /// The number of valid link tokens. They are counted once, and again after a deletion.
    fn live_links(&self) -> Result<i64, StorageFault> {
        if let Some(live) = self.live_links.get() {
            return Ok(live);
        }
        let now = self.outside.now().as_millis();
        let statement = "SELECT COUNT(*) FROM link_token WHERE expires_at > ?";
        let live = sql::one(&self.storage, statement, &[now.into()])?.unwrap_or(0);
        self.live_links.set(Some(live));
        Ok(live)
    }

    fn too_many_links(&self) -> Result<Failure, StorageFault> {
        let now = self.outside.now();
        let end = self.next_link_expiry()?.unwrap_or(now);
        let message = format!(
            "This environment has {LINK_TOKENS} valid link tokens, the most allowed. Delete some, or wait until they expire."
        );
        let seconds = end.since(now).as_secs().saturating_add(1);
        Ok(Failure::too_many_requests(&message, seconds))
    }

    /// When the first of them can be deleted.
    pub(in crate::flows) fn next_link_expiry(&self) -> Result<Option<Timestamp>, StorageFault> {
        if self.name == DirectoryName::Root {
            return Ok(None);
        }
        let statement = "SELECT MIN(expires_at) FROM link_token";
        let end: Option<Timestamp> = sql::one(&self.storage, statement, &[])?;
        Ok(end.map(|end| end.plus(RETRY_PERIOD)))
    }

    /// Deletes link tokens that have expired and can no longer be finished.
    pub(in crate::flows) fn delete_expired_links(&self) {
        if self.name == DirectoryName::Root {
            return;
        }
        let statement = "DELETE FROM link_token WHERE expires_at <= ?";
        let end = self.retry_horizon().as_millis();
        if let Err(fault) = self.storage.exec(statement, &[end.into()]) {
            return self.log("links_not_deleted", &fault.to_string());
        }
        self.live_links.set(None);
    }

    pub(in crate::flows) fn list_links(
        &self,
        page: &PageRequest,
    ) -> Result<ListPage<LinkRecord>, StorageFault> {
        let now = self.outside.now().as_millis();
        let alive = [("expires_at > ?", vec![SqlValue::Integer(now)])];
        table::list(&self.storage, "link_token", &alive, page)
    }

    pub(in crate::flows) fn delete_link(&self, id: LinkTokenId) -> Result<LinkTokenId, Failure> {
        let values = [id.to_string().into()];
        let statement = "DELETE FROM link_token WHERE id = ? RETURNING expires_at";
        let end = sql::one(&self.storage, statement, &values)?;
        let end: i64 = end.ok_or_else(|| Failure::not_found("link token"))?;
        if end > self.outside.now().as_millis() {
            self.live_links
                .set(self.live_links.get().map(|live| live - 1));
        }
        Ok(id)
    }

    /// What this browser may do with a link token. It only reads.
    pub(in crate::flows) fn open_link(
        &self,
        hash: &str,
        browser: Option<&str>,
    ) -> Result<LinkState, Failure> {
        let Some(record) = self.link(hash)? else {
            return Ok(LinkState::Unknown);
        };
        let now = self.outside.now();
        let is_held = |used: &LinkUse| used.spent_at.unwrap_or(used.since).plus(RETRY_PERIOD) > now;
        let is_own = |used: &LinkUse| browser == Some(used.browser.as_str());
        let is_in_use = record
            .used
            .as_ref()
            .is_some_and(|used| is_own(used) && is_held(used));
        if record.expires_at <= now && !is_in_use || self.is_account_deleted(&record)? {
            return Ok(LinkState::Unknown);
        }
        if let Some(used) = &record.used {
            let (is_own, is_held) = (is_own(used), is_held(used));
            match used.spent_at {
                Some(_) if !(is_own && is_held) => return Ok(LinkState::Spent),
                None if is_held && !is_own => return Ok(LinkState::OtherBrowser),
                _ => {}
            }
        }
        let id = record.id.to_string();
        let statement = "SELECT sealed FROM link_token WHERE id = ?";
        let sealed: Option<String> = sql::one(&self.storage, statement, &[id.as_str().into()])?;
        let context = match sealed {
            Some(text) => sealed::open(&self.outside, link_secrets(&id), &text)?,
            None => json!({}),
        };
        Ok(LinkState::Open(Box::new(record), context))
    }

    /// Binds the link token to a browser. An earlier use by the same browser for the same integration keeps its
    /// account: it may be stored already.
    pub(in crate::flows) fn bind_link(
        &self,
        hash: &str,
        used: LinkUse,
    ) -> Result<LinkState, Failure> {
        let mut link = self.open_link(hash, Some(&used.browser))?;
        if let LinkState::Open(record, _) = &mut link {
            let before = record.used.take();
            record.used = Some(match before {
                Some(before)
                    if before.browser == used.browser && before.integration == used.integration =>
                {
                    LinkUse {
                        account: before.account,
                        spent_at: before.spent_at,
                        ..used
                    }
                }
                _ => used,
            });
            self.store_link(record)?;
        }
        Ok(link)
    }

    /// Spends the link token. It is idempotent for the same account.
    pub(in crate::flows) fn spend_link(
        &self,
        hash: &str,
        account: AccountId,
    ) -> Result<(), Failure> {
        let unusable = || Failure::not_found("link token");
        let mut record = self.link(hash)?.ok_or_else(unusable)?;
        let now = self.outside.now();
        let used = record.used.as_mut().filter(|used| used.account == account);
        let used = used.ok_or_else(unusable)?;
        used.spent_at = used.spent_at.or(Some(now));
        Ok(self.store_link(&record)?)
    }

    /// Re-encrypts the link tokens of other keys, in batches.
    pub(in crate::flows) fn reseal_links(&self) -> Result<(), Failure> {
        let ring = self.outside.settings().keyring()?;
        let current = ring.ids().next().unwrap_or_default().to_owned();
        let mut after = String::new();
        loop {
            let statement = "SELECT id, sealed FROM link_token WHERE id > ? AND sealing_key <> ? ORDER BY id LIMIT 100";
            let values = [after.as_str().into(), current.as_str().into()];
            let rows: Vec<(String, String)> = sql::rows_as(&self.storage, statement, &values)?;
            if rows.is_empty() {
                return Ok(());
            }
            for (id, text) in rows {
                self.reseal_link(&id, &text)?;
                after = id;
            }
        }
    }

    fn reseal_link(&self, id: &str, text: &str) -> Result<(), Failure> {
        if let Some(new) = sealed::resealed(&self.outside, link_secrets(id), Some(text))? {
            let key: SqlValue = seal::key_id(&new).into();
            let statement = "UPDATE link_token SET sealing_key = ?, sealed = ? WHERE id = ?";
            self.storage
                .exec(statement, &[key, new.into(), id.into()])?;
        }
        Ok(())
    }

    /// Whether the account that the link token connected, or was to reconnect, is deleted: then the link token cannot
    /// create it again.
    fn is_account_deleted(&self, record: &LinkRecord) -> Result<bool, StorageFault> {
        let spent = record.used.as_ref().filter(|used| used.spent_at.is_some());
        let account = record
            .integrated_account_id
            .or(spent.map(|used| used.account));
        account.map_or(Ok(false), |id| Ok(!self.has_account(id)?))
    }

    /// Link tokens that expired before this time can no longer be finished.
    fn retry_horizon(&self) -> Timestamp {
        let period = i64::try_from(RETRY_PERIOD.as_millis()).unwrap_or_default();
        Timestamp::from_millis(self.outside.now().as_millis() - period)
    }

    /// A link token that has not expired, or was used before it expired.
    fn link(&self, hash: &str) -> Result<Option<LinkRecord>, StorageFault> {
        let values = [hash.into(), self.retry_horizon().as_millis().into()];
        let statement = "SELECT record FROM link_token WHERE hash = ? AND expires_at > ?";
        sql::record(&self.storage, statement, &values)
    }

    fn store_link(&self, record: &LinkRecord) -> Result<(), StorageFault> {
        let values = [sql::json(record)?, record.id.to_string().into()];
        self.storage
            .exec("UPDATE link_token SET record = ? WHERE id = ?", &values)
            .map(drop)
    }
}

fn link_secrets(id: &str) -> SealPlace<'_> {
    SealPlace {
        kind: SealKind::LinkToken,
        id,
        field: "context",
    }
}
