//! Binding the secrets of a record to what they were given for, when it is written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::config::binding::{Bound, FilePlace, Layers, Owner, leaves};
use crate::error::{Code, Complaint, Failure};

/// A file's secrets, bound to the file; 422 where a kept one would go elsewhere. `brought` has those that were sent now.
pub fn file(
    old: Option<(&Value, &Bound)>,
    config: &Value,
    secrets: Value,
    brought: &Value,
) -> Result<Bound, Failure> {
    let (nothing, none) = (Value::Null, Bound::default());
    let unbound = Bound {
        secrets,
        ..Bound::default()
    };
    let layers = |file, file_secrets| Layers {
        file,
        file_secrets,
        install: &nothing,
        install_secrets: &none,
        account: &nothing,
    };
    let kept = old.map(|(config, bound)| layers(config, bound).given_for(Owner::File));
    let kept = without(kept.unwrap_or_default(), brought);
    let bound = layers(config, &unbound).bound(Owner::File, &kept);
    refuse_unbound(&layers(config, &bound).unbound(), "config")?;
    Ok(bound)
}

/// An install's secrets, bound to the file with the override; 422 where this write would lead a secret elsewhere, the
/// file's too. `old` is the install as it was, `new` as it shall be, its secrets not bound yet.
pub fn install(old: &Layers, new: &Layers, brought: &Value) -> Result<Bound, Failure> {
    let kept = without(old.given_for(Owner::Install), brought);
    let bound = new.bound(Owner::Install, &kept);
    let new = Layers {
        install_secrets: &bound,
        ..*new
    };
    refuse_unbound(&newly(&old.unbound(), &new.unbound()), "override")?;
    Ok(bound)
}

/// What is unbound now and was not before: nobody is refused a change for what others did.
pub fn newly(
    before: &BTreeSet<(Owner, FilePlace)>,
    now: &BTreeSet<(Owner, FilePlace)>,
) -> BTreeSet<(Owner, FilePlace)> {
    now.difference(before).cloned().collect()
}

/// 422 that names each secret that would go elsewhere.
pub fn refuse_unbound(unbound: &BTreeSet<(Owner, FilePlace)>, at: &str) -> Result<(), Failure> {
    if unbound.is_empty() {
        return Ok(());
    }
    let complaints = unbound.iter().map(|(_, place)| Complaint {
        path: format!("{at}.{}", place.shown()),
        message: "the change leads this secret elsewhere or uses it in another way: send the secret again beside it".to_owned(),
    });
    Err(host_key(&complaints.collect::<Vec<_>>()))
}

/// 422 `caller.host_key` in these places.
pub fn host_key(complaints: &[Complaint]) -> Failure {
    Failure {
        code: Code::HostKey,
        ..Failure::invalid_in(complaints)
    }
}

fn without(mut kept: BTreeMap<String, String>, brought: &Value) -> BTreeMap<String, String> {
    for place in leaves(brought) {
        if place.find(brought).is_some_and(|value| !value.is_null()) {
            kept.remove(&place.key());
        }
    }
    kept
}
