//! The items of an array and the entries of an object.

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess};
use serde_json::{Error, Map, Value};

use super::Place;
use super::part::Part;
use super::variant::Name;

pub(super) struct Items<'v, 'p> {
    pub(super) of: Part<'v, 'p>,
    pub(super) all: &'v [Value],
    pub(super) next: usize,
}

impl Items<'_, '_> {
    pub(super) fn end(&self) -> Result<(), Error> {
        if self.next >= self.all.len() {
            return Ok(());
        }
        Err(Error::invalid_length(
            self.all.len(),
            &"fewer elements in array",
        ))
    }
}

impl<'v> SeqAccess<'v> for Items<'v, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'v>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some(item) = self.all.get(self.next) else {
            return Ok(None);
        };
        let place = Place::Index(&self.of.place, self.next);
        self.next += 1;
        self.of.part(item, place, seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.all.len().saturating_sub(self.next))
    }
}

pub(super) struct Entries<'v, 'p> {
    pub(super) of: Part<'v, 'p>,
    pub(super) remaining: serde_json::map::Iter<'v>,
    /// The entry whose key is read and whose value is next.
    pub(super) current: Option<(&'v String, &'v Value)>,
}

impl Entries<'_, '_> {
    pub(super) fn end(mut self, all: &Map<String, Value>) -> Result<(), Error> {
        match self.remaining.next() {
            None => Ok(()),
            Some(_) => Err(Error::invalid_length(all.len(), &"fewer elements in map")),
        }
    }
}

impl<'v> MapAccess<'v> for Entries<'v, '_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'v>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.current = self.remaining.next();
        let Some((key, _)) = self.current else {
            return Ok(None);
        };
        let read = seed.deserialize(Name(key));
        read.map(Some)
            .inspect_err(|_| Place::Key(&self.of.place, key).note(self.of.found))
    }

    fn next_value_seed<S: DeserializeSeed<'v>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((key, value)) = self.current.take() else {
            return Err(Error::custom("a value without a key"));
        };
        self.of.part(value, Place::Key(&self.of.place, key), seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.remaining.len())
    }
}
