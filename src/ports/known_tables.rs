//! Which tables an object's database has, without a statement for each question.

use std::cell::RefCell;
use std::collections::HashMap;

use super::{Storage, StorageFault};

const EXISTS: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?";

/// The answers since the last change of the schema. A [`Storage`] keeps one, and calls [`KnownTables::note`] before each
/// statement and [`KnownTables::forget`] after it was erased.
#[derive(Debug, Default)]
pub struct KnownTables(RefCell<HashMap<String, bool>>);

impl KnownTables {
    /// Whether the table exists. Only the first question is a statement.
    pub fn has(&self, storage: &impl Storage, name: &str) -> Result<bool, StorageFault> {
        if let Some(known) = self.0.borrow().get(name) {
            return Ok(*known);
        }
        let exists = !storage.exec(EXISTS, &[name.into()])?.is_empty();
        self.0.borrow_mut().insert(name.to_owned(), exists);
        Ok(exists)
    }

    /// A statement that creates something makes the answers old. No statement of this gateway drops or renames a table.
    pub fn note(&self, statement: &str) {
        if statement.starts_with("CREATE ") {
            self.forget();
        }
    }

    /// Asks the database again.
    pub fn forget(&self) {
        self.0.take();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt;

    use crate::ports::{Row, SqlValue};
    use crate::time::Timestamp;

    use super::*;

    #[derive(Default)]
    struct Database {
        tables: KnownTables,
        made: RefCell<Vec<String>>,
        questions: Cell<u32>,
        is_broken: Cell<bool>,
    }

    impl Storage for Database {
        fn exec(&self, statement: &str, values: &[SqlValue]) -> Result<Vec<Row>, StorageFault> {
            self.tables.note(statement);
            if self.is_broken.get() {
                return Err(StorageFault("broken".to_owned()));
            }
            if let Some(table) = statement.strip_prefix("CREATE TABLE IF NOT EXISTS ") {
                self.made.borrow_mut().push(table.to_owned());
            }
            if statement != EXISTS {
                return Ok(Vec::new());
            }
            self.questions.set(self.questions.get() + 1);
            let made = self.made.borrow();
            let is_made =
                |name: &&SqlValue| made.iter().any(|one| Some(one.as_str()) == name.as_text());
            Ok(values
                .iter()
                .filter(is_made)
                .map(|name| vec![name.clone()])
                .collect())
        }
        fn has_table(&self, name: &str) -> Result<bool, StorageFault> {
            self.tables.has(self, name)
        }
        async fn set_alarm(&self, _: Timestamp) -> Result<(), StorageFault> {
            Ok(())
        }
        async fn alarm(&self) -> Result<Option<Timestamp>, StorageFault> {
            Ok(None)
        }
        async fn delete_alarm(&self) -> Result<(), StorageFault> {
            Ok(())
        }
        async fn erase(&self) -> Result<(), StorageFault> {
            self.made.take();
            self.tables.forget();
            Ok(())
        }
    }

    #[test]
    fn a_table_that_is_created_after_the_question_is_seen() {
        let database = Database::default();
        assert_eq!(database.has_table("log"), Ok(false));
        assert_eq!(database.has_table("log"), Ok(false));
        assert_eq!(database.questions.get(), 1);
        database
            .exec("CREATE TABLE IF NOT EXISTS log", &[])
            .unwrap();
        assert_eq!(database.has_table("log"), Ok(true));
        assert_eq!(database.has_table("event"), Ok(false));
        database.exec("INSERT INTO log VALUES (1)", &[]).unwrap();
        assert_eq!(database.has_table("log"), Ok(true));
        assert_eq!(database.questions.get(), 3, "one for each table since then");
    }

    #[test]
    fn an_erased_database_has_no_table() {
        let database = Database::default();
        database
            .exec("CREATE TABLE IF NOT EXISTS log", &[])
            .unwrap();
        assert_eq!(database.has_table("log"), Ok(true));
        assert_eq!(database.erase().now_or_never(), Some(Ok(())));
        assert_eq!(database.has_table("log"), Ok(false));
    }

    #[test]
    fn a_question_that_failed_is_asked_again() {
        let database = Database::default();
        database.is_broken.set(true);
        assert!(database.has_table("log").is_err());
        database.is_broken.set(false);
        assert_eq!(database.has_table("log"), Ok(false));
    }
}
