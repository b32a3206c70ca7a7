//! Which context keys steer something: where requests and secrets go, for whom they are, whose webhooks come.
//! Those who may not steer it (a customer with an account token) may not change them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::expression::scope::context_key;
use crate::expression::{PathTemplate, Placeholder, Template, TemplateTree, UrlTemplate};

use super::action::{Action, MethodCall, StepKind};
use super::credentials::{Endpoints, Jwt, OAuth1, OAuth2};
use super::field::{Field, FieldKind, Transform};
use super::secrets::KEYS;
use super::{Authorization, Authorizations, Config, Credential, CustomToken, Method, Webhook};

mod file_reads;

pub(super) use file_reads::for_each_text;

impl Config {
    /// The context keys that say where, and for whom, a credential of this format is used: scheme, host and port of any
    /// URL, the token endpoints' paths, and the parameters a token is asked for with. They change only together with
    /// new credentials.
    pub fn aiming_keys(&self, method: &str) -> BTreeSet<String> {
        let oauth = self.credential(method).and_then(Credential::oauth);
        let of_tokens = oauth.map(token_keys).unwrap_or_default();
        let custom = self.credential(method).and_then(Credential::custom_token);
        let mut of_steps = custom.map(step_keys).unwrap_or_default();
        let signed = self.credential(method).and_then(Credential::jwt);
        let signed = signed.into_iter().flat_map(Jwt::placeholders);
        let signed = signed
            .flat_map(|(_, read)| read)
            .flat_map(Placeholder::paths);
        of_steps.extend(signed.filter_map(context_key).map(str::to_owned));
        let consumer = self.credential(method).and_then(Credential::oauth1);
        of_steps.extend(consumer.map(consumer_keys).unwrap_or_default());
        let server = self.credential(method).and_then(Credential::sftp);
        let user = server.iter().flat_map(|own| own.username.placeholders());
        let user = user.flat_map(Placeholder::paths);
        of_steps.extend(user.filter_map(context_key).map(str::to_owned));
        let secret = self.password_fields();
        of_steps.retain(|key| !secret.contains(key) && !KEYS.contains(&key.as_str()));
        let keys = self.origin_keys().into_iter();
        keys.chain(of_tokens).chain(of_steps).collect()
    }

    /// The context keys that a customer's form, or the query of their way back, fills.
    pub fn typed_keys(&self) -> BTreeSet<String> {
        let fields = self.fields().flat_map(|field| field.filled_keys().cloned());
        let oauths = self.credentials.values().filter_map(Credential::oauth);
        let from_callback = oauths.flat_map(|oauth| oauth.context_from_callback.keys().cloned());
        fields.chain(from_callback).collect()
    }
}

/// Whether what is typed into a field is shown again: it is no secret, and stored as it was typed.
pub fn is_plain(field: &Field) -> bool {
    field.kind != FieldKind::Password
        && !KEYS.contains(&field.name.as_str())
        && field.transform != Some(Transform::Sha256)
}

/// The names of fields that something in the file reads or fills, so that another value of theirs would steer it.
/// `file` is the whole config, all layers merged. What is new in a file counts until it is named here as harmless.
pub fn steered_fields(config: &Config, file: &Value) -> BTreeSet<String> {
    let names = config.fields().map(|field| field.name.as_str()).collect();
    file_reads::steered(names, declared_keys(config), file)
}

/// The keys that the typed config names as steering: hosts, what finds an account, what the provider fills, the client's own keys.
fn declared_keys(config: &Config) -> BTreeSet<String> {
    let mut keys = config.origin_keys();
    // Another choice would fill other keys, too.
    let choices = config
        .fields()
        .filter(|field| field.set_keys().next().is_some());
    keys.extend(choices.map(|field| field.name.clone()));
    for (_, scheme) in config.webhook.iter().flat_map(Webhook::schemes) {
        let Some(field) = &scheme.config.context_lookup_field_name else {
            continue;
        };
        let places = field.match_indices('.');
        keys.extend(places.map(|(at, _)| field.chars().take(at).collect()));
        keys.insert(field.clone());
    }
    for credential in config.credentials.values() {
        keys.extend(credential.granted_keys().cloned());
        if credential.context_from_token().is_some() {
            keys.insert("oauth".to_owned());
        }
    }
    for oauth in config.credentials.values().filter_map(Credential::oauth) {
        keys.extend(oauth.context_from_callback.keys().cloned());
        keys.extend(["oauth", "client_id", "client_secret"].map(str::to_owned));
    }
    keys
}

/// The context keys that a token is asked for with. Every place of an endpoint is named, so that a new one cannot be
/// forgotten.
fn token_keys(oauth: &OAuth2) -> BTreeSet<String> {
    let Endpoints {
        authorize_host,
        authorize_path,
        token_host,
        token_path,
        refresh_path,
        revoke_path,
        introspect_path,
        authorize_url,
        token_url,
        refresh_url,
        issuer,
        issuer_optional: _,
        discover,
        registration_url,
    } = &oauth.auth;
    let urls = [
        authorize_host,
        token_host,
        authorize_url,
        token_url,
        refresh_url,
        discover,
        registration_url,
    ];
    let paths = [
        authorize_path,
        token_path,
        refresh_path,
        revoke_path,
        introspect_path,
    ];
    let parameters = oauth
        .token_params
        .values()
        .chain(oauth.refresh_params.values())
        .chain(oauth.token_headers.values())
        .chain(oauth.also_for.values().flat_map(|own| own.params.values()));
    let also = oauth.also_for.values();
    let also = also.filter_map(|own| own.token_url.as_ref());
    let urls = urls
        .into_iter()
        .flatten()
        .chain(also)
        .flat_map(UrlTemplate::placeholders);
    let paths = paths.into_iter().flatten();
    let paths = paths.flat_map(PathTemplate::placeholders);
    let texts = parameters.chain(issuer).flat_map(Template::placeholders);
    let signed = oauth.jwt.iter().flat_map(Jwt::placeholders);
    let signed = signed.flat_map(|(_, read)| read);
    let read = urls
        .chain(paths)
        .chain(texts)
        .chain(signed)
        .flat_map(Placeholder::paths);
    read.filter_map(context_key).map(str::to_owned).collect()
}

/// The context keys that a sign-in by OAuth 1.0a reads, and that name the client of each request.
fn consumer_keys(oauth: &OAuth1) -> BTreeSet<String> {
    let urls = oauth.endpoints().into_iter().filter_map(|(_, url)| url);
    let urls = urls.flat_map(UrlTemplate::placeholders);
    let consumer = std::iter::once(&oauth.consumer.id).chain(&oauth.consumer.secret);
    let texts = consumer
        .chain(&oauth.realm)
        .flat_map(Template::placeholders);
    let read = urls.chain(texts).flat_map(Placeholder::paths);
    read.filter_map(context_key).map(str::to_owned).collect()
}

/// The context keys that the requests of a custom token read, apart from the token. A new secret is still the secret of
/// the same customer; another user name is not.
fn step_keys(custom: &CustomToken) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (_, step) in custom.actions().flat_map(Action::placed) {
        let read: Vec<&Placeholder> = match &step.kind {
            StepKind::Request(method) => of_request(method),
            StepKind::Call(call) => of_call(call),
            _ => continue,
        };
        let read = read.into_iter().flat_map(Placeholder::paths);
        keys.extend(read.filter_map(context_key).map(str::to_owned));
    }
    keys.retain(|key| !matches!(key.as_str(), "oauth" | "access_token"));
    keys
}

fn of_request(method: &Method) -> Vec<&Placeholder> {
    let entries = method.headers.values().chain(method.query.values());
    let entries = entries.flatten().chain(users_of(method));
    let entries = entries.flat_map(Template::placeholders);
    let body = method.body.iter().flat_map(TemplateTree::placeholders);
    let read = method.path.placeholders().chain(entries).chain(body);
    read.collect()
}

fn of_call(call: &MethodCall) -> Vec<&Placeholder> {
    let entries = call.query.values().flatten().chain(&call.id);
    let entries = entries.flat_map(Template::placeholders);
    let body = call.body.iter().flat_map(TemplateTree::placeholders);
    entries.chain(body).collect()
}

/// The user whom a request's own `authorization` names.
fn users_of(method: &Method) -> impl Iterator<Item = &Template> {
    let own = method.authorization.iter().flat_map(Authorizations::all);
    own.filter_map(|one| match one {
        Authorization::Basic(basic) => Some(&basic.username),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
