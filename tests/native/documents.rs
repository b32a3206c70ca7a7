//! What the documents name is there: files, folders, links, targets of make, routes, events of the log.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::integration_files::{load, root};

/// `docs/providers.md` names files of other repositories.
const OTHERS: &str = "docs/providers.md";
const FOLDERS: &[&str] = &[
    "src",
    "tests",
    "scripts",
    "docs",
    "sftp",
    "benches",
    "integrations",
];

struct Document {
    /// Its path in the repository.
    name: String,
    text: String,
}

impl Document {
    fn read(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: fs::read_to_string(root().join(name)).unwrap(),
        }
    }

    /// All of them.
    fn all() -> Vec<Self> {
        let entries = fs::read_dir(root().join("docs")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let names = names.filter(|name| Path::new(name).extension().is_some_and(|end| end == "md"));
        let in_docs = names.map(|name| format!("docs/{name}"));
        let above = [
            "README.md",
            "ARCHITECTURE.md",
            "CONTRIBUTING.md",
            "SECURITY.md",
        ];
        let names = in_docs.chain(above.map(str::to_owned));
        names.map(|name| Self::read(&name)).collect()
    }

    /// The lines outside of blocks of code, or those inside.
    fn lines(&self, are_code: bool) -> impl Iterator<Item = &str> {
        let mut is_inside = false;
        self.text.lines().filter(move |line| {
            let is_fence = line.trim_start().starts_with("```");
            is_inside ^= is_fence;
            !is_fence && is_inside == are_code
        })
    }

    /// What is between backticks in the text.
    fn spans(&self) -> Vec<&str> {
        let span = Regex::new("`([^`]+)`").unwrap();
        self.lines(false)
            .flat_map(|line| captured(&span, line))
            .collect()
    }

    /// The part under a heading, up to the next one of its level or above.
    fn section(&self, heading: &str) -> &str {
        let (_, rest) = self.text.split_once(&format!("\n{heading}\n")).unwrap();
        let level = heading.find(' ').unwrap();
        let next = Regex::new(&format!(r"(?m)^#{{1,{level}}} ")).unwrap();
        next.split(rest).next().unwrap()
    }

    /// The ends of links to its headings.
    fn anchors(&self) -> BTreeSet<String> {
        let headings = self.lines(false).filter(|line| line.starts_with('#'));
        headings
            .map(|line| {
                let title = line.trim_start_matches('#').trim().to_lowercase();
                let kept = title.replace(' ', "-");
                kept.replace(|c: char| !c.is_alphanumeric() && c != '-' && c != '_', "")
            })
            .collect()
    }
}

fn captured<'t>(pattern: &Regex, text: &'t str) -> Vec<&'t str> {
    let found = pattern.captures_iter(text);
    found.map(|one| one.get(1).unwrap().as_str()).collect()
}

fn below(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() && !path.ends_with("sftp/target") {
        for entry in fs::read_dir(path).unwrap() {
            below(&entry.unwrap().path(), found);
        }
    } else if path.is_file() {
        found.push(path.to_owned());
    }
}

/// Every file of the repository, as `/path`.
fn files() -> Vec<String> {
    let root = root();
    let mut paths: Vec<PathBuf> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    for folder in FOLDERS {
        below(&root.join(folder), &mut paths);
    }
    let names = paths.iter().map(|path| path.strip_prefix(&root).unwrap());
    names.map(|name| format!("/{}", name.display())).collect()
}

fn none(missing: &[String]) {
    assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
}

#[test]
fn files_and_folders_that_the_documents_name_exist() {
    let file = Regex::new(r"^([\w./-]+\.(?:rs|mjs|md|toml))$").unwrap();
    let inside = Regex::new(&format!(r"^((?:{})/[\w./-]*)$", FOLDERS.join("|"))).unwrap();
    let (root, files) = (root(), files());
    let is_there = |name: &str| files.iter().any(|file| file.ends_with(&format!("/{name}")));
    let mut missing = Vec::new();
    for document in Document::all() {
        for span in document.spans() {
            let is_lost = (file.is_match(span) && !is_there(span))
                || (inside.is_match(span) && !root.join(span).exists());
            if is_lost && document.name != OTHERS {
                missing.push(format!("{}: `{span}`", document.name));
            }
        }
    }
    none(&missing);
}

#[test]
fn links_lead_to_a_file_and_a_heading() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let mut missing = Vec::new();
    for document in Document::all() {
        let links = document.lines(false).flat_map(|line| captured(&link, line));
        for link in links.filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = root().join(&document.name);
            let target = match file {
                "" => folder,
                file => folder.with_file_name(file),
            };
            let text = fs::read_to_string(&target).unwrap_or_default();
            let name = target.display().to_string();
            let has_heading =
                || anchor.is_empty() || Document { name, text }.anchors().contains(anchor);
            if !target.exists() || !has_heading() {
                missing.push(format!("{}: {link}", document.name));
            }
        }
    }
    none(&missing);
}

#[test]
fn make_has_the_targets_that_the_documents_name_and_lists_them() {
    let listed = Regex::new(r"(?m)^([a-z-]+):.* ## ").unwrap();
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let listed: BTreeSet<&str> = captured(&listed, &makefile).into_iter().collect();
    let command = Regex::new(r"^\s*(?:[A-Z0-9]+=\S+ )*make ([a-z][a-z-]*)").unwrap();
    let mut missing = Vec::new();
    for document in Document::all() {
        let texts = document.spans().into_iter().chain(document.lines(true));
        for target in texts.flat_map(|text| captured(&command, text)) {
            if !listed.contains(target) {
                missing.push(format!("{}: make {target}", document.name));
            }
        }
    }
    none(&missing);
}

/// `{…}` of any name is one.
fn shape(path: &str) -> String {
    let names = Regex::new(r"\{[^}]*\}").unwrap();
    names.replace_all(path, "{}").into_owned()
}

#[test]
fn the_table_of_rights_has_every_route_and_no_other() {
    let api = Document::read("docs/api.md");
    let span = Regex::new("`((?:[A-Z]+ )+/[^`]*|/[^`]*…)`").unwrap();
    let rows = api.section("## Calls").lines();
    let calls = rows.filter_map(|row| row.strip_prefix('|')?.split(" | ").next());
    let (mut named, mut prefixes) = (BTreeSet::new(), Vec::new());
    for call in calls.flat_map(|call| captured(&span, call)) {
        let (methods, path) = call.rsplit_once(" /").unwrap_or(("", &call[1..]));
        if let Some(prefix) = path.strip_suffix('…') {
            prefixes.push(format!("/{prefix}"));
        }
        let methods = methods.split(' ');
        named.extend(methods.map(|method| format!("{method} {}", shape(&format!("/{path}")))));
    }
    let document = load(&root().join("openapi.json"));
    let mut routes = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let methods = operations.as_object().unwrap().keys();
        let methods =
            methods.filter(|one| ["get", "post", "put", "patch", "delete"].contains(&one.as_str()));
        routes.extend(methods.map(|method| format!("{} {}", method.to_uppercase(), shape(path))));
    }
    let is_of_a_prefix = |route: &&String| {
        let path = route.split(' ').nth(1).unwrap();
        prefixes.iter().any(|prefix| path.starts_with(prefix))
    };
    let missing = routes
        .difference(&named)
        .filter(|route| !is_of_a_prefix(route));
    let invented = named
        .difference(&routes)
        .filter(|route| !is_of_a_prefix(route));
    // The page at /docs is the platform's.
    let invented = invented.filter(|route| *route != "GET /docs" && !route.contains('…'));
    none(&missing.chain(invented).cloned().collect::<Vec<_>>());
}

#[test]
fn the_events_to_alert_on_are_logged() {
    let mut paths = Vec::new();
    below(&root().join("src"), &mut paths);
    let sources: String = paths
        .iter()
        .map(|path| fs::read_to_string(path).unwrap_or_default())
        .collect();
    let event = Regex::new("`([a-z_]+)`").unwrap();
    let operations = Document::read("docs/operations.md");
    let rows = operations.section("### What to alert on").lines();
    let events = rows.filter_map(|row| row.strip_prefix('|')?.split(" | ").next());
    let events: Vec<&str> = events.flat_map(|cell| captured(&event, cell)).collect();
    assert!(events.len() > 20, "{events:?}");
    let has = |name: &str| sources.contains(name);
    // A limiter's event is its binding's name in small letters.
    let is_of_binding = |event: &str| {
        let binding = event.strip_suffix("_failed").map(str::to_uppercase);
        binding.is_some_and(|binding| has(&format!("\"{binding}\"")))
    };
    let is_logged = |event: &str| {
        let forms = [format!("\"{event}\""), format!("\\\"{event}\\\"")];
        forms.iter().any(|form| has(form)) || is_of_binding(event)
    };
    let missing = events.iter().filter(|event| !is_logged(event));
    none(&missing.map(|event| (*event).to_owned()).collect::<Vec<_>>());
}
