//! The form: what the customer types, from `connection_config`, `credentials` and `assertion_option`.

use serde_json::{Map, Value, json};

use super::super::words::Word;
use super::definition::text;
use super::draft::Draft;
use super::names::{Origin, constant};
use super::patterns;
use super::secrecy::is_secret;

impl Draft<'_> {
    /// All fields of the form. `config` is complete but for them.
    pub fn fields(&mut self) -> Vec<Value> {
        let used = Value::Object(self.config.clone()).to_string();
        let mut fields = Vec::new();
        for origin in Origin::ALL {
            fields.extend(self.declared_fields(origin, &used));
        }
        self.add_defaults(&mut fields, &used);
        self.add_undeclared(&mut fields, &used);
        if self.definition.is_set("webhook_user_defined_secret") && !has(&fields, "webhook_secret")
        {
            fields.push(
                json!({ "name": "webhook_secret", "label": "Webhook secret", "type": "password",
                "help_text": "The secret that the provider signs webhooks with." }),
            );
            self.notes.insert(
                "webhooks: `webhook_secret` is asked for; say in `webhook` how the provider signs"
                    .to_owned(),
            );
        }
        fields
    }

    fn declared_fields(&mut self, origin: Origin, used: &str) -> Vec<Value> {
        let Some(section) = self.definition.object(origin.section()) else {
            return Vec::new();
        };
        let mut declared: Vec<(&String, &Value)> = section.iter().collect();
        declared
            .sort_by_key(|(_, one)| one.get("order").and_then(Value::as_i64).unwrap_or(i64::MAX));
        let mut fields = Vec::new();
        for (key, one) in declared {
            let name = self.names.key(origin, key);
            let is_automated = one.get("automated") == Some(&Value::Bool(true));
            if constant(Some(one)).is_some()
                || self.filled.contains(&name) && !is_read_before(self, &name)
            {
                continue;
            }
            if is_automated && !is_read(used, &name) {
                continue;
            }
            if is_automated && is_only_optional(used, &name) {
                self.lose(format!("automated value: `{name}` is left out"));
                continue;
            }
            if is_automated && !self.defaults.contains_key(&name) {
                self.lose(format!("automated value: `{name}` is typed in"));
            }
            fields.push(self.field(origin, key, &name, one));
        }
        fields
    }

    fn field(&mut self, origin: Origin, key: &str, name: &str, one: &Value) -> Value {
        let mut field = Map::new();
        let mut put = |key: &str, value: Value| drop(field.insert(key.to_owned(), value));
        put("name", json!(name));
        if let Some(title) = text(one.get("title")) {
            put("label", json!(title));
        }
        let is_whole = origin == Origin::Config && self.hosts.whole.contains(key);
        let options = self.options(origin, key, one, is_whole);
        let is_secret = options.is_none() && is_secret(origin, key, one);
        let kind = match (&options, is_secret) {
            (Some(_), _) => "single_select",
            (None, true) => "password",
            (None, false) => "text",
        };
        put("type", json!(kind));
        let has_default = self.defaults.contains_key(name) || one.get("default_value").is_some();
        let is_optional = ["optional", "automated"]
            .iter()
            .any(|key| one.get(*key) == Some(&Value::Bool(true)));
        if !is_optional && !has_default {
            put("required", json!(true));
        }
        if let Some(options) = options {
            put("options", Value::Array(options));
        }
        let default = self.defaults.get(name).cloned();
        let default = default.or_else(|| {
            let text = text(one.get("default_value"))?;
            Some(shown(text, is_whole))
        });
        if let Some(default) = default.filter(|_| !is_secret) {
            put("default", json!(default));
        }
        if origin == Origin::Config && (self.hosts.dotted.contains(key)) {
            put("allow_dots", json!(true));
        }
        if let Some(example) = text(one.get("example")).filter(|example| !example.contains('\n')) {
            put("placeholder", json!(shown(example, is_whole)));
        }
        for (key, value) in self.hints(one, is_whole) {
            field.insert(key.to_owned(), value);
        }
        if kind != "single_select" {
            self.add_rules(&mut field, one, is_whole);
        }
        Value::Object(field)
    }

    fn options(
        &self,
        origin: Origin,
        key: &str,
        one: &Value,
        is_whole: bool,
    ) -> Option<Vec<Value>> {
        let rewrite = self
            .hosts
            .rewrites
            .get(key)
            .filter(|_| origin == Origin::Config);
        if let Some(rewrite) = rewrite {
            let options = super::rewrite::options(one, rewrite).into_iter();
            return Some(
                options
                    .map(|(label, value)| json!({ "label": label, "value": value }))
                    .collect(),
            );
        }
        let values = one
            .get("enum")?
            .as_array()?
            .iter()
            .filter_map(Value::as_str);
        let options =
            values.map(|value| json!({ "label": value, "value": shown(value, is_whole) }));
        Some(options.collect()).filter(|options: &Vec<Value>| !options.is_empty())
    }

    /// What is around a value, and where it is found.
    fn hints(&self, one: &Value, is_whole: bool) -> Vec<(&'static str, Value)> {
        let mut help: Vec<String> = text(one.get("description"))
            .map(str::to_owned)
            .into_iter()
            .collect();
        let mut hints = Vec::new();
        for (key, word) in [("prefix", Word::FieldPrefix), ("suffix", Word::FieldSuffix)] {
            let Some(around) = text(one.get(key)).filter(|_| !is_whole) else {
                continue;
            };
            if self.words.knows(word) {
                hints.push((key, json!(around)));
            } else if key == "prefix" {
                help.push(format!("What follows `{around}`"));
            } else {
                help.push(format!("What is in front of `{around}`"));
            }
        }
        if is_whole {
            help.push("With https:// in front.".to_owned());
        }
        let docs = self
            .definition
            .text("docs_connect")
            .or_else(|| self.definition.text("docs"));
        if let (Some(docs), Some(section)) = (docs, text(one.get("doc_section")))
            && self.words.knows(Word::DocsUrl)
        {
            hints.push(("docs_url", json!(format!("{docs}{section}"))));
        }
        if !help.is_empty() {
            hints.push(("help_text", json!(sentences(&help))));
        }
        hints
    }

    /// What a value must look like.
    fn add_rules(&mut self, field: &mut Map<String, Value>, one: &Value, is_whole: bool) {
        let mut put = |key: &str, value: String| drop(field.insert(key.to_owned(), json!(value)));
        match text(one.get("format")) {
            Some("uri") => put("format", "url".to_owned()),
            Some(format @ ("email" | "uuid")) => put("format", format.to_owned()),
            Some("hostname") if one.get("pattern").is_none() && !is_whole => {
                put("pattern", "^[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*$".to_owned());
            }
            _ => {}
        }
        let Some(pattern) = text(one.get("pattern")) else {
            return;
        };
        let shaped = |pattern: &str| {
            if is_whole && !patterns::has_scheme(pattern) {
                patterns::with_scheme(pattern)
            } else {
                pattern.to_owned()
            }
        };
        if patterns::is_pattern(&shaped(pattern)) {
            put("pattern", shaped(pattern));
            return;
        }
        let Some((kept, excluded)) = patterns::without_exclusion(pattern) else {
            self.lose("pattern: one that no regular expression of this product says");
            return;
        };
        if patterns::is_pattern(&shaped(&kept)) {
            put("pattern", shaped(&kept));
        }
        if self.words.knows(Word::NotPattern) && patterns::is_pattern(&excluded) {
            put("not_pattern", excluded);
        } else {
            self.lack(Word::NotPattern, "values that a field excludes");
        }
    }
}

fn shown(value: &str, is_whole: bool) -> String {
    if is_whole && !value.contains("://") {
        format!("https://{value}")
    } else {
        value.to_owned()
    }
}

/// Whether a field of this name is there.
pub fn has(fields: &[Value], name: &str) -> bool {
    fields
        .iter()
        .any(|field| field.get("name").is_some_and(|own| own == name))
}

/// Whether a template or an expression of the file reads a key of the context.
pub fn is_read(used: &str, name: &str) -> bool {
    [
        format!("{{{{{name}}}}}"),
        format!("{{{{{name}:"),
        format!("{{{{{name}?"),
        format!("context.`{name}`"),
    ]
    .iter()
    .any(|text| used.contains(text.as_str()))
}

/// Whether an entry with this value is left out where there is none.
fn is_only_optional(used: &str, name: &str) -> bool {
    let optional = format!("{{{{{name}:undefined}}}}");
    !is_read(&used.replace(&optional, ""), name)
}

/// Texts that each end with a full stop.
fn sentences(texts: &[String]) -> String {
    let texts = texts.iter().map(|text| {
        let text = text.trim();
        let is_ended = text.ends_with(['.', '!', '?', ':']);
        format!("{text}{}", if is_ended { "" } else { "." })
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// Whether a request before the token reads a value that only the token's answer fills.
fn is_read_before(draft: &Draft, name: &str) -> bool {
    let credentials = draft.config.get("credentials").map(Value::to_string);
    credentials.is_some_and(|text| is_read(&text, name)) && !draft.filled_before.contains(name)
}
