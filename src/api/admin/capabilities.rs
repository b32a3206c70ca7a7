//! What can be asked of an integration, and of an account of it.

use super::call::AdminCall;
use super::integration::ShownIntegration;
use super::noun;
use crate::api::path_id::{IntegrationKey, PathId};
use crate::error::Failure;
use crate::flows::account::capabilities::{
    AccountCapabilities, IntegrationCapabilities, of_record,
};
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::send_to_account;
use crate::ids::AccountId;
use crate::ports::Outside;

pub(in crate::api) async fn of_integration<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<IntegrationKey>,
) -> Result<IntegrationCapabilities, Failure> {
    let record = noun::find::<ShownIntegration, O>(call, (), id.parse()?).await?;
    of_record(&record)
}

pub(in crate::api) async fn of_account<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<AccountId>,
) -> Result<AccountCapabilities, Failure> {
    let ask = AccountMessage::Capabilities(call.visibility()?);
    send_to_account(call.outside(), id.parse()?, &ask).await
}
