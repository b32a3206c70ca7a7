//! The parameters of a request: each name once, ours before the file's.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::config::Setting;
use crate::config::credentials::ParamName;
use crate::expression::{RenderError, Rendered, Template, TemplateScope};
use crate::media::percent_encoded;

/// Names with values, in the order they were set. Values are secret, so there is no `Debug`.
#[derive(Default)]
pub(super) struct Parameters(Vec<(String, Value)>);

impl Parameters {
    /// Sets a parameter, replacing one of the same name.
    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.0.iter_mut().find(|(own, _)| own == name) {
            Some((_, own)) => *own = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Gives parameters the names of the file, and leaves out those that are switched off. `names` are those of one request.
    pub(super) fn rename(&mut self, names: &[ParamName<'_>]) {
        let of = |key: &str| names.iter().find(|name| name.standard == key);
        let is_off = |name: &ParamName| name.is_droppable && *name.own == Setting::Off;
        self.0.retain(|(key, _)| !of(key).is_some_and(is_off));
        for (key, _) in &mut self.0 {
            if let Some(own) = of(key).and_then(|name| name.own.set()) {
                key.clone_from(own);
            }
        }
    }

    /// Whether there is one of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }

    /// The text of this name.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(own, _)| own == name)?;
        value.as_str().map(str::to_owned)
    }

    /// Adds the file's own. What is there already and what is `reserved` stays ours.
    pub(super) fn add_extra(
        &mut self,
        extra: &BTreeMap<String, Template>,
        reserved: &[&str],
        scope: &TemplateScope,
    ) -> Result<(), RenderError> {
        for (name, template) in extra {
            if self.has(name) || reserved.contains(&name.as_str()) {
                continue;
            }
            match template.render(scope)? {
                Rendered::Dropped | Rendered::Value(Value::Null) => {}
                Rendered::Value(value) => self.0.push((name.clone(), value)),
            }
        }
        Ok(())
    }

    /// As `application/x-www-form-urlencoded` (WHATWG URL §5).
    pub(super) fn form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.0 {
            form.append_pair(name, &text(value));
        }
        form.finish()
    }

    /// As a JSON object.
    pub(super) fn json(self) -> String {
        Value::Object(self.0.into_iter().collect::<Map<_, _>>()).to_string()
    }

    /// As pieces of a query.
    pub(super) fn query(&self) -> impl Iterator<Item = String> {
        let encode = |text: &str| percent_encoded(text.as_bytes());
        self.0
            .iter()
            .map(move |(name, value)| format!("{}={}", encode(name), encode(&text(value))))
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
