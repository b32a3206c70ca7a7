//! The effect of a write by an API token: the resolved configuration before and after it. An entry that is removed, or
//! reset to what a layer below says, changes as much as one that is written.

use serde_json::Value;

use crate::config::Config;
use crate::config::binding::{FilePlace, digest_of};
use crate::config::reads::SecretNames;
use crate::json::Path;

use super::position::EntryPosition;
use super::{HOST, OverrideLayer, Reserved, Trusted, holds_reserved, kind};

/// The root of the install's variables.
const VARIABLES: &str = "environment_variables";

/// The entries of two resolved configurations that differ and that only the admin token may change. `secrets` are names
/// of the later one.
pub fn moved(before: &Value, after: &Value, secrets: &SecretNames) -> Vec<Reserved> {
    let nothing = Trusted::new();
    let over = |below, changes| OverrideLayer {
        below,
        changes,
        trusted: &nothing,
        secrets,
    };
    let written = over(before, after).hosts_and_calls().into_iter();
    let backwards = over(after, before);
    let trusted_config = over(before, before).trusted_config();
    let gone = backwards.untrusted().filter(|(place, value)| {
        let is_gone = place.find(after).is_none() && !is_part_of_nothing(place, after);
        is_gone
            && (place.part(0) == "custom"
                || leaves_gap(place, before, value)
                || backwards.moves_secret(&trusted_config, place, value)
                || OverrideLayer::opens_call(&trusted_config, place, value))
    });
    let places = written.chain(gone.map(|(place, _)| place));
    places
        .map(|place| {
            let value = place.find(after).unwrap_or(&Value::Null);
            Reserved {
                digest: digest_of(value),
                reason: HOST.to_owned(),
                place,
            }
        })
        .collect()
}

/// What it belongs to is gone as a whole: that sends nothing and lets nothing in.
fn is_part_of_nothing(place: &FilePlace, after: &Value) -> bool {
    let whole = EntryPosition::of(place)
        .unit_of(place)
        .or_else(|| match place.part(0) {
            "credentials" => place.0.get(..2).map(|keys| FilePlace(keys.to_vec())),
            "webhook" => place.0.get(..1).map(|keys| FilePlace(keys.to_vec())),
            _ => None,
        });
    whole.is_some_and(|whole| whole.find(after).is_none())
}

/// Whether a host, or how it is signed in to, is decided otherwise where this is missing.
fn leaves_gap(place: &FilePlace, before: &Value, value: &Value) -> bool {
    let is_fields = place.0.last().is_some_and(|key| key == "fields");
    EntryPosition::of(place).is_reserved_gone()
        || holds_reserved(value, place)
        || (is_fields && kind::changes_fields(before, place, &Value::Null))
}

/// The variables by whose change a URL of this configuration would lead to another host. Both are the values of variables,
/// clear and secret ones.
pub fn aiming_variables(config: &Config, before: &Value, after: &Value) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (_, url) in config.urls() {
        let paths = url.origin_paths().into_iter();
        let variables = paths.filter(|path| path.first() == Some(VARIABLES));
        let changed = variables.filter(|path| value_of(path, before) != value_of(path, after));
        names.extend(changed.filter_map(|path| path.parts().get(1).cloned()));
    }
    names.sort();
    names.dedup();
    names
}

/// As a placeholder reads it.
fn value_of<'v>(path: &Path, variables: &'v Value) -> Option<&'v Value> {
    path.lookup_rest(variables)
}
