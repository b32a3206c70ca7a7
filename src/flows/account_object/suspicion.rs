//! The first refusal of a credential, remembered until a second confirms it or the provider takes the credential. It is
//! stored, for an object that is called once an hour sleeps between; a refusal that follows and a success write nothing.

use crate::account::refusals::Suspicion;
use crate::flows::account_object::AccountObject;
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

const TABLE: &str = "suspicion";
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS suspicion \
    (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL, changed_at INTEGER NOT NULL)";

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// The suspicion there is; read once while the object is awake.
    pub(in crate::flows) fn suspicion(&self) -> Suspicion {
        if let Some(known) = self.refusals.suspicion.get() {
            return known;
        }
        let read = self.read_suspicion().unwrap_or_else(|fault| {
            self.log("suspicion_not_read", &fault.to_string());
            Suspicion::default()
        });
        self.refusals.suspicion.set(Some(read));
        read
    }

    /// Remembers it, where it is another.
    pub(in crate::flows) fn keep_suspicion(&self, next: Suspicion) {
        let before = self.suspicion();
        self.refusals.suspicion.set(Some(next));
        if before != next
            && let Err(fault) = self.write_suspicion(next)
        {
            self.log("suspicion_not_kept", &fault.to_string());
        }
    }

    /// The provider took the credential.
    pub fn note_credential_accepted(&self) {
        self.keep_suspicion(Suspicion::default());
    }

    fn read_suspicion(&self) -> Result<Suspicion, StorageFault> {
        if !self.has_table(TABLE)? {
            return Ok(Suspicion::default());
        }
        let statement = "SELECT since, changed_at FROM suspicion WHERE one = 1";
        let rows = self.storage.exec(statement, &[])?;
        let Some([since, changed_at]) = rows.first().map(Vec::as_slice) else {
            return Ok(Suspicion::default());
        };
        let times = since.as_integer().zip(changed_at.as_integer());
        Ok(
            times.map_or_else(Suspicion::default, |(since, changed_at)| {
                Suspicion::begun(
                    Timestamp::from_millis(since),
                    Timestamp::from_millis(changed_at),
                )
            }),
        )
    }

    fn write_suspicion(&self, next: Suspicion) -> Result<(), StorageFault> {
        let Some((since, changed_at)) = next.times() else {
            return self.drop_suspicion();
        };
        self.storage.exec(SCHEMA, &[])?;
        let statement =
            "INSERT OR REPLACE INTO suspicion (one, since, changed_at) VALUES (1, ?, ?)";
        let values = [since.as_millis().into(), changed_at.as_millis().into()];
        self.storage.exec(statement, &values).map(drop)
    }

    pub(in crate::flows) fn drop_suspicion(&self) -> Result<(), StorageFault> {
        if self.has_table(TABLE)? {
            self.storage.exec("DELETE FROM suspicion", &[])?;
        }
        Ok(())
    }
}
