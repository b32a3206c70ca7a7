//! The Model Context Protocol (<https://modelcontextprotocol.io>), as a server over Streamable HTTP: stateless, with one
//! JSON answer for each request. Here are its versions, header fields, messages and answers. Nothing here knows an
//! account or a tool.

pub mod answer;
pub mod head;
pub mod message;
pub mod page;

/// The versions that are spoken, the newest first.
pub const VERSIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// The version of a request that names none (2025-06-18, Streamable HTTP).
const UNNAMED: &str = "2025-03-26";

/// The version that a session has, given what its client asks for: that one, or the newest.
pub fn negotiated(asked: &str) -> &'static str {
    let [newest, ..] = VERSIONS;
    let known = VERSIONS.into_iter().find(|version| *version == asked);
    known.unwrap_or(newest)
}

/// Whether a request may have an array of messages: 2025-06-18 removed this.
pub fn takes_arrays(version: &str) -> bool {
    version <= UNNAMED
}

/// Whether arguments that do not fit their schema are a failed result, which the model reads: since 2025-11-25
/// (SEP-1303). Before, they are an error of JSON-RPC.
pub fn misfits_are_results(version: &str) -> bool {
    version >= "2025-11-25"
}

#[cfg(test)]
mod tests;
