//! Checks an integration file: validating and saving use the same check.

use serde_json::Value;

use crate::config::{self, ReadFile, secrets};
use crate::config::{Finding, Level};
use crate::error::{Complaint, Failure};
use crate::flows::config::padded_secrets::refuse_padded;
use crate::flows::messages::IntegrationFile;

/// Reads a whole file and returns every finding.
pub fn check(file: &Value) -> ReadFile {
    config::read(file)
}

/// The file ready for storage, its secrets apart, with its warnings; or 422 with every error.
pub fn checked_file(file: &Value) -> Result<(IntegrationFile, Vec<Finding>), Failure> {
    let reading = check(file);
    let Some(integration) = reading.integration else {
        return Err(refused(&reading.findings));
    };
    let mut config = file.get("config").cloned().unwrap_or_default();
    config::normalise(&mut config);
    let (public, secrets) = secrets::split_config(&config);
    refuse_padded(&secrets, "config")?;
    let file = IntegrationFile {
        name: integration.name,
        category: integration.category,
        is_beta: integration.is_beta,
        config: public,
        secrets,
    };
    Ok((file, reading.findings))
}

pub(crate) fn refused(findings: &[Finding]) -> Failure {
    let errors = findings
        .iter()
        .filter(|finding| finding.level == Level::Error);
    Failure::invalid_in(&errors.map(complaint).collect::<Vec<_>>())
}

fn complaint(finding: &Finding) -> Complaint {
    let message = match &finding.hint {
        Some(hint) => format!("{} ({hint})", finding.message),
        None => finding.message.clone(),
    };
    Complaint {
        path: finding.path.clone(),
        message,
    }
}
