//! The tables of the directories, and how records are read from them. A record is JSON text; columns that are searched
//! or unique are stored next to it.

use serde::de::DeserializeOwned;

use crate::flows::base::page_bytes::{Selection, rows_of_page};
use crate::flows::base::records::{Comparison, Filter, FilterValue, ListPage, PageRequest};
use crate::flows::base::sql;
use crate::ports::{SqlValue, Storage, StorageFault};

const PUBLICATION: &str = "CREATE TABLE IF NOT EXISTS publication (key TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID";

pub const ROOT_SCHEMA: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS environment (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, is_closing INTEGER NOT NULL DEFAULT 0, record TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS rotation (one INTEGER PRIMARY KEY CHECK (one = 1), environment TEXT, account TEXT, failed INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS integration_use (integration_id TEXT NOT NULL, environment_id TEXT NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (integration_id, environment_id)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS integration (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, record TEXT NOT NULL)",
    PUBLICATION,
];

pub const ENVIRONMENT_SCHEMA: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS api_token (id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, record TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS install (id TEXT PRIMARY KEY, integration_id TEXT NOT NULL UNIQUE, record TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS account (id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, record TEXT NOT NULL)",
    // The context and its key id have their own columns: lists and counts do not read the context.
    "CREATE TABLE IF NOT EXISTS link_token (id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, expires_at INTEGER NOT NULL, record TEXT NOT NULL, sealing_key TEXT, sealed TEXT)",
    "CREATE INDEX IF NOT EXISTS link_token_end ON link_token (expires_at)",
    "CREATE INDEX IF NOT EXISTS link_token_key ON link_token (sealing_key, id)",
    "CREATE INDEX IF NOT EXISTS link_token_account ON link_token (json_extract(record, '$.use.account'))",
    "CREATE INDEX IF NOT EXISTS account_tenant ON account (tenant_id, id)",
    "CREATE TABLE IF NOT EXISTS lookup (account_id TEXT PRIMARY KEY, install_id TEXT NOT NULL, field TEXT NOT NULL, hash TEXT, revision INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS lookup_value ON lookup (install_id, field, hash)",
    "CREATE TABLE IF NOT EXISTS index_key (one INTEGER PRIMARY KEY CHECK (one = 1), sealed TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS webhook (id TEXT PRIMARY KEY, record TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS waiting (webhook_id TEXT NOT NULL, account_id TEXT NOT NULL, revision INTEGER NOT NULL, asked_at INTEGER NOT NULL, PRIMARY KEY (webhook_id, account_id)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS failed_event (id TEXT PRIMARY KEY, account_id TEXT NOT NULL, created_at INTEGER NOT NULL, record TEXT NOT NULL)",
    // Its key id has a column, as that of a link token has.
    "CREATE TABLE IF NOT EXISTS oauth_client (id TEXT PRIMARY KEY, install_id TEXT NOT NULL, stored_at INTEGER NOT NULL, sealing_key TEXT NOT NULL, sealed TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS failed_event_time ON failed_event (created_at, id)",
    PUBLICATION,
];

/// A migration: the column that a table of an older version lacks, and the statements that add it.
pub struct Migration {
    pub table: &'static str,
    pub column: &'static str,
    /// Run once, without an `.await` in between.
    pub statements: &'static [&'static str],
}

/// The migrations, in the order of the versions.
pub const MIGRATIONS: &[Migration] = &[Migration {
    table: "link_token",
    column: "sealing_key",
    statements: &[
        "ALTER TABLE link_token ADD COLUMN sealing_key TEXT",
        "ALTER TABLE link_token ADD COLUMN sealed TEXT",
        "UPDATE link_token SET sealed = json_extract(record, '$.sealed')",
        "UPDATE link_token SET record = json_remove(record, '$.sealed'), sealing_key = substr(sealed, 1, instr(sealed, '.') - 1)",
    ],
}];

/// A condition of a list: an SQL expression, and the values of its `?`.
pub type SqlCondition = (&'static str, Vec<SqlValue>);

/// One page of a table that has `id` and `record`, in the order of the ids. The conditions narrow it.
pub fn list<T: DeserializeOwned>(
    storage: &impl Storage,
    table: &str,
    conditions: &[SqlCondition],
    page: &PageRequest,
) -> Result<ListPage<T>, StorageFault> {
    let filters = page.filters.iter().map(|filter| condition(table, filter));
    let (wheres, values): (Vec<_>, Vec<_>) = conditions.iter().cloned().chain(filters).unzip();
    let wheres = wheres
        .into_iter()
        .chain(["id > ?"])
        .collect::<Vec<_>>()
        .join(" AND ");
    let after: SqlValue = page.after.clone().unwrap_or_default().into();
    let selection = Selection {
        columns: "record, id",
        texts: &["record"],
        from: format!("FROM {table} WHERE {wheres} ORDER BY id"),
        values: values.into_iter().flatten().chain([after]).collect(),
    };
    let (rows, has_more) = rows_of_page(storage, &selection, page.limit)?;
    let last = rows.last().and_then(|row| row.get(1)?.as_text());
    Ok(ListPage {
        next_cursor: last.filter(|_| has_more).map(str::to_owned),
        result: rows
            .iter()
            .map(|row| sql::record_of(row))
            .collect::<Result<_, _>>()?,
    })
}

/// The condition of a filter. The tenant of an account has a column; every other field is read from the record.
pub fn condition(table: &str, filter: &Filter) -> SqlCondition {
    let value = match &filter.value {
        FilterValue::Flag(flag) => SqlValue::Integer(i64::from(*flag)),
        FilterValue::Text(text) => text.as_str().into(),
    };
    if table == "account" && filter.field == "tenant_id" && filter.comparison == Comparison::Is {
        return ("tenant_id = ?", vec![value]);
    }
    let statement = match filter.comparison {
        Comparison::Is => "json_extract(record, ?) = ?",
        Comparison::Above => "json_extract(record, ?) > ?",
        Comparison::From => "json_extract(record, ?) >= ?",
        Comparison::Below => "json_extract(record, ?) < ?",
        Comparison::To => "json_extract(record, ?) <= ?",
    };
    (statement, vec![format!("$.{}", filter.field).into(), value])
}

pub fn count(storage: &impl Storage, table: &str) -> Result<i64, StorageFault> {
    let count = sql::one(storage, &format!("SELECT COUNT(*) FROM {table}"), &[])?;
    Ok(count.unwrap_or(0))
}
