//! The index of an environment's accounts. The records of the accounts are in their own objects.

use crate::error::Failure;
use crate::flows::base::records::{AccountEntry, ListPage, PageRequest};
use crate::flows::base::sql;
use crate::flows::directory::{Directory, table};
use crate::flows::messages::environment::Lookup;
use crate::ids::AccountId;
use crate::ports::{Outside, Storage, StorageFault};

impl<O: Outside, S: Storage> Directory<O, S> {
    /// Adds or changes an entry if its install exists. It is idempotent.
    ///
    /// The same write spends the link token that the account was connected with. If that token is spent for another
    /// account, revoked or expired, nothing is written.
    pub(in crate::flows) fn index_account(
        &self,
        entry: &AccountEntry,
        link: Option<&str>,
        lookup: &Lookup,
    ) -> Result<(), Failure> {
        self.find_install(entry.environment_integration_id)?
            .ok_or_else(|| Failure::not_found("environment integration"))?;
        if let Some(hash) = link {
            self.spend_link(hash, entry.id)?;
        }
        let values = [
            entry.id.to_string().into(),
            entry.tenant_id.as_str().into(),
            sql::json(entry)?,
        ];
        let statement = "INSERT INTO account (id, tenant_id, record) VALUES (?, ?, ?) \
                         ON CONFLICT (id) DO UPDATE SET tenant_id = excluded.tenant_id, record = excluded.record";
        self.storage.exec(statement, &values)?;
        self.index_lookup(entry, lookup)
    }

    pub(in crate::flows) fn has_account(&self, id: AccountId) -> Result<bool, StorageFault> {
        let values = [id.to_string().into()];
        let statement = "SELECT id FROM account WHERE id = ?";
        sql::exists(&self.storage, statement, &values)
    }

    /// Removes an entry and the link token that created the account, so that a deleted account cannot be connected
    /// again by it. It is idempotent.
    pub(in crate::flows) fn forget_account(&self, id: AccountId) -> Result<(), StorageFault> {
        let id = id.to_string();
        for statement in [
            "DELETE FROM lookup WHERE account_id = ?",
            "DELETE FROM account WHERE id = ?",
            "DELETE FROM link_token WHERE json_extract(record, '$.use.account') = ?",
        ] {
            self.storage.exec(statement, &[id.as_str().into()])?;
        }
        Ok(())
    }

    pub(in crate::flows) fn list_accounts(
        &self,
        page: &PageRequest,
    ) -> Result<ListPage<AccountEntry>, StorageFault> {
        table::list(&self.storage, "account", &[], page)
    }
}
