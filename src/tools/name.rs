//! Names of tools: `list_all_{integration}_{resource}` and the like, of `a-z`, `0-9` and `_`, unique in a file.

use std::collections::{BTreeMap, BTreeSet};

use crate::crypto;

/// The longest name.
const CHARACTERS: usize = 64;
/// Digits of a hash at the end of a name that was cut, or was taken.
const DIGITS: usize = 6;

/// Gives the methods of a file their names.
pub(super) struct ToolNames {
    integration: String,
    /// Plain names, each with how many methods have it.
    plain: BTreeMap<String, usize>,
    taken: BTreeSet<String>,
}

impl ToolNames {
    /// Of all methods, each as its resource and its name.
    pub(super) fn of<'a>(
        integration: &str,
        methods: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut names = Self {
            integration: plain(integration),
            plain: BTreeMap::new(),
            taken: BTreeSet::new(),
        };
        for (resource, method) in methods {
            *names
                .plain
                .entry(names.whole(resource, method))
                .or_default() += 1;
        }
        names
    }

    /// `a-b` and `a_b` are two resources: both names end in a hash, so that neither moves to the other method when an
    /// override adds one.
    pub(super) fn next(&mut self, resource: &str, method: &str) -> String {
        let whole = self.whole(resource, method);
        let is_shared = self.plain.get(&whole).is_some_and(|count| *count > 1);
        let mut name = if is_shared || whole.len() > CHARACTERS {
            shortened(&whole, &format!("{resource}\0{method}"))
        } else {
            whole.clone()
        };
        // A hash of six digits may be the end of another name.
        let mut round = 0;
        while !self.taken.insert(name.clone()) {
            name = shortened(&whole, &format!("{resource}\0{method}\0{round}"));
            round += 1;
        }
        name
    }

    fn whole(&self, resource: &str, method: &str) -> String {
        let (integration, resource) = (&self.integration, plain(resource));
        match method {
            "list" => format!("list_all_{integration}_{resource}"),
            "get" => format!("get_single_{integration}_{resource}_by_id"),
            "create" => format!("create_a_{integration}_{resource}"),
            "update" => format!("update_a_{integration}_{resource}_by_id"),
            "delete" => format!("delete_a_{integration}_{resource}_by_id"),
            method => format!("{integration}_{resource}_{}", plain(method)),
        }
    }
}

fn plain(text: &str) -> String {
    let letters = text.chars().map(|letter| match letter {
        'a'..='z' | '0'..='9' => letter,
        'A'..='Z' => letter.to_ascii_lowercase(),
        _ => '_',
    });
    letters.collect()
}

/// The beginning of a name, and a hash of what it is the name of. A name is ASCII.
fn shortened(whole: &str, named: &str) -> String {
    let hash = crypto::sha256_hex(named.as_bytes());
    let start: String = whole.chars().take(CHARACTERS - DIGITS - 1).collect();
    let end: String = hash.chars().take(DIGITS).collect();
    format!("{start}_{end}")
}

#[cfg(test)]
mod tests {
    use super::{CHARACTERS, ToolNames};

    /// The names of the methods, in their order.
    fn names(integration: &str, methods: &[(&str, &str)]) -> Vec<String> {
        let mut names = ToolNames::of(integration, methods.iter().copied());
        let methods = methods.iter();
        methods
            .map(|(resource, method)| names.next(resource, method))
            .collect()
    }

    #[test]
    fn a_name_says_what_the_method_does() {
        let (methods, expected): (Vec<_>, Vec<_>) = [
            (("files", "list"), "list_all_acme_crm_files"),
            (("files", "get"), "get_single_acme_crm_files_by_id"),
            (("files", "create"), "create_a_acme_crm_files"),
            (("files", "update"), "update_a_acme_crm_files_by_id"),
            (("files", "delete"), "delete_a_acme_crm_files_by_id"),
            (("Files", "copyTo"), "acme_crm_files_copyto"),
            (("ä files", "copy"), "acme_crm___files_copy"),
        ]
        .into_iter()
        .unzip();
        assert_eq!(names("acme-crm", &methods), expected);
    }

    #[test]
    fn a_name_is_cut_just_over_its_length_and_ends_in_a_hash() {
        let fixed = "list_all_acme_".len();
        let fitting = "r".repeat(CHARACTERS - fixed);
        let longer = "r".repeat(CHARACTERS - fixed + 1);
        let found = names("acme", &[(&fitting, "list"), (&longer, "list")]);
        let [fits, cut] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(*fits, format!("list_all_acme_{}", "r".repeat(50)));
        assert_eq!(cut.len(), CHARACTERS);
        let (start, hash) = cut.rsplit_once('_').unwrap();
        assert!(fits.starts_with(start));
        assert!(hash.len() == 6 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
    }

    #[test]
    fn two_methods_never_have_one_name() {
        let all = ["a-b", "a_b", "a b", "A_B"].map(|resource| (resource, "list"));
        let found = names("acme", &all);
        let mut unique = found.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), all.len(), "{found:?}");
        assert!(found.iter().all(|name| name.len() <= CHARACTERS));
    }

    #[test]
    fn a_name_never_moves_to_another_method() {
        let alone = names("acme", &[("a_b", "list")]);
        assert_eq!(alone, ["list_all_acme_a_b"]);
        let both = names("acme", &[("a-b", "list"), ("a_b", "list")]);
        assert!(!both.contains(&alone[0]), "{both:?}");
        let turned = names("acme", &[("a_b", "list"), ("a-b", "list")]);
        assert_eq!([&turned[1], &turned[0]], [&both[0], &both[1]]);
    }
}
