//! Whole integration files: the cases of `tests/cases/config`, the files we
//! ship, and the JSON Schema that editors read.

use crate::cases::each_case;

use std::fs;
use std::path::{Path, PathBuf};

use causeway::config::schema::integration_schema;
use causeway::config::{Level, ReadFile, read, read_config};
use serde_json::{Value, json};

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn load(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

pub fn files_of(folder: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root().join(folder)) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "json"));
    files.sort();
    files
}

/// Compares with the stored text, or stores it with `UPDATE=1`.
pub fn same_as_stored(path: &Path, text: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, text).unwrap();
    }
    let stored = fs::read_to_string(path).unwrap_or_default();
    assert!(
        stored == text,
        "{} is out of date: run `make fix`",
        path.display()
    );
}

#[test]
fn each_case_gives_the_findings_it_lists() {
    each_case(files_of("tests/cases/config"), |path| {
        let mut case = load(&path);
        let Some(file) = case.get("file").cloned() else {
            return;
        };
        let ReadFile {
            integration,
            findings,
        } = read(&file);
        let found = json!(findings);
        if std::env::var_os("UPDATE").is_some() {
            case["findings"] = found.clone();
            fs::write(&path, format!("{case:#}\n")).unwrap();
        }
        assert_eq!(found, case["findings"], "{}", path.display());
        let has_errors = findings.iter().any(|finding| finding.level == Level::Error);
        assert_eq!(integration.is_none(), has_errors, "{}", path.display());
    });
}

fn example() -> Value {
    load(&root().join("tests/cases/config/truto-example.json"))
}

#[test]
fn the_printed_example_is_accepted_as_it_stands() {
    let (config, findings) = read_config(&example());
    assert!(config.is_some(), "{findings:#?}");
    let config = config.unwrap();
    let list = config.method("users", "list").unwrap();
    assert_eq!(
        list.response_path.as_ref().unwrap().to_string(),
        "data.users"
    );
    let warnings: Vec<&str> = findings
        .iter()
        .map(|finding| finding.path.as_str())
        .collect();
    assert_eq!(
        warnings,
        [
            "config.credentials.oauth2.config.auth",
            "config.credentials.oauth2.config.tokenParams.grant_type",
            "config.credentials.oauth2.config.refreshParams.grant_type",
            "config.webhook.signature_verification.config",
            "config.webhook.signature_verification.config.parts[0]",
            "config.query.search",
            "config.query.filter",
            "config.actions.sync_users.config.body.users",
            "config.resources.orders.create.body.user_id",
            "config.resources.orders.create.body.items",
        ]
    );
}

/// Every place of a value, as JSON pointers.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(entries) => {
            for (key, item) in entries {
                let key = key.replace('~', "~0").replace('/', "~1");
                places(item, &format!("{at}/{key}"), out);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{index}"), out);
            }
        }
        _ => {}
    }
}

#[test]
fn whatever_stands_in_any_place_the_file_is_read_to_its_end() {
    let files = ["both-spellings", "hosts-not-pinned"]
        .map(|case| load(&root().join(format!("tests/cases/config/{case}.json")))["file"].clone());
    let strange = [
        json!(null),
        json!(-1.5),
        json!("{{"),
        json!("{{a:x}}"),
        json!([[{}]]),
        json!({"format": 1, "type": {}, "config": [], "steps": {}, "\u{0}": "é"}),
    ];
    each_case(&files, |file| {
        let mut pointers = Vec::new();
        places(file, "", &mut pointers);
        each_case(
            pointers
                .iter()
                .flat_map(|p| strange.iter().map(move |v| (p, v))),
            |(pointer, value)| {
                let mut file = file.clone();
                *file.pointer_mut(pointer).unwrap() = value.clone();
                let ReadFile {
                    integration,
                    findings,
                } = read(&file);
                let has_errors = findings.iter().any(|finding| finding.level == Level::Error);
                assert_eq!(
                    integration.is_none(),
                    has_errors,
                    "{pointer} {value} {findings:?}"
                );
            },
        );
    });
}

#[test]
fn the_stored_schema_is_that_of_the_types() {
    let schema = integration_schema();
    same_as_stored(
        &root().join("integration.schema.json"),
        &format!("{schema:#}\n"),
    );
}

pub fn mistakes_by_schema(file: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(&integration_schema()).unwrap();
    validator
        .iter_errors(file)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn the_files_we_ship_have_no_findings_and_fit_the_schema() {
    each_case(files_of("integrations"), |path| {
        let file = load(&path);
        let ReadFile {
            integration,
            findings,
        } = read(&file);
        assert!(
            integration.is_some() && findings.is_empty(),
            "{}: {findings:#?}",
            path.display()
        );
        assert_eq!(
            mistakes_by_schema(&file),
            Vec::<String>::new(),
            "{}",
            path.display()
        );
    });
}

#[test]
fn what_loads_without_errors_fits_the_schema_and_what_does_not_does_not() {
    assert_eq!(
        mistakes_by_schema(&json!({"name": "example", "config": example()})),
        Vec::<String>::new()
    );
    each_case(files_of("tests/cases/config"), |path| {
        let Some(file) = load(&path).get("file").cloned() else {
            return;
        };
        if read(&file).integration.is_some() {
            assert_eq!(
                mistakes_by_schema(&file),
                Vec::<String>::new(),
                "{}",
                path.display()
            );
        }
    });
    let cases = [
        ("base_ur", json!("https://x.com")),
        ("label", json!(1)),
        ("pagination", json!({"format": "pages"})),
    ];
    each_case(cases, |(key, value)| {
        let mut config = example();
        config[key] = value;
        assert_ne!(
            mistakes_by_schema(&json!({"name": "example", "config": config})),
            Vec::<String>::new(),
            "{key}"
        );
    });
}

#[test]
fn the_scopes_in_the_docs_are_those_of_the_code() {
    let mut text = String::from(
        "# What templates and expressions can see\n\n\
         Written from `src/expression/scope.rs` by `UPDATE=1 cargo test --test native`.\n\n\
         `causeway eval --scope NAME` and `causeway render` try them on input of your own.\n\n\
         | Where | Tried by | What can be named | Note |\n|---|---|---|---|\n",
    );
    for row in causeway::expression::scope::SCOPES {
        let roots: Vec<String> = row.roots.iter().map(|root| format!("`{root}`")).collect();
        let tried_by = match row.name {
            Some(name) => format!("`--scope {name}`"),
            None => "`render`".to_owned(),
        };
        let cells = [row.used_by, &tried_by, &roots.join(" "), row.note];
        text += &(["| ", &cells.join(" | "), " |\n"].concat());
    }
    text += &bounds();
    same_as_stored(&root().join("docs/scopes.md"), &text);
}

fn bounds() -> String {
    use causeway::expression::limits::{
        ARGUMENT_DEPTH, FRAMES, NAMED_FUNCTIONS, PARSED_BYTES, PICTURE_BYTES, PICTURE_DIGITS,
        PICTURE_MARKERS, PRODUCED_BYTES, PRODUCED_VALUES, RANGE_BOUND, REGEX_BYTES_IN_ALL,
        RESULT_BYTES, RESULT_VALUES, SEQUENCE_LENGTH, SIGNED_BYTES, SIGNING_KEY_BYTES,
        SOURCE_BYTES, SOURCE_DEPTH, STACK_DEPTH, STEPS, VALUE_DEPTH,
    };
    use causeway::expression::pattern;
    let (pattern_source, pattern_bytes) = (pattern::SOURCE_BYTES, pattern::COMPILED_BYTES);
    format!(
        "\n# Bounds of expressions\n\n| Bound | Value |\n|---|---|\n\
         | Bytes of an expression | {SOURCE_BYTES} |\n| Levels an expression nests, operators counted | {SOURCE_DEPTH} |\n\
         | Levels of evaluation | {STACK_DEPTH} |\n| Functions running within each other | {FRAMES} |\n\
         | Levels of an argument of a function | {ARGUMENT_DEPTH} |\n| Items of a sequence | {SEQUENCE_LENGTH} |\n\
         | Steps of work: see below | {STEPS} |\n| Built-in functions named without being called | {NAMED_FUNCTIONS} |\n\
         | Bytes of text produced on the way | {PRODUCED_BYTES} |\n| Values produced on the way | {PRODUCED_VALUES} |\n\
         | Bytes of a regular expression, and when it is compiled | {pattern_source}, {pattern_bytes} |\n\
         | Bytes of the compiled ones of an expression in all | {REGEX_BYTES_IN_ALL} |\n\
         | Bytes, markers, and digits (and separators) of a picture of a number or time | {PICTURE_BYTES}, {PICTURE_MARKERS}, {PICTURE_DIGITS} |\n\
         | Bytes of a text that a picture reads | {PARSED_BYTES} |\n| Bounds of a range | -{RANGE_BOUND} to {RANGE_BOUND} |\n\
         | Bytes of a text and of a key of `$hash`, `$hmac` and `$sign` | {SIGNED_BYTES}, {SIGNING_KEY_BYTES} |\n\
         | Bytes of text in a result | {RESULT_BYTES} |\n\
         | Values in a result | {RESULT_VALUES} |\n| Levels of a result | {VALUE_DEPTH} |\n\n\
         All that an expression does is paid for in steps of some 5 ns: each part of it each time it runs, a path by the \
         values it visits, a comparison by what it compares, a function by what it is given, a regular expression by its compiled \
         size and the text. So the work of every expression ends, with `too_much_work`, after less than a second. A list of \
         1,000 compared with another of 1,000 (`a.($x := $; b[id = $x.id])`) is just within; for more, look up in an object: \
         `($by := b{{id: $}}; a.($lookup($by, id)))`, with texts as ids. A regular expression is compiled at each use, by its size: \
         `[A-Za-z0-9_]` is far cheaper than `\\w`, which knows every alphabet.\n\n\
         Numbers of pictures are finite: up to 1e300 for `$formatNumber`, 2^53 for `$formatInteger` and `$formatBase`, the years \
         -9999 to 9999 for `$fromMillis`. An option of `$formatNumber` is one character, of ASCII but for the grouping separator \
         and `‰`; its `zero-digit` is `0`. A time zone is a sign and up to four digits. `$toMillis` reads no letters as numbers, \
         and days of the year, hours up to 12 and offsets in at most 9 digits; without a picture it reads ASCII only, as does \
         `$parseInteger`. A result that is not finite, such as `1/0`, is an error.\n\n\
         `$eval` is not available. `$now()` and `$millis()` are the time of the request, the same throughout; \
         `$random()`, `$shuffle()` and `$uuid()` are drawn for each use.\n\n\
         # Functions of signatures\n\n\
         | Function | Gives |\n|---|---|\n\
         | `$hash(algorithm, text, encoding?)` | a digest: `sha1`, `sha256`, `sha384` or `sha512` |\n\
         | `$hmac(algorithm, key, text, encoding?)` | an HMAC (RFC 2104) by the same |\n\
         | `$sign(\"ed25519\", key, text, encoding?)` | an Ed25519 signature (RFC 8032); the key is PEM, or its 32 bytes |\n\n\
         A text or key is a text in UTF-8, or bytes as `{{\"hex\": text}}` or `{{\"base64\": text}}` (also base64url). The encoding of the \
         result is `hex`, unless `base64` or `base64url` (without padding) is named. What is missing, unknown or too long ends the \
         evaluation with `bad_signature_argument`, so that no request goes out unsigned. They are not functions of JSONata: `causeway \
         eval` has them, other tools do not.\n"
    )
}
