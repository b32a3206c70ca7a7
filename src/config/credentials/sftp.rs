//! `sftp`: an account on a server whose files are read and written by SFTP (draft-ietf-secsh-filexfer-02, RFC 4251–4254).

use std::borrow::Cow;
use std::fmt;

use data_encoding::BASE64;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::config::{Config, Credential, Field, Finding};
use crate::expression::{Template, UrlTemplate};

/// The port of SSH (RFC 4253, section 4.2).
const DEFAULT_PORT: &str = "22";
/// Algorithms of host keys (RFC 4253, 5656, 8709), without certificates.
const ALGORITHMS: [&str; 5] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
];

/// A login on a server, and the keys by which the server is known.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SftpConfig {
    /// The inputs of the connect form.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// The server's host name or address. A placeholder gives one label, or a whole name where its field says
    /// `allow_dots`; `allowed_hosts` decides where the host is not fixed by its own text.
    pub host: Template,
    /// The server's port; 22 when absent. Where it is a placeholder, `allowed_hosts` decides.
    #[serde(default)]
    pub port: Option<Port>,
    /// The user who logs in.
    pub username: Template,
    /// The user's password. A literal one is write-only.
    #[serde(default)]
    pub password: Option<Template>,
    /// The user's private key: OpenSSH, PKCS #1, PKCS #8 or SEC 1, in PEM. A literal one is write-only.
    #[serde(default)]
    pub private_key: Option<Template>,
    /// What the private key is encrypted with. A literal one is write-only.
    #[serde(default)]
    pub passphrase: Option<Template>,
    /// The server's public keys, `<algorithm> <base64>` each; a value may have several lines. A server that presents
    /// another key gets no credential, and without any line nothing is sent.
    #[serde(default)]
    pub host_keys: Vec<Template>,
    /// The folder that callers see as `/` and cannot leave; the server's root when absent.
    #[serde(default)]
    pub root: Option<Template>,
    /// Host and port as an address, which the rules for hosts read.
    #[serde(skip)]
    address: Option<UrlTemplate>,
}

impl SftpConfig {
    /// Host and port as an address of `https`; `None` where one of them cannot be read.
    pub fn address(&self) -> Option<&UrlTemplate> {
        self.address.as_ref()
    }

    /// What proves the user, each with its key.
    pub fn secrets(&self) -> impl Iterator<Item = (&'static str, &Template)> {
        let all = [
            ("password", &self.password),
            ("private_key", &self.private_key),
            ("passphrase", &self.passphrase),
        ];
        let set = all.into_iter();
        set.filter_map(|(key, template)| Some((key, template.as_ref()?)))
    }

    /// What says whose files they are, or where the login goes, each with its key.
    pub fn subjects(&self) -> impl Iterator<Item = (&'static str, &Template)> {
        let port = self.port.as_ref().map(|port| ("port", &port.0));
        let root = self.root.as_ref().map(|root| ("root", root));
        let all = [("host", &self.host), ("username", &self.username)];
        let host_keys = self.host_keys.iter().map(|line| ("host_keys", line));
        all.into_iter().chain(port).chain(root).chain(host_keys)
    }
}

/// A port: a number, or a text with a placeholder.
#[derive(Debug, Clone)]
pub struct Port(pub Template);

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(PortVisitor)
    }
}

struct PortVisitor;

impl Visitor<'_> for PortVisitor {
    type Value = Port;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a port from 1 to 65535, or a placeholder")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Port, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Port, E> {
        Template::parse(text).map(Port).map_err(E::custom)
    }
}

impl JsonSchema for Port {
    fn schema_name() -> Cow<'static, str> {
        "Port".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 65535},
            {"type": "string", "pattern": r"^([0-9]{1,5}|\{\{.*\}\})$"}
        ]})
    }
}

/// Joins host and port to addresses, once the file is read.
pub(in crate::config) fn complete_addresses(config: &mut Config, findings: &mut Vec<Finding>) {
    for (format, credential) in &mut config.credentials {
        let Credential::Sftp(own) = credential else {
            continue;
        };
        let at = format!("config.credentials.{format}.config");
        match address(own) {
            Ok(address) => own.address = Some(address),
            Err((key, text)) => findings.push(Finding::error(format!("{at}.{key}"), text)),
        }
    }
}

fn address(own: &SftpConfig) -> Result<UrlTemplate, (&'static str, String)> {
    let port = own
        .port
        .as_ref()
        .map_or(DEFAULT_PORT, |port| port.0.source());
    if let Some(port) = &own.port
        && !is_port(&port.0)
    {
        let text = "a port is a number from 1 to 65535, or one placeholder";
        return Err(("port", text.to_owned()));
    }
    if !is_host(&own.host) {
        let text = "a host is a name or an address, without scheme, user, port and path";
        return Err(("host", text.to_owned()));
    }
    let url = UrlTemplate::parse(&format!("https://{}:{port}", own.host.source()));
    url.map_err(|error| ("host", error.to_string()))
}

fn is_port(port: &Template) -> bool {
    let text = port.marked("\0");
    let number = text.parse::<u16>().is_ok_and(|number| number != 0);
    text == "\0" || (number && text.bytes().all(|b| b.is_ascii_digit()))
}

fn is_host(host: &Template) -> bool {
    let text = host.marked("\0");
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '\0');
    let of_address = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match inner {
        Some(address) => !address.is_empty() && address.chars().all(of_address),
        None => !text.is_empty() && text.chars().all(of_name),
    }
}

/// Whether a line is a public key, `<algorithm> <base64> [comment]`, of an algorithm that host keys have.
pub fn is_host_key(line: &str) -> bool {
    let mut parts = line.split_ascii_whitespace();
    let (Some(algorithm), Some(key)) = (parts.next(), parts.next()) else {
        return false;
    };
    if !ALGORITHMS.contains(&algorithm) {
        return false;
    }
    // The key begins with the name of its algorithm (RFC 4253, section 6.6).
    let Ok(key) = BASE64.decode(key.as_bytes()) else {
        return false;
    };
    let Some((length, rest)) = key.split_first_chunk::<4>() else {
        return false;
    };
    let length = u32::from_be_bytes(*length);
    let name = usize::try_from(length).ok().and_then(|end| rest.get(..end));
    name == Some(algorithm.as_bytes()) && rest.len() > algorithm.len()
}

#[cfg(test)]
mod tests {
    use super::{is_host, is_host_key, is_port};
    use crate::expression::Template;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGYPGz1VzeY0SZpPkPsRXVNMvZBGvzBfVfVfkOvGBz4h";

    #[test]
    fn a_host_key_is_a_whole_public_key_line() {
        for line in [KEY.to_owned(), format!("{KEY} host comment")] {
            assert!(is_host_key(&line), "{line}");
        }
        for line in [
            "",
            "ssh-ed25519",
            "SHA256:abc",
            "ssh-ed25519 !!!",
            "ssh-ed25519 AAAA",
            "ssh-ed25519 AAAAB3NzaC1yc2EAAAADAQABAAAB",
            "ssh-ed25519-cert-v01@openssh.com AAAAC3NzaC1lZDI1NTE5AAAAIGYPGz1VzeY0SZpPkPsRXVNMvZBGvzBf",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
        ] {
            assert!(!is_host_key(line), "{line}");
        }
        assert!(!is_host_key(&format!("files.example.com {KEY}")));
    }

    #[test]
    fn a_host_has_no_scheme_port_or_path() {
        let host = |text: &str| is_host(&Template::parse(text).unwrap());
        for text in [
            "a.example.com",
            "{{host}}",
            "{{a}}.example.com",
            "10.0.0.1",
            "[2606:4700::1]",
        ] {
            assert!(host(text), "{text}");
        }
        for text in [
            "",
            "https://a.b",
            "a.b:22",
            "u@a.b",
            "a.b/x",
            "a b",
            "a\\b",
            "[x",
            "a#b",
            "[]",
        ] {
            assert!(!host(text), "{text}");
        }
    }

    #[test]
    fn a_port_is_a_number_or_one_placeholder() {
        let port = |text: &str| is_port(&Template::parse(text).unwrap());
        for text in ["1", "22", "65535", "{{port}}", "{{port?:2222}}"] {
            assert!(port(text), "{text}");
        }
        for text in ["", "0", "65536", "+22", "22 ", "2{{port}}", "ssh"] {
            assert!(!port(text), "{text}");
        }
    }
}
