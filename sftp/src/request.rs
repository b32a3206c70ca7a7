//! What the gateway asks: the operation in the path, and what it needs in the head of the body.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cursor::Cursor;
use crate::error::{Failure, Kind, Outcome};
use crate::path;

/// Entries of a page.
pub const PAGE_ENTRIES: usize = 1000;
/// The bounds of `timeout_ms`.
const TIMEOUT_MS: std::ops::RangeInclusive<u32> = 1..=600_000;

#[derive(Deserialize)]
pub struct Server {
    pub host: String,
    pub port: u16,
    #[serde(default)]
    pub username: String,
    pub password: Option<String>,
    pub private_key: Option<String>,
    pub passphrase: Option<String>,
    #[serde(default)]
    pub host_keys: Vec<String>,
    /// What callers see as `/`; without one, all that the server shows its user. A relative one is below the directory that the
    /// server opens after the log in.
    pub root: Option<String>,
}

impl Server {
    /// What an answer of the server must not repeat.
    pub fn secrets(&self) -> Vec<&str> {
        [&self.password, &self.passphrase, &self.private_key]
            .into_iter()
            .filter_map(|secret| secret.as_deref())
            .collect()
    }
}

pub enum Operation {
    HostKey,
    Check,
    List(List),
    Stat(Target),
    Read(Read),
    Write(Write),
    Delete(Target),
    Mkdir(Target),
    Rmdir(Target),
    Rename(Rename),
}

impl Operation {
    /// Whether content moves.
    pub fn is_transfer(&self) -> bool {
        matches!(self, Self::Read(_) | Self::Write(_))
    }
}

#[derive(Deserialize)]
pub struct Target {
    pub path: String,
}

#[derive(Deserialize)]
pub struct List {
    pub path: String,
    #[serde(default)]
    cursor: Option<String>,
    pub limit: usize,
    #[serde(skip)]
    pub after: Option<Cursor>,
}

#[derive(Deserialize)]
pub struct Read {
    pub path: String,
    pub offset: Option<u64>,
    pub length: Option<u64>,
}

#[derive(Deserialize)]
pub struct Write {
    pub path: String,
    /// The bytes of the content, where they are known: an upload that ends with another number is not kept. The platform can end the
    /// body of a caller that has gone as if it were complete, so this is what shows that it is.
    pub size: Option<u64>,
}

#[derive(Deserialize)]
pub struct Rename {
    pub from: String,
    pub to: String,
}

pub struct Request {
    pub server: Server,
    pub timeout_ms: u32,
    pub operation: Operation,
}

#[derive(Deserialize)]
struct Common {
    server: Server,
    timeout_ms: u32,
}

impl Request {
    /// `path` is that of the URL.
    pub fn parse(path: &str, head: &[u8]) -> Outcome<Self> {
        let Common { server, timeout_ms } = read(head)?;
        if !TIMEOUT_MS.contains(&timeout_ms) {
            return Err(wrong("timeout_ms is not from 1 to 600,000"));
        }
        if server.host.is_empty() || server.port == 0 {
            return Err(wrong("the server has no host or no port"));
        }
        let operation = operation(path, head)?;
        if server.username.is_empty() && !matches!(operation, Operation::HostKey) {
            return Err(wrong("the server has no username"));
        }
        Ok(Self {
            server,
            timeout_ms,
            operation,
        })
    }
}

fn operation(name: &str, head: &[u8]) -> Outcome<Operation> {
    Ok(match name {
        "/host-key" => Operation::HostKey,
        "/check" => Operation::Check,
        "/list" => Operation::List(list(head)?),
        "/stat" => Operation::Stat(target(head)?),
        "/read" => {
            let read: Read = read(head)?;
            path::check(&read.path)?;
            Operation::Read(read)
        }
        "/write" => {
            let write: Write = read(head)?;
            path::check_below_root(&write.path)?;
            Operation::Write(write)
        }
        "/delete" => Operation::Delete(target_below_root(head)?),
        "/mkdir" => Operation::Mkdir(target_below_root(head)?),
        "/rmdir" => Operation::Rmdir(target_below_root(head)?),
        "/rename" => {
            let rename: Rename = read(head)?;
            path::check_below_root(&rename.from)?;
            path::check_below_root(&rename.to)?;
            Operation::Rename(rename)
        }
        _ => return Err(wrong("there is no such operation")),
    })
}

fn list(head: &[u8]) -> Outcome<List> {
    let mut list: List = read(head)?;
    path::check(&list.path)?;
    if !(1..=PAGE_ENTRIES).contains(&list.limit) {
        return Err(wrong("limit is not from 1 to 1,000"));
    }
    list.after = list.cursor.as_deref().map(Cursor::parse).transpose()?;
    Ok(list)
}

fn target(head: &[u8]) -> Outcome<Target> {
    let target: Target = read(head)?;
    path::check(&target.path)?;
    Ok(target)
}

fn target_below_root(head: &[u8]) -> Outcome<Target> {
    let target: Target = read(head)?;
    path::check_below_root(&target.path)?;
    Ok(target)
}

/// Says which field is wrong and not what it has: the head has the credential.
fn read<T: DeserializeOwned>(head: &[u8]) -> Outcome<T> {
    serde_json::from_slice(head).map_err(|error| {
        let column = error.column();
        wrong(&format!(
            "its head cannot be read (a field is missing or has another type, before byte {column})"
        ))
    })
}

pub fn wrong(why: &str) -> Failure {
    Failure::new(Kind::BadRequest, format!("The request is wrong: {why}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parse(path: &str, more: &Value) -> Outcome<Request> {
        let mut head = json!({ "server": { "host": "sftp.example", "port": 22, "username": "u" }, "timeout_ms": 1000 });
        for (key, value) in more.as_object().unwrap() {
            head[key] = value.clone();
        }
        Request::parse(path, head.to_string().as_bytes())
    }

    fn refusal(path: &str, more: &Value) -> String {
        let failure = parse(path, more).err().unwrap();
        assert_eq!(failure.kind, Kind::BadRequest);
        failure.message
    }

    #[test]
    fn each_operation_is_read() {
        for (path, more) in [
            ("/host-key", json!({})),
            ("/check", json!({})),
            (
                "/list",
                json!({ "path": "/", "limit": 1000, "cursor": null }),
            ),
            ("/stat", json!({ "path": "/" })),
            ("/read", json!({ "path": "/a", "offset": 3, "length": 4 })),
            ("/write", json!({ "path": "/a" })),
            ("/delete", json!({ "path": "/a" })),
            ("/mkdir", json!({ "path": "/a" })),
            ("/rmdir", json!({ "path": "/a" })),
            ("/rename", json!({ "from": "/a", "to": "/b" })),
        ] {
            let request =
                parse(path, &more).unwrap_or_else(|failure| panic!("{path}: {}", failure.message));
            assert_eq!(
                request.operation.is_transfer(),
                matches!(path, "/read" | "/write")
            );
        }
        assert!(refusal("/chmod", &json!({})).contains("no such operation"));
    }

    #[test]
    fn limits_are_checked_just_over_and_under() {
        for (key, wrong) in [
            ("limit", json!(0)),
            ("limit", json!(1001)),
            ("timeout_ms", json!(0)),
            ("timeout_ms", json!(600_001)),
            ("cursor", json!("x")),
        ] {
            let mut more = json!({ "path": "/", "limit": 1 });
            assert!(parse("/list", &more).is_ok());
            more[key] = wrong;
            refusal("/list", &more);
        }
        assert!(parse("/check", &json!({ "timeout_ms": 600_000 })).is_ok());
    }

    #[test]
    fn the_root_itself_is_neither_made_nor_removed() {
        for path in ["/write", "/delete", "/mkdir", "/rmdir"] {
            assert!(
                refusal(path, &json!({ "path": "/" })).contains("root itself"),
                "{path}"
            );
        }
        refusal("/rename", &json!({ "from": "/", "to": "/a" }));
        refusal("/rename", &json!({ "from": "/a", "to": "/" }));
    }

    #[test]
    fn paths_that_leave_the_root_are_refused_in_each_operation() {
        for path in ["/stat", "/read", "/write", "/delete", "/mkdir", "/rmdir"] {
            refusal(path, &json!({ "path": "/../a" }));
        }
        refusal("/list", &json!({ "path": "/..", "limit": 1 }));
        refusal("/rename", &json!({ "from": "/a", "to": "/../b" }));
    }

    #[test]
    fn a_wrong_head_is_not_repeated() {
        let head =
            br#"{"server": {"host": "h", "port": "s3cret", "username": "u"}, "timeout_ms": 1}"#;
        let failure = Request::parse("/check", head).err().unwrap();
        assert!(!failure.message.contains("s3cret"));
        refusal(
            "/check",
            &json!({ "server": { "host": "", "port": 22, "username": "u" } }),
        );
        refusal("/check", &json!({ "server": { "host": "h", "port": 22 } }));
        assert!(
            parse(
                "/host-key",
                &json!({ "server": { "host": "h", "port": 22 } })
            )
            .is_ok()
        );
    }
}
