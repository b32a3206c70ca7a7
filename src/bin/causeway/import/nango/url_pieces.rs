//! A URL of the catalogue at its parts: scheme, host, port and the rest.

use super::interpolation::Piece;

/// A URL at its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlPieces {
    pub scheme: Option<String>,
    pub host: Vec<Piece>,
    pub port: Option<Vec<Piece>>,
    pub rest: Vec<Piece>,
}

impl UrlPieces {
    /// A URL that begins with a value has no scheme of its own: the value is scheme and host.
    pub fn of(pieces: &[Piece]) -> Self {
        let (mut queue, mut scheme) = (pieces.to_vec(), None);
        if let Some(Piece::Text(first)) = queue.first_mut()
            && let Some((before, after)) = first.split_once("://")
        {
            scheme = Some(before.to_owned());
            *first = after.to_owned();
        }
        let (mut host, mut port, mut rest) = (Vec::new(), None, Vec::new());
        let mut is_behind = false;
        for piece in queue {
            match piece {
                piece if is_behind => rest.push(piece),
                Piece::Text(text) => {
                    let end = text.find(['/', '?', '#']);
                    let (before, after) = text.split_at(end.unwrap_or(text.len()));
                    add_authority(before, &mut host, &mut port);
                    if end.is_some() {
                        is_behind = true;
                        rest.push(Piece::Text(after.to_owned()));
                    }
                }
                piece => port.as_mut().unwrap_or(&mut host).push(piece),
            }
        }
        Self {
            scheme,
            host,
            port,
            rest,
        }
    }

    /// The value that is the whole host.
    pub fn lone_host(&self) -> Option<&str> {
        match self.host.as_slice() {
            [Piece::Value(path)] if self.port.is_none() => Some(path),
            _ => None,
        }
    }
}

fn add_authority(text: &str, host: &mut Vec<Piece>, port: &mut Option<Vec<Piece>>) {
    let (before, after) = match text.split_once(':') {
        Some((before, after)) if port.is_none() => (before, Some(after)),
        _ => (text, None),
    };
    let target = port.as_mut().unwrap_or(host);
    if !before.is_empty() {
        target.push(Piece::Text(before.to_owned()));
    }
    if let Some(after) = after {
        let text = Piece::Text(after.to_owned());
        *port = Some(if after.is_empty() {
            Vec::new()
        } else {
            vec![text]
        });
    }
}
