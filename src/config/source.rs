//! Whose values a template or an expression can be filled with. Everything that asks who may steer what asks
//! here, so that one spelling of a thing is not judged otherwise than another.

use std::collections::BTreeSet;

use crate::expression::scope::context_key;
use crate::expression::{Placeholder, Template};

/// Whose values something is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The account's context: what its customer, its provider or the operator's API put there.
    Account,
    /// The install's variables, secret ones included.
    Variables,
    /// The text of the file itself.
    Literal,
    /// The request that is being made: the caller's values, and what paging computes.
    Call,
}

/// What a template can read, whichever of its alternatives counts in the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources<'t> {
    /// Keys of the account's context.
    pub context: BTreeSet<&'t str>,
    /// Whether it can read the whole context at once.
    pub whole_context: bool,
    /// The first of the install's variables, as a path; the whole root counts, too.
    pub variable: Option<String>,
    /// Texts of the file: around the placeholders, and after `?:`.
    pub literals: Vec<&'t str>,
    /// Whether it reads the caller's values, or what paging computes.
    pub call: bool,
    /// Of those the keys of the body, where it reads nothing else of them.
    pub body: BTreeSet<&'t str>,
    /// Whether it reads more of them than keys of the body.
    pub whole_call: bool,
}

impl<'t> Sources<'t> {
    /// What a template can read. White space around placeholders is no text.
    pub fn of(template: &'t Template) -> Self {
        let mut sources = Self::of_placeholders(template.placeholders());
        let around = template.literals().filter(|text| !text.trim().is_empty());
        sources.literals.extend(around);
        sources
    }

    /// What these placeholders can read.
    pub fn of_placeholders(placeholders: impl Iterator<Item = &'t Placeholder>) -> Self {
        let mut sources = Self::default();
        for placeholder in placeholders {
            sources.add(placeholder);
        }
        sources
    }

    fn add(&mut self, placeholder: &'t Placeholder) {
        for path in placeholder.paths() {
            match (path.first(), context_key(path)) {
                (_, Some(key)) => drop(self.context.insert(key)),
                (Some("context" | "credentials" | "public_context"), None) => {
                    self.whole_context = true;
                }
                (Some("environment_variables" | "public_variables"), _) => {
                    self.variable.get_or_insert_with(|| path.to_string());
                }
                (Some("integration") | None, _) => {}
                (Some(first), None) => {
                    self.call = true;
                    let key = path.parts().get(1).filter(|_| first == "body");
                    self.whole_call |= key.is_none();
                    self.body.extend(key.map(String::as_str));
                }
            }
        }
        let default = placeholder.default_text();
        self.literals
            .extend(default.filter(|text| !text.is_empty()));
    }

    /// The layers that it can take values from.
    pub fn layers(&self) -> BTreeSet<Layer> {
        let account = self.whole_context || !self.context.is_empty();
        let layers = [
            (Layer::Account, account),
            (Layer::Variables, self.variable.is_some()),
            (Layer::Literal, !self.literals.is_empty()),
            (Layer::Call, self.call),
        ];
        let read = layers.into_iter().filter(|(_, is_read)| *is_read);
        read.map(|(layer, _)| layer).collect()
    }

    /// Whether it reads the account or the install's variables: then it is reserved for the file, and no default for
    /// the caller.
    pub fn is_reserved(&self) -> bool {
        let layers = self.layers();
        layers.contains(&Layer::Account) || layers.contains(&Layer::Variables)
    }
}

#[cfg(test)]
mod tests {
    use super::{Layer, Sources};
    use crate::expression::Template;

    #[test]
    fn every_spelling_names_its_layer() {
        use Layer::{Account, Call, Literal, Variables};
        let table: [(&str, &[Layer]); 20] = [
            ("", &[]),
            ("text", &[Literal]),
            ("{{a}}", &[Account]),
            (" {{a}} ", &[Account]),
            ("{{context.a}}", &[Account]),
            ("{{credentials.a.b}}", &[Account]),
            ("{{context:any}}", &[Account]),
            ("{{access_token}}", &[Account]),
            ("{{public_context}}", &[Account]),
            ("{{public_context.a}}", &[Account]),
            ("{{public_variables.a}}", &[Variables]),
            ("{{oauth.token.access_token}}", &[Account]),
            ("{{environment_variables.a}}", &[Variables]),
            ("{{environment_variables:any}}", &[Variables]),
            ("{{a|environment_variables.b}}", &[Account, Variables]),
            ("{{a?:b}}", &[Account, Literal]),
            ("{{a?:}}", &[Account]),
            ("Bearer {{a:undefined}}", &[Account, Literal]),
            ("{{integration.name}}", &[]),
            ("{{id}}{{query.a}}{{body}}{{pagination.x}}", &[Call]),
        ];
        for (source, expected) in table {
            let template = Template::parse(source).unwrap();
            let layers: Vec<Layer> = Sources::of(&template).layers().into_iter().collect();
            assert_eq!(layers, expected, "{source}");
        }
    }
}
