//! What of an override only the admin token may write: entries that change a host or what signs requests in, and
//! texts that read a secret. Of what an API token wrote, such an entry is refused, and every other text sees the
//! public half of the context and the clear variables only.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::expression::Template;

use super::binding::{Place, digest_of, leaves, remove};
use super::reads::SecretNames;
use super::{overrides, verb_names};

mod kind;
mod position;
mod resolved;

use position::Position;
pub use resolved::{aiming_variables, moved};

/// What the admin token wrote in an override: digests of values, by place.
pub type Trusted = BTreeMap<String, String>;

/// An entry of an override that an API token may not write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// Where it stands in the override.
    pub place: Place,
    /// The digest of its value.
    pub digest: String,
    /// Why, in words that follow the place.
    pub reason: String,
}

/// A layer, over what it changes.
#[derive(Debug, Clone, Copy)]
pub struct Override<'a> {
    /// The configuration below it.
    pub below: &'a Value,
    /// Its entries.
    pub changes: &'a Value,
    /// What the admin token wrote of them.
    pub trusted: &'a Trusted,
    /// The names of the install's secret variables, and of the password fields of every layer below.
    pub secrets: &'a SecretNames,
}

/// A configuration that is trusted, and what was found out of its methods and actions.
struct Settled {
    config: Value,
    units: RefCell<BTreeMap<Place, bool>>,
}

impl Settled {
    /// Taking entries out leaves the objects they stood in.
    fn has_nothing_at(&self, unit: &Place) -> bool {
        let found = unit.find(&self.config);
        found.is_none_or(|found| found.is_object() && leaves(found).is_empty())
    }

    /// Whether a method or action reads a secret; each is looked through once.
    fn reads_secret(&self, unit: Place, secrets: &SecretNames) -> bool {
        let known = self.units.borrow().get(&unit).copied();
        known.unwrap_or_else(|| {
            let found = unit.find(&self.config);
            let reads = found.is_some_and(|unit| secrets.read_by(unit).is_some());
            self.units.borrow_mut().insert(unit, reads);
            reads
        })
    }
}

const HOST: &str =
    "decides where requests go or what signs them in: only the admin token may write it";

/// Whether the file's calls are all there are.
fn is_switched_off(config: &Value) -> bool {
    config.get("custom") == Some(&Value::Bool(false))
}

impl Override<'_> {
    /// The entries that an API token may not write, and did not get from the admin token.
    pub fn reserved(&self) -> Vec<Reserved> {
        let settled = self.settled();
        self.untrusted()
            .filter_map(|(place, value)| {
                let reason = self.reason(&settled, &place, value)?;
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
    pub fn hosts(&self) -> Vec<Place> {
        self.places(|settled, place, value| self.changes_host(settled, place, value))
    }

    /// Those of them, and the calls that the configuration below has switched off.
    fn hosts_and_calls(&self) -> Vec<Place> {
        self.places(|settled, place, value| self.is_admins(settled, place, value))
    }

    /// The configuration with what of the layer counts: an entry that its writer may not write changes nothing.
    pub fn resolved(&self) -> Value {
        let mut counting = self.changes.clone();
        for place in self.hosts_and_calls() {
            remove(&mut counting, &place);
        }
        overrides::effective(self.below, &counting, &Value::Null)
    }

    fn places(&self, is_wanted: impl Fn(&Settled, &Place, &Value) -> bool) -> Vec<Place> {
        let settled = self.settled();
        let entries = self.untrusted();
        entries
            .filter(|(place, value)| is_wanted(&settled, place, value))
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
        let settled = self.settled();
        if is_switched_off(&settled.config) {
            self.take_out_calls(&settled, &mut guarded);
        }
        guarded
    }

    fn take_out_calls(&self, settled: &Settled, guarded: &mut Value) {
        for (place, value) in self.untrusted() {
            let unit = Position::of(&place).unit_of(&place);
            match unit.filter(|unit| settled.has_nothing_at(unit)) {
                Some(unit) => remove(guarded, &unit),
                None if Self::opens_call(settled, &place, value) => remove(guarded, &place),
                None => {}
            }
        }
    }

    /// What of the layer the admin token wrote: all of `patch`, and what was trusted before and is still so.
    pub fn trusted_with(&self, patch: &Value) -> Trusted {
        let written: BTreeSet<Place> = leaves(patch).into_iter().collect();
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
    fn settled(&self) -> Settled {
        let mut trusted = self.changes.clone();
        for (place, _) in self.untrusted() {
            remove(&mut trusted, &place);
        }
        Settled {
            config: overrides::effective(self.below, &trusted, &Value::Null),
            units: RefCell::default(),
        }
    }

    /// The entries that change something and that the admin token did not write.
    fn untrusted(&self) -> impl Iterator<Item = (Place, &Value)> {
        let entries = leaves(self.changes).into_iter();
        entries.filter_map(|place| {
            let value = place.find(self.changes)?;
            let is_variable = place.part(0).ends_with("environment_variables");
            let is_same = place.find(self.below) == Some(value);
            let counts = !is_variable && !is_same && !self.is_trusted(&place, value);
            counts.then_some((place, value))
        })
    }

    fn is_trusted(&self, place: &Place, value: &Value) -> bool {
        let written = self.trusted.get(&place.key());
        written.is_some_and(|digest| *digest == digest_of(value))
    }

    fn reason(&self, settled: &Settled, place: &Place, value: &Value) -> Option<String> {
        if self.is_admins(settled, place, value) {
            return Some(HOST.to_owned());
        }
        let read = self.secrets.read_by(value)?;
        Some(format!(
            "reads `{read}`, which is secret: only the admin token may write it"
        ))
    }

    fn is_admins(&self, settled: &Settled, place: &Place, value: &Value) -> bool {
        self.changes_host(settled, place, value) || Self::opens_call(settled, place, value)
    }

    /// Where `custom` is switched off, the file's calls are all there are. Who may not add one may switch it off, not on.
    fn opens_call(settled: &Settled, place: &Place, value: &Value) -> bool {
        if place.part(0) == "custom" {
            return value != &Value::Bool(false);
        }
        if !is_switched_off(&settled.config) {
            return false;
        }
        let position = Position::of(place);
        match position.unit_of(place) {
            Some(unit) => position.is_sent() && !(value.is_null() && unit == *place),
            None => position.entry().is_some_and(verb_names::may_override),
        }
    }

    fn changes_host(&self, settled: &Settled, place: &Place, value: &Value) -> bool {
        let position = Position::of(place);
        let is_fields = place.0.last().is_some_and(|key| key == "fields");
        position.is_reserved(value)
            || (is_fields && kind::changes_fields(self.below, place, value))
            || holds_reserved(value, place)
            || self.changes_format(place, value)
            || kind::webhook_token_is_seen(&settled.config, place, value)
            || self.moves_secret(settled, place, value)
    }

    /// Another format would read what is there in another way.
    fn changes_format(&self, place: &Place, value: &Value) -> bool {
        let is_format =
            place.0.len() == 3 && place.part(0) == "credentials" && place.part(2) == "format";
        let is_new = place.find(self.below).is_none() && value == place.part(1);
        is_format && !is_new
    }

    /// What a method or an action sends of a secret stays where it goes.
    fn moves_secret(&self, settled: &Settled, place: &Place, value: &Value) -> bool {
        let position = Position::of(place);
        let Some(unit) = position.unit_of(place) else {
            return false;
        };
        if value.is_null() && unit == *place {
            // What is gone sends nothing.
            return false;
        }
        position.is_sent() && settled.reads_secret(unit, self.secrets)
    }
}

/// Whether an array has something in it that would be reserved by itself: a step with a host, a field with dots.
fn holds_reserved(value: &Value, place: &Place) -> bool {
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
                || Position::of(&inner).is_reserved(item)
                || holds_reserved(item, &inner)
        }),
        _ => false,
    }
}

/// Whether an entry is of a kind that an API token may not write, in this file or another version of it.
fn needs_trust(place: &Place, value: &Value) -> bool {
    let position = Position::of(place);
    position.is_reserved(value)
        || holds_reserved(value, place)
        || position.unit_of(place).is_some()
        || place.part(0) == "custom"
        || position.entry().is_some_and(verb_names::may_override)
        || place
            .0
            .last()
            .is_some_and(|key| key == "fields" || key == "format")
        || value.to_string().contains("{{")
}

/// The same value, its placeholders reading public values only.
fn public_texts(value: &Value, place: &Place) -> Value {
    let inner = |key: String| {
        let mut inner = place.clone();
        inner.0.push(key);
        inner
    };
    match value {
        Value::String(text) if Position::of(place).holds_templates() => {
            Value::String(Template::of_public(text))
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            Value::Array(
                items
                    .map(|(index, item)| public_texts(item, &inner(index.to_string())))
                    .collect(),
            )
        }
        Value::Object(entries) => {
            let entries = entries.iter();
            let public =
                entries.map(|(key, item)| (key.clone(), public_texts(item, &inner(key.clone()))));
            Value::Object(public.collect())
        }
        other => other.clone(),
    }
}

fn put(value: &mut Value, place: &Place, new: Value) {
    let target = place
        .0
        .iter()
        .try_fold(value, |value, key| value.get_mut(key));
    if let Some(target) = target {
        *target = new;
    }
}

#[cfg(test)]
mod tests;
