//! `PATCH /integrated-account/me`: what a customer may change of their own account. The allow-list is the plain fields of
//! the account's credential that steer nothing (`config::steering`), with values that the connect form accepts.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};

use serde_json::{Map, Value};

use crate::account::origin::Origin;
use crate::config::steering::is_plain;
use crate::config::{Credential, Field};
use crate::connect::form::{self, OriginFields};
use crate::error::{Complaint, Failure};
use crate::expression::scope::TEMPLATE_ROOTS;
use crate::flows::account::contents::Contents;
use crate::flows::account::event::EventType;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::stored::InMemory;
use crate::flows::base::context_limits::check_context;
use crate::flows::config::resolved_config::Compiled;
use crate::flows::lifecycle::account_edits::AccountEdits;
use crate::flows::messages::account::AccountView;
use crate::ports::{Outside, Storage, Visibility};
use crate::settings::{OWN_CHANGES, OWN_CHANGES_PERIOD};
use crate::time::Timestamp;

/// The times of the changes by account tokens in the last minute.
#[derive(Default)]
pub(in crate::flows) struct OwnChanges(RefCell<VecDeque<Timestamp>>);

impl OwnChanges {
    /// Limits the changes: each is an event for every subscription.
    fn admit(&self, now: Timestamp) -> Result<(), Failure> {
        let mut changes = self.0.borrow_mut();
        changes.retain(|at| now.since(*at) < OWN_CHANGES_PERIOD);
        match changes.front() {
            Some(first) if changes.len() >= OWN_CHANGES => {
                let wait = first.plus(OWN_CHANGES_PERIOD).since(now);
                let message = "The account was changed too often in the last minute.";
                Err(Failure::too_many_requests(message, wait.as_secs().max(1)))
            }
            _ => {
                changes.push_back(now);
                Ok(())
            }
        }
    }
}

impl InMemory for OwnChanges {
    fn reset(&self) {
        self.0.take();
    }
}

impl<O: Outside, S: Storage> AccountEdits<O, S> {
    /// Changes values of the context as the customer.
    pub(in crate::flows) async fn change_me(
        &self,
        visibility: &Visibility,
        patch: &Value,
    ) -> Result<AccountView, Failure> {
        self.record.visible(visibility).await?;
        self.own_changes.admit(self.base.outside().now())?;
        let _one_at_a_time = self.record.lock_changing().await;
        let loaded = self.record.visible(visibility).await?;
        let resolved = self.record.resolved_config(&loaded.account).await?;
        let compiled = &resolved.compiled;
        let places = compiled.config.origin_places();
        let origins = OriginFields {
            places: &places,
            pins: compiled.pins(self.base.outside().settings()),
        };
        let values = allowed_values(compiled, &loaded, patch, &origins)?;
        let before = Contents::of(&loaded);
        let mut contents = before.clone();
        contents.write(Origin::Customer, &Value::Object(values))?;
        check_context(contents.context())?;
        let is_same_secret = before.split(compiled).1 == contents.split(compiled).1;
        if !is_same_secret || before.token() != contents.token() {
            return Err(refused("context", "changes a secret"));
        }
        self.changes
            .store(
                &loaded,
                loaded.account.clone(),
                &contents,
                &[EventType::Updated],
            )
            .await
    }
}

/// The names of the fields that the customer of an account with this credential may change.
fn allowed_fields<'c>(compiled: &'c Compiled, method: &str) -> Vec<&'c Field> {
    let credential = compiled.config.credential(method);
    let fields = credential.map(Credential::fields).unwrap_or_default();
    let is_allowed = |field: &&Field| {
        is_plain(field)
            && !compiled.steered.contains(&field.name)
            && !TEMPLATE_ROOTS.contains(&field.name.as_str())
            && field.name != "oauth"
    };
    fields.iter().filter(is_allowed).collect()
}

/// The values to store; otherwise 422 with every key that may not be changed or has an invalid value.
fn allowed_values(
    compiled: &Compiled,
    loaded: &LoadedAccount,
    patch: &Value,
    origins: &OriginFields,
) -> Result<Map<String, Value>, Failure> {
    let Some(patch) = patch.as_object() else {
        return Err(refused("context", "is not an object"));
    };
    let fields = allowed_fields(compiled, &loaded.account.authentication_method);
    let sealed: BTreeSet<&String> = loaded
        .sealed
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .collect();
    let (mut values, mut complaints) = (Map::new(), Vec::new());
    for (key, value) in patch {
        let field = fields.iter().find(|field| field.name == *key);
        // The customer may not replace a value that the provider gave.
        let field = field.filter(|_| loaded.origins.of(key) != Some(Origin::Provider));
        let stored = match field.filter(|_| !sealed.contains(key)) {
            Some(field) => form::json_value(field, value, origins),
            None => Err("is not a value that an account token may change".to_owned()),
        };
        match stored {
            Ok(stored) => drop(values.insert(key.clone(), stored)),
            Err(message) => complaints.push(Complaint {
                path: format!("context.{key}"),
                message,
            }),
        }
    }
    if complaints.is_empty() {
        Ok(values)
    } else {
        Err(Failure::invalid_in(&complaints))
    }
}

fn refused(path: &str, why: &str) -> Failure {
    Failure::invalid(path, why)
}
