//! Opens the sealed secrets of integration files and installs.

use serde_json::Value;

use crate::account::seal::{SealKind, SealPlace};
use crate::config::binding::Bound;
use crate::config::reads::{SecretNames, password_fields};
use crate::error::Failure;
use crate::flows::base::records::{InstallRecord, IntegrationRecord};
use crate::flows::base::sealed;
use crate::ports::System;

/// The sealing place of the secrets of an install's override.
pub(crate) fn override_secrets(id: &str) -> SealPlace<'_> {
    SealPlace {
        kind: SealKind::Install,
        id,
        field: "override",
    }
}

/// The secrets of an install's override, each with its binding.
pub(crate) fn install_bound(
    outside: &impl System,
    record: &InstallRecord,
) -> Result<Bound, Failure> {
    let id = record.id.to_string();
    sealed::open_bound(outside, override_secrets(&id), record.sealed.as_deref())
}

/// The sealing place of the secrets of an integration file.
pub(crate) fn file_secrets(id: &str) -> SealPlace<'_> {
    SealPlace {
        kind: SealKind::Integration,
        id,
        field: "config",
    }
}

/// The secrets of an integration file, each with its binding.
pub(crate) fn file_bound(
    outside: &impl System,
    record: &IntegrationRecord,
) -> Result<Bound, Failure> {
    let id = record.id.to_string();
    sealed::open_bound(outside, file_secrets(&id), record.sealed.as_deref())
}

/// The names that are secret to the texts of an install's override.
pub fn secret_names(config: &Value, install_secrets: &Value) -> SecretNames {
    let variables = install_secrets.get("secret_environment_variables");
    let variables = variables.and_then(Value::as_object).into_iter().flatten();
    SecretNames {
        variables: variables.map(|(name, _)| name.clone()).collect(),
        password_fields: password_fields(config),
    }
}
