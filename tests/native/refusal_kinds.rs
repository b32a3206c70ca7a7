//! The SFTP Worker says why it refused by a word, and the gateway reads it. They are two crates that share no code, so both
//! have the list.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use causeway::files::RefusalKind;
use serde_json::json;
use syn::Item;

const WORKER: (&str, &str) = ("sftp/src/error.rs", "Kind");
const GATEWAY: (&str, &str) = ("src/files/answer.rs", "RefusalKind");
/// What the gateway reads every other word as.
const OTHER: &str = "unknown";

/// The variants of an enum, as `rename_all = "snake_case"` writes them.
fn words((path, name): (&str, &str)) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let file = syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap();
    let found = file.items.into_iter().find_map(|item| match item {
        Item::Enum(item) if item.ident == name => Some(item.variants),
        _ => None,
    });
    let variants = found.unwrap_or_else(|| panic!("there is no enum {name}"));
    let names = variants.iter().map(|variant| variant.ident.to_string());
    names.map(|name| snake_case(&name)).collect()
}

fn snake_case(name: &str) -> String {
    let mut word = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.extend(character.to_lowercase());
    }
    word
}

#[test]
fn the_gateway_and_the_sftp_worker_have_the_same_kinds_of_refusals() {
    let mut ours = words(GATEWAY);
    assert!(ours.remove(OTHER));
    assert_eq!(ours, words(WORKER));
}

#[test]
fn the_gateway_reads_each_kind_of_the_sftp_worker() {
    let read = |word: &str| serde_json::from_value::<RefusalKind>(json!(word)).unwrap();
    assert_eq!(read("another"), RefusalKind::Unknown);
    let unread: Vec<_> = words(WORKER)
        .into_iter()
        .filter(|word| read(word) == RefusalKind::Unknown)
        .collect();
    assert!(unread.is_empty(), "{unread:?}");
}
