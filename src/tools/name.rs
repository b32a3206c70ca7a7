//! Names of tools: `list_all_{integration}_{resource}` and the like, of `a-z`, `0-9` and `_`, unique in a file.

use std::collections::BTreeSet;

use crate::crypto;

/// The longest name.
const CHARACTERS: usize = 64;
/// Digits of a hash at the end of a name that was cut, or was taken.
const DIGITS: usize = 6;

/// Gives the methods of a file their names, in the order of the file.
pub(super) struct ToolNames {
    integration: String,
    taken: BTreeSet<String>,
}

impl ToolNames {
    pub(super) fn of(integration: &str) -> Self {
        Self {
            integration: plain(integration),
            taken: BTreeSet::new(),
        }
    }

    pub(super) fn next(&mut self, resource: &str, method: &str) -> String {
        let whole = self.whole(resource, method);
        let mut name = if whole.len() > CHARACTERS {
            shortened(&whole, &format!("{resource}\0{method}"))
        } else {
            whole.clone()
        };
        // `a-b` and `a_b` are two resources.
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

    #[test]
    fn a_name_says_what_the_method_does() {
        let mut names = ToolNames::of("acme-crm");
        for (resource, method, expected) in [
            ("files", "list", "list_all_acme_crm_files"),
            ("files", "get", "get_single_acme_crm_files_by_id"),
            ("files", "create", "create_a_acme_crm_files"),
            ("files", "update", "update_a_acme_crm_files_by_id"),
            ("files", "delete", "delete_a_acme_crm_files_by_id"),
            ("Files", "copyTo", "acme_crm_files_copyto"),
            ("ä files", "copy", "acme_crm___files_copy"),
        ] {
            assert_eq!(names.next(resource, method), expected);
        }
    }

    #[test]
    fn a_name_is_cut_just_over_its_length_and_ends_in_a_hash() {
        let mut names = ToolNames::of("acme");
        let fixed = "list_all_acme_".len();
        let fits = names.next(&"r".repeat(CHARACTERS - fixed), "list");
        assert_eq!(fits, format!("list_all_acme_{}", "r".repeat(50)));
        let cut = names.next(&"r".repeat(CHARACTERS - fixed + 1), "list");
        assert_eq!(cut.len(), CHARACTERS);
        let (start, hash) = cut.rsplit_once('_').unwrap();
        assert!(fits.starts_with(start));
        assert!(hash.len() == 6 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
    }

    #[test]
    fn two_methods_never_have_one_name() {
        let mut names = ToolNames::of("acme");
        let all = ["a-b", "a_b", "a b", "A_B"].map(|resource| names.next(resource, "list"));
        let mut unique = all.to_vec();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), all.len(), "{all:?}");
        assert_eq!(all.first().unwrap(), "list_all_acme_a_b");
        assert!(all.iter().all(|name| name.len() <= CHARACTERS));
    }
}
