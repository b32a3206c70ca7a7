//! One case of `tests/cases/providers`: the call that it describes, and what paging makes of it.

use causeway::config::{Config, Pagination, read};
use causeway::expression::{Moment, TemplateScope};
use causeway::json::cut;
use causeway::pagination::{self, PageAnswer, PageContext, PageLinks, PageParameters, Position};
use causeway::ports::Body;
use causeway::proxy::request::set_query;
use serde_json::Value;
use url::Url;

use crate::client::Setting;
use crate::integration_files::{files_of, load, root};
use crate::outside::{Sent, World};

pub const MOMENT: Moment = Moment {
    now_ms: 1_700_000_000_000,
    random: [0; 32],
};

pub struct Case {
    pub name: String,
    pub story: Value,
    pub file: Value,
    pub config: Config,
}

crate::cases::shown_by_name!(Case);

impl Case {
    pub fn all() -> Vec<Self> {
        files_of("tests/cases/providers")
            .iter()
            .map(|path| {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                let story = load(path);
                let integration = story["integration"].as_str().unwrap_or(&name);
                let file = load(&root().join(format!("integrations/{integration}.json")));
                let config = read(&file).integration.expect("no mistakes").config;
                Self {
                    name,
                    story,
                    file,
                    config,
                }
            })
            .collect()
    }

    pub fn text(&self, pointer: &str) -> String {
        match self.story.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// The one that the case names. Else an account that holds a token is an OAuth one; the file may name the grant differently.
    fn credential(&self) -> &str {
        if let Some(named) = self.story["credential"].as_str() {
            return named;
        }
        let has_token = self.story.pointer("/context/oauth").is_some();
        let mut formats = self.config.credentials.keys();
        formats
            .find(|format| (*format != "api_key") == has_token)
            .expect("a credential for this context")
    }

    fn status(&self) -> u16 {
        let status = self.story["answer"]["status"].as_u64().unwrap();
        u16::try_from(status).unwrap()
    }

    pub fn answer_headers(&self) -> Vec<(String, String)> {
        let headers = self.story["answer"]["headers"].as_object().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        headers
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect()
    }

    /// Calls the list; the provider's view of it, and the caller's.
    pub fn call(&self) -> (Sent, Value) {
        let world = World::new();
        let setting = Setting::new(&world, &self.file);
        let account = setting.account(self.credential(), &self.story["context"]);
        let headers = self.answer_headers();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(a, b)| (&**a, &**b)).collect();
        // XML is written out; `body` is what it is as JSON.
        let written = self.story["answer"]
            .get("text")
            .map_or("/answer/body", |_| "/answer/text");
        world.answers(self.status(), &headers, &self.text(written));
        // A list with a body is called by its method's name: a GET carries none.
        let (method, below, body) = match self.story.get("body") {
            Some(body) => ("POST", "/list", Body::from_bytes(body.to_string())),
            None => ("GET", "", Body::Empty),
        };
        let query = self.query(&account);
        let path = format!("/proxy/{}{below}?{query}", self.text("/resource"));
        let headers = [("content-type", "application/json")];
        let list = setting.client.request(method, &path, &headers, body);
        let list = list.expect(200);
        let mut sent = world.sent();
        assert_eq!(sent.len(), 1, "{}", self.name);
        (sent.remove(0), list)
    }

    fn query(&self, account: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("integrated_account_id", account);
        for (name, value) in self.story["query"].as_object().into_iter().flatten() {
            query.append_pair(name, value.as_str().unwrap());
        }
        query.finish()
    }

    pub fn pagination(&self) -> Option<&Pagination> {
        let (resource, method) = (self.text("/resource"), self.text("/method"));
        let method = self.config.method(&resource, &method).unwrap();
        self.config.pagination_of(method)
    }

    pub fn ask(&self, pagination: &Pagination, position: &Position) -> PageParameters {
        let scope = TemplateScope::new(&self.story["context"]);
        pagination::ask(pagination, position, &scope).unwrap()
    }

    pub fn first(&self, pagination: &Pagination, url: &Url) -> Position {
        let limit = self.text("/query/limit").parse().ok();
        pagination::first(pagination, limit, &self.request(url)).unwrap()
    }

    fn request<'a>(&'a self, url: &'a Url) -> PageContext<'a> {
        PageContext {
            url,
            query: &self.story["query"],
            options: &Value::Null,
            moment: &MOMENT,
        }
    }

    pub fn links(&self, pagination: &Pagination, position: &Position, url: &Url) -> PageLinks {
        let body = self.story["answer"]["body"].to_string();
        let (resource, method) = (self.text("/resource"), self.text("/method"));
        let method = self.config.method(&resource, &method).unwrap();
        let records = match &method.response_path {
            Some(path) => cut(&body, path).unwrap().unwrap(),
            None => &body,
        };
        let headers = self.answer_headers();
        let headers = headers.iter().map(|(name, value)| {
            let name: http::HeaderName = name.parse().unwrap();
            (name, value.parse().unwrap())
        });
        let answer = PageAnswer {
            status: self.status().try_into().unwrap(),
            headers: &headers.collect(),
            text: &body,
            value: pagination::needs_value(pagination).then_some(&self.story["answer"]["body"]),
            records,
            count: self.story["expect"]["records"].as_u64().unwrap(),
        };
        pagination::next(pagination, position, &self.request(url), &answer)
    }
}

/// A page's request: what the method sends, and what paging adds.
pub struct Page {
    pub url: Url,
    pub body: String,
}

impl Page {
    pub fn of(sent: &Sent, ask: &PageParameters) -> Self {
        let mut url = ask.address(&Url::parse(&sent.url).unwrap());
        for (name, value) in &ask.query {
            set_query(&mut url, name, value);
        }
        let body = ask.body_onto(std::str::from_utf8(&sent.body).unwrap());
        Self {
            url,
            body: body.unwrap(),
        }
    }
}

/// Decoded and sorted: the spelling and order of parameters do not matter.
fn parameters(url: &Url) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = url.query_pairs().into_owned().collect();
    pairs.sort();
    pairs
}

fn same_address(name: &str, url: &Url, expected: &str) {
    let expected = Url::parse(expected).unwrap();
    let place = |url: &Url| (url.origin(), url.path().to_owned());
    assert_eq!(place(url), place(&expected), "{name}");
    assert_eq!(parameters(url), parameters(&expected), "{name}");
}

pub fn same_page(name: &str, page: &Page, expected: &Value) {
    if let Some(url) = expected["url"].as_str() {
        same_address(name, &page.url, url);
    }
    if let Some(query) = expected["query"].as_object() {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut pairs: Vec<_> = query.iter().map(|(n, v)| (n.clone(), text(v))).collect();
        pairs.sort();
        assert_eq!(parameters(&page.url), pairs, "{name}");
    }
    if let Some(body) = expected.get("body") {
        let sent: Value = serde_json::from_str(&page.body).unwrap();
        assert_eq!(&sent, body, "{name}");
    }
}
