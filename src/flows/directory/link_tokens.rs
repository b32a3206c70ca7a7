//! Link tokens: what a customer's browser may connect. Opening one reads; sending the form binds it to
//! that browser; storing the account spends it, and the same browser may try again for ten minutes.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Directory, table};
use crate::account::seal::{Kind, Place};
use crate::error::Failure;
use crate::flows::ask::Link;
use crate::flows::records::{LinkRecord, LinkUse, Listed, Page};
use crate::flows::sealed;
use crate::ids::{AccountId, LinkTokenId};
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

/// How long a browser holds a link token it has used: to come back from the provider before the account is
/// stored, to mend what failed after it.
const HELD: Duration = Duration::from_mins(10);

impl<O: Outside, S: Storage> Directory<O, S> {
    /// Those that are over go.
    pub(super) fn create_link(
        &self,
        mut record: LinkRecord,
        context: &Value,
    ) -> Result<LinkRecord, Failure> {
        let id = record.id.to_string();
        record.sealed = sealed::seal(&self.outside, link_secrets(&id), context)?;
        self.storage.exec(
            "DELETE FROM link_token WHERE expires_at <= ?",
            &[self.last_end().as_millis().into()],
        )?;
        let values = [
            id.into(),
            record.hash.as_str().into(),
            record.expires_at.as_millis().into(),
            table::text_of(&record)?,
        ];
        self.storage.exec(
            "INSERT INTO link_token (id, hash, expires_at, record) VALUES (?, ?, ?, ?)",
            &values,
        )?;
        Ok(record)
    }

    pub(super) fn list_links(&self, page: &Page) -> Result<Listed<LinkRecord>, StorageFault> {
        let now = self.outside.now().as_millis();
        let alive = [("expires_at > ?", vec![SqlValue::Integer(now)])];
        table::list(&self.storage, "link_token", &alive, page)
    }

    pub(super) fn delete_link(&self, id: LinkTokenId) -> Result<LinkTokenId, Failure> {
        let values = [id.to_string().into()];
        let statement = "DELETE FROM link_token WHERE id = ? RETURNING id";
        let gone = self.storage.exec(statement, &values)?;
        gone.first()
            .map(|_| id)
            .ok_or_else(|| Failure::not_found("link token"))
    }

    /// What this browser may do with it; nothing is written.
    pub(super) fn open_link(&self, hash: &str, browser: Option<&str>) -> Result<Link, Failure> {
        let Some(record) = self.link(hash)? else {
            return Ok(Link::Unknown);
        };
        let now = self.outside.now();
        let is_held = |used: &LinkUse| used.spent_at.unwrap_or(used.since).plus(HELD) > now;
        let is_own = |used: &LinkUse| browser == Some(used.browser.as_str());
        let is_going_on = record
            .used
            .as_ref()
            .is_some_and(|used| is_own(used) && is_held(used));
        if record.expires_at <= now && !is_going_on || self.has_lost_its_account(&record)? {
            return Ok(Link::Unknown);
        }
        if let Some(used) = &record.used {
            let (is_own, is_held) = (is_own(used), is_held(used));
            match used.spent_at {
                Some(_) if !(is_own && is_held) => return Ok(Link::Spent),
                None if is_held && !is_own => return Ok(Link::OtherBrowser),
                _ => {}
            }
        }
        let id = record.id.to_string();
        let context = match &record.sealed {
            Some(text) => sealed::open(&self.outside, link_secrets(&id), text)?,
            None => json!({}),
        };
        Ok(Link::Open(Box::new(record), context))
    }

    /// The account of an earlier use by the same browser for the same integration stays: it may be stored already.
    pub(super) fn bind_link(&self, hash: &str, used: LinkUse) -> Result<Link, Failure> {
        let mut link = self.open_link(hash, Some(&used.browser))?;
        if let Link::Open(record, _) = &mut link {
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

    /// Doing it twice for the same account is doing it once.
    pub(super) fn spend_link(&self, hash: &str, account: AccountId) -> Result<(), Failure> {
        let unusable = || Failure::not_found("link token");
        let mut record = self.link(hash)?.ok_or_else(unusable)?;
        let now = self.outside.now();
        let used = record.used.as_mut().filter(|used| used.account == account);
        let used = used.ok_or_else(unusable)?;
        used.spent_at = used.spent_at.or(Some(now));
        Ok(self.store_link(&record)?)
    }

    pub(super) fn reseal_links(&self) -> Result<(), Failure> {
        let rows = self.storage.exec("SELECT record FROM link_token", &[])?;
        for row in rows {
            let Some(mut record) = table::first::<LinkRecord>(&[row])? else {
                continue;
            };
            let id = record.id.to_string();
            let text = record.sealed.as_deref();
            if let Some(new) = sealed::resealed(&self.outside, link_secrets(&id), text)? {
                record.sealed = Some(new);
                self.store_link(&record)?;
            }
        }
        Ok(())
    }

    /// A link ends with the account that it has connected, or was to connect again: what is deleted does not come back.
    fn has_lost_its_account(&self, record: &LinkRecord) -> Result<bool, StorageFault> {
        let spent = record.used.as_ref().filter(|used| used.spent_at.is_some());
        let account = record
            .integrated_account_id
            .or(spent.map(|used| used.account));
        account.map_or(Ok(false), |id| Ok(!self.has_account(id)?))
    }

    /// Those that ended before cannot be finished any more.
    fn last_end(&self) -> Timestamp {
        let held = i64::try_from(HELD.as_millis()).unwrap_or_default();
        Timestamp::from_millis(self.outside.now().as_millis() - held)
    }

    /// One that may still be finished where it was used in time.
    fn link(&self, hash: &str) -> Result<Option<LinkRecord>, StorageFault> {
        let values = [hash.into(), self.last_end().as_millis().into()];
        let statement = "SELECT record FROM link_token WHERE hash = ? AND expires_at > ?";
        table::first(&self.storage.exec(statement, &values)?)
    }

    fn store_link(&self, record: &LinkRecord) -> Result<(), StorageFault> {
        let values = [table::text_of(record)?, record.id.to_string().into()];
        self.storage
            .exec("UPDATE link_token SET record = ? WHERE id = ?", &values)
            .map(drop)
    }
}

fn link_secrets(id: &str) -> Place<'_> {
    Place {
        kind: Kind::LinkToken,
        id,
        field: "context",
    }
}
