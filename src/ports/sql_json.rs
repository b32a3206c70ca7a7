//! The values of a statement and the columns of a row as JSON, in which both cross the JavaScript boundary.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::SqlValue;

impl Serialize for SqlValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// What no table of this gateway holds is `NULL`, such as a blob.
impl<'de> Deserialize<'de> for SqlValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Column)
    }
}

struct Column;

impl<'de> Visitor<'de> for Column {
    type Value = SqlValue;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value of a row")
    }

    fn visit_unit<E>(self) -> Result<SqlValue, E> {
        Ok(SqlValue::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<SqlValue, E> {
        Ok(SqlValue::Integer(i64::from(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<SqlValue, E> {
        Ok(SqlValue::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<SqlValue, E> {
        Ok(i64::try_from(number).map_or(SqlValue::Null, SqlValue::Integer))
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the stored numbers are whole and below 2^53"
    )]
    fn visit_f64<E>(self, number: f64) -> Result<SqlValue, E> {
        Ok(SqlValue::Integer(number as i64))
    }

    fn visit_str<E>(self, text: &str) -> Result<SqlValue, E> {
        Ok(SqlValue::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<SqlValue, E> {
        Ok(SqlValue::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<SqlValue, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(SqlValue::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<SqlValue, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(SqlValue::Null)
    }
}

#[cfg(test)]
mod tests {
    use crate::ports::Row;

    use super::*;

    const TEXTS: [&str; 9] = [
        "",
        "null",
        "7",
        r#""quoted" and 'quoted' and \ "#,
        "lines\r\n\tand \u{8}\u{c}\u{0}\u{1f}",
        "separators \u{2028} \u{2029} \u{85} \u{feff}",
        "emoji \u{1f980} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}, e\u{301}",
        "the last \u{ffff} \u{10ffff}",
        r#"{"json":["in\u2028","text"]}"#,
    ];

    #[test]
    fn every_value_is_read_as_it_was_written() {
        let most = (1 << 53) - 1;
        let numbers = [0, 1, -1, 1_796_000_000_000, most, -most];
        let values: Row = TEXTS
            .map(SqlValue::from)
            .into_iter()
            .chain(numbers.map(SqlValue::from))
            .chain([SqlValue::Null])
            .collect();
        let text = serde_json::to_string(&values).unwrap();
        assert_eq!(serde_json::from_str::<Row>(&text).unwrap(), values);
    }

    #[test]
    fn a_row_is_read_as_javascript_writes_it() {
        let number = |number: i64| SqlValue::Integer(number);
        for (text, value) in [
            ("null", SqlValue::Null),
            ("-0", number(0)),
            ("1e3", number(1000)),
            ("1796000000000", number(1_796_000_000_000)),
            ("9007199254740992", number(1 << 53)),
            ("-9007199254740992", number(-(1 << 53))),
            ("18446744073709551615", SqlValue::Null),
            ("true", number(1)),
            (r#""\u2028\ud83e\udd80""#, "\u{2028}\u{1f980}".into()),
            ("\"\u{2028}\u{1f980}\"", "\u{2028}\u{1f980}".into()),
            // A blob.
            ("{}", SqlValue::Null),
            (r#"{"0":1,"1":[2]}"#, SqlValue::Null),
            ("[1,[2]]", SqlValue::Null),
        ] {
            assert_eq!(
                serde_json::from_str::<SqlValue>(text).unwrap(),
                value,
                "{text}"
            );
        }
    }

    #[test]
    fn a_text_that_breaks_off_is_refused() {
        for text in ["", "[", "[[1", r#"[["a]]"#, r#"[["\ud83e"]]"#] {
            assert!(serde_json::from_str::<Vec<Row>>(text).is_err(), "{text}");
        }
    }
}
