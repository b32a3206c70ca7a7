//! Who set a value of an account's context: that decides what the value may steer.
//!
//! What a customer typed may say how their own requests are made. It never says whose events an account gets:
//! for that the provider, or the application by its API, has to have said it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who set a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The application, by its API: an import, a change, new credentials, a link token's own context.
    Operator,
    /// The provider: a token answer, what an action wrote, a signed handshake.
    Provider,
    /// The customer or their browser: the connect form, `/me`, the query of the way back, an unsigned handshake.
    Customer,
}

/// The origin of each top-level key of a context. A key without one was stored before origins were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Who set this key, where that is known.
    pub fn of(&self, key: &str) -> Option<Origin> {
        self.0.get(key).copied()
    }

    /// Notes that `who` set `keys`, which made `after` of `before`.
    pub fn note<'k>(
        &mut self,
        who: Origin,
        keys: impl IntoIterator<Item = &'k str>,
        before: &Value,
        after: &Value,
    ) {
        for key in keys {
            let now = after.get(key).filter(|value| !value.is_null());
            let origin = now.and_then(|now| next(self.of(key), who, before.get(key), now));
            match (origin, now) {
                (Some(origin), _) => drop(self.0.insert(key.to_owned(), origin)),
                (None, None) => drop(self.0.remove(key)),
                (None, Some(_)) => {}
            }
        }
    }

    /// What is not in the context any more has no origin.
    pub fn keep_only(&mut self, context: &Value) {
        self.0.retain(|key, _| context.get(key).is_some());
    }

    /// What the provider said of this key with another credential counts no more than what a customer says.
    pub fn disprove(&mut self, key: &str) {
        if let Some(origin) = self.0.get_mut(key) {
            *origin = disproved(*origin);
        }
    }

    /// The same of every key.
    pub fn disprove_all(&mut self) {
        let all = self.0.values_mut();
        all.for_each(|origin| *origin = disproved(*origin));
    }
}

/// Who set the value, after this write; `None` leaves what is unknown unknown.
fn next(
    present: Option<Origin>,
    who: Origin,
    before: Option<&Value>,
    now: &Value,
) -> Option<Origin> {
    let is_same = before == Some(now);
    let is_part = before.is_some_and(Value::is_object) && now.is_object();
    match (present, who) {
        // Who repeats a value neither lowers nor raises it.
        (present, Origin::Customer) if is_same => present,
        (Some(Origin::Provider), Origin::Operator) if is_same => present,
        // A part of an object is written: the rest of it is still the customer's.
        (Some(Origin::Customer), _) if is_part => present,
        _ => Some(who),
    }
}

fn disproved(origin: Origin) -> Origin {
    match origin {
        Origin::Provider => Origin::Customer,
        Origin::Operator | Origin::Customer => origin,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Origin::{Customer, Operator, Provider};
    use super::*;

    fn noted(
        present: Option<Origin>,
        who: Origin,
        before: &Value,
        after: &Value,
    ) -> Option<Origin> {
        let known = present.map(|origin| ("k".to_owned(), origin));
        let mut origins = Origins(known.into_iter().collect());
        let (before, after) = (json!({ "k": before }), json!({ "k": after }));
        origins.note(who, ["k"], &before, &after);
        origins.of("k")
    }

    #[test]
    fn who_writes_another_value_is_its_origin_and_who_repeats_one_lowers_nothing() {
        let (old, new) = (json!("a"), json!("b"));
        for present in [None, Some(Operator), Some(Provider), Some(Customer)] {
            for who in [Operator, Provider, Customer] {
                assert_eq!(noted(present, who, &old, &new), Some(who));
            }
            assert_eq!(noted(present, Customer, &old, &old), present);
            assert_eq!(noted(present, Provider, &old, &old), Some(Provider));
            let repeated = noted(present, Operator, &old, &old);
            let kept = present == Some(Provider);
            assert_eq!(repeated, Some(if kept { Provider } else { Operator }));
        }
    }

    #[test]
    fn a_part_of_a_customers_object_does_not_raise_the_rest_of_it() {
        let (old, new) = (json!({ "a": 1 }), json!({ "a": 1, "b": 2 }));
        assert_eq!(noted(Some(Customer), Operator, &old, &new), Some(Customer));
        assert_eq!(
            noted(Some(Customer), Provider, &old, &json!("x")),
            Some(Provider)
        );
        assert_eq!(noted(Some(Operator), Customer, &old, &new), Some(Customer));
    }

    #[test]
    fn what_is_removed_has_no_origin_and_comes_back_as_what_it_is_then() {
        for who in [Operator, Provider, Customer] {
            assert_eq!(noted(Some(Provider), who, &json!("a"), &Value::Null), None);
            assert_eq!(noted(None, who, &Value::Null, &json!("a")), Some(who));
        }
    }

    #[test]
    fn another_credential_disproves_what_the_provider_said_and_nothing_else() {
        let all = [("a", Operator), ("b", Provider), ("c", Customer)];
        let known = || {
            Origins(
                all.iter()
                    .map(|(key, who)| ((*key).to_owned(), *who))
                    .collect(),
            )
        };
        let mut origins = known();
        origins.disprove_all();
        let after = all.map(|(key, _)| origins.of(key));
        assert_eq!(after, [Some(Operator), Some(Customer), Some(Customer)]);
        let mut origins = known();
        origins.disprove("b");
        origins.disprove("a");
        origins.disprove("unknown");
        assert_eq!(after, all.map(|(key, _)| origins.of(key)));
        origins.keep_only(&json!({ "a": 1 }));
        assert_eq!((origins.of("a"), origins.of("b")), (Some(Operator), None));
    }
}
