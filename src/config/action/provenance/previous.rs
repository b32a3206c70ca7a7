//! The value that steps hand on.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::expression::effort;

use super::{AN_ENTRY, Provenance};

/// The value that a step gets from the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// The provenance of the whole.
    pub(super) provenance: Provenance,
    /// The provenance of its keys, where these are known; a key that is not among them has no value.
    pub(super) keys: Option<Rc<BTreeMap<String, Provenance>>>,
    /// The keys of the context that it can hold copies of; `None` where these can be any, or where it also holds a caller's value.
    pub(super) reads: Option<Rc<BTreeSet<String>>>,
}

impl Previous {
    /// A value of which nothing more is known.
    pub fn of(provenance: Provenance) -> Self {
        Self {
            provenance,
            keys: None,
            reads: (provenance != Provenance::Context).then(Rc::default),
        }
    }

    /// What a login gives to the steps that exchange its code. The provider gave the code; what else came with the callback
    /// is the choice of the customer's browser.
    pub fn of_callback() -> Self {
        let known = ["code", "redirect_uri", "code_verifier", "state"];
        let known = known.map(|key| (key.to_owned(), Provenance::Provider));
        let callback = ("callback".to_owned(), Provenance::Caller);
        Self {
            keys: Some(Rc::new(known.into_iter().chain([callback]).collect())),
            ..Self::of(Provenance::Caller)
        }
    }

    /// The provenance of the whole.
    pub fn provenance(&self) -> Provenance {
        self.provenance
    }

    /// The provenance of what these keys hold together.
    pub fn provenance_of<'k>(&self, keys: impl IntoIterator<Item = &'k str>) -> Provenance {
        let mut keys = keys.into_iter();
        match &self.keys {
            Some(own) => {
                let provenances = keys.filter_map(|key| own.get(key));
                provenances.copied().max().unwrap_or(Provenance::Provider)
            }
            None if keys.next().is_none() => Provenance::Provider,
            None => self.provenance,
        }
    }

    /// Whether it can hold a copy of what one of these keys of the context holds.
    pub fn can_copy(&self, mut is_one: impl FnMut(&str) -> bool) -> bool {
        let reads = self.reads.as_ref();
        reads.is_none_or(|reads| reads.iter().any(|key| is_one(key)))
    }

    /// Either this value or another one.
    #[must_use]
    pub fn or(&self, other: Self) -> Self {
        if *self == other {
            return other;
        }
        let size = |one: &Self| one.keys.as_ref().map_or(0, |keys| keys.len());
        let entries = 1 + size(self) + size(&other);
        if effort::take(AN_ENTRY.saturating_mul(entries as u64)).is_err() {
            return Self::of(Provenance::Context);
        }
        let provenances = [self.provenance, other.provenance];
        let is_mixed =
            provenances.contains(&Provenance::Caller) && provenances.contains(&Provenance::Context);
        let keys = self.keys.as_ref().zip(other.keys).map(|(own, others)| {
            let mut keys = BTreeMap::clone(own);
            for (key, provenance) in others.iter() {
                let own = keys.entry(key.clone()).or_insert(*provenance);
                *own = (*own).max(*provenance);
            }
            Rc::new(keys)
        });
        let reads = self.reads.as_ref().zip(other.reads);
        let reads = reads.filter(|_| !is_mixed).map(|(own, others)| {
            let all = own.iter().chain(others.iter());
            Rc::new(all.cloned().collect())
        });
        Self {
            provenance: self.provenance.max(other.provenance),
            keys,
            reads,
        }
    }
}
