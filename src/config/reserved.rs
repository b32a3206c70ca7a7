//! What of an override only the admin token may write: entries that change a host or what signs requests in, and
//! texts that read a secret. Of what an API token wrote, such an entry is refused, and every other text sees the
//! public half of the context and the clear variables only.
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::binding::{FilePlace, digest_of, leaves, remove};
use super::reads::SecretNames;
use super::{method_override, overrides};

mod kind;
mod position;
mod public;
mod resolved;
mod trusted_config;

use position::EntryPosition;
use public::{public_texts, put};
pub use resolved::{aiming_variables, moved};
use trusted_config::{TrustedConfig, is_switched_off};

/// What the admin token wrote in an override: digests of values, by place.
pub type Trusted = BTreeMap<String, String>;

/// An entry of an override that an API token may not write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// Its place in the override.
    pub place: FilePlace,
    /// The digest of its value.
    pub digest: String,
    /// Why, in words that follow the place.
    pub reason: String,
}

/// A layer, over what it changes.
#[derive(Debug, Clone, Copy)]
pub struct OverrideLayer<'a> {
    /// The configuration below it.
    pub below: &'a Value,
    /// Its entries.
    pub changes: &'a Value,
    /// What the admin token wrote of them.
    pub trusted: &'a Trusted,
    /// The names of the install's secret variables, and of the password fields of every layer below.
    pub secrets: &'a SecretNames,
}

const HOST: &str =
    "decides where requests go or what signs them in: only the admin token may write it";

impl OverrideLayer<'_> {
    /// The entries that an API token may not write, and did not get from the admin token.
    pub fn reserved(&self) -> Vec<Reserved> {
        let trusted_config = self.trusted_config();
        self.untrusted()
            .filter_map(|(place, value)| {
                let reason = self.reason(&trusted_config, &place, value)?;
                let digest = digest_of(value);
                Some(Reserved {
                    place,
                    digest,
                    reason,
                })
            })
            .collect()
    }

    /// Those of them that change a host, or what signs requests in.
    pub fn hosts(&self) -> Vec<FilePlace> {
        self.places(|trusted_config, place, value| self.changes_host(trusted_config, place, value))
    }

    /// Those of them, and the calls that the configuration below has switched off.
    fn hosts_and_calls(&self) -> Vec<FilePlace> {
        self.places(|trusted_config, place, value| self.is_admins(trusted_config, place, value))
    }

    /// The configuration with what of the layer counts: an entry that its writer may not write changes nothing.
    pub fn resolved(&self) -> Value {
        let mut counting = self.changes.clone();
        for place in self.hosts_and_calls() {
            remove(&mut counting, &place);
        }
        overrides::effective(self.below, &counting, &Value::Null)
    }

    fn places(
        &self,
        is_wanted: impl Fn(&TrustedConfig, &FilePlace, &Value) -> bool,
    ) -> Vec<FilePlace> {
        let trusted_config = self.trusted_config();
        let entries = self.untrusted();
        entries
            .filter(|(place, value)| is_wanted(&trusted_config, place, value))
            .map(|(place, _)| place)
            .collect()
    }

    /// The layer with every text that is not trusted reading public values only, and without calls that the configuration
    /// below has switched off.
    pub fn guarded(&self) -> Value {
        let mut guarded = self.changes.clone();
        for (place, value) in self.untrusted() {
            let public = public_texts(value, &place);
            put(&mut guarded, &place, public);
        }
        let trusted_config = self.trusted_config();
        if is_switched_off(&trusted_config.config) {
            self.take_out_calls(&trusted_config, &mut guarded);
        }
        guarded
    }

    fn take_out_calls(&self, trusted_config: &TrustedConfig, guarded: &mut Value) {
        for (place, value) in self.untrusted() {
            let unit = EntryPosition::of(&place).unit_of(&place);
            match unit.filter(|unit| trusted_config.has_nothing_at(unit)) {
                Some(unit) => remove(guarded, &unit),
                None if Self::opens_call(trusted_config, &place, value) => remove(guarded, &place),
                None => {}
            }
        }
    }

    /// What of the layer the admin token wrote: all of `patch`, and what was trusted before and is still so.
    pub fn trusted_with(&self, patch: &Value) -> Trusted {
        let written: BTreeSet<FilePlace> = leaves(patch).into_iter().collect();
        let entries = leaves(self.changes).into_iter();
        entries
            .filter_map(|place| {
                let value = place.find(self.changes)?;
                let is_written = written.contains(&place) && needs_trust(&place, value);
                let counts = is_written || self.is_trusted(&place, value);
                counts.then(|| (place.key(), digest_of(value)))
            })
            .collect()
    }

    /// The configuration below with what the admin token wrote in this layer.
    fn trusted_config(&self) -> TrustedConfig {
        let mut trusted = self.changes.clone();
        for (place, _) in self.untrusted() {
            remove(&mut trusted, &place);
        }
        TrustedConfig::new(overrides::effective(self.below, &trusted, &Value::Null))
    }

    /// The entries that change something and that the admin token did not write.
    fn untrusted(&self) -> impl Iterator<Item = (FilePlace, &Value)> {
        let entries = leaves(self.changes).into_iter();
        entries.filter_map(|place| {
            let value = place.find(self.changes)?;
            let is_variable = place.part(0).ends_with("environment_variables");
            let is_same = place.find(self.below) == Some(value);
            let counts = !is_variable && !is_same && !self.is_trusted(&place, value);
            counts.then_some((place, value))
        })
    }

    fn is_trusted(&self, place: &FilePlace, value: &Value) -> bool {
        let written = self.trusted.get(&place.key());
        written.is_some_and(|digest| *digest == digest_of(value))
    }

    fn reason(
        &self,
        trusted_config: &TrustedConfig,
        place: &FilePlace,
        value: &Value,
    ) -> Option<String> {
        if self.is_admins(trusted_config, place, value) {
            return Some(HOST.to_owned());
        }
        let read = self.secrets.read_by(value)?;
        Some(format!(
            "reads `{read}`, which is secret: only the admin token may write it"
        ))
    }

    fn is_admins(&self, trusted_config: &TrustedConfig, place: &FilePlace, value: &Value) -> bool {
        self.changes_host(trusted_config, place, value)
            || Self::opens_call(trusted_config, place, value)
    }

    /// Where `custom` is switched off, the file's calls are all there are. Who may not add one may switch it off, not on.
    fn opens_call(trusted_config: &TrustedConfig, place: &FilePlace, value: &Value) -> bool {
        if place.part(0) == "custom" {
            return value != &Value::Bool(false);
        }
        if !is_switched_off(&trusted_config.config) {
            return false;
        }
        let position = EntryPosition::of(place);
        match position.unit_of(place) {
            Some(unit) => position.is_sent() && !(value.is_null() && unit == *place),
            None => position.entry().is_some_and(method_override::may_override),
        }
    }

    fn changes_host(
        &self,
        trusted_config: &TrustedConfig,
        place: &FilePlace,
        value: &Value,
    ) -> bool {
        let position = EntryPosition::of(place);
        let is_fields = place.0.last().is_some_and(|key| key == "fields");
        position.is_reserved(value)
            || (is_fields && kind::changes_fields(self.below, place, value))
            || holds_reserved(value, place)
            || self.changes_format(place, value)
            || kind::webhook_token_is_seen(&trusted_config.config, place, value)
            || self.moves_secret(trusted_config, place, value)
    }

    /// Another format would read what is there in another way.
    fn changes_format(&self, place: &FilePlace, value: &Value) -> bool {
        let is_format =
            place.0.len() == 3 && place.part(0) == "credentials" && place.part(2) == "format";
        let is_new = place.find(self.below).is_none() && value == place.part(1);
        is_format && !is_new
    }

    /// What a method or an action sends of a secret stays where it goes.
    fn moves_secret(
        &self,
        trusted_config: &TrustedConfig,
        place: &FilePlace,
        value: &Value,
    ) -> bool {
        let position = EntryPosition::of(place);
        let Some(unit) = position.unit_of(place) else {
            return false;
        };
        if value.is_null() && unit == *place {
            // What is gone sends nothing.
            return false;
        }
        position.is_sent() && trusted_config.reads_secret(unit, self.secrets)
    }
}

/// Whether an array has something in it that would be reserved by itself: a step with a host, a field with dots.
fn holds_reserved(value: &Value, place: &FilePlace) -> bool {
    match value {
        Value::Array(items) => items.iter().enumerate().any(|(index, item)| {
            let mut inner = place.clone();
            inner.0.push(index.to_string());
            holds_reserved(item, &inner)
        }),
        Value::Object(entries) => entries.iter().any(|(key, item)| {
            let mut inner = place.clone();
            inner.0.push(key.clone());
            (key == "allow_dots" && item == &Value::Bool(true))
                || EntryPosition::of(&inner).is_reserved(item)
                || holds_reserved(item, &inner)
        }),
        _ => false,
    }
}

/// Whether an entry is of a kind that an API token may not write, in this file or another version of it.
fn needs_trust(place: &FilePlace, value: &Value) -> bool {
    let position = EntryPosition::of(place);
    position.is_reserved(value)
        || holds_reserved(value, place)
        || position.unit_of(place).is_some()
        || place.part(0) == "custom"
        || position.entry().is_some_and(method_override::may_override)
        || place
            .0
            .last()
            .is_some_and(|key| key == "fields" || key == "format")
        || value.to_string().contains("{{")
}

#[cfg(test)]
mod tests;
