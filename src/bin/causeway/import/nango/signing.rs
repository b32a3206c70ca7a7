//! Functions of the catalogue that hash or sign, where this build has the functions of JSONata for it.

use super::super::words::Word;
use super::draft::{Draft, Stage};
use super::interpolation::Piece;
use super::template::Unsaid;

/// The call of a function; `None` for one that is not known.
pub fn call(
    draft: &Draft,
    function: &str,
    argument: &[Piece],
    stage: Stage,
) -> Option<Result<String, Unsaid>> {
    let word = match function {
        "sha256Hex" | "sha256Base64" => Word::Hash,
        "hmacSha1Hex" => Word::Hmac,
        "ed25519Sign" => Word::Sign,
        _ => return None,
    };
    if !draft.words.knows(word) {
        let text = format!("{} for {function}", word.name());
        return Some(Err(Unsaid::Computed(text)));
    }
    let arguments = arguments(function, argument);
    let arguments: Result<Vec<String>, Unsaid> = arguments
        .iter()
        .map(|pieces| draft.expression(pieces, stage))
        .collect();
    Some(arguments.and_then(|arguments| written(function, &arguments)))
}

fn written(function: &str, arguments: &[String]) -> Result<String, Unsaid> {
    match (function, arguments) {
        ("sha256Hex", [text]) => Ok(format!("$hash(\"sha256\", {text}, \"hex\")")),
        ("sha256Base64", [text]) => Ok(format!("$hash(\"sha256\", {text}, \"base64\")")),
        ("hmacSha1Hex", [text, key]) => Ok(format!("$hmac(\"sha1\", {key}, {text}, \"hex\")")),
        ("ed25519Sign", [text, key]) => {
            Ok(format!("$sign(\"ed25519\", {key}, {text}, \"base64\")"))
        }
        _ => Err(Unsaid::Computed(function.to_owned())),
    }
}

/// The arguments of a call: the last comma of its texts is in front of the key.
fn arguments(function: &str, pieces: &[Piece]) -> Vec<Vec<Piece>> {
    let is_one = function.starts_with("sha256");
    let comma = pieces.iter().enumerate().rev().find_map(|(index, piece)| {
        let Piece::Text(text) = piece else {
            return None;
        };
        let (message, key) = text.rsplit_once(',')?;
        Some((index, message.to_owned(), key.trim().to_owned()))
    });
    let Some((index, end, start)) = comma.filter(|_| !is_one) else {
        return vec![pieces.to_vec()];
    };
    let mut message: Vec<Piece> = pieces.iter().take(index).cloned().collect();
    let behind = pieces.iter().skip(index + 1).cloned();
    let mut key = Vec::new();
    for (pieces, text) in [(&mut message, end), (&mut key, start)] {
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
    }
    key.extend(behind);
    vec![message, key]
}
