//! Paths of callers. They are absolute below the account's root, and no segment of them leads upwards: the SFTP Worker
//! asks the server as well, since a link on the server may lead elsewhere.

/// Bytes of a path, as UTF-8.
pub const PATH_BYTES: usize = 4_096;
/// Bytes of one name in it.
pub const NAME_BYTES: usize = 255;
/// What the name of an upload ends with until it is complete; the zeros are random hex digits.
pub const PART: &str = ".00000000.part";

/// Why a text is no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It is empty, or absent.
    #[error("is missing: a path such as /folder/file.txt")]
    Missing,
    /// Too long as a whole.
    #[error("is longer than {PATH_BYTES} bytes")]
    TooLong,
    /// A name in it is too long.
    #[error("has a name longer than {0} bytes")]
    LongName(usize),
    /// `.` or `..`.
    #[error("has a `.` or `..` segment")]
    DotSegment,
    /// A character that is a separator or an end elsewhere.
    #[error("has a backslash or a control character")]
    Character,
    /// The root itself, where a file or folder below it is meant.
    #[error("is the root, which can only be listed and described")]
    Root,
}

/// A path with one slash between its names and none at its end: `/`, `/a`, `/a/b`. A missing first slash is added.
pub fn normalised(text: &str) -> Result<String, PathError> {
    if text.is_empty() {
        return Err(PathError::Missing);
    }
    if text.len() > PATH_BYTES {
        return Err(PathError::TooLong);
    }
    if text.contains(|c: char| c.is_control() || c == '\\') {
        return Err(PathError::Character);
    }
    let mut path = String::new();
    for name in text.split('/').filter(|name| !name.is_empty()) {
        if matches!(name, "." | "..") {
            return Err(PathError::DotSegment);
        }
        if name.len() > NAME_BYTES {
            return Err(PathError::LongName(NAME_BYTES));
        }
        path.push('/');
        path.push_str(name);
    }
    if path.is_empty() {
        path.push('/');
    }
    // The first slash is added.
    if path.len() > PATH_BYTES {
        return Err(PathError::TooLong);
    }
    Ok(path)
}

/// The same of something below the root.
pub(super) fn below_root(text: &str) -> Result<String, PathError> {
    let path = normalised(text)?;
    if path == "/" {
        return Err(PathError::Root);
    }
    Ok(path)
}

/// The same of a file that is written: [`PART`] has to fit after its name.
pub(super) fn to_write(text: &str) -> Result<String, PathError> {
    let path = below_root(text)?;
    let name = path.rsplit('/').next().unwrap_or_default();
    let most = NAME_BYTES.saturating_sub(PART.len());
    if name.len() > most {
        return Err(PathError::LongName(most));
    }
    if path.len().saturating_add(PART.len()) > PATH_BYTES {
        return Err(PathError::TooLong);
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::{NAME_BYTES, PATH_BYTES, PathError, below_root, normalised, to_write};

    #[test]
    fn slashes_are_collapsed_and_the_first_is_added() {
        for (text, path) in [
            ("/", "/"),
            ("//", "/"),
            ("a", "/a"),
            ("/a/b/", "/a/b"),
            ("a//b///c", "/a/b/c"),
            ("/ü/日本/a b", "/ü/日本/a b"),
            ("/a:b;c?d#e%2e%2e", "/a:b;c?d#e%2e%2e"),
            ("/...", "/..."),
            ("/..a/b..", "/..a/b.."),
            ("/.hidden", "/.hidden"),
            ("/~user", "/~user"),
        ] {
            assert_eq!(normalised(text).as_deref(), Ok(path), "{text}");
        }
    }

    #[test]
    fn no_path_leads_out_of_the_root() {
        use PathError as E;
        for (text, error) in [
            ("", E::Missing),
            (".", E::DotSegment),
            ("..", E::DotSegment),
            ("/..", E::DotSegment),
            ("/../etc/passwd", E::DotSegment),
            ("/a/../../b", E::DotSegment),
            ("/a/./b", E::DotSegment),
            ("a/..//", E::DotSegment),
            ("..\\..\\windows", E::Character),
            ("/a\\..\\b", E::Character),
            ("/a\0b", E::Character),
            ("/a\nb", E::Character),
            ("/a\u{7f}", E::Character),
            ("/a\u{85}", E::Character),
        ] {
            assert_eq!(normalised(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn lengths_are_counted_in_bytes() {
        let name = |bytes: usize| format!("/{}", "a".repeat(bytes));
        assert!(normalised(&name(NAME_BYTES)).is_ok());
        assert_eq!(
            normalised(&name(NAME_BYTES + 1)),
            Err(PathError::LongName(NAME_BYTES))
        );
        assert_eq!(
            normalised(&format!("/{}", "é".repeat(128))),
            Err(PathError::LongName(NAME_BYTES))
        );
        let long = "/aaaaaaa".repeat(PATH_BYTES / 8);
        assert!(normalised(&long).is_ok());
        assert_eq!(normalised(&format!("{long}/")), Err(PathError::TooLong));
        assert_eq!(
            normalised(long.trim_start_matches('/')).map(|path| path.len()),
            Ok(PATH_BYTES)
        );
        let without = format!("a{}", long.trim_start_matches('/'));
        assert_eq!(normalised(&without), Err(PathError::TooLong));
    }

    #[test]
    fn what_is_written_has_room_for_its_part() {
        let name = |bytes: usize| format!("/{}", "a".repeat(bytes));
        assert!(to_write(&name(241)).is_ok());
        assert_eq!(to_write(&name(242)), Err(PathError::LongName(241)));
        assert_eq!(
            to_write("/aaaaaaa".repeat(512).as_str()),
            Err(PathError::TooLong)
        );
        assert_eq!(below_root("//"), Err(PathError::Root));
    }
}
