//! What came of an import: a table of names, and counts of what is lost and why.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// How much of a definition a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportOutcome {
    /// All of it.
    Full,
    /// All but these words.
    Loss(BTreeSet<String>),
    /// No file was written, for this reason.
    Impossible(String),
}

/// The outcome of one definition.
#[derive(Debug, Clone)]
pub struct ImportRow {
    pub name: String,
    pub outcome: ImportOutcome,
    /// What the operator should know: hosts that are open, code that is not data.
    pub notes: BTreeSet<String>,
}

/// Writes the table and its counts.
pub fn write(rows: &[ImportRow], out: &mut impl Write) -> io::Result<()> {
    let width = rows.iter().map(|row| row.name.chars().count()).max();
    let width = width.unwrap_or_default();
    for row in rows {
        let (word, details) = match &row.outcome {
            ImportOutcome::Full => ("full", String::new()),
            ImportOutcome::Loss(words) => ("loss", listed(words)),
            ImportOutcome::Impossible(reason) => ("impossible", reason.clone()),
        };
        let line = format!("{:<width$}  {word:<10}  {details}", row.name);
        writeln!(out, "{}", line.trim_end())?;
        for note in &row.notes {
            writeln!(out, "{:<width$}    note: {note}", "")?;
        }
    }
    write_counts(rows, out)
}

fn listed(words: &BTreeSet<String>) -> String {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.join("; ")
}

fn write_counts(rows: &[ImportRow], out: &mut impl Write) -> io::Result<()> {
    let (mut full, mut lossy) = (0_usize, 0_usize);
    let (mut losses, mut reasons) = (BTreeMap::new(), BTreeMap::new());
    for row in rows {
        match &row.outcome {
            ImportOutcome::Full => full += 1,
            ImportOutcome::Loss(words) => {
                lossy += 1;
                for word in words {
                    *losses.entry(kind_of(word)).or_insert(0) += 1;
                }
            }
            ImportOutcome::Impossible(reason) => {
                *reasons.entry(kind_of(reason)).or_insert(0) += 1;
            }
        }
    }
    let impossible: usize = reasons.values().sum();
    writeln!(out)?;
    writeln!(
        out,
        "{} definitions: {full} full, {lossy} with loss, {impossible} impossible",
        rows.len()
    )?;
    write_kinds("lost", &losses, out)?;
    write_kinds("impossible", &reasons, out)
}

/// What is before the colon: the word, without what it was used for.
fn kind_of(text: &str) -> &str {
    text.split(": ").next().unwrap_or(text)
}

fn write_kinds(title: &str, kinds: &BTreeMap<&str, usize>, out: &mut impl Write) -> io::Result<()> {
    let mut kinds: Vec<_> = kinds.iter().collect();
    kinds.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
    for (kind, count) in kinds {
        writeln!(out, "  {title}  {count:>4}  {kind}")?;
    }
    Ok(())
}
