//! The tools of an integration, and of an account of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::{self, Config, Method};
use crate::error::{Code, Failure};
use crate::flows::account::capabilities::{granted, missing};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::record::AccountRecord;
use crate::flows::base::records::IntegrationRecord;
use crate::ports::{Outside, Storage, Visibility};
use crate::tools::{self, Tool, ToolFilter, ToolMethod};

/// Tools.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct ToolList {
    result: Vec<Tool>,
    /// Null: the answer has all of them.
    next_cursor: Option<String>,
    /// How many the answer has.
    limit: usize,
}

/// The tools of an account, as its object wrote them.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct AccountTools(#[schemars(with = "ToolList")] Value);

impl ToolList {
    fn of(result: Vec<Tool>) -> Self {
        Self {
            limit: result.len(),
            next_cursor: None,
            result,
        }
    }
}

/// The tools of an integration.
pub fn of_record(record: &IntegrationRecord, filter: &ToolFilter) -> Result<ToolList, Failure> {
    let (config, _) = config::read_config(&record.config);
    let message = "The integration file has errors. POST /integration/validate lists them.";
    let config = config.ok_or_else(|| Failure::new(Code::BadIntegration, message))?;
    let label = label(&config, &record.name);
    let tools = tools::methods(&config, &record.name, filter).into_iter();
    Ok(ToolList::of(
        tools.map(|tool| tool.describe(label, None)).collect(),
    ))
}

/// The tools of an account that the caller can see.
pub(in crate::flows) async fn of_account<O: Outside, S: Storage>(
    record: &AccountRecord<O, S>,
    visibility: &Visibility,
    filter: ToolFilter,
) -> Result<ToolList, Failure> {
    let loaded = record.visible(visibility).await?;
    let resolved = record.resolved_config(&loaded.account).await?;
    let (config, name) = (&resolved.compiled.config, &resolved.integration.name);
    let label = label(config, name);
    let all = of_loaded(config, name, &loaded, filter).into_iter();
    Ok(ToolList::of(
        all.map(|(tool, is_allowed)| tool.describe(label, is_allowed))
            .collect(),
    ))
}

/// The tools of an account, and whether it has the scopes of each.
pub(in crate::flows) fn of_loaded<'a>(
    config: &'a Config,
    integration: &str,
    loaded: &LoadedAccount,
    filter: ToolFilter,
) -> Vec<(ToolMethod<'a>, Option<bool>)> {
    let granted = granted(config, &loaded.account, &loaded.context);
    let filter = ToolFilter {
        is_sandbox: loaded.account.is_sandbox,
        ..filter
    };
    let tools = tools::methods(config, integration, &filter).into_iter();
    tools
        .map(|tool| {
            let is_allowed = is_allowed(tool.method, granted.as_deref());
            (tool, is_allowed)
        })
        .collect()
}

/// Whether the granted scopes suffice; `None` where they are not known.
fn is_allowed(method: &Method, granted: Option<&[String]>) -> Option<bool> {
    if method.scopes.is_empty() {
        return Some(true);
    }
    granted.map(|granted| missing(&method.scopes, granted).is_empty())
}

/// The name of an integration for people.
pub(in crate::flows) fn label<'a>(config: &'a Config, name: &'a str) -> &'a str {
    config.label.as_deref().unwrap_or(name)
}
