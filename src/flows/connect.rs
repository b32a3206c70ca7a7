//! Connecting, at the front: what a link token offers, and a customer's form on its way to the account's
//! object. Nothing is written before a form is sent that is right.

use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::account::status::Status;
use crate::config::{Config, Credential};
use crate::connect::form::{self, Origins, Problems};
use crate::connect::outcome::Failure as ConnectFailure;
use crate::error::{Code, Failure};
use crate::flows::ask::{
    AccountAsk, AccountView, CameBack, Connected, Connecting, Ended, EnvironmentAsk, Link,
    ReturnTo, ask_account, ask_environment,
};
use crate::flows::create_link::install_of;
use crate::flows::effective::{self, Effective};
use crate::flows::isolate::Isolate;
use crate::flows::records::{
    Comparison, Filter, FilterValue, InstallRecord, LinkRecord, LinkUse, Listed, Page,
};
use crate::ids::{AccountId, EnvironmentId, Placement};
use crate::json as words;
use crate::ports::{Outside, Sees};

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
    pub effective: Effective,
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
        url: String,
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
    let ask = EnvironmentAsk::OpenLink(hash, browser);
    Ok(opened(ask_environment(outside, environment, &ask).await?))
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
) -> Result<Vec<(String, Effective)>, Failure> {
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
    let ask = EnvironmentAsk::ListInstalls(page);
    let found: Listed<InstallRecord> = ask_environment(outside, environment, &ask).await?;
    let mut offered = Vec::new();
    for install in found.result {
        let name = install.integration_name.clone();
        // One whose file has mistakes is not offered; the log says so.
        if let Ok(effective) = effective::of_install(outside, isolate, install).await {
            offered.push((name, effective));
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
    let effective = effective::of_install(outside, isolate, install.clone()).await?;
    if effective.compiled.config.credentials.is_empty() {
        return Ok(None);
    }
    let kept = kept(outside, opened).await?;
    Ok(Some(Chosen {
        name: name.to_owned(),
        effective,
        install,
        kept,
    }))
}

/// What the form shows as filled in.
async fn kept(outside: &impl Outside, opened: &Opened) -> Result<Option<Value>, Failure> {
    let link = &opened.link;
    let mut kept = Value::Object(Map::new());
    if let Some(id) = link
        .integrated_account_id
        .filter(|_| link.persist_previous_context)
    {
        let sees = Sees::Environment(link.environment_id);
        let ask = AccountAsk::Get(sees.clone());
        match ask_account::<AccountView>(outside, id, &ask).await {
            Ok(view) => kept = view.account.context,
            Err(failure) if failure.code == Code::NotFound => return Ok(None),
            Err(failure) => return Err(failure),
        }
        // That they are there is all the form needs to know of secrets.
        let names: Vec<String> = ask_account(outside, id, &AccountAsk::SecretNames(sees)).await?;
        for name in names {
            words::merge(&mut kept, &json!({ name: true }));
        }
    }
    words::merge(&mut kept, &opened.context);
    Ok(Some(kept).filter(|kept| kept.as_object().is_some_and(|kept| !kept.is_empty())))
}

impl Chosen {
    /// The compiled file.
    pub fn config(&self) -> &Config {
        &self.effective.compiled.config
    }

    /// The credential of this format; the first, when none is named.
    pub fn credential(&self, format: Option<&str>) -> Option<(&str, &Credential)> {
        let credentials = &self.config().credentials;
        let found = match format {
            Some(format) => credentials.get_key_value(format),
            None => credentials.iter().next(),
        };
        found.map(|(format, credential)| (format.as_str(), credential))
    }

    /// What the form shows as filled in.
    pub fn kept(&self) -> Option<&Value> {
        self.kept.as_ref()
    }
}

/// A form: read, bound to its browser, handed to the account's object.
pub async fn submit(
    outside: &impl Outside,
    opened: &Opened,
    chosen: &Chosen,
    credential: (&str, &Credential),
    sent: Sent<'_>,
) -> Result<Submitted, Failure> {
    let (format, credential) = credential;
    let compiled = &chosen.effective.compiled;
    let places = compiled.config.origin_places();
    let origins = Origins {
        places: &places,
        pins: compiled.pins(outside.settings()),
    };
    let read = |kept: Option<&Value>| form::read(credential.fields(), sent.posted, kept, &origins);
    let mut brought = opened.context.clone();
    let mut values = match read(chosen.kept()) {
        Ok(values) => values,
        Err(problems) => return Ok(Submitted::Wrong(problems)),
    };
    if let Some(kept) = chosen.kept()
        && compiled.moves_host(kept, &with(kept, &values))
    {
        // To another host goes no secret that was meant for the old one: it is typed again, or missing.
        let public = compiled.split_context(kept).0;
        values = match read(Some(&public)) {
            Ok(values) => values,
            Err(problems) => return Ok(Submitted::Wrong(problems)),
        };
        brought = compiled.split_context(&brought).0;
    }
    let (link, account) = match bind(outside, opened, chosen, &sent.browser).await? {
        Ok(bound) => bound,
        Err(failure) => return Ok(Submitted::Refused(failure)),
    };
    let context = with(&brought, &values);
    let random: [u8; 32] = outside.random();
    let state = format!(
        "{}.{}",
        account.to_hex(),
        data_encoding::BASE64URL_NOPAD.encode(&random)
    );
    let connecting = Connecting {
        account: skeleton(outside, &link, account, &chosen.install, format),
        is_again: link.integrated_account_id.is_some(),
        integration: chosen.name.clone(),
        context,
        keeps_context: link.persist_previous_context,
        scopes: link.scopes,
        link: link.hash,
        callback: sent.callback,
        state: state.clone(),
        browser: sent.browser,
        return_to: ReturnTo {
            redirect_uri: link.redirect_uri,
            is_popup: sent.is_popup,
        },
    };
    let ask = AccountAsk::Connect(Box::new(connecting));
    Ok(match ask_account(outside, account, &ask).await? {
        Connected::Redirect(url) => Submitted::Redirect { url, state },
        Connected::Ended(ended) => Submitted::Ended(ended),
    })
}

fn with(context: &Value, values: &Map<String, Value>) -> Value {
    let mut context = context.clone();
    words::merge(&mut context, &Value::Object(values.clone()));
    context
}

async fn bind(
    outside: &impl Outside,
    opened: &Opened,
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
    let ask = EnvironmentAsk::BindLink(link.hash.clone(), used);
    let bound = opened_link(ask_environment(outside, link.environment_id, &ask).await?);
    Ok(bound.and_then(|link| {
        let account = link.used.as_ref().map(|used| used.account);
        account
            .map(|account| (link, account))
            .ok_or(ConnectFailure::InvalidToken)
    }))
}

fn opened_link(link: Link) -> Result<LinkRecord, ConnectFailure> {
    opened(link).map(|opened| opened.link)
}

/// The account as a new one would be.
fn skeleton(
    outside: &impl Outside,
    link: &LinkRecord,
    id: AccountId,
    install: &InstallRecord,
    format: &str,
) -> Account {
    let now = outside.now();
    Account {
        id,
        tenant_id: link.tenant_id.clone(),
        environment_id: link.environment_id,
        environment_integration_id: install.id,
        integration_id: install.integration_id,
        context: Value::Object(Map::new()),
        status: Status::Connecting,
        authentication_method: format.to_owned(),
        region: link.region,
        is_sandbox: false,
        last_error: None,
        last_action_run_result: None,
        last_forbidden_error: None,
        integration_override: None,
        created_at: now,
        updated_at: now,
    }
}

/// The account a `state` is for, when it looks like one of ours.
pub fn account_of_state(state: &str) -> Option<AccountId> {
    let (account, random) = state.split_once('.')?;
    (random.len() == 43).then_some(())?;
    account.parse().ok()
}

/// A customer is back from the provider.
pub async fn come_back(
    outside: &impl Outside,
    account: AccountId,
    came: CameBack,
) -> Result<Option<Ended>, Failure> {
    ask_account(outside, account, &AccountAsk::Callback(Box::new(came))).await
}
