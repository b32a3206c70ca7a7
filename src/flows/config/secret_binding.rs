//! Binds the secrets of a record to their use when the record is written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::config::binding::{Bound, FilePlace, Layers, Owner, leaves};
use crate::error::{Code, Complaint, Failure};

/// Binds a file's secrets to the file. 422 where a retained secret would be used otherwise. `new_secrets` holds the
/// secrets that were sent now.
pub fn file(
    old: Option<(&Value, &Bound)>,
    config: &Value,
    secrets: Value,
    new_secrets: &Value,
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
    let retained = old.map(|(config, bound)| layers(config, bound).given_for(Owner::File));
    let retained = without_replaced(retained.unwrap_or_default(), new_secrets);
    let bound = layers(config, &unbound).bound(Owner::File, &retained);
    refuse_unbound(&layers(config, &bound).unbound(), "config")?;
    Ok(bound)
}

/// Binds an install's secrets to the file with the override. 422 where this write would change the use of a secret,
/// also of the file's. `old` is the stored install, `new` the changed one with its secrets unbound.
pub fn install(old: &Layers, new: &Layers, new_secrets: &Value) -> Result<Bound, Failure> {
    let retained = without_replaced(old.given_for(Owner::Install), new_secrets);
    let bound = new.bound(Owner::Install, &retained);
    let new = Layers {
        install_secrets: &bound,
        ..*new
    };
    refuse_unbound(&newly_unbound(&old.unbound(), &new.unbound()), "override")?;
    Ok(bound)
}

/// The secrets that are unbound now and were not before: a change is not refused for the changes of others.
pub fn newly_unbound(
    before: &BTreeSet<(Owner, FilePlace)>,
    now: &BTreeSet<(Owner, FilePlace)>,
) -> BTreeSet<(Owner, FilePlace)> {
    now.difference(before).cloned().collect()
}

/// 422 that names each secret whose use would change.
pub fn refuse_unbound(unbound: &BTreeSet<(Owner, FilePlace)>, at: &str) -> Result<(), Failure> {
    if unbound.is_empty() {
        return Ok(());
    }
    let complaints = unbound.iter().map(|(_, place)| Complaint {
        path: format!("{at}.{}", place.shown()),
        message: "the change sends this secret elsewhere or uses it in another way: send the secret again with the change".to_owned(),
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

fn without_replaced(
    mut retained: BTreeMap<String, String>,
    new_secrets: &Value,
) -> BTreeMap<String, String> {
    for place in leaves(new_secrets) {
        if place
            .find(new_secrets)
            .is_some_and(|value| !value.is_null())
        {
            retained.remove(&place.key());
        }
    }
    retained
}
