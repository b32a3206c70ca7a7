//! Who keeps the cursor of a feed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::provider::Sync;

/// Who keeps the cursor of a feed.
#[derive(Default)]
pub struct Consumer {
    pub sync: String,
    pub cursor: String,
    pub records: BTreeMap<String, Value>,
    pub revision: u64,
    /// The changes of the last reading, as `added i001`.
    pub changes: Vec<String>,
}

impl Consumer {
    pub fn new() -> Self {
        Self {
            sync: "items".to_owned(),
            ..Self::default()
        }
    }

    #[track_caller]
    pub fn read(&mut self, sync: &Sync) {
        self.changes.clear();
        loop {
            let path = format!("/record?sync={}&limit=4&after={}", self.sync, self.cursor);
            let page = sync.scene.get(&path).expect(200);
            for change in page["result"].as_array().unwrap() {
                let revision = change["revision"].as_u64().unwrap();
                assert!(revision > self.revision, "{change}");
                self.revision = revision;
                let (id, kind) = (
                    change["id"].as_str().unwrap(),
                    change["change"].as_str().unwrap(),
                );
                self.changes.push(format!("{kind} {id}"));
                if kind == "deleted" {
                    self.records.remove(id);
                    assert!(change["deleted_at"].is_string() && change["record"].is_null());
                } else {
                    self.records.insert(id.to_owned(), change["record"].clone());
                }
            }
            let next = page["next_cursor"].as_str().unwrap();
            next.clone_into(&mut self.cursor);
            if page["has_more"] == false {
                return;
            }
        }
    }

    /// The consumer has what the provider has.
    #[track_caller]
    pub fn has_all(&self, sync: &Sync) {
        let own: Vec<&Value> = self.records.values().collect();
        let shop = sync.shop.borrow();
        let mut provider: Vec<&Value> = shop.items.iter().collect();
        provider.sort_by_key(|item| item["id"].as_str().unwrap().to_owned());
        assert_eq!(own, provider);
    }
}
