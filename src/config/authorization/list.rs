//! The authorizations of a request: one, or a list that is applied in order.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Authorization;
use crate::config::{Config, Method};

/// More than any provider asks for; every request costs the work of each.
pub const MOST_AUTHORIZATIONS: usize = 8;

/// At least one authorization. In a list, none is `none`.
#[derive(Debug, Clone)]
pub struct Authorizations {
    all: Vec<Authorization>,
    is_list: bool,
}

impl Authorizations {
    /// All of them, in the order in which they are applied.
    pub fn all(&self) -> &[Authorization] {
        &self.all
    }

    pub(in crate::config) fn all_mut(&mut self) -> &mut [Authorization] {
        &mut self.all
    }

    /// All of them, each with its path below `at`.
    pub fn placed(&self, at: &str) -> impl Iterator<Item = (String, &Authorization)> {
        self.all.iter().enumerate().map(move |(index, one)| {
            let place = if self.is_list {
                format!("{at}[{index}]")
            } else {
                at.to_owned()
            };
            (place, one)
        })
    }
}

impl Config {
    /// How requests of this method are authenticated: by its own entry, or the file's. Empty where they are not.
    pub fn authorizations_of<'a>(&'a self, method: &'a Method) -> &'a [Authorization] {
        if method.no_auth {
            return &[];
        }
        let own = method.authorization.as_ref();
        own.map_or(self.authorizations(), Authorizations::all)
    }

    /// How the file authenticates requests. Empty where it does not.
    pub fn authorizations(&self) -> &[Authorization] {
        let own = self.authorization.as_ref();
        own.map_or(&[], Authorizations::all)
    }
}

/// An authorization of a list.
struct Listed(Authorization);

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        match Authorization::deserialize(input)? {
            Authorization::None(_) => {
                let text = "`none` adds nothing: it cannot be one authorization of a list";
                Err(D::Error::custom(text))
            }
            other => Ok(Self(other)),
        }
    }
}

struct OneOrList;

impl<'de> Visitor<'de> for OneOrList {
    type Value = Authorizations;

    fn expecting(&self, words: &mut fmt::Formatter) -> fmt::Result {
        words.write_str("an authorization, or a list of authorizations")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Authorizations, A::Error> {
        let only = Authorization::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Authorizations {
            all: vec![only],
            is_list: false,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Authorizations, A::Error> {
        let mut all = Vec::new();
        while let Some(Listed(one)) = list.next_element()? {
            if all.len() == MOST_AUTHORIZATIONS {
                let text = format!("the list has more than {MOST_AUTHORIZATIONS} authorizations");
                return Err(A::Error::custom(text));
            }
            all.push(one);
        }
        if all.is_empty() {
            let text = "the list has no authorization; `none` sends requests as they are";
            return Err(A::Error::custom(text));
        }
        Ok(Authorizations { all, is_list: true })
    }
}

impl<'de> Deserialize<'de> for Authorizations {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(OneOrList)
    }
}

impl JsonSchema for Authorizations {
    fn schema_name() -> Cow<'static, str> {
        "Authorizations".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<Authorization>();
        json_schema!({
            "description": "One authorization, or a list that is applied in order.",
            "anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_AUTHORIZATIONS}]
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Authorizations, MOST_AUTHORIZATIONS};

    fn read(value: Value) -> Result<Authorizations, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_has_at_least_one_authorization_and_an_end() {
        let one = json!({"format": "bearer", "config": {}});
        let list = |count| read(Value::Array(vec![one.clone(); count]));
        assert_eq!(read(one.clone()).unwrap().all().len(), 1);
        let most = list(MOST_AUTHORIZATIONS).unwrap();
        assert_eq!(most.all().len(), MOST_AUTHORIZATIONS);
        assert!(list(MOST_AUTHORIZATIONS + 1).unwrap_err().contains("more"));
        assert!(list(0).unwrap_err().contains("no authorization"));
        let none = json!({"format": "none", "config": {}});
        assert!(read(none.clone()).is_ok());
        assert!(read(json!([none])).unwrap_err().contains("`none`"));
        assert!(read(json!("bearer")).is_err());
    }

    #[test]
    fn each_authorization_of_a_list_has_its_own_place() {
        let one = json!({"format": "bearer", "config": {}});
        let places = |value: Value| -> Vec<String> {
            let read = read(value).unwrap();
            read.placed("a").map(|(at, _)| at).collect()
        };
        assert_eq!(places(one.clone()), ["a"]);
        assert_eq!(places(json!([one])), ["a[0]"]);
        assert_eq!(places(json!([one, one])), ["a[0]", "a[1]"]);
    }
}
