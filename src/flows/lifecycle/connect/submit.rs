//! A customer's form: read, bound to its browser, sent to the account's object.

use serde_json::{Map, Value};

use crate::account::token::{self, TokenKind};
use crate::config::Credential;
use crate::connect::form::{self, OriginFields, Problems};
use crate::connect::outcome::ConnectFailure;
use crate::error::{Code, Failure};
use crate::flows::base::records::{LinkRecord, LinkUse};
use crate::flows::lifecycle::connect::{
    Chosen, OpenedLink, Submitted, SubmittedForm, opened as opened_or_not,
};
use crate::flows::lifecycle::create_link::check_redirect_uri;
use crate::flows::lifecycle::new_account::new_account;
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::connecting::{ConnectStep, Connecting, ReturnTo};
use crate::flows::messages::environment::{EnvironmentMessage, LinkState};
use crate::flows::messages::{send_to_account, send_to_environment};
use crate::ids::{AccountId, Placement};
use crate::json;
use crate::ports::Outside;

/// Reads a form, binds the link token to its browser, and sends the form to the account's object.
pub async fn submit(
    outside: &impl Outside,
    opened: &OpenedLink,
    chosen: &Chosen,
    credential: (&str, &Credential),
    sent: SubmittedForm<'_>,
) -> Result<Submitted, Failure> {
    let (preset, values) = match read(outside, opened, chosen, credential, sent.posted) {
        Ok(read) => read,
        Err(problems) => return Ok(Submitted::Wrong(problems)),
    };
    if let Some(refused) = refused_redirect_uri(outside, opened).await? {
        return Ok(Submitted::Refused(refused));
    }
    let (link, account) = match bind(outside, opened, chosen, &sent.browser).await? {
        Ok(bound) => bound,
        Err(failure) => return Ok(Submitted::Refused(failure)),
    };
    let context = with_values(&preset, &values);
    let ring = outside.settings().keyring()?;
    let state = token::token(ring, TokenKind::State, account, outside.random())?;
    let customer = (link.tenant_id, link.region);
    let connecting = Connecting {
        account: new_account(
            account,
            &chosen.install,
            customer,
            credential.0.to_owned(),
            outside.now(),
        ),
        is_again: link.integrated_account_id.is_some(),
        integration: chosen.name.clone(),
        context,
        preset,
        keeps_context: link.persist_previous_context,
        scopes: link.scopes,
        link: link.hash,
        callback: sent.callback,
        client_document: Some(sent.client_document),
        state: state.clone(),
        browser: sent.browser,
        return_to: ReturnTo {
            redirect_uri: link.redirect_uri,
            is_popup: sent.is_popup,
            application: link.application,
        },
        again: sent.again,
    };
    let message = AccountMessage::Connect(Box::new(connecting));
    Ok(match send_to_account(outside, account, &message).await? {
        ConnectStep::Redirect(url) => Submitted::Redirect { url, state },
        ConnectStep::Ended(ended) => Submitted::Ended(ended),
    })
}

/// The context of the link token, and the values of the form. A value that the form leaves empty keeps its stored value,
/// unless the form names another host.
fn read(
    outside: &impl Outside,
    opened: &OpenedLink,
    chosen: &Chosen,
    (format, credential): (&str, &Credential),
    posted: &[(String, String)],
) -> Result<(Value, Map<String, Value>), Problems> {
    let compiled = &chosen.resolved.compiled;
    let places = compiled.config.origin_places();
    let origins = OriginFields {
        places: &places,
        pins: compiled.pins(outside.settings()),
    };
    let read = |initial_values: Option<&Value>| {
        form::read(credential.fields(), posted, initial_values, &origins)
    };
    let values = read(chosen.initial_values())?;
    let Some(initial_values) = chosen.initial_values().filter(|initial_values| {
        let changed = with_values(initial_values, &values);
        compiled.moves_host(format, initial_values, &changed)
    }) else {
        return Ok((opened.context.clone(), values));
    };
    // A stored secret is not sent to a new host: the customer types it again, or the field is missing.
    let public = compiled.split_context(initial_values, &Value::Null).0;
    let values = read(Some(&public))?;
    Ok((
        compiled.split_context(&opened.context, &Value::Null).0,
        values,
    ))
}

/// Checks the redirect URI again: the operator may have removed its origin since the link token was created.
async fn refused_redirect_uri(
    outside: &impl Outside,
    opened: &OpenedLink,
) -> Result<Option<ConnectFailure>, Failure> {
    let Some(uri) = &opened.link.redirect_uri else {
        return Ok(None);
    };
    match check_redirect_uri(outside, opened.link.environment_id, uri).await {
        Ok(()) => Ok(None),
        Err(failure) if matches!(failure.code, Code::Invalid | Code::NotFound) => {
            Ok(Some(ConnectFailure::InvalidToken))
        }
        Err(failure) => Err(failure),
    }
}

fn with_values(context: &Value, values: &Map<String, Value>) -> Value {
    let mut context = context.clone();
    json::merge(&mut context, &Value::Object(values.clone()));
    context
}

async fn bind(
    outside: &impl Outside,
    opened: &OpenedLink,
    chosen: &Chosen,
    browser: &str,
) -> Result<Result<(LinkRecord, AccountId), ConnectFailure>, Failure> {
    let link = &opened.link;
    let now = outside.now();
    let placement = Placement::new(link.region, outside.settings().eu_jurisdiction);
    let new = || AccountId::new(now, placement, outside.random());
    let used = LinkUse {
        browser: browser.to_owned(),
        account: link.integrated_account_id.unwrap_or_else(new),
        integration: chosen.name.clone(),
        since: now,
        spent_at: None,
    };
    let message = EnvironmentMessage::BindLink(link.hash.clone(), used);
    let bound = opened_link(send_to_environment(outside, link.environment_id, &message).await?);
    Ok(bound.and_then(|link| {
        let account = link.used.as_ref().map(|used| used.account);
        account
            .map(|account| (link, account))
            .ok_or(ConnectFailure::InvalidToken)
    }))
}

fn opened_link(link: LinkState) -> Result<LinkRecord, ConnectFailure> {
    opened_or_not(link).map(|opened| opened.link)
}
