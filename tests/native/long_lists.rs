//! Lists end by bytes as well as by rows, and are read page by page.

use causeway::ids::EnvironmentId;
use causeway::ports::ObjectName;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::Setting;
use crate::integrations::file;
use crate::outside::World;

const MIB: usize = 1024 * 1024;
/// A page, and a record that crosses its end.
const PAGE: usize = 4 * MIB + MIB;

struct ListScene {
    world: World,
    setting: Setting,
}

impl ListScene {
    fn new() -> Self {
        let world = World::new();
        let setting = Setting::new(&world, &file());
        Self { world, setting }
    }

    fn directory(&self) -> ObjectName {
        let id: EnvironmentId = self.setting.environment.parse().unwrap();
        ObjectName::Environment(id)
    }

    /// All records of a list, page by page, and the largest page in bytes.
    fn all_records(&self, path: &str) -> (Vec<Value>, usize) {
        let (mut all, mut largest, mut after) = (Vec::new(), 0, String::new());
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let answer = self
                .setting
                .admin
                .get(&format!("{path}{mark}limit=1000{after}"));
            largest = largest.max(answer.body.len());
            let page = answer.expect(200);
            all.extend(page["result"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(cursor) => after = format!("&next_cursor={cursor}"),
                None => return (all, largest),
            }
        }
    }
}

fn ids(records: &[Value]) -> Vec<String> {
    let mut ids: Vec<_> = records
        .iter()
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

#[test]
fn a_page_of_accounts_ends_at_four_mebibytes_and_the_walk_has_them_all() {
    let scene = ListScene::new();
    let context =
        json!({ "oauth": { "token": { "access_token": "t" } }, "note": "x".repeat(250_000) });
    let mut made: Vec<String> = (0..40)
        .map(|_| scene.setting.account("oauth2", &context))
        .collect();
    made.sort();
    let path = format!(
        "/integrated-account?environment_id={}",
        scene.setting.environment
    );
    let (all, largest) = scene.all_records(&path);
    assert_eq!(ids(&all), made);
    assert_eq!(all.len(), made.len(), "each once");
    assert!(largest <= PAGE, "{largest}");
}

#[test]
fn a_page_of_installs_and_integrations_ends_at_four_mebibytes() {
    let scene = ListScene::new();
    for number in 0..12 {
        let mut other = file();
        other["name"] = json!(format!("other-{number}"));
        other["config"]["x-a"] = json!("x".repeat(900_000));
        let name = other["name"].as_str().unwrap().to_owned();
        scene
            .setting
            .admin
            .send("PUT", &format!("/integration/{name}"), &other)
            .expect(201);
        let new = json!({ "integration_name": name, "override": { "x-b": "y".repeat(900_000) } });
        scene
            .setting
            .client
            .post("/environment-integration", &new)
            .expect(201);
    }
    scene.world.largest_result(scene.directory());
    scene.world.largest_result(ObjectName::Root);
    let environment = &scene.setting.environment;
    let cases = [
        (
            format!("/environment-integration?environment_id={environment}"),
            scene.directory(),
        ),
        ("/integration".to_owned(), ObjectName::Root),
    ];
    each_case(cases, |(path, object)| {
        let (all, largest) = scene.all_records(&path);
        assert_eq!((all.len(), ids(&all).len()), (13, 13), "{path}");
        assert!(largest <= PAGE, "{path}: {largest}");
        let read = scene.world.largest_result(object);
        assert!(read <= PAGE, "{path}: one statement gave {read} bytes");
    });
}

#[test]
fn a_page_of_events_and_of_the_log_ends_at_four_mebibytes() {
    let scene = ListScene::new();
    let token = json!({ "oauth": { "token": { "access_token": "t" } } });
    let account = scene.setting.account("oauth2", &token);
    let id: causeway::ids::AccountId = account.parse().unwrap();
    let object = ObjectName::Account(id);
    for number in 0..12 {
        let values = format!(
            "INSERT INTO event (number, event, status, resource_id, created_at, payload) VALUES ({number}, 'x:y', 'delivered', '{}', 1700000000000, '1')",
            "r".repeat(900_000)
        );
        scene.world.select(object, &values);
    }
    let (all, largest) = scene.all_records(&format!("/event?integrated_account_id={account}"));
    assert!(all.len() >= 12, "{}", all.len());
    assert!(largest <= PAGE, "{largest}");
    scene.world.answers(200, &[], "{}");
    let get = format!("/custom/x?integrated_account_id={account}");
    assert_eq!(scene.setting.client.get(&get).status, 200);
    scene.all_records(&format!("/log?integrated_account_id={account}"));
    for number in 1..=12 {
        let line = format!(
            "INSERT INTO log (number, status, line) SELECT {number}, 200, json_set(line, '$.resource', '{}') FROM log WHERE number > 100 LIMIT 1",
            "r".repeat(900_000)
        );
        scene.world.select(object, &line);
    }
    let (all, largest) = scene.all_records(&format!("/log?integrated_account_id={account}"));
    assert_eq!(all.len(), 13);
    assert!(largest <= PAGE, "{largest}");
}

#[test]
fn a_link_tokens_context_has_sixteen_kibibytes() {
    let scene = ListScene::new();
    let of = |bytes: usize| json!({ "tenant_id": "t", "context": { "a": "x".repeat(bytes - 8) } });
    scene
        .setting
        .client
        .post("/link-token", &of(16 * 1024))
        .expect(201);
    let over = scene
        .setting
        .client
        .post("/link-token", &of(16 * 1024 + 1))
        .expect(422);
    assert_eq!(over["details"]["failures"][0]["path"], "context");
}

/// So many more link tokens, as if they had been made.
fn many(scene: &ListScene, count: usize, ends: i64) {
    let first = scene
        .setting
        .client
        .post(
            "/link-token",
            &json!({ "tenant_id": "t", "context": { "api_key": "hunter2" } }),
        )
        .expect(201);
    let id = first["id"].as_str().unwrap();
    let statement = format!(
        "INSERT INTO link_token SELECT * FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
         SELECT link.id || '-' || n.i AS id, 'h' || n.i AS hash, {ends} AS expires_at, json_set(link.record, '$.id', link.id) AS record{} FROM n, link_token AS link WHERE link.id = '{id}')",
        more_columns(scene)
    );
    scene.world.select(scene.directory(), &statement);
}

/// What the table has in addition to the four columns that every version has.
fn more_columns(scene: &ListScene) -> String {
    let rows = scene.world.select(
        scene.directory(),
        "SELECT name FROM pragma_table_info('link_token')",
    );
    let names = rows.iter().skip(4).map(|row| row[0].as_text().unwrap());
    names.flat_map(|name| [", link.", name]).collect()
}

#[test]
fn an_environment_has_a_hundred_thousand_live_link_tokens() {
    let scene = ListScene::new();
    let life = std::time::Duration::from_hours(24);
    let later = 1_700_000_000_000 + i64::try_from(life.as_millis()).unwrap();
    many(&scene, 99_998, later);
    scene.world.restart();
    let new = json!({ "tenant_id": "t" });
    scene.setting.client.post("/link-token", &new).expect(201);
    let over = scene.setting.client.post("/link-token", &new);
    assert!(over.header("retry-after").is_some());
    assert_eq!(over.code(429), "caller.rate_limited");
    // A form that was sent in time may be finished for ten minutes more.
    scene.world.pass(life + std::time::Duration::from_mins(10));
    futures::executor::block_on(scene.world.run(scene.world.ring_alarms()));
    let left = scene
        .world
        .rows(scene.directory(), "SELECT 1 FROM link_token");
    assert_eq!(
        left, 0,
        "those that ended are gone without another being made"
    );
    scene.setting.client.post("/link-token", &new).expect(201);
}

#[test]
fn counting_and_rotating_walk_link_tokens_in_pages_and_a_list_reads_no_context() {
    let scene = ListScene::new();
    let later = 1_700_000_000_000 + 3_600_000;
    let context = json!({ "tenant_id": "t", "context": { "a": "x".repeat(16_000) } });
    scene
        .setting
        .client
        .post("/link-token", &context)
        .expect(201);
    many(&scene, 1_500, later);
    let large =
        "UPDATE link_token SET record = json_set(record, '$.sealed', 'k1.' || hex(zeroblob(5000)))";
    if more_columns(&scene).is_empty() {
        scene.world.select(scene.directory(), large);
    } else {
        scene.world.select(
            scene.directory(),
            "UPDATE link_token SET sealed = 'k1.' || hex(zeroblob(5000))",
        );
    }
    scene.world.largest_result(scene.directory());
    let sealing = scene.setting.admin.get("/sealing").expect(200);
    assert!(
        sealing["keys"][0]["count"].as_u64().unwrap() >= 1_501,
        "{sealing}"
    );
    let path = format!(
        "/link-token?limit=1000&environment_id={}",
        scene.setting.environment
    );
    let list = scene.setting.admin.get(&path).expect(200);
    assert_eq!(list["result"].as_array().unwrap().len(), 1_000);
    let read = scene.world.largest_result(scene.directory());
    assert!(read < MIB, "one statement gave {read} bytes");
    scene.setting.admin.post("/sealing/rotate", &json!({}));
    futures::executor::block_on(scene.world.run(async {
        scene.world.pass(std::time::Duration::from_secs(2));
        scene.world.ring_alarms().await;
    }));
    let read = scene.world.largest_result(scene.directory());
    assert!(read <= PAGE, "a rotation's statement gave {read} bytes");
}
