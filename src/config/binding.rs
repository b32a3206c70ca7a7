//! What a secret is bound to: everything in the resolved configuration that aims or uses it, each use as a digest. A
//! secret is sealed together with them; where it would go to other hosts, or be used in another way than one of these,
//! the secret is not there.
//!
//! A client secret is bound to its credential, a signing secret to the webhook's verification and handshake, a secret
//! variable to every place that reads it, each with the hosts it goes to. What reads a variable that aims is bound to
//! the value of that, too.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::crypto;
use crate::json::{self, typed};

use super::overrides;

mod place;
mod section;
mod uses;

pub use place::{FilePlace, leaves, overrides as is_overridden, remove};
use section::Sections;
use uses::Uses;

/// The secrets of a record, with what each is bound to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// The secrets, in the places they have in the configuration.
    pub secrets: Value,
    /// What each was given for, by place: the hosts and its uses (`Uses`). A secret without one was sealed before there were any: it counts as bound to what its own
    /// record says.
    pub bound_to: BTreeMap<String, String>,
}

impl Bound {
    /// What was sealed: `{secrets, bound_to}`, or the secrets alone.
    pub fn opened(sealed: Value) -> Self {
        match (sealed.get("secrets"), sealed.get("bound_to")) {
            (Some(_), Some(_)) => typed::read(&sealed).unwrap_or_default(),
            _ => Self {
                secrets: sealed,
                bound_to: BTreeMap::new(),
            },
        }
    }

    /// What is to be sealed; null where there is no secret.
    pub fn to_seal(&self) -> Value {
        let has_any = self
            .secrets
            .as_object()
            .is_some_and(|secrets| !secrets.is_empty());
        if has_any { json!(self) } else { Value::Null }
    }
}

/// The owner of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The integration file's: the operator's own.
    File,
    /// The install's.
    Install,
}

/// The layers of a configuration, with the secrets of each.
#[derive(Debug, Clone, Copy)]
pub struct Layers<'a> {
    /// The public half of the file's config.
    pub file: &'a Value,
    /// Its secrets.
    pub file_secrets: &'a Bound,
    /// The public half of the install's override.
    pub install: &'a Value,
    /// Its secrets.
    pub install_secrets: &'a Bound,
    /// The account's override, which holds no secret.
    pub account: &'a Value,
}

impl Layers<'_> {
    /// The configuration that counts, every secret in its place, bound or not.
    pub fn resolved(&self) -> Value {
        let file = joined(self.file, &self.file_secrets.secrets);
        overrides::effective(&file, &self.changes(), self.account)
    }

    /// The install's override, its secrets in their places.
    pub fn changes(&self) -> Value {
        joined(self.install, &self.install_secrets.secrets)
    }

    /// What every secret in force is used for, by what the layers say now.
    fn uses(&self) -> BTreeMap<(Owner, FilePlace), Uses> {
        let places = self.secret_places();
        if places.is_empty() {
            return BTreeMap::new();
        }
        let changes = self.changes();
        let sections = Sections::of(&self.resolved(), &places, &changes);
        let of_file = leaves(&self.file_secrets.secrets).into_iter();
        let of_file = of_file
            .filter(|place| !is_overridden(&changes, place))
            .map(|place| (Owner::File, place));
        let of_install = leaves(&self.install_secrets.secrets).into_iter();
        let of_install = of_install.map(|place| (Owner::Install, place));
        of_file
            .chain(of_install)
            .filter(|(_, place)| place.is_variable() || !is_overridden(self.account, place))
            .map(|(owner, place)| {
                let uses = sections.uses(&place);
                ((owner, place), uses)
            })
            .collect()
    }

    /// The secrets in force that are bound to something else than what the layers say now.
    pub fn unbound(&self) -> BTreeSet<(Owner, FilePlace)> {
        let given = self.own_digests();
        let now = self.uses().into_iter();
        now.filter(|(secret, uses)| !given.get(secret).is_some_and(|given| uses.are_in(given)))
            .map(|(secret, _)| secret)
            .collect()
    }

    /// What the secrets of `owner` were given for, by place.
    pub fn given_for(&self, owner: Owner) -> BTreeMap<String, String> {
        let own = self.own_digests().into_iter();
        own.filter(|((of, _), _)| *of == owner)
            .map(|((_, place), digest)| (place.key(), digest))
            .collect()
    }

    /// What each secret was given for: as it was sealed, else as its own record says.
    fn own_digests(&self) -> BTreeMap<(Owner, FilePlace), String> {
        let (nothing, none) = (Value::Null, Bound::default());
        let file = Layers {
            install: &nothing,
            install_secrets: &none,
            account: &nothing,
            ..*self
        };
        let install = Layers {
            account: &nothing,
            ..*self
        };
        let mut own = BTreeMap::new();
        for (owner, layers) in [(Owner::File, file), (Owner::Install, install)] {
            let bound = match owner {
                Owner::File => self.file_secrets,
                Owner::Install => self.install_secrets,
            };
            let is_complete = leaves(&bound.secrets)
                .iter()
                .all(|place| bound.bound_to.contains_key(&place.key()));
            let implied = if is_complete {
                BTreeMap::new()
            } else {
                layers.uses()
            };
            let implied = implied.into_iter().filter(|((own, _), _)| *own == owner);
            own.extend(implied.map(|(secret, uses)| (secret, uses.text())));
            for place in leaves(&bound.secrets) {
                if let Some(digest) = bound.bound_to.get(&place.key()) {
                    own.insert((owner, place), digest.clone());
                }
            }
        }
        own
    }

    /// The secrets of `owner`, bound to what the layers say now, but for `kept`: those keep what they are bound to.
    pub fn bound(&self, owner: Owner, kept: &BTreeMap<String, String>) -> Bound {
        let secrets = match owner {
            Owner::File => &self.file_secrets.secrets,
            Owner::Install => &self.install_secrets.secrets,
        };
        let now = self.uses().into_iter();
        let mut bound_to: BTreeMap<String, String> = now
            .filter(|((own, _), _)| *own == owner)
            .map(|((_, place), uses)| (place.key(), uses.text()))
            .collect();
        for (place, digest) in &mut bound_to {
            if let Some(kept) = kept.get(place) {
                digest.clone_from(kept);
            }
        }
        Bound {
            secrets: secrets.clone(),
            bound_to,
        }
    }

    fn secret_places(&self) -> Vec<FilePlace> {
        let mut places = leaves(&self.file_secrets.secrets);
        places.extend(leaves(&self.install_secrets.secrets));
        places
    }
}

fn joined(public: &Value, secrets: &Value) -> Value {
    let mut whole = public.clone();
    if secrets.is_object() {
        json::merge(&mut whole, secrets);
    }
    whole
}

/// The JSON with sorted keys.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let sorted: BTreeMap<&String, &Value> = entries.iter().collect();
            let sorted = sorted.into_iter();
            let sorted: Map<String, Value> = sorted
                .map(|(key, item)| (key.clone(), canonical(item)))
                .collect();
            Value::Object(sorted)
        }
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        other => other.clone(),
    }
}

/// SHA-256 of the canonical JSON, hex.
pub(super) fn digest_of(value: &Value) -> String {
    crypto::sha256_hex(canonical(value).to_string().as_bytes())
}

#[cfg(test)]
mod tests;
