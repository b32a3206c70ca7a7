//! Connecting, at the front: what a link token offers, and a customer's form on its way to the account's
//! object. Nothing is written before a form is sent that is right.

pub mod submit;

use std::rc::Rc;

use serde_json::{Map, Value, json};

use url::Url;

use crate::config::{Config, Credential};
use crate::connect::form::{Problems, is_hidden};
use crate::connect::outcome::ConnectFailure;
use crate::error::{Code, Failure};
use crate::flows::base::records::{
    Comparison, Filter, FilterValue, InstallRecord, LinkRecord, Listed, Page,
};
use crate::flows::config::isolate::Isolate;
use crate::flows::config::resolved_config;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::lifecycle::create_link::install_of;
use crate::flows::messages::account::{AccountMessage, AccountView};
use crate::flows::messages::connecting::{CallbackRequest, Ended};
use crate::flows::messages::environment::{EnvironmentMessage, Link};
use crate::flows::messages::{send_to_account, send_to_environment};
use crate::ids::{AccountId, EnvironmentId};
use crate::json;
use crate::ports::{Outside, Visibility};

/// Integrations on the page to choose from.
const MOST_OFFERED: usize = 200;

/// A link token that may be used.
pub struct Opened {
    /// What it is for.
    pub link: LinkRecord,
    /// The context it brings.
    context: Value,
}

/// What the customer chose.
pub struct Chosen {
    /// The integration's slug.
    pub name: String,
    /// The file with the install's changes.
    pub resolved: ResolvedConfig,
    install: InstallRecord,
    /// What an account that is connected again shows of its context, and what the link token brings.
    kept: Option<Value>,
}

/// A form as it was sent.
pub struct Sent<'a> {
    /// The decoded pairs.
    pub posted: &'a [(String, String)],
    /// SHA-256 of the browser's secret, hex.
    pub browser: String,
    /// Where the provider sends the customer back to.
    pub callback: String,
    /// Whether our page is a window that the application has opened.
    pub is_popup: bool,
    /// Where the customer may try again.
    pub again: String,
}

/// What became of a form.
pub enum Submitted {
    /// Something in it is wrong; nothing happened.
    Wrong(Problems),
    /// The link token cannot be used any more.
    Refused(ConnectFailure),
    /// The customer goes to the provider, and comes back with this `state`.
    Redirect {
        /// The provider's address.
        url: Url,
        /// `state` of the authorization request.
        state: String,
    },
    /// It came to an end.
    Ended(Ended),
}

/// Looks a link token up, by its hash, for the browser with this secret's hash. Reads only.
pub async fn open(
    outside: &impl Outside,
    environment: EnvironmentId,
    hash: String,
    browser: Option<String>,
) -> Result<Result<Opened, ConnectFailure>, Failure> {
    let ask = EnvironmentMessage::OpenLink(hash, browser);
    Ok(opened(
        send_to_environment(outside, environment, &ask).await?,
    ))
}

fn opened(link: Link) -> Result<Opened, ConnectFailure> {
    match link {
        Link::Open(link, context) => Ok(Opened {
            link: *link,
            context,
        }),
        Link::Unknown => Err(ConnectFailure::InvalidToken),
        Link::Spent => Err(ConnectFailure::AlreadyUsed),
        Link::OtherBrowser => Err(ConnectFailure::OtherBrowser),
    }
}

/// What a link token without an integration offers.
pub async fn offered(
    outside: &impl Outside,
    isolate: &Isolate,
    opened: &Opened,
) -> Result<Vec<(String, ResolvedConfig)>, Failure> {
    let environment = opened.link.environment_id;
    let is = |field: &str| Filter {
        field: field.to_owned(),
        comparison: Comparison::Is,
        value: FilterValue::Flag(true),
    };
    let page = Page {
        limit: MOST_OFFERED,
        after: None,
        filters: vec![is("is_enabled"), is("show_in_catalog")],
    };
    let ask = EnvironmentMessage::ListInstalls(page);
    let found: Listed<InstallRecord> = send_to_environment(outside, environment, &ask).await?;
    let mut offered = Vec::new();
    for install in found.result {
        let name = install.integration_name.clone();
        // One whose file has mistakes is not offered; the log says so.
        if let Ok(resolved) = resolved_config::of_install(outside, isolate, Rc::new(install)).await
        {
            offered.push((name, resolved));
        }
    }
    Ok(offered)
}

/// The integration the customer chose, if the link token offers it.
pub async fn choose(
    outside: &impl Outside,
    isolate: &Isolate,
    opened: &Opened,
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
    let kept = kept(outside, opened, &resolved.compiled.config).await?;
    Ok(Some(Chosen {
        name: name.to_owned(),
        resolved,
        install,
        kept,
    }))
}

/// What the form shows as filled in.
async fn kept(
    outside: &impl Outside,
    opened: &Opened,
    config: &Config,
) -> Result<Option<Value>, Failure> {
    let link = &opened.link;
    let mut kept = Value::Object(Map::new());
    if let Some(id) = link
        .integrated_account_id
        .filter(|_| link.persist_previous_context)
    {
        let sees = Visibility::Environment(link.environment_id);
        let ask = AccountMessage::Get(sees.clone());
        match send_to_account::<AccountView>(outside, id, &ask).await {
            Ok(view) => kept = view.account.context,
            Err(failure) if failure.code == Code::NotFound => return Ok(None),
            Err(failure) => return Err(failure),
        }
        // That they are there is all the form needs to know of secrets; and nothing where the file calls one no secret by now.
        let names: Vec<String> =
            send_to_account(outside, id, &AccountMessage::SecretNames(sees)).await?;
        let is_shown = |name: &String| {
            let mut fields = config.fields();
            fields.any(|field| field.name == *name && !is_hidden(field))
        };
        for name in names.into_iter().filter(|name| !is_shown(name)) {
            json::merge(&mut kept, &json!({ name: true }));
        }
    }
    json::merge(&mut kept, &opened.context);
    Ok(Some(kept).filter(|kept| kept.as_object().is_some_and(|kept| !kept.is_empty())))
}

impl Chosen {
    /// The compiled file.
    pub fn config(&self) -> &Config {
        &self.resolved.compiled.config
    }

    /// The credential of this format; when none is named, signing in where the customer can, else the first.
    pub fn credential(&self, format: Option<&str>) -> Option<(&str, &Credential)> {
        let ways: Vec<_> = self.ways().collect();
        let is_it = |(own, way): &&(&str, &Credential)| {
            format.map_or(matches!(way, Credential::Oauth2(_)), |format| {
                *own == format
            })
        };
        let found = ways.iter().find(is_it);
        let first = ways.first().filter(|_| format.is_none());
        found.or(first).copied()
    }

    /// The credentials the customer may choose from: without one whose client the operator has not set, unless
    /// there is no other.
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
        let Credential::Oauth2(config) = credential else {
            return true;
        };
        let nothing = Value::Object(Map::new());
        let mut context = self.kept().unwrap_or(&nothing).clone();
        for field in &config.fields {
            json::merge(&mut context, &json!({ field.name.as_str(): "typed" }));
        }
        let compiled = &self.resolved.compiled;
        let (shown, _) = compiled.split_context(&context, &Value::Null);
        let scope = compiled.scope(&context, &shown);
        match &config.client.id {
            Some(id) => matches!(id.text(&scope), Ok(Some(id)) if !id.is_empty()),
            None => context.get("client_id").is_some(),
        }
    }

    /// What the form shows as filled in.
    pub fn kept(&self) -> Option<&Value> {
        self.kept.as_ref()
    }
}

/// A customer is back from the provider.
pub async fn handle_callback(
    outside: &impl Outside,
    account: AccountId,
    came: CallbackRequest,
) -> Result<Option<Ended>, Failure> {
    send_to_account(outside, account, &AccountMessage::Callback(Box::new(came))).await
}
