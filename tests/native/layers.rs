//! Imports point down the rows of ARCHITECTURE.md; only the shell knows the platform; no provider's
//! name is in the sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// The rows, as ARCHITECTURE.md lists them. Modules of rows 2, 3, 5, 7 and 8 do not use their neighbours.
const ROWS: &[(&str, u8)] = &[
    ("crypto", 1),
    ("header_text", 1),
    ("ids", 1),
    ("json", 1),
    ("media", 1),
    ("secret", 1),
    ("time", 1),
    ("expression", 2),
    ("config", 3),
    ("account", 4),
    ("settings", 4),
    ("authorization", 5),
    ("batch", 5),
    ("connect", 5),
    ("delivery", 5),
    ("files", 5),
    ("mcp", 5),
    ("oauth", 5),
    ("pagination", 5),
    ("proxy", 5),
    ("rate_limit", 5),
    ("retry", 5),
    ("tools", 5),
    ("webhook", 5),
    ("error", 6),
    ("flows", 6),
    ("ports", 6),
    ("api", 7),
    ("cloudflare", 8),
];

/// The folders of `flows/`, the lowest first. A folder uses itself and those before it.
const FLOWS: &[&str] = &[
    "base",
    "messages",
    "config",
    "directory",
    "account",
    "tokens",
    "call",
    "actions",
    "agents",
    "lifecycle",
    "events",
    "sync",
    "ingress",
    "object",
];

/// The folder of the `causeway` command. It is a separate program over the library, so it is in no
/// row: it may use those below the API, and no row can use it.
const COMMAND: &str = "bin";
const TOP_ROW_OF_THE_COMMAND: u8 = 6;

const PLATFORM: &[&str] = &[
    "worker",
    "wasm_bindgen",
    "wasm_bindgen_futures",
    "js_sys",
    "wasm_streams",
    "web_sys",
    "getrandom",
];
const CRYPTO: &[&str] = &[
    "aes_gcm",
    "ed25519_dalek",
    "hkdf",
    "hmac",
    "p256",
    "rsa",
    "sha1",
    "sha2",
    "subtle",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The first folder or file name below `src/`.
fn module_of(file: &Path) -> String {
    let below = file.strip_prefix(root()).unwrap();
    Path::new(below.iter().next().unwrap())
        .file_stem()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned()
}

#[derive(Default)]
struct Paths(Vec<Vec<String>>);

impl Paths {
    fn add_tree(&mut self, tree: &syn::UseTree, mut prefix: Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.add_tree(&path.tree, prefix);
            }
            syn::UseTree::Name(name) => {
                prefix.push(name.ident.to_string());
                self.0.push(prefix);
            }
            syn::UseTree::Rename(name) => {
                prefix.push(name.ident.to_string());
                self.0.push(prefix);
            }
            syn::UseTree::Glob(_) => self.0.push(prefix),
            syn::UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|item| self.add_tree(item, prefix.clone())),
        }
    }
}

impl<'a> Visit<'a> for Paths {
    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.add_tree(&item.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.0.push(
            path.segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect(),
        );
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'a syn::Macro) {
        // Inside macros there is no syntax tree; `crate::x` is found as words.
        let words: Vec<String> = mac
            .tokens
            .to_string()
            .split("crate ::")
            .skip(1)
            .map(|rest| rest.trim().split(' ').next().unwrap_or_default().to_owned())
            .collect();
        self.0
            .extend(words.into_iter().map(|word| vec!["crate".to_owned(), word]));
        self.visit_path(&mac.path);
    }
}

/// The modules and crates that a file names.
fn used(file: &Path) -> Vec<Vec<String>> {
    let tree = syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap();
    let mut paths = Paths::default();
    paths.visit_file(&tree);
    paths.0
}

#[test]
fn every_module_has_its_row() {
    let known: BTreeMap<_, _> = ROWS.iter().copied().collect();
    for file in sources(&root()) {
        let module = module_of(&file);
        assert!(
            module == "lib" || module == COMMAND || known.contains_key(module.as_str()),
            "{module} is in no row of ARCHITECTURE.md"
        );
    }
    let architecture = fs::read_to_string(root().join("../ARCHITECTURE.md")).unwrap();
    for (module, row) in ROWS {
        let listed = architecture
            .lines()
            .any(|line| line.starts_with(&format!("{row} ")) && line.contains(module));
        assert!(
            listed,
            "ARCHITECTURE.md does not list {module} in row {row}"
        );
    }
}

#[test]
fn imports_point_down() {
    let rows: BTreeMap<_, _> = ROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for file in sources(&root()) {
        let Some(own) = rows.get(module_of(&file).as_str()) else {
            continue;
        };
        for path in used(&file) {
            let [first, second, ..] = path.as_slice() else {
                continue;
            };
            let Some(other) = rows.get(second.as_str()).filter(|_| first == "crate") else {
                continue;
            };
            let is_same = module_of(&file) == *second;
            if other > own || (other == own && !is_same && !matches!(own, 1 | 4 | 6)) {
                wrong.push(format!(
                    "{} (row {own}) uses {second} (row {other})",
                    file.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The path below the crate's root that `path` names in `file`, `super` resolved.
fn absolute(file: &Path, path: &[String]) -> Option<Vec<String>> {
    if path.first()? == "crate" {
        return Some(path[1..].to_vec());
    }
    let below = file.strip_prefix(root()).unwrap().with_extension("");
    let mut own: Vec<String> = below
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if own.last()? == "mod" {
        own.pop();
    }
    let ups = path.iter().take_while(|word| *word == "super").count();
    (ups > 0).then(|| {
        own.truncate(own.len().saturating_sub(ups));
        own.extend_from_slice(&path[ups..]);
        own
    })
}

#[test]
fn a_folder_of_flows_uses_only_those_below_it() {
    let place = |folder: &str| FLOWS.iter().position(|own| *own == folder);
    let mut wrong = Vec::new();
    for file in sources(&root().join("flows")) {
        let below = file.strip_prefix(root().join("flows")).unwrap();
        let folder = below.iter().next().unwrap().to_str().unwrap();
        if folder == "mod.rs" {
            continue;
        }
        let Some(own) = place(folder) else {
            wrong.push(format!(
                "{folder} is not in the list of the folders of flows"
            ));
            continue;
        };
        for path in used(&file) {
            let path = absolute(&file, &path).unwrap_or_default();
            let other = match path.as_slice() {
                [first, second, ..] if first == "flows" => place(second),
                _ => None,
            };
            if other.is_some_and(|other| other > own) {
                wrong.push(format!("{} uses {}", below.display(), path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_command_uses_no_row_above_the_flows() {
    let rows: BTreeMap<_, _> = ROWS.iter().copied().collect();
    let own = sources(&root().join(COMMAND));
    assert!(!own.is_empty(), "src/{COMMAND} is gone");
    for file in own {
        for path in used(&file) {
            let row = match path.as_slice() {
                [first, second, ..] if first == "causeway" => rows.get(second.as_str()),
                _ => None,
            };
            assert!(
                row.is_none_or(|row| *row <= TOP_ROW_OF_THE_COMMAND),
                "{} uses {path:?}",
                file.display()
            );
        }
    }
}

#[test]
fn only_the_shell_names_the_platform_and_one_place_each_the_crypto_the_engine_and_xml() {
    let mut wrong = Vec::new();
    for file in sources(&root()) {
        let below = file.strip_prefix(root()).unwrap().display().to_string();
        for path in used(&file) {
            let first = path.first().map(String::as_str).unwrap_or_default();
            let is_wrong = (PLATFORM.contains(&first) && !below.starts_with("cloudflare/"))
                || (CRYPTO.contains(&first) && !below.starts_with("crypto"))
                || (first == "jsonata_core" && !below.starts_with("expression/jsonata"))
                || (first == "quick_xml" && !below.starts_with("proxy/xml"));
            if is_wrong {
                wrong.push(format!("{below} names {first}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_path_climbs_out_of_its_module_by_super() {
    for file in sources(&root()) {
        let below = file.strip_prefix(root()).unwrap();
        // `src/a.rs` and `src/a/mod.rs` are one deep, `src/a/b.rs` two; an inner `mod tests` is one more.
        let depth = below.components().count() - usize::from(below.file_stem().unwrap() == "mod");
        for path in used(&file) {
            let ups = path.iter().take_while(|word| *word == "super").count();
            assert!(ups <= depth, "{}: {}", file.display(), path.join("::"));
        }
    }
}

#[test]
fn the_lower_rows_are_not_async() {
    let rows: BTreeMap<_, _> = ROWS.iter().copied().collect();
    for file in sources(&root()) {
        let is_low = rows
            .get(module_of(&file).as_str())
            .is_some_and(|row| *row <= 5);
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            !is_low || !text.contains("async fn"),
            "{} is async",
            file.display()
        );
    }
}

#[test]
fn no_providers_name_stands_in_the_sources() {
    // Names that are also words or libraries of their own; `keka_oauth` is a format of credentials, and `clerk`
    // and `standard-webhooks` are formats of signatures; `sftp` is a protocol.
    let words = [
        "keka",
        "acme",
        "slack",
        "square",
        "linear",
        "notion",
        "box",
        "zoom",
        "harvest",
        "clerk",
        "close",
        "front",
        "standard-webhooks",
        "sftp",
    ];
    let folder = root().join("../integrations");
    let names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    for file in sources(&root()) {
        let text = fs::read_to_string(&file).unwrap();
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n")
            .to_lowercase();
        for name in names.iter().filter(|name| !words.contains(&name.as_str())) {
            let is_word = code.match_indices(name.as_str()).any(|(at, _)| {
                let before = code[..at]
                    .chars()
                    .next_back()
                    .is_none_or(|c| !c.is_alphanumeric());
                before
                    && code[at + name.len()..]
                        .chars()
                        .next()
                        .is_none_or(|c| !c.is_alphanumeric())
            });
            assert!(!is_word, "{} names the provider {name}", file.display());
        }
    }
}

#[test]
fn no_folder_is_called_by_a_name_that_says_nothing() {
    for file in sources(&root()) {
        for part in file.strip_prefix(root()).unwrap() {
            let name = Path::new(part).file_stem().unwrap().to_str().unwrap();
            assert!(
                ![
                    "core", "utils", "util", "common", "helpers", "types", "services"
                ]
                .contains(&name),
                "{}",
                file.display()
            );
        }
    }
}
