//! The tables of the account's object: as its storage has them, and as the sources declare them. A component makes its
//! table when it first needs it, so a table that the story never fills is not in the storage: only the sources name it.

use std::fs;
use std::path::Path;

use causeway::ports::{ObjectName, SqlValue};

use crate::integration_files::root;
use crate::outside::World;

const BEGINNING: &str = "CREATE TABLE IF NOT EXISTS ";

pub struct DeclaredTable {
    pub name: String,
    /// Whether it has the column `sealed`.
    pub is_sealed: bool,
}

/// Every table that `src/flows/` makes, those of the directory left out.
pub fn declared_tables() -> Vec<DeclaredTable> {
    let mut found = Vec::new();
    add_tables(&root().join("src/flows"), &mut found);
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

fn add_tables(folder: &Path, found: &mut Vec<DeclaredTable>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("flows/directory") {
            continue;
        }
        if path.is_dir() {
            add_tables(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        found.extend(text.split(BEGINNING).skip(1).map(table));
    }
}

/// Of the text behind the beginning: the statement ends with its Rust string.
fn table(text: &str) -> DeclaredTable {
    let statement = text.split('"').next().unwrap();
    let mut words = statement.split(|c: char| !c.is_alphanumeric() && c != '_');
    DeclaredTable {
        name: words.next().unwrap().to_owned(),
        is_sealed: words.any(|word| word == "sealed"),
    }
}

/// The tables that the object's storage has.
pub fn tables(world: &World, object: ObjectName) -> Vec<String> {
    let statement = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let rows = world.select(object, statement);
    let name = |row: &Vec<SqlValue>| row[0].as_text().unwrap().to_owned();
    rows.iter().map(name).collect()
}

/// Those of them that have a row with this text.
pub fn with_text(world: &World, object: ObjectName, text: &str) -> Vec<String> {
    let has_it = |table: &String| {
        let rows = world.select(object, &format!("SELECT * FROM {table}"));
        rows.iter().any(|row| format!("{row:?}").contains(text))
    };
    tables(world, object).into_iter().filter(has_it).collect()
}
