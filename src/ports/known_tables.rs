//! Which tables an object's database has, without a statement for each question.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;

use super::{Storage, StorageFault};

const EXISTS: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?";

/// The statements that leave the tables as they are. Every other one may create or drop some.
const KEEPS_TABLES: [&str; 4] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE "];
/// The start of a statement that leaves a table as it is where that exists.
const CREATES: &str = "CREATE TABLE IF NOT EXISTS ";

/// The answers since the last change of the schema. A [`Storage`] keeps one, calls [`KnownTables::note`] before each
/// statement, and erases by [`KnownTables::erase`].
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

    /// A statement that may change the tables makes the answers old.
    pub fn note(&self, statement: &str) {
        let mut starts = KEEPS_TABLES.iter();
        let keeps = starts.any(|start| statement.starts_with(start));
        let created = statement.strip_prefix(CREATES);
        let created = created.and_then(|rest| rest.split([' ', '(']).next());
        let is_there = |name: &str| self.0.borrow().get(name) == Some(&true);
        if !keeps && !created.is_some_and(is_there) {
            self.forget();
        }
    }

    /// Erases the database by `erasing`. The answers are forgotten before, since others may ask while it runs and it may be
    /// cancelled, and afterwards, even if it failed.
    pub async fn erase<T>(&self, erasing: impl Future<Output = T>) -> T {
        self.forget();
        let erased = erasing.await;
        self.forget();
        erased
    }

    fn forget(&self) {
        self.0.take();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::pin::pin;

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
            // The platform erases at once, and says so later.
            let erasing = async {
                self.made.take();
                futures::pending!();
                Ok(())
            };
            self.tables.erase(erasing).await
        }
    }

    fn database_with(table: &str) -> Database {
        let database = Database::default();
        let statement = format!("CREATE TABLE IF NOT EXISTS {table}");
        database.exec(&statement, &[]).unwrap();
        database
    }

    #[test]
    fn a_statement_that_leaves_the_tables_as_they_are_makes_no_answer_old() {
        let database = database_with("log");
        assert_eq!(database.has_table("log"), Ok(true));
        assert_eq!(database.has_table("event"), Ok(false));
        for statement in [
            "INSERT INTO log (a) VALUES (1)",
            "CREATE TABLE IF NOT EXISTS log (a INTEGER)",
            "CREATE TABLE IF NOT EXISTS log(a INTEGER)",
        ] {
            database.exec(statement, &[]).unwrap();
            assert_eq!(database.has_table("log"), Ok(true), "{statement}");
            assert_eq!(database.questions.get(), 2, "{statement}");
        }
        for (count, statement) in [
            (4, "CREATE TABLE IF NOT EXISTS event"),
            (6, "CREATE TABLE IF NOT EXISTS logs (a INTEGER)"),
            (8, "DROP TABLE other"),
        ] {
            database.exec(statement, &[]).unwrap();
            assert_eq!(database.has_table("log"), Ok(true), "{statement}");
            assert_eq!(database.has_table("event"), Ok(true), "{statement}");
            assert_eq!(database.questions.get(), count, "{statement}");
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
        assert_eq!(database.questions.get(), 3, "one for each table since then");
    }

    #[test]
    fn only_a_statement_that_leaves_the_tables_as_they_are_leaves_the_answers() {
        let database = Database::default();
        for (statement, questions) in [
            ("INSERT INTO log VALUES (1)", 0),
            ("INSERT OR REPLACE INTO log VALUES (1)", 0),
            ("UPDATE log SET one = 1", 0),
            ("DELETE FROM log", 0),
            ("SELECT 1", 0),
            ("CREATE INDEX IF NOT EXISTS log_one ON log (one)", 1),
            ("CREATE TABLE log", 1),
            ("create table log", 1),
            (" CREATE TABLE log", 1),
            ("ALTER TABLE log RENAME TO event", 1),
            ("DROP TABLE log", 1),
            ("SELECTED", 1),
            ("", 1),
        ] {
            database.has_table("log").unwrap();
            database.questions.set(0);
            database.exec(statement, &[]).unwrap();
            database.has_table("log").unwrap();
            assert_eq!(database.questions.get(), questions, "{statement}");
        }
    }

    #[test]
    fn an_erased_database_has_no_table() {
        let database = database_with("log");
        assert_eq!(database.has_table("log"), Ok(true));
        let mut erasing = pin!(database.erase());
        assert_eq!(erasing.as_mut().now_or_never(), None);
        assert_eq!(database.has_table("log"), Ok(false), "while it is erased");
        database
            .exec("CREATE TABLE IF NOT EXISTS event", &[])
            .unwrap();
        assert_eq!(database.has_table("event"), Ok(true));
        database.made.take();
        assert_eq!(erasing.now_or_never(), Some(Ok(())));
        assert_eq!(database.has_table("log"), Ok(false));
        assert_eq!(database.has_table("event"), Ok(false), "asked in between");
    }

    #[test]
    fn a_database_whose_deletion_was_cancelled_is_asked_again() {
        let database = database_with("log");
        assert_eq!(database.has_table("log"), Ok(true));
        assert_eq!(database.erase().now_or_never(), None);
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
