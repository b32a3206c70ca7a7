//! Servers read one name from many spellings: what is reserved for the file, and what would make a write of a sandbox
//! account's read, is recognised by its name without case and punctuation.

use causeway::ports::Body;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Client, Setting};
use crate::outside::{Sent, World};

struct Story {
    world: World,
    setting: Setting,
    account: String,
}

fn file() -> Value {
    json!({ "name": "names", "config": {
        "base_url": "https://api.names.example", "custom": true,
        "headers": { "x-tenant": "{{acc}}" },
        "query": { "account_id": "{{acc}}", "filter[account]": "{{acc}}", "a.b": "{{acc}}" },
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": [{ "name": "acc" }] } } },
        "resources": { "a": {
            "list": { "path": "/a" },
            "create": { "method": "post", "path": "/a", "add_query_to_body": true, "query": { "account_id": null, "filter[account]": null, "a.b": null },
                "body": { "account_id": "{{acc}}", "deep": { "account": "{{acc}}" }, "note": "n" } },
        } },
    } })
}

impl Story {
    fn new(is_sandbox: bool) -> Self {
        let world = World::new();
        let setting = Setting::new(&world, &file());
        let account = setting.account("api_key", &json!({ "acc": "T1" }));
        if is_sandbox {
            let path = format!("/integrated-account/{account}");
            let body = json!({ "is_sandbox": true });
            setting.client.send("PATCH", &path, &body).expect(200);
        }
        Self {
            world,
            setting,
            account,
        }
    }

    fn sends(&self, method: &str, path: &str, query: &str, headers: &[(&str, &str)]) -> Sent {
        let client: &Client = &self.setting.client;
        self.world
            .answers(200, &[("content-type", "application/json")], "[]");
        let path = format!("{path}?integrated_account_id={}&{query}", self.account);
        let body = match method {
            "GET" => Body::Empty,
            _ => Body::from_bytes("{}"),
        };
        let answer = client.request(method, &path, headers, body);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        self.world.sent().remove(0)
    }
}

const ALIASES: [&str; 34] = [
    "account_id",
    "account.id",
    "account%20id",
    "account%5Bid",
    "account_id%00",
    "account_id%5B%5D",
    "%EF%BB%BFaccount_id",
    "account_id%09",
    "account_id%E2%80%8B",
    "ACCOUNT_ID",
    "account-id",
    "accountId",
    "account%255Fid",
    "account%5Bid%5D",
    "account_id%5B0%5D%5Bx%5D",
    "account_id.x",
    "%5Baccount_id%5D",
    "filter",
    "filter%5B%5D",
    "filter%5B0%5D",
    "filter%5Baccount%5D",
    "filter%5B%20account%5D",
    "filter%5B'account'%5D",
    "filter.account",
    "filter%20%5Baccount%5D",
    "FILTER%5Baccount%5D%5B%5D",
    "filter%5B%5D%5Baccount%5D",
    "filter_account",
    "a_b",
    "a.b",
    "a%5Bb%5D",
    "a%20b",
    "ab",
    "A-B",
];

#[test]
fn no_spelling_of_a_name_that_the_file_keeps_goes_on() {
    let story = Story::new(false);
    each_case(ALIASES, |alias| {
        each_case(["/custom/x", "/proxy/a"], |path| {
            let sent = story.sends("GET", path, &format!("{alias}=T2"), &[]);
            assert!(!sent.url.contains("T2"), "{path} {alias}: {}", sent.url);
        });
    });
    let cases = [
        "account_id",
        "account.id",
        "account%5Bid%5D",
        "Account-Id",
        "deep",
        "deep.account",
        "deep%5Bx%5D",
    ];
    each_case(cases, |alias| {
        let sent = story.sends("POST", "/proxy/a", &format!("{alias}=T2"), &[]);
        let body = String::from_utf8(sent.body).unwrap();
        assert!(!body.contains("T2"), "{alias}: {body}");
    });
    let cases = [
        "x-tenant",
        "x_tenant",
        "x.tenant",
        "X--Tenant",
        "xtenant",
        "x-tenant-",
    ];
    each_case(cases, |header| {
        let sent = story.sends(
            "GET",
            "/custom/x",
            "",
            &[(&format!("x-forward-{header}"), "T2")],
        );
        assert!(!format!("{:?}", sent.headers).contains("T2"), "{header}");
        assert_eq!(sent.header("x-tenant"), Some("T1"));
    });
}

#[test]
fn a_name_beside_one_that_the_file_keeps_goes_on() {
    let story = Story::new(false);
    let cases = [
        "filter%5Bname%5D",
        "filter.name",
        "filters",
        "account",
        "account_ids",
        "account_id_type",
        "a",
        "b",
        "a_bc",
        "id",
    ];
    each_case(cases, |name| {
        // `a` is where `a.b` is.
        let is_kept = name == "a";
        let sent = story.sends("GET", "/custom/x", &format!("{name}=T2"), &[]);
        assert_eq!(sent.url.contains("T2"), !is_kept, "{name}: {}", sent.url);
    });
    let sent = story.sends("GET", "/custom/x", "", &[("x-forward-x-tenant-name", "T2")]);
    assert_eq!(sent.header("x-tenant-name"), Some("T2"));
}

#[test]
fn a_sandbox_accounts_read_names_no_other_method_in_any_spelling() {
    let story = Story::new(true);
    let cases = [
        "method=delete",
        "_method=x",
        "http_method=DELETE",
        "%24method=DELETE",
        "httpMethod=DELETE",
        "x_http_method_override=DELETE",
        "_method%00=DELETE",
        "override_method=DELETE",
        "verb=PUT",
        "x%5B_method%5D=DELETE",
        "a=1;_method=DELETE",
        "X-HTTP-Verb=x",
    ];
    each_case(cases, |query| {
        let sent = story.sends("GET", "/custom/x", query, &[]);
        assert!(
            !sent.url.to_lowercase().contains("method")
                && !sent.url.to_lowercase().contains("verb"),
            "{query}: {}",
            sent.url
        );
    });
    let cases = [
        "x-http-method-override",
        "x-rest-method",
        "x-http-verb",
        "x-http_method.override",
        "x-request-method",
        "http-method-override",
        "x-original-url",
        "x-rewrite-url",
        "method",
        "x-method",
        "x-forwarded-method",
        "x-verb",
    ];
    each_case(cases, |header| {
        let sent = story.sends(
            "GET",
            "/custom/x",
            "",
            &[(&format!("x-forward-{header}"), "DELETE")],
        );
        assert_eq!(sent.header(header), None, "{header}");
    });
    let cases = [
        "payment_method=card",
        "method=photos.search",
        "q=delete",
        "type=post",
        "verbose=1",
    ];
    each_case(cases, |query| {
        let sent = story.sends("GET", "/custom/x", query, &[]);
        assert!(sent.url.contains(query), "{query}: {}", sent.url);
    });
    let open = Story::new(false);
    let sent = open.sends("GET", "/custom/x", "_method=DELETE", &[]);
    assert!(
        sent.url.contains("_method=DELETE"),
        "only a sandbox account's"
    );
}

#[test]
fn a_raw_body_that_mixes_the_files_words_with_the_callers_is_a_finding() {
    let story = Story::new(false);
    let finds = |body: &str| {
        let mut with = file();
        with["config"]["resources"]["a"]["raw"] =
            json!({ "method": "post", "path": "/r", "body_format": "raw", "body": body });
        let answer = story
            .setting
            .admin
            .post("/integration/validate", &with)
            .expect(200);
        answer["findings"]
            .to_string()
            .contains("resources.a.raw.body")
    };
    assert!(finds("account={{acc}}&note={{body.note}}"));
    assert!(finds("{{environment_variables.key}}:{{query.q}}"));
    assert!(!finds("account={{acc}}"));
    assert!(!finds("note={{body.note}}"));
}
