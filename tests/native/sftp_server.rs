//! The twin of the SFTP Worker: one server with a tree of files in memory, asked as docs/sftp.md says.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use causeway::ports::{Body, Reply, SftpFault};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::outside::{Pace, Pieces, reply};

pub const HOST: &str = "files.example.com";
pub const USER: &str = "ada";
pub const PASSWORD: &str = "correct-horse-of-the-server";
pub const PASSPHRASE: &str = "battery-staple-of-the-key";
pub const HOST_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGYPGz1VzeY0SZpPkPsRXVNMvZBGvzBfVfVfkOvGBz4h";
pub const OTHER_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBBGz1VzeY0SZpPkPsRXVNMvZBGvzBfVfVfkOvGBz4h";
pub const FINGERPRINT: &str = "SHA256:fingerprintOfTheServersKey";
/// An encrypted private key, as far as the twin looks at it.
pub const PRIVATE_KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABBkeLZqL7\n-----END OPENSSH PRIVATE KEY-----";
const MODIFIED: &str = "Tue, 14 Nov 2023 22:13:20 GMT";

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub operation: String,
    pub head: Value,
}

/// A file, or a folder.
#[derive(Debug, Clone)]
enum Node {
    File(Bytes),
    Folder,
}

/// A server, and the Worker in front of it.
pub struct FileServer {
    tree: RefCell<BTreeMap<String, Node>>,
    pub asked: RefCell<Vec<Asked>>,
    /// The key that it presents.
    pub key: RefCell<String>,
    /// The password that it accepts.
    pub password: RefCell<String>,
    /// The kinds of its next refusals, with a status of SFTP and words.
    pub refusals: RefCell<VecDeque<(u16, Value)>>,
    /// The next requests get no answer.
    pub faults: RefCell<VecDeque<SftpFault>>,
    pub lateness: Cell<Duration>,
    /// What a good answer is in place of its own.
    pub odd_answer: RefCell<Option<(u16, String)>>,
}

type Answered = Result<Reply<Pieces>, (u16, Value)>;

impl FileServer {
    pub fn new() -> Self {
        let tree = [
            ("/", Node::Folder),
            ("/in", Node::Folder),
            ("/in/a.txt", Node::File(Bytes::from_static(b"0123456789"))),
            ("/in/empty", Node::File(Bytes::new())),
            ("/private", Node::Folder),
        ];
        let tree = tree.into_iter().map(|(path, node)| (path.to_owned(), node));
        Self {
            tree: RefCell::new(tree.collect()),
            asked: RefCell::default(),
            key: RefCell::new(HOST_KEY.to_owned()),
            password: RefCell::new(PASSWORD.to_owned()),
            refusals: RefCell::default(),
            faults: RefCell::default(),
            lateness: Cell::default(),
            odd_answer: RefCell::default(),
        }
    }

    pub fn put(&self, path: &str, content: impl Into<Bytes>) {
        let node = Node::File(content.into());
        self.tree.borrow_mut().insert(path.to_owned(), node);
    }

    /// The bytes of a file, where it is there.
    pub fn content(&self, path: &str) -> Option<Bytes> {
        match self.tree.borrow().get(path)? {
            Node::File(bytes) => Some(bytes.clone()),
            Node::Folder => None,
        }
    }

    pub fn operations(&self) -> Vec<String> {
        let asked = self.asked.borrow();
        asked.iter().map(|one| one.operation.clone()).collect()
    }

    pub fn last(&self) -> Asked {
        self.asked.borrow().last().unwrap().clone()
    }

    /// Notes what is asked.
    pub fn note(&self, operation: &str, head: &str) {
        self.asked.borrow_mut().push(Asked {
            operation: operation.to_owned(),
            head: serde_json::from_str(head).unwrap(),
        });
    }

    pub fn answer(
        &self,
        operation: &str,
        head: &str,
        content: Vec<u8>,
    ) -> Result<Reply<Pieces>, SftpFault> {
        let head: Value = serde_json::from_str(head).unwrap();
        if let Some(fault) = self.faults.borrow_mut().pop_front() {
            return Err(fault);
        }
        let scripted = self.refusals.borrow_mut().pop_front();
        let outcome = match scripted {
            Some(refusal) => Err(refusal),
            None => self.try_answer(operation, &head, content),
        };
        Ok(match outcome {
            Ok(_) if self.odd_answer.borrow().is_some() => {
                let (status, text) = self.odd_answer.borrow().clone().unwrap();
                reply(status, &[], Body::from_bytes(text))
            }
            Ok(reply) => reply,
            Err((status, error)) => {
                let text = json!({ "error": error }).to_string();
                reply(
                    status,
                    &[("content-type", "application/json")],
                    Body::from_bytes(text),
                )
            }
        })
    }

    fn try_answer(&self, operation: &str, head: &Value, content: Vec<u8>) -> Answered {
        let server = &head["server"];
        assert!(
            server["host"].is_string() && server["port"].is_u64(),
            "{server}"
        );
        assert!(head["timeout_ms"].as_u64().unwrap() > 0);
        if operation == "host-key" {
            assert_eq!(
                server.as_object().unwrap().len(),
                2,
                "a login was sent: {server}"
            );
            let key = self.key.borrow().clone();
            return Ok(json_reply(
                &json!({ "host_key": key, "fingerprint": FINGERPRINT }),
            ));
        }
        self.log_in(server)?;
        let root = server["root"]
            .as_str()
            .unwrap_or_default()
            .trim_end_matches('/');
        let path = |key: &str| -> String {
            let path = head[key].as_str().unwrap();
            assert!(
                path.starts_with('/') && !path.contains("//") && !path.contains(".."),
                "{path}"
            );
            match format!("{root}{path}").trim_end_matches('/') {
                "" => "/".to_owned(),
                path => path.to_owned(),
            }
        };
        match operation {
            "check" => self
                .folder(if root.is_empty() { "/" } else { root })
                .map(|()| json_reply(&json!({}))),
            "list" => self.list(&path("path"), root, head),
            "stat" => self
                .entry(&path("path"), root)
                .map(|entry| json_reply(&entry)),
            "read" => self.read(&path("path"), head),
            "write" => {
                let size = head["size"].as_u64();
                if size.is_some_and(|size| size != content.len() as u64) {
                    return Err(refusal(400, "bad_request", "Not that many bytes.", 0, ""));
                }
                self.put(&path("path"), content);
                let entry = self.entry(&path("path"), root)?;
                Ok(json_reply(&json!({ "entry": entry })))
            }
            "delete" | "rmdir" => {
                let removed = self.tree.borrow_mut().remove(&path("path"));
                removed
                    .map(|_| json_reply(&json!({})))
                    .ok_or_else(not_found)
            }
            "mkdir" => {
                let before = self.tree.borrow_mut().insert(path("path"), Node::Folder);
                let exists = refusal(
                    409,
                    "exists",
                    "There is something of that name.",
                    4,
                    "Failure",
                );
                before.map_or_else(|| Ok(json_reply(&json!({}))), |_| Err(exists))
            }
            "rename" => {
                let node = self.tree.borrow_mut().remove(&path("from"));
                let node = node.ok_or_else(not_found)?;
                self.tree.borrow_mut().insert(path("to"), node);
                Ok(json_reply(&json!({})))
            }
            other => panic!("no operation {other}"),
        }
    }

    fn log_in(&self, server: &Value) -> Result<(), (u16, Value)> {
        let pinned = server["host_keys"].as_array().unwrap();
        let key = self.key.borrow().clone();
        let is_pinned = pinned
            .iter()
            .any(|line| line.as_str().unwrap().starts_with(&key));
        if !is_pinned {
            return Err((
                401,
                json!({ "kind": "host_key_mismatch", "message": "another key", "host_key": key, "fingerprint": FINGERPRINT }),
            ));
        }
        if let Some(private) = server["private_key"].as_str() {
            assert!(private.ends_with("-----\n"), "{private:?}");
            let is_whole = private.trim_end() == PRIVATE_KEY;
            if !is_whole || server["passphrase"] != PASSPHRASE {
                return Err((
                    422,
                    json!({ "kind": "bad_private_key", "message": "unreadable" }),
                ));
            }
        } else if server["password"] != self.password.borrow().as_str() {
            return Err((
                401,
                json!({ "kind": "wrong_credentials", "message": "The server does not accept the login.", "server_message": "Permission denied (password)." }),
            ));
        }
        if server["username"] == USER {
            return Ok(());
        }
        Err((
            401,
            json!({ "kind": "wrong_credentials", "message": "The server does not accept the login." }),
        ))
    }

    fn folder(&self, path: &str) -> Result<(), (u16, Value)> {
        match self.tree.borrow().get(path) {
            Some(Node::Folder) if path.ends_with("/private") => Err(refusal(
                403,
                "permission_denied",
                "The user may not do this.",
                3,
                "Permission denied",
            )),
            Some(Node::Folder) => Ok(()),
            _ => Err(not_found()),
        }
    }

    fn list(&self, path: &str, root: &str, head: &Value) -> Answered {
        self.folder(path)?;
        let folder = if path == "/" {
            "/".to_owned()
        } else {
            format!("{path}/")
        };
        let limit = usize::try_from(head["limit"].as_u64().unwrap()).unwrap();
        let first: usize = head["cursor"]
            .as_str()
            .map_or(0, |cursor| cursor.parse().unwrap());
        let all: Vec<String> = {
            let tree = self.tree.borrow();
            let inside = tree.keys().filter(|own| {
                own.strip_prefix(&folder)
                    .is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
            });
            inside.cloned().collect()
        };
        let entries = all.iter().skip(first).take(limit);
        let entries: Vec<Value> = entries
            .map(|path| self.entry(path, root).unwrap())
            .collect();
        let end = first + entries.len();
        let next = (end < all.len()).then(|| end.to_string());
        Ok(json_reply(
            &json!({ "entries": entries, "next_cursor": next }),
        ))
    }

    fn entry(&self, path: &str, root: &str) -> Result<Value, (u16, Value)> {
        let tree = self.tree.borrow();
        let node = tree.get(path).ok_or_else(not_found)?;
        let shown = match path.strip_prefix(root).unwrap_or(path) {
            "" => "/",
            shown => shown,
        };
        let (kind, size) = match node {
            Node::File(bytes) => ("file", bytes.len()),
            Node::Folder => ("directory", 0),
        };
        let name = shown.rsplit('/').next().unwrap();
        Ok(
            json!({ "name": name, "path": shown, "type": kind, "size": size, "modified_at": "2023-11-14T22:13:20.000Z", "permissions": "rw-r--r--" }),
        )
    }

    fn read(&self, path: &str, head: &Value) -> Answered {
        let bytes = self.content(path).ok_or_else(not_found)?;
        let size = bytes.len();
        let number = |key: &str| {
            head[key]
                .as_u64()
                .map(|number| usize::try_from(number).unwrap_or(usize::MAX))
        };
        let first = number("offset").unwrap_or(0).min(size);
        let end = number("length").map_or(size, |length| first.saturating_add(length).min(size));
        let wanted = bytes.slice(first..end);
        let length = wanted.len() as u64;
        let headers = [
            ("content-length", length.to_string()),
            ("last-modified", MODIFIED.to_owned()),
            ("x-file-size", size.to_string()),
        ];
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let mut left = VecDeque::new();
        let mut rest = wanted;
        while !rest.is_empty() {
            left.push_back(rest.split_to(rest.len().min(64 * 1024)));
        }
        Ok(Reply {
            status: StatusCode::OK,
            headers,
            body: Body::Stream(Pieces {
                length: Some(length),
                left,
                made: None,
                pace: Pace::AtOnce,
            }),
        })
    }
}

pub fn refusal(status: u16, kind: &str, message: &str, sftp: u32, words: &str) -> (u16, Value) {
    (
        status,
        json!({ "kind": kind, "message": message, "sftp_status": sftp, "server_message": words }),
    )
}

fn not_found() -> (u16, Value) {
    refusal(
        404,
        "not_found",
        "There is no such file or folder.",
        2,
        "No such file",
    )
}

fn json_reply(value: &Value) -> Reply<Pieces> {
    reply(
        200,
        &[("content-type", "application/json")],
        Body::from_bytes(value.to_string()),
    )
}
