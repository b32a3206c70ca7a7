//! A part of a value as a deserializer of `serde`.

use serde::de::{DeserializeSeed, Deserializer, Error as _, Expected, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

use super::elements::{Entries, Items};
use super::variant::Variant;
use super::{Found, Place};

/// A part of the value, to be read.
#[derive(Clone, Copy)]
pub(super) struct Part<'v, 'p> {
    pub(super) value: &'v Value,
    pub(super) place: Place<'p>,
    pub(super) found: &'p Found,
}

impl<'v> Part<'v, '_> {
    /// Reads a part of this part.
    pub(super) fn part<S: DeserializeSeed<'v>>(
        &self,
        value: &'v Value,
        place: Place<'_>,
        seed: S,
    ) -> Result<S::Value, Error> {
        let part = Part {
            value,
            place,
            found: self.found,
        };
        seed.deserialize(part)
            .inspect_err(|_| place.note(self.found))
    }
}

fn unexpected(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(own) => Unexpected::Bool(*own),
        Value::Number(own) => match (own.as_u64(), own.as_i64(), own.as_f64()) {
            (Some(own), ..) => Unexpected::Unsigned(own),
            (_, Some(own), _) => Unexpected::Signed(own),
            (.., own) => Unexpected::Float(own.unwrap_or_default()),
        },
        Value::String(own) => Unexpected::Str(own),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    }
}

/// What a type asks for by name is that kind of value and nothing else, so that little is compiled for each type. An object
/// is never read from an array.
impl<'v> Part<'v, '_> {
    fn is_not(&self, expected: &dyn Expected) -> Error {
        Error::invalid_type(unexpected(self.value), expected)
    }

    fn truth<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Bool(own) => visitor.visit_bool(*own),
            _ => Err(self.is_not(&visitor)),
        }
    }

    fn number<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        let Value::Number(own) = self.value else {
            return Err(self.is_not(&visitor));
        };
        match (own.as_u64(), own.as_i64(), own.as_f64()) {
            (Some(own), ..) => visitor.visit_u64(own),
            (_, Some(own), _) => visitor.visit_i64(own),
            (.., own) => visitor.visit_f64(own.unwrap_or_default()),
        }
    }

    fn text<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::String(own) => visitor.visit_borrowed_str(own),
            _ => Err(self.is_not(&visitor)),
        }
    }

    fn items<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        let Value::Array(items) = self.value else {
            return Err(self.is_not(&visitor));
        };
        let mut remaining = Items {
            of: self,
            all: items,
            next: 0,
        };
        let read = visitor.visit_seq(&mut remaining)?;
        remaining.end()?;
        Ok(read)
    }

    fn entries<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        let Value::Object(entries) = self.value else {
            return Err(self.is_not(&visitor));
        };
        let mut remaining = Entries {
            of: self,
            remaining: entries.iter(),
            current: None,
        };
        let read = visitor.visit_map(&mut remaining)?;
        remaining.end(entries)?;
        Ok(read)
    }
}

macro_rules! of_kind {
    ($kind:ident: $($name:ident($($extra:ty),*))*) => {$(
        fn $name<V: Visitor<'v>>(self, $(_: $extra,)* visitor: V) -> Result<V::Value, Error> {
            self.$kind(visitor)
        }
    )*};
}

impl<'v> Deserializer<'v> for Part<'v, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(_) => self.truth(visitor),
            Value::Number(_) => self.number(visitor),
            Value::String(_) => self.text(visitor),
            Value::Array(_) => self.items(visitor),
            Value::Object(_) => self.entries(visitor),
        }
    }

    of_kind! { truth: deserialize_bool() }
    of_kind! {
        number: deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_u8() deserialize_u16()
            deserialize_u32() deserialize_u64() deserialize_f32() deserialize_f64()
    }
    of_kind! { text: deserialize_str() deserialize_string() deserialize_identifier() }
    of_kind! {
        items: deserialize_seq() deserialize_tuple(usize) deserialize_tuple_struct(&'static str, usize)
    }
    of_kind! { entries: deserialize_map() deserialize_struct(&'static str, &'static [&'static str]) }

    fn deserialize_option<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'v>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// A name, or an object of one entry: the variant's name and content.
    fn deserialize_enum<V: Visitor<'v>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let (name, content) = match self.value {
            Value::String(name) => (name, None),
            Value::Object(entries) => {
                let mut entries = entries.iter();
                let (Some((name, content)), None) = (entries.next(), entries.next()) else {
                    let wanted = "map with a single key";
                    return Err(Error::invalid_value(Unexpected::Map, &wanted));
                };
                (name, Some(content))
            }
            _ => return Err(self.is_not(&"string or map")),
        };
        visitor.visit_enum(Variant {
            of: self,
            name,
            content,
        })
    }

    fn deserialize_ignored_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { <V: Visitor<'v>> i128 u128 char bytes byte_buf unit unit_struct }
}
