//! The words of the integration file that a conversion needs and that a version of the gateway may not have.
//!
//! This table is the one place that knows them. A word counts as known where the JSON Schema of this build has it, so
//! that a word that is added to the schema turns a loss into a conversion without a change here.

use std::collections::BTreeSet;

use causeway::config::schema::integration_schema;
use causeway::expression::scope::TEMPLATE_ROOTS;
use causeway::expression::{Expression, ExpressionScope, Moment};
use serde_json::Value;

/// A word of the integration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    AnyOf,
    AuthorizeFragment,
    AuthorizeParamNames,
    AwsSigV4,
    CallbackBeforeExchange,
    ClientMetadata,
    CodeParam,
    CredentialsEncoding,
    CustomToken,
    Discover,
    DocsUrl,
    ExpiresInUnit,
    FieldPrefix,
    FieldSuffix,
    FileBody,
    Hash,
    Hmac,
    Jwt,
    NotPattern,
    Oauth1,
    Oauth1Signature,
    PrivateKeyJwt,
    QueryBody,
    RandomParam,
    Registration,
    RetryOn,
    Sign,
    TokenHeaders,
}

/// How this build shows that it has a word.
enum Evidence {
    /// A definition of the JSON Schema contains this key or constant.
    Schema(&'static str, &'static str),
    /// An expression with the function has a result.
    Function(&'static str),
    /// Placeholders may read this root.
    Root(&'static str),
}

/// Each word with its name in the report and its evidence.
const WORDS: &[(Word, &str, Evidence)] = &[
    (Word::AnyOf, "any_of", Evidence::Schema("Step", "any_of")),
    (
        Word::AuthorizeFragment,
        "authorizeFragment",
        Evidence::Schema("OAuth2", "authorizeFragment"),
    ),
    (
        Word::AuthorizeParamNames,
        "authorizeParamNames",
        Evidence::Schema("OAuth2", "authorizeParamNames"),
    ),
    (
        Word::AwsSigV4,
        "aws_sigv4",
        Evidence::Schema("Authorization", "aws_sigv4"),
    ),
    (
        Word::CallbackBeforeExchange,
        "contextFromCallback before the exchange",
        Evidence::Schema("CustomToken", "steps"),
    ),
    (
        Word::ClientMetadata,
        "client.metadataDocument",
        Evidence::Schema("OAuthClient", "metadataDocument"),
    ),
    (
        Word::CodeParam,
        "codeParam",
        Evidence::Schema("OAuth2", "codeParam"),
    ),
    (
        Word::CredentialsEncoding,
        "options.credentialsEncoding",
        Evidence::Schema("OAuthOptions", "credentialsEncoding"),
    ),
    (
        Word::CustomToken,
        "custom_token",
        Evidence::Schema("Credential", "custom_token"),
    ),
    (
        Word::Discover,
        "auth.discover",
        Evidence::Schema("OAuthEndpoints", "discover"),
    ),
    (
        Word::DocsUrl,
        "docs_url",
        Evidence::Schema("Field", "docs_url"),
    ),
    (
        Word::ExpiresInUnit,
        "expires_in_unit",
        Evidence::Schema("OAuth2", "expires_in_unit"),
    ),
    (
        Word::FieldPrefix,
        "prefix",
        Evidence::Schema("Field", "prefix"),
    ),
    (
        Word::FieldSuffix,
        "suffix",
        Evidence::Schema("Field", "suffix"),
    ),
    (
        Word::FileBody,
        "body of the file",
        Evidence::Schema("Config", "body"),
    ),
    (
        Word::Hash,
        "$hash",
        Evidence::Function("$hash(\"sha256\", \"a\", \"hex\")"),
    ),
    (
        Word::Hmac,
        "$hmac",
        Evidence::Function("$hmac(\"sha256\", \"a\", \"b\", \"hex\")"),
    ),
    (Word::Jwt, "jwt", Evidence::Schema("Credential", "jwt")),
    (
        Word::NotPattern,
        "not_pattern",
        Evidence::Schema("Field", "not_pattern"),
    ),
    (
        Word::Oauth1,
        "oauth",
        Evidence::Schema("Credential", "oauth"),
    ),
    (
        Word::Oauth1Signature,
        "oauth1",
        Evidence::Schema("Authorization", "oauth1"),
    ),
    (
        Word::PrivateKeyJwt,
        "private_key_jwt",
        Evidence::Schema("AuthorizationMethod", "private_key_jwt"),
    ),
    (
        Word::QueryBody,
        "bodyFormat query",
        Evidence::Schema("OAuthBodyFormat", "query"),
    ),
    (Word::RandomParam, "{{random}}", Evidence::Root("random")),
    (
        Word::Registration,
        "auth.registrationUrl",
        Evidence::Schema("OAuthEndpoints", "registrationUrl"),
    ),
    (
        Word::RetryOn,
        "rate_limit.retry_on",
        Evidence::Schema("RateLimit", "retry_on"),
    ),
    (
        Word::Sign,
        "$sign",
        // The key is a seed of 32 bytes.
        Evidence::Function(
            "$sign(\"ed25519\", \"abcdefghijklmnopqrstuvwxyz012345\", \"a\", \"hex\")",
        ),
    ),
    (
        Word::TokenHeaders,
        "tokenHeaders",
        Evidence::Schema("OAuth2", "tokenHeaders"),
    ),
];

impl Word {
    /// As it is written in an integration file.
    pub fn name(self) -> &'static str {
        let row = WORDS.iter().find(|row| row.0 == self);
        row.map_or("", |row| row.1)
    }
}

/// The words that this build knows.
#[derive(Debug, Default)]
pub struct Words(BTreeSet<Word>);

impl Words {
    pub fn of_this_build() -> Self {
        let schema = integration_schema();
        let known = WORDS.iter().filter(|row| row.2.holds(&schema));
        Self(known.map(|row| row.0).collect())
    }

    /// No word of the table: what every version has.
    pub fn none() -> Self {
        Self::default()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn knows(&self, word: Word) -> bool {
        self.0.contains(&word)
    }
}

impl Evidence {
    fn holds(&self, schema: &Value) -> bool {
        match self {
            Self::Schema(definition, text) => schema
                .pointer(&format!("/$defs/{definition}"))
                .is_some_and(|definition| has_word(definition, text)),
            Self::Function(source) => is_computed(source),
            Self::Root(root) => TEMPLATE_ROOTS.contains(root),
        }
    }
}

/// Whether an expression has a result: one with a function that is not there parses, and fails.
fn is_computed(source: &str) -> bool {
    let moment = Moment {
        now_ms: 0,
        random: [0; 32],
    };
    let scope = ExpressionScope::response(&Value::Null, &Value::Null, 200);
    let expression = Expression::parse(source);
    expression.is_ok_and(|expression| expression.evaluate(&scope, &moment).is_ok())
}

/// Whether a key of a definition is the word, or a constant below it.
fn has_word(definition: &Value, word: &str) -> bool {
    match definition {
        Value::Object(keys) => {
            let is_constant = keys.get("const").is_some_and(|value| value == word);
            let values = keys.get("enum").and_then(Value::as_array);
            let is_one = values.is_some_and(|values| values.iter().any(|value| value == word));
            is_constant
                || is_one
                || keys
                    .iter()
                    .any(|(key, value)| key == word || has_word(value, word))
        }
        Value::Array(items) => items.iter().any(|item| has_word(item, word)),
        _ => false,
    }
}
