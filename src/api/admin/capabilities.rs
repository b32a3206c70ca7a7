//! What can be asked of an integration, and of an account of it.

use serde_json::{Value, json};
use url::Url;

use super::integrated_account::{parse, sees};
use super::{Answer, ok};
use crate::api::Desk;
use crate::api::caller::Caller;
use crate::error::Failure;
use crate::flows::account::capabilities::of_record;
use crate::flows::base::records::IntegrationRecord;
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::{RootMessage, send_to_account, send_to_root};
use crate::ports::Outside;

pub(super) async fn of_integration<O: Outside>(desk: &Desk<'_, O>, key: &str) -> Answer<O> {
    let ask = RootMessage::FindIntegration(key.to_owned());
    let found: Option<IntegrationRecord> = send_to_root(desk.outside, &ask).await?;
    let record = found.ok_or_else(|| Failure::not_found("integration"))?;
    Ok(ok(&json!({
        "integration": record.view(),
        "resources": of_record(&record)?,
    })))
}

pub(super) async fn of_account<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    url: &Url,
) -> Answer<O> {
    let ask = AccountMessage::Capabilities(sees(caller, url)?);
    let found: Value = send_to_account(desk.outside, parse(id)?, &ask).await?;
    Ok(ok(&found))
}
