//! The index of an environment's accounts. The accounts themselves are in their own objects.

use crate::error::Failure;
use crate::flows::base::records::{AccountEntry, ListPage, PageRequest};
use crate::flows::base::sql;
use crate::flows::directory::{Directory, table};
use crate::flows::messages::environment::Lookup;
use crate::ids::AccountId;
use crate::ports::{Outside, Storage, StorageFault};

impl<O: Outside, S: Storage> Directory<O, S> {
    /// Adds or changes an entry, while its install is there; doing it twice is doing it once.
    ///
    /// The link token it was connected with is spent in the same write; where that is spent for another
    /// account, revoked or over, nothing is written.
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

    /// Whether the environment has this account.
    pub(in crate::flows) fn has_account(&self, id: AccountId) -> Result<bool, StorageFault> {
        let values = [id.to_string().into()];
        let statement = "SELECT id FROM account WHERE id = ?";
        sql::exists(&self.storage, statement, &values)
    }

    /// Takes an entry out, and the link token that made it: what is erased does not come back by it. Doing it twice is
    /// doing it once.
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
