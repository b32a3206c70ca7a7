//! Paths below the root. Callers see the root as `/`; what they name is joined to it here. The server's own `realpath` decides
//! whether the result is inside, since only it knows where a symbolic link leads.

use crate::error::{Failure, Kind, Outcome};

/// Longer ones are refused: `PATH_MAX` of Linux.
pub const PATH_BYTES: usize = 4096;

/// Refuses what is not an absolute, normalised path. The gateway normalises; a second check, because a `..` that passed would
/// leave the root wherever only the parent's real path is looked at.
pub fn check(path: &str) -> Outcome<()> {
    let wrong = |why: &str| Err(Failure::new(Kind::BadRequest, format!("The path {why}.")));
    if path.len() > PATH_BYTES {
        return wrong("is longer than 4,096 bytes");
    }
    if path.contains('\0') {
        return wrong("contains a NUL");
    }
    let Some(rest) = path.strip_prefix('/') else {
        return wrong("does not begin with /");
    };
    if rest.is_empty() {
        return Ok(());
    }
    if rest
        .split('/')
        .any(|part| matches!(part, "" | "." | "..") || is_only_dots_for_windows(part))
    {
        return wrong("has an empty part, or one that is . or ..");
    }
    Ok(())
}

/// The same of a path that is not the root itself, which callers neither make nor remove.
pub fn check_below_root(path: &str) -> Outcome<()> {
    check(path)?;
    match parent(path) {
        Some(_) => Ok(()),
        None => Err(Failure::new(
            Kind::BadRequest,
            "The request is wrong: the path is the root itself.",
        )),
    }
}

/// A server on Windows takes `\` for a separator.
fn is_only_dots_for_windows(part: &str) -> bool {
    part.split('\\').any(|piece| piece == "..")
}

/// The path on the server: `real_root` is what the server said the root is.
pub fn join(real_root: &str, path: &str) -> String {
    match path {
        "/" => real_root.to_owned(),
        _ => format!("{}{path}", real_root.trim_end_matches('/')),
    }
}

/// Whether a path, as the server resolved it, is the root or below it.
pub fn is_within(real_root: &str, real: &str) -> bool {
    let root = real_root.trim_end_matches('/');
    real == real_root
        || real
            .strip_prefix(root)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// The directory of a path, and the last part. The root has none.
pub fn parent(path: &str) -> Option<(&str, &str)> {
    let (directory, name) = path.rsplit_once('/')?;
    match (directory, name) {
        (_, "") => None,
        ("", name) => Some(("/", name)),
        found => Some(found),
    }
}

/// The path of a name in a directory, both as the caller sees them.
pub fn child(directory: &str, name: &str) -> String {
    format!("{}/{name}", directory.trim_end_matches('/'))
}

/// What an upload is called until it is complete: 14 bytes longer, and by `random` another name than any that is there.
pub fn part(path: &str, random: u32) -> String {
    format!("{path}.{random:08x}.part")
}

/// Whether a name that a directory has can be shown: a server that invents `a/../b` is not believed.
pub fn is_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_and_normalised_paths_are_taken() {
        for good in ["/", "/a", "/a/b.txt", "/...", "/a b/ü", "/a\\b", "/..a"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "", "a", "//", "/a/", "/a//b", "/.", "/..", "/a/..", "/a/../b", "/a\0b", "/a\\..",
            "/..\\b",
        ] {
            assert_eq!(check(bad).unwrap_err().kind, Kind::BadRequest, "{bad:?}");
        }
        let path = |bytes: usize| format!("/{}", "a".repeat(bytes - 1));
        assert!(check(&path(4096)).is_ok());
        assert!(check(&path(4097)).is_err());
    }

    #[test]
    fn a_path_is_joined_to_the_root() {
        assert_eq!(join("/srv/in", "/"), "/srv/in");
        assert_eq!(join("/srv/in", "/a/b"), "/srv/in/a/b");
        assert_eq!(join("/", "/"), "/");
        assert_eq!(join("/", "/a"), "/a");
        assert_eq!(join("/srv/", "/a"), "/srv/a");
    }

    #[test]
    fn a_sibling_with_the_root_as_a_prefix_is_outside() {
        for inside in ["/srv/in", "/srv/in/", "/srv/in/a"] {
            assert!(is_within("/srv/in", inside), "{inside}");
        }
        for outside in ["/srv/incoming", "/srv", "/", "", "srv/in/a", "/etc/passwd"] {
            assert!(!is_within("/srv/in", outside), "{outside}");
        }
        assert!(is_within("/", "/") && is_within("/", "/a/b"));
        assert!(!is_within("/", "a"));
    }

    #[test]
    fn the_root_has_no_parent() {
        assert_eq!(parent("/"), None);
        assert_eq!(parent("/a"), Some(("/", "a")));
        assert_eq!(parent("/a/b"), Some(("/a", "b")));
        assert_eq!(child("/", "a"), "/a");
        assert_eq!(child("/a", "b"), "/a/b");
        assert_eq!(part("/a/b", 0xab), "/a/b.000000ab.part");
    }

    #[test]
    fn names_that_would_be_another_path_are_not_shown() {
        assert!(is_name("a") && is_name("..a"));
        for name in ["", ".", "..", "a/b", "a\0"] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
