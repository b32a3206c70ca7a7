//! A provider whose list changes, an account with a sync of it, and a consumer of the feed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use causeway::ports::{Body, Reply, SqlValue};
use futures::executor::block_on;
use serde_json::{Value, json};
use url::Url;

use crate::account::{JSON, Scene};
use crate::outside::{Pieces, Sent, World, reply, within};

/// What happens at the provider in the middle of a run.
pub type Change = Box<dyn Fn(&mut Shop)>;
/// Status, header fields and body.
pub type FixedAnswer = (u16, Vec<(&'static str, &'static str)>, String);

/// What the provider has, and does.
#[derive(Default)]
pub struct Shop {
    pub items: Vec<Value>,
    pub gone: Vec<Value>,
    pub notes: BTreeMap<String, Vec<Value>>,
    /// Happens before the answer to a request, by its number.
    pub happens: BTreeMap<usize, Change>,
    /// Answers in place of the list, by the number of the request.
    pub instead: BTreeMap<usize, FixedAnswer>,
    /// Answers every request so.
    pub always: Option<(u16, String)>,
    /// Refuses the requests that have this text in their URL, with this status.
    pub refuses: Option<(&'static str, u16)>,
    pub requests: Vec<Url>,
    pub token: u64,
}

pub struct Sync {
    pub scene: Scene,
    pub shop: Rc<RefCell<Shop>>,
}

pub fn item(id: &str, text: &str) -> Value {
    json!({ "id": id, "text": text })
}

pub fn items(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| item(&format!("i{n:03}"), "first"))
        .collect()
}

fn page(url: &Url, all: &[Value], extra: &Value) -> Value {
    let number = |name: &str| {
        url.query_pairs()
            .find(|(own, _)| own == name)?
            .1
            .parse()
            .ok()
    };
    let offset: usize = number("offset").unwrap_or(0);
    let limit: usize = number("limit").unwrap_or(100);
    let rows: Vec<&Value> = all.iter().skip(offset).take(limit).collect();
    let mut page = json!({ "data": rows, "total": all.len() });
    page.as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    page
}

/// Those that changed since, where the request says since when.
fn since(url: &Url, all: &[Value]) -> Vec<Value> {
    let since = url.query_pairs().find(|(name, _)| name == "since");
    let Some((_, since)) = since else {
        return all.to_vec();
    };
    let is_new = |item: &&Value| item["at"].as_str().unwrap() >= &*since;
    all.iter().filter(is_new).cloned().collect()
}

impl Shop {
    pub fn answer(&mut self, sent: &Sent) -> Reply<Pieces> {
        let url = Url::parse(&sent.url).unwrap();
        let number = self.requests.len();
        self.requests.push(url.clone());
        if let Some(happens) = self.happens.remove(&number) {
            happens(self);
        }
        let instead = self.instead.remove(&number);
        let instead = instead.or_else(|| {
            self.always
                .clone()
                .map(|(status, body)| (status, vec![], body))
        });
        if let Some((status, mut headers, body)) = instead {
            headers.extend(JSON);
            return reply(status, &headers, Body::from_bytes(body));
        }
        if let Some((text, status)) = self.refuses
            && sent.url.contains(text)
        {
            return reply(status, &JSON, Body::from_bytes("{}"));
        }
        let extra = json!({ "token": format!("t{}", self.token) });
        let body = match url.path() {
            "/items" | "/changed" => page(&url, &since(&url, &self.items), &extra),
            "/gone" => page(&url, &self.gone, &extra),
            path => {
                let parent = path.trim_start_matches("/notes/");
                match self.notes.get(parent) {
                    Some(notes) => page(&url, &since(&url, notes), &extra),
                    None => return reply(404, &JSON, Body::from_bytes("{}")),
                }
            }
        };
        reply(200, &JSON, Body::from_bytes(body.to_string()))
    }

    /// Puts an item in, or in the place of the one with its id.
    pub fn put(&mut self, item: Value) {
        match self.items.iter_mut().find(|own| own["id"] == item["id"]) {
            Some(own) => *own = item,
            None => self.items.push(item),
        }
    }

    pub fn remove(&mut self, id: &str) {
        self.items.retain(|own| own["id"] != id);
    }
}

pub fn file(syncs: &Value) -> Value {
    let pagination =
        json!({ "format": "offset", "config": { "offset_key": "offset", "limit_key": "limit" } });
    let list =
        |path: &str| json!({ "path": path, "response_path": "data", "pagination": pagination });
    json!({ "name": "synced", "config": {
        "base_url": "https://api.synced.example",
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": [{ "name": "api_key", "type": "password" }] } } },
        "authorization": { "format": "bearer", "config": { "token": "{{api_key}}" } },
        "resources": {
            "items": { "list": list("/items"), "deleted": list("/gone"), "changed": list("/changed") },
            "notes": { "list": list("/notes/{{query.item}}") },
        },
        "webhook": {
            "signature_verification": { "format": "hmac", "config": { "secret": "{{environment_variables.s}}", "compare_with": "$header.x-signature" } },
            "payload_transform": "{ \"event_type\": body.topic, \"payload\": body }",
        },
        "syncs": syncs,
    } })
}

/// The same, where the list says how many items there are.
pub fn file_with_total(syncs: &Value) -> Value {
    let mut file = file(syncs);
    let list = &mut file["config"]["resources"]["items"]["list"];
    list["pagination"]["config"]["total_path"] = json!("total");
    file
}

/// A sync of the list, three items a page, with these keys.
pub fn with(keys: &Value) -> Value {
    let mut sync =
        json!({ "resource": "items", "query": { "limit": "3" }, "record_id": "id", "every": "1h" });
    causeway::json::merge(&mut sync, keys);
    json!({ "items": sync })
}

impl Sync {
    pub fn new(syncs: &Value, items: Vec<Value>) -> Self {
        Self::set(&[], syncs, items)
    }

    pub fn set(variables: &[(&str, &str)], syncs: &Value, items: Vec<Value>) -> Self {
        let world = World::with(variables);
        let shop = Rc::new(RefCell::new(Shop {
            items,
            ..Shop::default()
        }));
        let own = Rc::clone(&shop);
        world.provides(move |sent| own.borrow_mut().answer(sent));
        let context = json!({ "api_key": "k" });
        let scene = Scene::new(world, &file(syncs), "api_key", &context);
        Self { scene, shop }
    }

    pub fn world(&self) -> &World {
        &self.scene.world
    }

    /// Rings the alarm until nothing is due at this time.
    pub fn work(&self) {
        for _ in 0..500 {
            let world = self.world();
            if block_on(world.run_passing(world.ring_alarms())) == 0 {
                return;
            }
        }
        panic!("the alarm rings for ever");
    }

    pub fn pass(&self, duration: Duration) {
        self.world().pass(duration);
        self.work();
    }

    /// Kills the object after so long of an alarm, where it has not ended by then. Returns whether it was killed.
    pub fn kill_after(&self, time: Duration) -> bool {
        let world = self.world();
        let is_killed = within(world, time, world.ring_alarms()).is_none();
        if is_killed {
            world.restart();
        }
        is_killed
    }

    pub fn run(&self, body: &Value) -> Value {
        self.run_of("items", body)
    }

    pub fn run_of(&self, name: &str, body: &Value) -> Value {
        let mut body = body.clone();
        body["integrated_account_id"] = json!(self.scene.account);
        let client = &self.scene.setting.client;
        let run = client.post(&format!("/sync/{name}/run"), &body).expect(202);
        self.work();
        run
    }

    /// The sync of this name as the API shows it.
    pub fn view_of(&self, name: &str) -> Value {
        let all = self.scene.get("/sync").expect(200);
        let all = all["result"].as_array().unwrap().clone();
        all.into_iter().find(|sync| sync["name"] == name).unwrap()
    }

    pub fn view(&self) -> Value {
        self.view_of("items")
    }

    /// Added, updated, deleted and unchanged of the last run, which has this status.
    #[track_caller]
    pub fn last(&self, status: &str) -> [u64; 4] {
        self.last_of("items", status)
    }

    #[track_caller]
    pub fn last_of(&self, name: &str, status: &str) -> [u64; 4] {
        let run = self.view_of(name)["last_run"].clone();
        assert_eq!(run["status"], status, "{run}");
        ["added", "updated", "deleted", "unchanged"].map(|key| run[key].as_u64().unwrap())
    }

    pub fn requests(&self) -> usize {
        self.shop.borrow().requests.len()
    }

    /// The events of syncs, with their payloads.
    pub fn events(&self) -> Vec<(String, Value)> {
        let statement = "SELECT event, payload FROM event WHERE event LIKE 'sync:%' OR event LIKE 'record:%' ORDER BY number";
        let rows = self.world().select(self.scene.object(), statement);
        let text = |value: &SqlValue| value.as_text().unwrap().to_owned();
        rows.iter()
            .map(|row| (text(&row[0]), serde_json::from_str(&text(&row[1])).unwrap()))
            .collect()
    }

    pub fn names(&self) -> Vec<String> {
        self.events().into_iter().map(|(name, _)| name).collect()
    }

    /// What is stored of records: the sum of their keys changes with every row.
    pub fn record_rows(&self) -> String {
        let statement = "SELECT COUNT(*), SUM(key), SUM(at) FROM sync_record";
        format!("{:?}", self.world().select(self.scene.object(), statement))
    }
}
