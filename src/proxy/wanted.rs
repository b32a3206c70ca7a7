//! What a caller wants of a list, in the two parameters that are ours: `limit` and `next_cursor`.

/// What a caller wants of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListParameters {
    /// The records of a page.
    pub limit: Option<u64>,
    /// The page, as an answer before named it.
    pub cursor: Option<String>,
}

/// Why that cannot be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WantedError {
    /// One of them is there more than once.
    #[error("the query parameter `{0}` is given more than once")]
    Twice(&'static str),
    /// `limit` is not a number.
    #[error("`limit` is not a whole number")]
    Limit,
}

impl ListParameters {
    /// Reads a raw query.
    pub fn read(raw: &str) -> Result<Self, WantedError> {
        let limit = parameter(raw, "limit")?
            .map(|text| text.parse().map_err(|_| WantedError::Limit))
            .transpose()?;
        // Generic clients begin with an empty cursor.
        let cursor = parameter(raw, "next_cursor")?.filter(|text| !text.is_empty());
        Ok(Self { limit, cursor })
    }
}

fn parameter(raw: &str, name: &'static str) -> Result<Option<String>, WantedError> {
    let mut values = form_urlencoded::parse(raw.as_bytes()).filter(|(own, _)| own == name);
    let first = values.next().map(|(_, value)| value.into_owned());
    match values.next() {
        None => Ok(first),
        Some(_) => Err(WantedError::Twice(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_and_cursor_stand_in_the_query_at_most_once() {
        let wanted = |limit, cursor: Option<&str>| ListParameters {
            limit,
            cursor: cursor.map(str::to_owned),
        };
        for (raw, expected) in [
            ("", Ok(wanted(None, None))),
            (
                "limits=5&next_cursor[]=a&limit[0]=6",
                Ok(wanted(None, None)),
            ),
            (
                "a=1&limit=7&next_cursor=k.x%2D",
                Ok(wanted(Some(7), Some("k.x-"))),
            ),
            ("limit=0&next_cursor=", Ok(wanted(Some(0), None))),
            ("limit=1&limit=1", Err(WantedError::Twice("limit"))),
            (
                "next_cursor&next_cursor",
                Err(WantedError::Twice("next_cursor")),
            ),
            ("limit=", Err(WantedError::Limit)),
            ("limit=-1", Err(WantedError::Limit)),
            ("limit=1.5", Err(WantedError::Limit)),
        ] {
            assert_eq!(ListParameters::read(raw), expected, "{raw}");
        }
    }
}
