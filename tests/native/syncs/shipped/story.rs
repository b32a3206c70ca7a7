//! The story of a shipped sync: a provider that changes between runs and while it is read, fails, slows down and ends
//! its tokens; and a consumer who has in the end what the provider has.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use causeway::ports::System;
use serde_json::{Value, json};

use super::twin::{Event, Provider, Twin};
use crate::account::Scene;
use crate::integration_files::{load, root};
use crate::outside::World;
use crate::syncs::consumer::Consumer;
use crate::syncs::provider::Sync;

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

struct Story {
    provider: Rc<Provider>,
    sync: Sync,
    twin: Rc<RefCell<Twin>>,
    consumer: Consumer,
}

/// What happens at the second page of the next run, and at those behind it.
type Script = Vec<Event>;

impl Story {
    fn new(provider: Provider) -> Self {
        let provider = Rc::new(provider);
        let file = load(&root().join(format!("integrations/{}.json", provider.file)));
        let world = World::new();
        let twin = Rc::new(RefCell::new(Twin::new(&provider)));
        let (own, of, clock) = (Rc::clone(&twin), Rc::clone(&provider), world.clone());
        world.provides(move |sent| {
            let mut twin = own.borrow_mut();
            twin.now = clock.now().as_millis();
            twin.answers(&of, sent)
        });
        let scene = Scene::new(world, &file, provider.method, &(provider.context)());
        let sync = Sync {
            scene,
            shop: Rc::default(),
        };
        let consumer = Consumer {
            sync: provider.sync.to_owned(),
            ..Consumer::default()
        };
        Self {
            provider,
            sync,
            twin,
            consumer,
        }
    }

    /// From here on calls alone start runs.
    fn pause(&self) {
        let body = json!({ "integrated_account_id": self.sync.scene.account, "is_paused": true });
        let path = format!("/sync/{}", self.provider.sync);
        self.sync
            .scene
            .setting
            .client
            .send("PATCH", &path, &body)
            .expect(200);
    }

    fn change(&self, change: impl Fn(&mut Twin)) {
        let mut twin = self.twin.borrow_mut();
        twin.now = self.sync.world().now().as_millis();
        change(&mut twin);
    }

    /// A run to its end, with these events; the run.
    fn run(&mut self, body: &Value, script: Script) -> Value {
        let first = {
            let mut twin = self.twin.borrow_mut();
            let first = twin.pages;
            twin.happens = (first + 1..).zip(script).collect();
            first
        };
        self.sync.pass(MINUTE * 15);
        self.sync.run_of(self.provider.sync, body);
        let last = || self.sync.view_of(self.provider.sync)["last_run"].clone();
        for _ in 0..10 {
            if last()["status"] == "running" {
                self.sync.pass(MINUTE);
            }
        }
        let run = last();
        assert_eq!(run["status"], "completed", "{run}");
        assert_eq!(run["is_incomplete"], false, "{run}");
        let twin = self.twin.borrow();
        assert!(twin.happens.is_empty(), "{} pages", twin.pages - first);
        run
    }

    /// The consumer reads on, and has what the provider has.
    #[track_caller]
    fn has_all(&mut self) {
        self.consumer.read(&self.sync);
        let twin = self.twin.borrow();
        let kept = |value: &Value| (self.provider.kept)(value);
        let expected = twin.live.iter();
        let expected: BTreeMap<&str, Value> = expected
            .map(|(id, entry)| (id.as_str(), kept(&entry.value)))
            .collect();
        let own = self.consumer.records.iter();
        let own: BTreeMap<&str, Value> = own
            .map(|(id, record)| (id.as_str(), record.clone()))
            .collect();
        assert_eq!(own, expected);
    }

    /// The same after a run that reads only what changed: where the provider says nothing of what is gone, a run over
    /// everything finds it out, and nothing else is left for it to find.
    #[track_caller]
    fn has_all_in_the_end(&mut self) {
        if self.provider.reports_deletions {
            return self.has_all();
        }
        let run = self.run(&json!({ "mode": "full" }), Script::new());
        assert_eq!((&run["added"], &run["updated"]), (&json!(0), &json!(0)));
        self.has_all();
    }
}

/// Changes every record, so that the next run has several pages.
fn touch_all(text: &'static str) -> impl Fn(&mut Twin) {
    move |twin| {
        for id in twin.live.keys().cloned().collect::<Vec<_>>() {
            twin.put(&id, text);
        }
    }
}

fn id(number: u32) -> String {
    // Numbers as text: providers' ids are one or the other.
    (1_000 + number).to_string()
}

pub fn tell(provider: Provider) {
    let mut story = Story::new(provider);
    story.change(|twin| (1..=7).for_each(|number| twin.put(&id(number), "first")));
    story.sync.work();
    story.sync.pass(DAY);
    assert_eq!(story.twin.borrow().pages, 0, "a call starts it");
    story.pause();
    if let Some(parent) = story.provider.parent {
        story.sync.run_of(parent, &json!({}));
    }
    let run = story.run(&json!({}), Script::new());
    assert_eq!((&run["mode"], &run["added"]), (&json!("full"), &json!(7)));
    story.has_all();
    changes_between_runs(&mut story);
    changes_during_a_run(&mut story);
    failures(&mut story);
    if story.provider.has_change_tokens {
        ended_change_tokens(&mut story);
    }
}

fn changes_between_runs(story: &mut Story) {
    let run = story.run(&json!({}), Script::new());
    let found = ["added", "updated", "deleted"].map(|key| run[key].as_u64().unwrap());
    assert_eq!(found, [0; 3], "nothing changed");
    story.change(|twin| {
        twin.put(&id(8), "first");
        twin.put(&id(2), "second");
        twin.put(&id(5), "second");
        twin.remove(&id(3));
    });
    let run = story.run(&json!({}), Script::new());
    assert_eq!((&run["added"], &run["updated"]), (&json!(1), &json!(2)));
    story.has_all_in_the_end();
    story.change(|twin| twin.put(&id(3), "back"));
    story.run(&json!({}), Script::new());
    story.has_all();
}

fn changes_during_a_run(story: &mut Story) {
    story.change(touch_all("third"));
    let moves = |twin: &mut Twin| {
        // One that was read and one that was not move, one goes, one comes.
        twin.put(&id(1), "moved");
        twin.put(&id(7), "moved");
        twin.remove(&id(6));
        twin.put(&id(9), "first");
    };
    story.run(&json!({}), vec![Event::Changes(Box::new(moves))]);
    story.run(&json!({}), Script::new());
    story.has_all_in_the_end();
    story.change(touch_all("fourth"));
    story.run(&json!({}), vec![Event::Repeats]);
    assert_eq!(story.consumer.records.len(), 8);
    story.has_all();
}

fn failures(story: &mut Story) {
    story.change(touch_all("fifth"));
    story.change(|twin| {
        twin.remove(&id(9));
        twin.put(&id(10), "first");
    });
    let script = vec![
        Event::Fails(500, vec![]),
        Event::Fails(429, vec![("retry-after", "40")]),
        Event::TokenEnds,
    ];
    let before = story.twin.borrow().refreshes;
    story.run(&json!({}), script);
    let refreshes = story.twin.borrow().refreshes - before;
    let expected = usize::from(story.provider.method == "oauth2");
    assert_eq!(refreshes, expected, "an ended token is renewed once");
    story.has_all_in_the_end();
}

fn ended_change_tokens(story: &mut Story) {
    story.change(|twin| {
        twin.put(&id(1), "sixth");
        twin.put(&id(11), "first");
        twin.remove(&id(2));
        twin.end_change_tokens();
    });
    let run = story.run(&json!({}), Script::new());
    assert_eq!((&run["mode"], &run["deleted"]), (&json!("full"), &json!(1)));
    story.has_all();
    story.change(|twin| twin.remove(&id(4)));
    let run = story.run(&json!({}), Script::new());
    assert_eq!(run["mode"], "incremental", "the new token counts");
    story.has_all();
}
