//! The operator's values in what requests are signed with.

use crate::config::authorization::{AwsSigv4, Oauth1Signature};

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

/// A literal secret of the credential is write-only, so it is none of the file's; `consumer` looks where it goes. Next to a
/// token the credential's client opens nothing by itself.
pub(super) fn of_oauth1(own: &Oauth1Signature, at: &str) -> Vec<OperatorValue> {
    let has_token = own.token.is_some() || own.has_stored_token;
    let consumer = own.consumer.as_ref();
    let consumer = consumer.filter(|_| !(own.inherits_consumer && has_token));
    let open = [
        ("consumer.id", consumer.map(|consumer| &consumer.id)),
        ("realm", own.realm.as_ref()),
    ];
    let secret = [
        (
            "consumer.secret",
            consumer.and_then(|consumer| consumer.secret.as_ref()),
        ),
        ("token", own.token.as_ref()),
        ("token_secret", own.token_secret.as_ref()),
    ];
    let open = open.into_iter().filter_map(|(key, one)| {
        let at = format!("{at}.{key}");
        value_of(&at, one?, || false)
    });
    let secret = secret.into_iter().filter_map(|(key, one)| {
        let one = one?;
        let is_sealed = own.inherits_consumer && key == "consumer.secret";
        let is_key = || !is_sealed && holds_key(Name::Credential, one);
        value_of(&format!("{at}.{key}"), one, is_key)
    });
    open.chain(secret).collect()
}
