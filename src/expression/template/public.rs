//! Writing a template again so that it sees no secrets: `{{team}}` becomes `{{public_context.team}}`.

use crate::expression::placeholder::PlaceholderError;
use crate::expression::scope::TEMPLATE_ROOTS;
use crate::json::{Path, PathError};

use super::tokens;

/// The text with every path reading a public root.
pub(super) fn of(source: &str) -> Result<String, PlaceholderError> {
    let (mut text, mut rest) = (String::new(), source);
    while let Some((before, after)) = rest.split_once("}}") {
        match tokens::token(before) {
            Some((literal, inner)) => text.extend([literal, "{{", &placeholder(inner)?, "}}"]),
            None => text.extend([before, "}}"]),
        }
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn placeholder(inner: &str) -> Result<String, PathError> {
    let (paths, default) = match inner.split_once("?:") {
        Some((paths, default)) => (paths, Some(default)),
        None => (inner, None),
    };
    let alternatives = paths.split('|').map(|alternative| {
        let (path, casts) = match alternative.split_once(':') {
            Some((path, casts)) => (path, Some(casts)),
            None => (alternative, None),
        };
        let casts = casts.map(|casts| format!(":{casts}")).unwrap_or_default();
        Ok(format!("{}{casts}", public(&path.parse()?)))
    });
    let alternatives = alternatives
        .collect::<Result<Vec<_>, PathError>>()?
        .join("|");
    Ok(match default {
        Some(default) => format!("{alternatives}?:{default}"),
        None => alternatives,
    })
}

fn public(path: &Path) -> String {
    let (root, parts) = match path.first() {
        Some("context" | "credentials") => ("public_context", path.parts().get(1..)),
        Some("environment_variables") => ("public_variables", path.parts().get(1..)),
        Some(root) if TEMPLATE_ROOTS.contains(&root) => return path.to_string(),
        _ => ("public_context", Some(path.parts())),
    };
    let parts = parts.unwrap_or_default();
    let parts = parts.iter().map(String::as_str);
    let all: Vec<&str> = std::iter::once(root).chain(parts).collect();
    all.join(".")
}

#[cfg(test)]
mod tests {
    use crate::expression::Template;

    #[test]
    fn every_path_reads_a_public_root_and_the_rest_stays() {
        for (source, public) in [
            ("plain }} text {{", "plain }} text {{"),
            ("a{{team}}b", "a{{public_context.team}}b"),
            ("{{context}}", "{{public_context}}"),
            (
                "{{ credentials.a . b :json}}",
                "{{public_context.a.b:json}}",
            ),
            ("{{environment_variables}}", "{{public_variables}}"),
            (
                "{{a|environment_variables.b:int|query.c?:x|y:str}}",
                "{{public_context.a|public_variables.b:int|query.c?:x|y:str}}",
            ),
            (
                "{{id}}{{body.x:undefined}}{{pagination.p}}",
                "{{id}}{{body.x:undefined}}{{pagination.p}}",
            ),
            ("{{ {{team}}", "{{ {{public_context.team}}"),
            ("{{a..b}}", "{{a..b}}"),
        ] {
            assert_eq!(Template::of_public(source), public, "{source}");
            assert_eq!(Template::of_public(public), public, "{public}");
        }
    }
}
