//! A page of a list as a tool's result. A page over the limit is cut between records; the cursor then names the record
//! to go on from.

use serde_json::value::RawValue;

use crate::json::{self, Path, quoted};

/// What a cursor that names a record begins with. No cursor of the gateway does.
const CUT: &str = "cut.";

/// The place of a record in a list.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RecordPlace {
    /// The cursor of the page; empty for the first.
    pub cursor: String,
    /// The page size, where it was asked for.
    pub limit: Option<String>,
    /// Records of the page that were given before.
    pub given: usize,
}

impl RecordPlace {
    /// The place that the arguments of a call name; `None` where the cursor is not one of ours.
    pub fn read(cursor: Option<String>, limit: Option<String>) -> Option<Self> {
        let cursor = cursor.unwrap_or_default();
        let Some(cut) = cursor.strip_prefix(CUT) else {
            return Some(Self {
                cursor,
                limit,
                given: 0,
            });
        };
        let mut parts = cut.splitn(3, '.');
        let given = parts.next()?.parse().ok()?;
        // The page that was cut: another size would begin or end elsewhere.
        let limit = parts
            .next()
            .filter(|own| own.bytes().all(|b| b.is_ascii_digit()))?;
        Some(Self {
            cursor: parts.next()?.to_owned(),
            limit: (!limit.is_empty()).then(|| limit.to_owned()),
            given,
        })
    }

    fn cut_at(&self, record: usize) -> String {
        let limit = self.limit.as_deref().unwrap_or_default();
        format!("{CUT}{record}.{limit}.{}", self.cursor)
    }
}

/// The page, `{result, next_cursor, …}`, as `{result, next_cursor}` of at most `most` bytes; `None` where it has no list. A
/// record that is larger by itself is `{"too_large": {bytes, limit}}`, so that the list goes on behind it.
pub fn document(page: &str, place: &RecordPlace, most: usize) -> Option<String> {
    let part = |key: &str| json::cut(page, &Path::of_one(key)).ok().flatten();
    let records: Vec<&RawValue> = json::elements(part("result")?).ok().flatten()?;
    let next = part("next_cursor").unwrap_or("null");
    let mut document = String::from(r#"{"result":["#);
    // The bytes that the records may have: the end of the document and its cursor follow them.
    let cursor_bytes = next.len().max(place.cursor.len() + 32);
    let most_of_records = most.saturating_sub(document.len() + 32 + cursor_bytes);
    for (index, record) in records.iter().enumerate().skip(place.given) {
        let text = record.get();
        let fits = document.len() + text.len() < most_of_records;
        if index == place.given {
            if fits {
                document.push_str(text);
            } else {
                document.push_str(&placeholder(text.len(), most));
            }
        } else if fits {
            document.push(',');
            document.push_str(text);
        } else {
            let next = quoted(&place.cut_at(index));
            return Some(ended(document, &next));
        }
    }
    Some(ended(document, next))
}

fn placeholder(bytes: usize, limit: usize) -> String {
    format!(r#"{{"too_large":{{"bytes":{bytes},"limit":{limit}}}}}"#)
}

fn ended(mut document: String, next: &str) -> String {
    document.push_str(r#"],"next_cursor":"#);
    document.push_str(next);
    document.push('}');
    document
}
