//! `docs/integration-file.md` is followed as a reader follows it: each snippet is put into the file it builds,
//! which must be free of findings, and each command is run; what the guide prints is what comes out.

use std::fs;
use std::path::Path;
use std::process::Command;

use causeway::config::read;
use causeway::json::merge;
use serde_json::{Value, json};

use super::Folder;
use super::server::Server;
use crate::cases::each_case;
use crate::integration_files::{mistakes_by_schema, root, same_as_stored};
use crate::outside::ADMIN;

/// The address of `make dev`, which the guide publishes to.
const ADDRESS: &str = "http://127.0.0.1:8787";

/// What a reader has at one point of the guide.
struct Reader {
    folder: Folder,
    server: Server,
    file: Value,
    snippets: usize,
    commands: usize,
}

impl Reader {
    /// One fenced block; what it should say.
    fn follow(&mut self, info: &str, block: &str) -> String {
        match info {
            "json whole" => self.put(parsed(block)),
            "json config" => {
                let mut file = self.file.clone();
                merge(&mut file["config"], &parsed(block));
                self.put(file);
            }
            "json alone" => self.check_alone(&parsed(block)),
            "json wrong" => self.put_wrong(&parsed(block)),
            "console" => return self.run_all(block),
            other => panic!("a block is marked `{other}`, which no test looks at:\n{block}"),
        }
        block.to_owned()
    }

    fn put(&mut self, file: Value) {
        let findings = read(&file).findings;
        assert!(findings.is_empty(), "{findings:#?}\nin {file:#}");
        assert_eq!(mistakes_by_schema(&file), Vec::<String>::new());
        self.folder.file("lantern.json", &format!("{file:#}\n"));
        self.file = file;
        self.snippets += 1;
    }

    /// A config that is not part of the file that the guide builds.
    fn check_alone(&mut self, config: &Value) {
        let file = json!({ "name": "alone", "config": config });
        let findings = read(&file).findings;
        assert!(findings.is_empty(), "{findings:#?}\nin {file:#}");
        assert_eq!(mistakes_by_schema(&file), Vec::<String>::new());
        self.snippets += 1;
    }

    fn put_wrong(&mut self, change: &Value) {
        let mut file = self.file.clone();
        merge(&mut file["config"], change);
        assert!(read(&file).integration.is_none(), "this is right: {change}");
        self.folder.json("wrong.json", &file);
        self.snippets += 1;
    }

    /// The lines after `$ ` are commands; the lines between them, what they say.
    fn run_all(&mut self, block: &str) -> String {
        let commands = block.lines().filter(|line| line.starts_with("$ "));
        let reported: Vec<String> = commands.map(|line| self.run(line)).collect();
        reported.concat()
    }

    fn run(&mut self, line: &str) -> String {
        let program = Path::new(env!("CARGO_BIN_EXE_causeway")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let output = Command::new("sh")
            .args(["-c", &line[2..].replace(ADDRESS, &self.server.url)])
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("CAUSEWAY_TOKEN", ADMIN)
            .output()
            .unwrap();
        self.commands += 1;
        let text = |bytes| String::from_utf8(bytes).unwrap();
        format!("{line}\n{}{}", text(output.stdout), text(output.stderr))
    }
}

/// The first block of a document that is marked so.
fn block_of(document: &str, info: &str) -> String {
    let text = fs::read_to_string(root().join(document)).unwrap();
    let (_, after) = text.split_once(&format!("```{info}\n")).unwrap();
    after.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_file_in_the_readme_has_no_findings() {
    let file = parsed(&block_of("README.md", "json"));
    let findings = read(&file).findings;
    assert!(findings.is_empty(), "{findings:#?}");
    assert_eq!(mistakes_by_schema(&file), Vec::<String>::new());
}

fn parsed(block: &str) -> Value {
    serde_json::from_str(block).unwrap_or_else(|error| panic!("{error}:\n{block}"))
}

#[test]
fn every_snippet_of_the_guide_loads_and_every_command_says_what_is_printed() {
    let path = root().join("docs/integration-file.md");
    let mut reader = Reader {
        folder: Folder::new("guide"),
        server: Server::start(),
        file: Value::Null,
        snippets: 0,
        commands: 0,
    };
    let (stored, mut text) = (fs::read_to_string(&path).unwrap(), String::new());
    let mut lines = stored.lines();
    while let Some(line) = lines.next() {
        text += line;
        text.push('\n');
        if let Some(info) = line.strip_prefix("```") {
            let inside = lines.by_ref().take_while(|line| *line != "```");
            let block: String = inside.flat_map(|line| [line, "\n"]).collect();
            text += &reader.follow(info, &block);
            text += "```\n";
        }
    }
    assert!(
        reader.snippets >= 12 && reader.commands >= 12,
        "{} snippets, {} commands",
        reader.snippets,
        reader.commands
    );
    let config = reader.file["config"].as_object().unwrap();
    let cases = [
        "credentials",
        "authorization",
        "resources",
        "pagination",
        "rate_limit",
        "error_expression",
        "webhook",
        "actions",
    ];
    each_case(cases, |section| {
        assert!(config.contains_key(section), "the guide lost {section}");
    });
    same_as_stored(&path, &text);
}
