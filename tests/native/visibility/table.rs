//! The matrix as docs/security.md shows it.

use std::fs;

use crate::integration_files::root;

use super::names::{Names, names};
use super::rows::{Row, route_of};
use super::scene::{Of, Scene};
use super::{Expected, expected};

/// docs/security.md with what was answered: the status of each caller, in the order of `Scene::callers`.
pub fn document(lines: &[(&Row, Vec<u16>)]) -> String {
    with_table(&table(lines))
}

/// The columns of the table: callers of which all get the same, or of which the first is shown.
const COLUMNS: [(&str, &str, Of); 9] = [
    ("no or bad token", "no token", Of::NoOwner),
    ("`read`", "read", Of::A),
    ("`proxy`", "proxy", Of::A),
    ("`connect`", "connect", Of::A),
    ("`admin`", "admin", Of::A),
    ("`ADMIN_TOKEN`", "ADMIN_TOKEN", Of::Operator),
    ("account token", "account token", Of::A),
    (
        "of another account",
        "token of another account",
        Of::OtherAccount,
    ),
    ("all scopes, another environment", "all scopes", Of::B),
];

fn cell(row: &Row, scene: &Scene, statuses: &[u16], column: (&str, &str, Of)) -> String {
    let index = scene
        .callers
        .iter()
        .position(|caller| caller.name == column.1 && caller.of == column.2)
        .unwrap();
    match (expected(row, &scene.callers[index]), statuses[index]) {
        (Expected::Done, _) if column.2 == Of::B || column.2 == Of::OtherAccount => {
            own_or_shared(row)
        }
        (Expected::Done, _) => "yes".to_owned(),
        (Expected::NotFoundEach, _) => "each 404".to_owned(),
        (_, status) if (200..300).contains(&status) => "yes".to_owned(),
        (_, status) => status.to_string(),
    }
}

fn own_or_shared(row: &Row) -> String {
    if names(&route_of(row)) == Names::Own {
        "its own"
    } else {
        "yes"
    }
    .to_owned()
}

fn table(lines: &[(&Row, Vec<u16>)]) -> String {
    let scene = Scene::new();
    let heads: Vec<&str> = COLUMNS.iter().map(|column| column.0).collect();
    let mut text = format!(
        "| call | {} |\n|---|{}\n",
        heads.join(" | "),
        "---|".repeat(heads.len())
    );
    let mut others =
        "\n| call | proof instead of a token | without it |\n|---|---|---|\n".to_owned();
    // The proof of the other call of /mcp is in its path.
    let shown = lines
        .iter()
        .filter(|(row, _)| !row.1.contains("{mcp_text}"));
    for (row, statuses) in shown {
        let call = format!("{} {}", row.0, general(row.1.split('?').next().unwrap()));
        let cells: Vec<String> = COLUMNS
            .iter()
            .map(|column| cell(row, &scene, statuses, *column))
            .collect();
        let proof = match names(&route_of(row)) {
            Names::Link => Some(
                "a link token; on the way back from the provider the `state` and this browser's cookie",
            ),
            Names::Mcp => Some("the MCP token in the path"),
            Names::Signed => Some("the provider's signature, as the integration says"),
            _ => None,
        };
        let (line, of) = match proof {
            Some(proof) => (
                format!("| `{call}` | {proof} | {} |\n", cells[0]),
                &mut others,
            ),
            None => (format!("| `{call}` | {} |\n", cells.join(" | ")), &mut text),
        };
        if !of.contains(&line) {
            of.push_str(&line);
        }
    }
    text + &others
}

/// A row's path as the docs write it.
fn general(path: &str) -> String {
    let words = [
        ("spare_", ""),
        ("/spare", "/{name}"),
        ("/unused", "/{name}"),
        ("/shop", "/{name}"),
        ("/orders", "/{resource}"),
        ("/7", "/{id}"),
        ("/search", "/{method}"),
        ("/greet", "/{action}"),
        ("/any/path", "/{path}"),
        ("/forged", "/{token}"),
    ];
    words.iter().fold(path.to_owned(), |path, (own, general)| {
        path.replace(own, general)
    })
}

/// Puts the table between its two marks in docs/security.md.
fn with_table(table: &str) -> String {
    let text = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let (begin, end) = (
        "<!-- matrix: UPDATE=1 cargo test --test native visibility -->\n",
        "<!-- end of the matrix -->",
    );
    let (before, rest) = text.split_once(begin).expect("the first mark");
    let (_, after) = rest.split_once(end).expect("the second mark");
    format!("{before}{begin}\n{table}\n{end}{after}")
}
