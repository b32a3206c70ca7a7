//! A variant of an enum: its name and its content.

use std::marker::PhantomData;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

use super::Place;
use super::part::Part;

/// A key of an object, or the name of a variant.
pub(super) struct Name<'v>(pub(super) &'v str);

impl<'v> Deserializer<'v> for Name<'v> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'v>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'v>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(BorrowedStrDeserializer::new(self.0))
    }

    forward_to_deserialize_any! {
        <V: Visitor<'v>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

pub(super) struct Variant<'v, 'p> {
    pub(super) of: Part<'v, 'p>,
    pub(super) name: &'v str,
    pub(super) content: Option<&'v Value>,
}

impl<'v> EnumAccess<'v> for Variant<'v, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'v>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        Ok((seed.deserialize(Name(self.name))?, self))
    }
}

impl<'v> Variant<'v, '_> {
    fn content<S: DeserializeSeed<'v>>(&self, kind: &str, seed: S) -> Result<S::Value, Error> {
        let Some(content) = self.content else {
            return Err(Error::invalid_type(Unexpected::UnitVariant, &kind));
        };
        self.of
            .part(content, Place::Key(&self.of.place, self.name), seed)
    }
}

impl<'v> VariantAccess<'v> for Variant<'v, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.content {
            None => Ok(()),
            Some(_) => self.content("unit variant", PhantomData),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'v>>(self, seed: S) -> Result<S::Value, Error> {
        self.content("newtype variant", seed)
    }

    fn tuple_variant<V: Visitor<'v>>(self, _length: usize, visitor: V) -> Result<V::Value, Error> {
        self.content("tuple variant", Visited(visitor))
    }

    fn struct_variant<V: Visitor<'v>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.content("struct variant", Visited(visitor))
    }
}

/// A visitor as a seed.
struct Visited<V>(V);

impl<'v, V: Visitor<'v>> DeserializeSeed<'v> for Visited<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'v>>(self, input: D) -> Result<V::Value, D::Error> {
        input.deserialize_any(self.0)
    }
}
