//! The operator's values in what requests are signed with.

use crate::config::authorization::AwsSigv4;

use super::{Name, OperatorValue, holds_key, value_of};

/// The id of an access key is no secret, and neither are the region and the service.
pub(super) fn of_sigv4(own: &AwsSigv4, at: &str) -> Vec<OperatorValue> {
    let open = [
        ("access_key_id", &own.access_key_id),
        ("region", &own.region),
        ("service", &own.service),
    ];
    let open = open.into_iter();
    let open = open.filter_map(|(key, one)| value_of(&format!("{at}.{key}"), one, || false));
    let secret = [
        ("secret_access_key", Some(&own.secret_access_key)),
        ("session_token", own.session_token.as_ref()),
    ];
    let secret = secret.into_iter().filter_map(|(key, one)| {
        let one = one?;
        let is_key = || holds_key(Name::Credential, one);
        value_of(&format!("{at}.{key}"), one, is_key)
    });
    open.chain(secret).collect()
}
