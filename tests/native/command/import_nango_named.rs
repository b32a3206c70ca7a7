//! A catalogue on this machine, which is no part of the project: `CAUSEWAY_NANGO_CATALOGUE` names it. Each of its files is free
//! of errors, and what its accounts send is compared with what the definition says, which is read here a second time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use causeway::config::{Level, read};
use causeway::ports::Body;
use data_encoding::BASE64;
use serde_json::{Map, Value, json};
use url::Url;

use super::{Folder, causeway};
use crate::account::JSON;
use crate::client::{Setting, id_of};
use crate::integration_files::load;
use crate::outside::{Sent, World, reply};

/// A definition with the keys of its alias.
fn definition(catalogue: &Value, name: &str) -> Map<String, Value> {
    let mut keys = catalogue[name].as_object().unwrap().clone();
    if let Some(Value::String(alias)) = keys.remove("alias") {
        for (key, value) in definition(catalogue, &alias) {
            keys.entry(key).or_insert(value);
        }
    }
    keys
}

/// The values of an account, under the names of the catalogue.
fn values(definition: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut values = BTreeMap::from(
        [
            ("apiKey", "k-1"),
            ("username", "ada"),
            ("password", "p-1"),
            ("accessToken", "t-1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    for (section, prefix) in [
        ("connection_config", "connectionConfig."),
        ("credentials", ""),
    ] {
        let declared = definition.get(section).and_then(Value::as_object);
        for (name, one) in declared.into_iter().flatten() {
            let hidden = one["default_value"]
                .as_str()
                .filter(|_| one["hidden"] == true);
            let typed = one["enum"][0].as_str().or(one["example"].as_str());
            let typed = typed.filter(|_| !prefix.is_empty()).unwrap_or("v1");
            if !prefix.is_empty() || hidden.is_some() {
                values.insert(
                    format!("{prefix}{name}"),
                    hidden.unwrap_or(typed).to_owned(),
                );
            }
        }
    }
    values
}

/// A text with its values; `None` for one that is not only made of those.
fn filled(text: &str, values: &BTreeMap<String, String>) -> Option<String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after.split_once('}')?;
        out += before;
        out += values.get(name.strip_prefix("credentials.").unwrap_or(name))?;
        rest = behind;
    }
    out += rest;
    (!out.contains("||")).then_some(out)
}

/// What a definition says of a call.
struct Expected {
    url: Url,
    query: BTreeSet<(String, String)>,
    headers: Vec<(String, String)>,
}

fn expected(
    definition: &Map<String, Value>,
    values: &BTreeMap<String, String>,
) -> Option<Expected> {
    let mode = definition.get("auth_mode")?.as_str()?;
    let proxy = definition.get("proxy")?;
    let base = filled(proxy["base_url"].as_str()?, values)?.replace("https://https://", "https://");
    let url = Url::parse(&format!("{}/x", base.trim_end_matches('/'))).ok()?;
    let mut query = BTreeSet::from([("q".to_owned(), "1".to_owned())]);
    for (name, text) in proxy["query"].as_object().into_iter().flatten() {
        query.insert((name.clone(), filled(text.as_str()?, values)?));
    }
    let default = match mode {
        "API_KEY" | "NONE" => None,
        "BASIC" => {
            let pair = format!("{}:{}", values["username"], values["password"]);
            Some(format!("Basic {}", BASE64.encode(pair.as_bytes())))
        }
        "OAUTH2" | "OAUTH2_CC" => Some("Bearer t-1".to_owned()),
        _ => return None,
    };
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, text) in proxy["headers"].as_object().into_iter().flatten() {
        headers.push((name.to_ascii_lowercase(), filled(text.as_str()?, values)?));
    }
    let has_own = headers.iter().any(|(name, _)| name == "authorization");
    headers.extend(
        default
            .filter(|_| !has_own)
            .map(|value| ("authorization".to_owned(), value)),
    );
    // The body that it describes is not sent.
    headers.retain(|(name, _)| name != "content-type");
    Some(Expected {
        url,
        query,
        headers,
    })
}

/// The value of a field: of `connection_config` first, under the names that the gateway reads by default.
fn value_of<'v>(name: &str, values: &'v BTreeMap<String, String>) -> Option<&'v String> {
    let own = |name: &str| match name {
        "api_key" => "apiKey".to_owned(),
        "client_id" => "clientId".to_owned(),
        "client_secret" => "clientSecret".to_owned(),
        other => other.to_owned(),
    };
    if let Some(credential) = name.strip_prefix("credential_") {
        return values.get(&own(credential));
    }
    let of_config = values.get(&format!("connectionConfig.{}", own(name)));
    of_config.or_else(|| values.get(&own(name)))
}

/// The context of the account: each field of the form with the value of its name.
fn context(file: &Value, values: &BTreeMap<String, String>) -> Value {
    let credentials = file["config"]["credentials"].as_object().unwrap();
    let fields = credentials
        .values()
        .flat_map(|one| one["config"]["fields"].as_array().unwrap());
    let mut context = Map::new();
    for field in fields {
        let name = field["name"].as_str().unwrap();
        let value = value_of(name, values);
        let shows_url = |text: &Value| {
            text.as_str()
                .is_some_and(|text| text.starts_with("https://"))
        };
        let is_whole = shows_url(&field["placeholder"]) || shows_url(&field["options"][0]["value"]);
        let value = value.cloned().unwrap_or_else(|| "v1".to_owned());
        let value = if is_whole && !value.contains("://") {
            format!("https://{value}")
        } else {
            value
        };
        context.insert(name.to_owned(), json!(value));
    }
    context.insert(
        "oauth".to_owned(),
        json!({ "token": { "access_token": "t-1", "expires_at": "2099-01-01T00:00:00Z" } }),
    );
    Value::Object(context)
}

/// What an account of the file sends; `None` where it cannot be imported with these values.
fn sent(file: &Value, context: &Value) -> Option<Sent> {
    let world = World::new();
    world.provides(|_| reply(200, &JSON, Body::from_bytes("{}")));
    let setting = Setting::new(&world, file);
    let method = file["config"]["credentials"]
        .as_object()?
        .keys()
        .next()?
        .clone();
    let body = json!({ "tenant_id": "acme", "environment_integration_id": setting.install, "authentication_method": method, "context": context });
    let made = setting.client.post("/integrated-account", &body);
    if made.status != 201 {
        return None;
    }
    let path = format!(
        "/custom/x?q=1&integrated_account_id={}",
        id_of(&made.json())
    );
    (setting.client.get(&path).status == 200).then(|| world.sent().pop())?
}

fn differences(sent: &Sent, expected: &Expected) -> Vec<String> {
    let url = Url::parse(&sent.url).unwrap();
    let query: BTreeSet<(String, String)> = url.query_pairs().into_owned().collect();
    let mut differences = Vec::new();
    if (url.host_str(), url.path()) != (expected.url.host_str(), expected.url.path())
        || query != expected.query
    {
        differences.push(format!(
            "{} is not {} {:?}",
            sent.url, expected.url, expected.query
        ));
    }
    for (name, value) in &expected.headers {
        if sent.header(name) != Some(value.as_str()) {
            differences.push(format!("{name}: {:?} is not {value}", sent.header(name)));
        }
    }
    differences
}

fn read_catalogue(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

#[test]
fn a_catalogue_that_is_named_converts_and_its_accounts_send_what_it_says() {
    let Some(path) = std::env::var_os("CAUSEWAY_NANGO_CATALOGUE") else {
        return;
    };
    let folder = Folder::new("nango-named");
    let out = folder.path().join("out");
    let printed = causeway([
        "import".as_ref(),
        "nango".as_ref(),
        path.as_os_str(),
        "--out".as_ref(),
        out.as_os_str(),
    ])
    .expect(0);
    assert!(!printed.contains("impossible  validation"), "{printed}");
    let catalogue = read_catalogue(path.as_ref());
    let (mut same, mut other, mut refused, mut problems) = (0, 0, 0, Vec::new());
    for entry in fs::read_dir(&out).unwrap() {
        let file = load(&entry.unwrap().path());
        let name = file["name"].as_str().unwrap();
        let findings = read(&file).findings;
        if findings.iter().any(|one| one.level == Level::Error) {
            problems.push(format!("{name}: {findings:?}"));
            continue;
        }
        let definition = definition(&catalogue, name);
        let values = values(&definition);
        let Some(expected) = expected(&definition, &values) else {
            other += 1;
            continue;
        };
        match sent(&file, &context(&file, &values)) {
            None => refused += 1,
            Some(sent) => match differences(&sent, &expected) {
                found if found.is_empty() => same += 1,
                found => problems.push(format!("{name}: {}", found.join("; "))),
            },
        }
    }
    println!("called as described: {same}; of another form: {other}; values refused: {refused}");
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
    assert!(same >= 30, "{same}");
}
