//! `scripts/retired-words.txt` lists words that the sources, the documentation and the tests no longer use.

use std::fs;
use std::path::{Path, PathBuf};

use regex::{Captures, Regex};

use crate::integration_files::root;

/// Folders and files that are searched. Cases of `tests/cases` are providers' JSON, not ours.
const SEARCHED: &[&str] = &[
    "src",
    "docs",
    "tests",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
];
const KINDS: &[&str] = &["rs", "mjs", "md", "css"];

struct RetiredWords {
    instead: Vec<String>,
    /// One group for each word, in the order of `instead`.
    pattern: Regex,
}

impl RetiredWords {
    /// Reads lines of `word => instead`; `#` begins a comment.
    fn parse(list: &str) -> Self {
        let lines = list
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (words, instead): (Vec<_>, Vec<_>) = lines
            .map(|line| {
                line.split_once(" => ")
                    .unwrap_or_else(|| panic!("no ` => ` in `{line}`"))
            })
            .map(|(word, instead)| (format!("({})", pattern_of(word)), instead.trim().to_owned()))
            .unzip();
        let pattern = format!(r"\b(?:{})\b", words.join("|"));
        Self {
            instead,
            pattern: Regex::new(&pattern).unwrap(),
        }
    }

    /// One line for each use in `text`: where it is, the word, what to write.
    fn uses<'a>(&'a self, file: &'a str, text: &'a str) -> impl Iterator<Item = String> + 'a {
        self.pattern.captures_iter(text).map(move |captures| {
            let (at, word) = (captures.get_match().start(), captures.get_match().as_str());
            let line = text[..at].matches('\n').count() + 1;
            format!(
                "{file}:{line}: `{word}` is retired: {}",
                self.instead_of(&captures)
            )
        })
    }

    fn instead_of(&self, captures: &Captures<'_>) -> &str {
        let entry = (0..self.instead.len()).find(|entry| captures.get(entry + 1).is_some());
        &self.instead[entry.expect("a group of the match")]
    }
}

/// A word with a capital is a name of the code and found as it is written. Between the words of a phrase a comment's line may end.
fn pattern_of(word: &str) -> String {
    let parts: Vec<_> = word.split_whitespace().map(regex::escape).collect();
    let phrase = parts.join(r"[\s/!*]+").replace(r"\*", r"\w*");
    let is_name = word.contains(char::is_uppercase);
    format!("{}{phrase})", if is_name { "(?:" } else { "(?i:" })
}

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            files(&entry.unwrap().path(), found);
        }
    } else if path
        .extension()
        .is_some_and(|kind| KINDS.iter().any(|one| kind == *one))
    {
        found.push(path.to_owned());
    }
}

#[test]
fn no_retired_word_is_used() {
    let root = root();
    let list = fs::read_to_string(root.join("scripts/retired-words.txt")).unwrap();
    let words = RetiredWords::parse(&list);
    let mut paths = Vec::new();
    for name in SEARCHED {
        files(&root.join(name), &mut paths);
    }
    paths.sort();
    let uses: Vec<String> = paths
        .iter()
        .flat_map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            let text = fs::read_to_string(path).unwrap();
            words.uses(name, &text).collect::<Vec<_>>()
        })
        .collect();
    assert!(uses.is_empty(), "\n{}\n", uses.join("\n"));
}

#[test]
fn a_planted_word_is_found_with_its_place_and_what_to_write_instead() {
    let list = "# a comment\n\nzounds => good heavens\nZork => `Zebra`\nzig zag => turn\nzap* => removed\n";
    let words = RetiredWords::parse(list);
    let text =
        "fine\n// ZOUNDS, zounded\nlet z: Zork = zork;\n/// A zig\n/// zag.\nfn zap_all() {}\n";
    let uses: Vec<_> = words.uses("src/x.rs", text).collect();
    assert_eq!(
        uses,
        [
            "src/x.rs:2: `ZOUNDS` is retired: good heavens",
            "src/x.rs:3: `Zork` is retired: `Zebra`",
            "src/x.rs:4: `zig\n/// zag` is retired: turn",
            "src/x.rs:6: `zap_all` is retired: removed",
        ]
    );
}
