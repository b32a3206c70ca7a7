//! Connecting an account, at the front Worker: what a link token offers, and a customer's form on its way to the
//! account's object. Nothing is written before a valid form is sent.

pub mod submit;

use std::rc::Rc;

use serde_json::{Map, Value, json};

use url::Url;

use crate::config::{Config, Credential};
use crate::connect::form::{Problems, is_hidden};
use crate::connect::outcome::ConnectFailure;
use crate::error::{Code, Failure};
use crate::flows::base::records::{
    Comparison, Filter, FilterValue, InstallRecord, LinkRecord, ListPage, PageRequest,
};
use crate::flows::config::isolate::Isolate;
use crate::flows::config::resolved_config;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::lifecycle::create_link::install_of;
use crate::flows::messages::account::{AccountMessage, AccountView};
use crate::flows::messages::connecting::{CallbackRequest, ConnectResult};
use crate::flows::messages::environment::{EnvironmentMessage, LinkState};
use crate::flows::messages::{send_to_account, send_to_environment};
use crate::ids::{AccountId, EnvironmentId, InstallId};
use crate::json;
use crate::ports::{Outside, Visibility};

/// The most integrations on the page to choose from.
const MOST_OFFERED: usize = 200;

pub struct OpenedLink {
    pub link: LinkRecord,
    /// The context that the account gets.
    context: Value,
}

/// The integration that the customer chose.
pub struct Chosen {
    pub name: String,
    pub resolved: ResolvedConfig,
    install: InstallRecord,
    /// The initial values of the form: the visible context of a reconnected account, and the context of the link token.
    initial_values: Option<Value>,
}

/// A form that a customer sent.
pub struct SubmittedForm<'a> {
    pub posted: &'a [(String, String)],
    /// The SHA-256 of the browser's secret, in hex.
    pub browser: String,
    /// The address to which the provider sends the customer back.
    pub callback: String,
    /// The URL of the client's metadata document.
    pub client_document: String,
    /// Whether the connect page is a pop-up of the application.
    pub is_popup: bool,
    /// The address of the form, for another try.
    pub again: String,
}

/// How a form was handled.
pub enum Submitted {
    /// A value is invalid; nothing was written.
    Wrong(Problems),
    /// The link token can no longer be used.
    Refused(ConnectFailure),
    /// The customer is redirected to the provider, and comes back with this `state`.
    Redirect {
        url: Url,
        /// `state` of the authorization request.
        state: String,
    },
    /// Connecting succeeded or failed.
    Ended(ConnectResult),
}

/// Looks a link token up by its hash, for the browser with this hash of its secret. It only reads.
pub async fn open(
    outside: &impl Outside,
    environment: EnvironmentId,
    hash: String,
    browser: Option<String>,
) -> Result<Result<OpenedLink, ConnectFailure>, Failure> {
    let message = EnvironmentMessage::OpenLink(hash, browser);
    Ok(opened(
        send_to_environment(outside, environment, &message).await?,
    ))
}

fn opened(link: LinkState) -> Result<OpenedLink, ConnectFailure> {
    match link {
        LinkState::Open(link, context) => Ok(OpenedLink {
            link: *link,
            context,
        }),
        LinkState::Unknown => Err(ConnectFailure::InvalidToken),
        LinkState::Spent => Err(ConnectFailure::AlreadyUsed),
        LinkState::OtherBrowser => Err(ConnectFailure::OtherBrowser),
    }
}

/// The integrations that a link token without an integration offers.
pub async fn offered(
    outside: &impl Outside,
    isolate: &Isolate,
    opened: &OpenedLink,
) -> Result<Vec<(String, ResolvedConfig)>, Failure> {
    let environment = opened.link.environment_id;
    let is = |field: &str| Filter {
        field: field.to_owned(),
        comparison: Comparison::Is,
        value: FilterValue::Flag(true),
    };
    let page = PageRequest {
        limit: MOST_OFFERED,
        after: None,
        filters: vec![is("is_enabled"), is("show_in_catalog")],
    };
    let message = EnvironmentMessage::ListInstalls(page);
    let found: ListPage<InstallRecord> =
        send_to_environment(outside, environment, &message).await?;
    let mut offered = Vec::new();
    for install in found.result {
        let name = install.integration_name.clone();
        // An integration whose file has errors is not offered; the log names it.
        if let Ok(resolved) = resolved_config::of_install(outside, isolate, Rc::new(install)).await
        {
            offered.push((name, resolved));
        }
    }
    Ok(offered)
}

/// The integration that the customer chose, if the link token offers it.
pub async fn choose(
    outside: &impl Outside,
    isolate: &Isolate,
    opened: &OpenedLink,
    name: &str,
) -> Result<Option<Chosen>, Failure> {
    let link = &opened.link;
    let is_other = |named: &String| named != name;
    if link.integration.as_ref().is_some_and(is_other)
        || link
            .used
            .as_ref()
            .is_some_and(|used| used.spent_at.is_some() && used.integration != name)
    {
        return Ok(None);
    }
    let install = install_of(outside, link.environment_id, name).await?;
    let is_offered = |install: &InstallRecord| {
        install.is_enabled && (link.integration.is_some() || install.show_in_catalog)
    };
    let Some(install) = install.filter(is_offered) else {
        return Ok(None);
    };
    let resolved = resolved_config::of_install(outside, isolate, Rc::new(install.clone())).await?;
    if resolved.compiled.config.credentials.is_empty() {
        return Ok(None);
    }
    let initial_values = initial_values(outside, opened, &resolved.compiled.config).await?;
    Ok(Some(Chosen {
        name: name.to_owned(),
        resolved,
        install,
        initial_values,
    }))
}

async fn initial_values(
    outside: &impl Outside,
    opened: &OpenedLink,
    config: &Config,
) -> Result<Option<Value>, Failure> {
    let link = &opened.link;
    let mut initial_values = Value::Object(Map::new());
    if let Some(id) = link
        .integrated_account_id
        .filter(|_| link.persist_previous_context)
    {
        let visibility = Visibility::Environment(link.environment_id);
        let message = AccountMessage::Get(visibility.clone());
        match send_to_account::<AccountView>(outside, id, &message).await {
            Ok(view) => initial_values = view.account.context,
            Err(failure) if failure.code == Code::NotFound => return Ok(None),
            Err(failure) => return Err(failure),
        }
        // The form shows only that a secret is set. A secret whose field is no longer secret in the file is not shown.
        let names: Vec<String> =
            send_to_account(outside, id, &AccountMessage::SecretNames(visibility)).await?;
        let is_shown = |name: &String| {
            let mut fields = config.fields();
            fields.any(|field| field.name == *name && !is_hidden(field))
        };
        for name in names.into_iter().filter(|name| !is_shown(name)) {
            json::merge(&mut initial_values, &json!({ name: true }));
        }
    }
    json::merge(&mut initial_values, &opened.context);
    Ok(Some(initial_values).filter(|initial_values| {
        initial_values
            .as_object()
            .is_some_and(|initial_values| !initial_values.is_empty())
    }))
}

impl Chosen {
    /// The install that accounts are connected through.
    pub fn install_id(&self) -> InstallId {
        self.install.id
    }

    pub fn config(&self) -> &Config {
        &self.resolved.compiled.config
    }

    /// The credential of this format. Without a format: OAuth if the customer can use it, else the first.
    pub fn credential(&self, format: Option<&str>) -> Option<(&str, &Credential)> {
        let ways: Vec<_> = self.ways().collect();
        let is_it = |(own, way): &&(&str, &Credential)| {
            format.map_or(way.redirects(), |format| *own == format)
        };
        let found = ways.iter().find(is_it);
        let first = ways.first().filter(|_| format.is_none());
        found.or(first).copied()
    }

    /// The credentials that the customer may choose from. One whose OAuth client is not set is left out, unless there
    /// is no other.
    pub fn ways(&self) -> impl Iterator<Item = (&str, &Credential)> {
        let credentials = &self.config().credentials;
        let has_usable = credentials
            .values()
            .any(|credential| self.is_usable(credential));
        credentials
            .iter()
            .filter(move |(_, credential)| !has_usable || self.is_usable(credential))
            .map(|(format, credential)| (format.as_str(), credential))
    }

    fn is_usable(&self, credential: &Credential) -> bool {
        let id = match credential {
            Credential::Oauth2(config) if config.finds_client() => return true,
            Credential::Oauth2(config) => config.client.id.as_ref(),
            Credential::Oauth(config) => Some(&config.consumer.id),
            _ => return true,
        };
        let nothing = Value::Object(Map::new());
        let mut context = self.initial_values().unwrap_or(&nothing).clone();
        for field in credential.fields() {
            json::merge(&mut context, &json!({ field.name.as_str(): "typed" }));
        }
        let compiled = &self.resolved.compiled;
        let (shown, _) = compiled.split_context(&context, &Value::Null);
        let scope = compiled.scope(&context, &shown);
        match id {
            Some(id) => matches!(id.text(&scope), Ok(Some(id)) if !id.is_empty()),
            None => context.get("client_id").is_some(),
        }
    }

    pub fn initial_values(&self) -> Option<&Value> {
        self.initial_values.as_ref()
    }
}

/// Handles a customer who comes back from the provider.
pub async fn handle_callback(
    outside: &impl Outside,
    account: AccountId,
    callback: CallbackRequest,
) -> Result<Option<ConnectResult>, Failure> {
    send_to_account(
        outside,
        account,
        &AccountMessage::Callback(Box::new(callback)),
    )
    .await
}
