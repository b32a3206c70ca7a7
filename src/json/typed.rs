//! A JSON value as a type, and where in the value a mistake is. One deserializer for values: `serde_json`'s own and
//! `serde_path_to_error` around it were a sixth of the Worker's code, since each is compiled for each type.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Map, Value};

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathStep {
    Key(String),
    Index(usize),
}

/// Why a value is not of a type.
#[derive(Debug)]
pub struct Mistake {
    /// From the value to the innermost part that could not be read.
    pub place: Vec<PathStep>,
    /// Without the place.
    pub error: Error,
}

impl Mistake {
    /// The place as `a.b[0]`; empty for the whole value.
    pub fn path(&self) -> String {
        self.place
            .iter()
            .fold(String::new(), |path, step| match step {
                PathStep::Key(key) if path.is_empty() => key.clone(),
                PathStep::Key(key) => format!("{path}.{key}"),
                PathStep::Index(index) => format!("{path}[{index}]"),
            })
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(out)
    }
}

/// Reads a value as a type.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Mistake> {
    let found = Found::default();
    T::deserialize(At {
        value,
        place: Place::Root,
        found: &found,
    })
    .map_err(|error| Mistake {
        place: found.take().unwrap_or_default(),
        error,
    })
}

/// The place of the first mistake, which is the innermost.
type Found = RefCell<Option<Vec<PathStep>>>;

#[derive(Clone, Copy)]
enum Place<'p> {
    Root,
    Key(&'p Place<'p>, &'p str),
    Index(&'p Place<'p>, usize),
}

impl Place<'_> {
    fn steps(&self) -> Vec<PathStep> {
        let (parent, step) = match self {
            Place::Root => return Vec::new(),
            Place::Key(parent, key) => (parent, PathStep::Key((*key).to_owned())),
            Place::Index(parent, index) => (parent, PathStep::Index(*index)),
        };
        let mut steps = parent.steps();
        steps.push(step);
        steps
    }

    fn note(&self, found: &Found) {
        found.borrow_mut().get_or_insert_with(|| self.steps());
    }
}

/// A part of the value, to be read.
#[derive(Clone, Copy)]
struct At<'v, 'p> {
    value: &'v Value,
    place: Place<'p>,
    found: &'p Found,
}

impl<'v> At<'v, '_> {
    /// Reads a part of this part.
    fn part<S: DeserializeSeed<'v>>(
        &self,
        value: &'v Value,
        place: Place<'_>,
        seed: S,
    ) -> Result<S::Value, Error> {
        let part = At {
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
impl<'v> At<'v, '_> {
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
        let mut rest = Items {
            of: self,
            all: items,
            next: 0,
        };
        let read = visitor.visit_seq(&mut rest)?;
        rest.end()?;
        Ok(read)
    }

    fn entries<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        let Value::Object(entries) = self.value else {
            return Err(self.is_not(&visitor));
        };
        let mut rest = Entries {
            of: self,
            rest: entries.iter(),
            current: None,
        };
        let read = visitor.visit_map(&mut rest)?;
        rest.end(entries)?;
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

impl<'v> Deserializer<'v> for At<'v, '_> {
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

struct Items<'v, 'p> {
    of: At<'v, 'p>,
    all: &'v [Value],
    next: usize,
}

impl Items<'_, '_> {
    fn end(&self) -> Result<(), Error> {
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

struct Entries<'v, 'p> {
    of: At<'v, 'p>,
    rest: serde_json::map::Iter<'v>,
    /// The entry whose key is read and whose value is next.
    current: Option<(&'v String, &'v Value)>,
}

impl Entries<'_, '_> {
    fn end(mut self, all: &Map<String, Value>) -> Result<(), Error> {
        match self.rest.next() {
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
        self.current = self.rest.next();
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
        Some(self.rest.len())
    }
}

/// A key of an object, or the name of a variant.
struct Name<'v>(&'v str);

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

struct Variant<'v, 'p> {
    of: At<'v, 'p>,
    name: &'v str,
    content: Option<&'v Value>,
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::read;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        #[serde(default)]
        count: Option<u8>,
        #[serde(default)]
        many: Vec<Inner>,
        #[serde(default)]
        by_name: BTreeMap<Id, Kind>,
    }

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
    struct Id(String);

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        on: bool,
        #[serde(default)]
        pair: (i32, f64),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Plain,
        Text(String),
        Pair(u8, u8),
        Fields { a: u8 },
    }

    #[test]
    fn a_value_is_read() {
        let value = json!({
            "name": "a", "count": null, "many": [{"on": true, "pair": [-1, 2]}],
            "by_name": {"p": "plain", "n": {"plain": null}, "t": {"text": "x"}, "q": {"pair": [1, 2]}, "f": {"fields": {"a": 1}}},
        });
        let read: Outer = read(&value).unwrap();
        let kinds = [
            ("f", Kind::Fields { a: 1 }),
            ("n", Kind::Plain),
            ("p", Kind::Plain),
            ("q", Kind::Pair(1, 2)),
            ("t", Kind::Text("x".to_owned())),
        ];
        let by_name = kinds
            .into_iter()
            .map(|(name, kind)| (Id(name.to_owned()), kind))
            .collect();
        let many = vec![Inner {
            on: true,
            pair: (-1, 2.0),
        }];
        assert_eq!(
            read,
            Outer {
                name: "a".to_owned(),
                count: None,
                many,
                by_name
            }
        );
    }

    #[test]
    fn a_mistake_has_its_place_and_the_words_of_serde() {
        let cases = [
            ("", json!({})),
            ("name", json!({"name": 1})),
            ("other", json!({"name": "a", "other": 1})),
            ("count", json!({"name": "a", "count": 256})),
            ("count", json!({"name": "a", "count": 1.5})),
            ("many", json!({"name": "a", "many": {}})),
            ("many[1]", json!({"name": "a", "many": [{"on": true}, {}]})),
            ("many[0].on", json!({"name": "a", "many": [{"on": "yes"}]})),
            (
                "many[0].pair",
                json!({"name": "a", "many": [{"on": true, "pair": [1, 2, 3]}]}),
            ),
            (
                "by_name.x",
                json!({"name": "a", "by_name": {"x": "unknown"}}),
            ),
            ("by_name.x", json!({"name": "a", "by_name": {"x": "text"}})),
            (
                "by_name.x",
                json!({"name": "a", "by_name": {"x": {"text": "a", "plain": null}}}),
            ),
            (
                "by_name.x.text",
                json!({"name": "a", "by_name": {"x": {"text": 1}}}),
            ),
            (
                "by_name.x.fields.a",
                json!({"name": "a", "by_name": {"x": {"fields": {"a": -1}}}}),
            ),
        ];
        let found = cases.clone().map(|(_, value)| {
            let mistake = read::<Outer>(&value).unwrap_err();
            (mistake.path(), mistake.to_string())
        });
        let expected = cases.map(|(path, value)| {
            let error = serde_json::from_value::<Outer>(value).unwrap_err();
            (path.to_owned(), error.to_string())
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn an_object_is_not_read_from_an_array() {
        for value in [json!([]), json!(["a", null, [], {}])] {
            let mistake = read::<Outer>(&value).unwrap_err();
            assert_eq!(
                mistake.to_string(),
                "invalid type: sequence, expected struct Outer"
            );
        }
    }
}
