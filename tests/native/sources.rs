//! What the sources may do in one place only, so that no other way round it comes up.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let below = entries.flat_map(|path| {
        if path.is_dir() {
            sources(&path)
        } else {
            vec![path]
        }
    });
    below
        .filter(|path| path.extension().is_some_and(|kind| kind == "rs"))
        .collect()
}

/// The files of `src/` whose own lines, tests left out, hold one of these words.
fn files_with(words: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in sources(&root) {
        let name = path
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if name.contains("tests") || name.starts_with("bin/") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        if words.iter().any(|word| text.contains(word)) {
            found.push(name);
        }
    }
    found.sort();
    found
}

#[test]
fn what_comes_from_outside_is_built_only_where_it_is_counted() {
    let built = files_with(&[
        "serde_json::from_slice(",
        "serde_json::from_slice::<Value>",
        "serde_json::from_str(",
        "serde_json::from_str::<Value>",
    ]);
    let allowed = [
        // Sealed by us, of what was counted.
        "account/seal.rs",
        // The front Worker's own header.
        "cloudflare/objects.rs",
        // The object's own rows.
        "cloudflare/storage.rs",
        // A text as JSON text: nothing is built.
        "delivery/message.rs",
        // Our own rows and messages, counted when they were written or came.
        "flows/call/account_log.rs",
        "flows/events/event_views.rs",
        "flows/ingress/receive.rs",
        "flows/object/mod.rs",
        "flows/messages/mod.rs",
        "flows/base/sql.rs",
        "flows/directory/mod.rs",
        "flows/config/config_cache.rs",
        // The one place.
        "flows/base/memory/values.rs",
        // A query's value that was read already.
        "flows/call/list/page/onto.rs",
        // Counting, cutting and setting: texts and raw values.
        "json/count.rs",
        "json/exact.rs",
        "json/cut.rs",
        "json/entries.rs",
        "json/strings.rs",
        "json/lines.rs",
        // One string.
        "pagination/cursor.rs",
        // A document of the SFTP Worker, of at most 16 KiB.
        "files/answer.rs",
        // Counted by `ingress::limit_values`, and withheld before the proof.
        "webhook/request.rs",
        // A number.
        "expression/cast.rs",
    ];
    let others: Vec<_> = built
        .iter()
        .filter(|file| !allowed.contains(&file.as_str()))
        .collect();
    assert!(
        others.is_empty(),
        "JSON is built without being counted in {others:?}"
    );
}

#[test]
fn a_deadline_is_kept_in_one_place_of_the_core_and_one_of_the_shell() {
    let racing = files_with(&["future::select", "{Either, select}", "select(pin!"]);
    let allowed = ["cloudflare/edge.rs", "flows/base/within.rs"];
    assert_eq!(racing, allowed);
}

#[test]
fn requests_go_out_from_five_places_which_the_table_of_deadlines_knows() {
    let senders = files_with(&[
        "outside.send(request)",
        "outside().send(request)",
        "outside\n        .send(request)",
    ]);
    let known = [
        "flows/base/fetch.rs",
        "flows/call/driver.rs",
        "flows/events/send_webhook.rs",
        "flows/tokens/discover.rs",
        "flows/tokens/grant.rs",
    ];
    assert_eq!(senders, known);
}

#[test]
fn bodies_are_read_in_one_place_but_for_the_start_of_an_answer() {
    let readers = files_with(&[".next().await {\n        let piece", "stream.next().await"]);
    let known = ["flows/base/body.rs", "flows/events/send_webhook.rs"];
    let others: Vec<_> = readers
        .iter()
        .filter(|file| !known.contains(&file.as_str()) && !file.starts_with("cloudflare/"))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}
