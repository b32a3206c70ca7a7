//! The page at `/`, and what else is open to all.

use causeway::api::openapi::document;
use causeway::ports::Body;

use crate::cases::each_case;
use crate::client::Client;
use crate::outside::World;

#[test]
fn the_page_names_the_service_and_leads_on_without_a_script() {
    let answer = Client::admin(&World::new()).with_token("").get("/");
    assert_eq!(answer.status, 200);
    let header = |name| answer.header(name).unwrap_or_default().to_owned();
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert!(header("content-security-policy").starts_with("default-src 'none'; style-src 'nonce-"));
    assert!(!header("content-security-policy").contains("script-src"));
    assert_eq!(header("x-frame-options"), "DENY");
    let page = answer.text();
    assert!(!page.contains("<script"));
    assert!(page.contains("<html lang=\"en\">") && page.contains("width=device-width"));
    assert_eq!(page.matches("<h1").count(), 1);
    assert!(page.contains(&format!("Version {}", env!("CARGO_PKG_VERSION"))));
    // A static asset, which the platform serves: tests/worker/docs.test.mjs.
    assert!(page.contains("href=\"/docs\""));
    let links = ["/openapi.json", "/integration.schema.json", "/health"];
    each_case(links, |link| {
        assert!(page.contains(&format!("href=\"{link}\"")), "{link}");
        let status = Client::admin(&World::new()).with_token("").get(link).status;
        assert_eq!(status, 200, "{link}");
    });
}

/// Here and not in `openapi.rs`: the service carries the text of its last build, so this fails in the run that writes it.
#[test]
fn the_stored_openapi_document_is_served_to_everybody() {
    let answer = Client::admin(&World::new())
        .with_token("")
        .get("/openapi.json");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"));
    assert_eq!(answer.expect(200), document());
}

#[test]
fn a_head_of_what_is_open_answers_as_a_get_without_its_body() {
    each_case([&[][..], &[("LIST_PAGES", "many")]], |variables| {
        let anonymous = Client::admin(&World::with(variables)).with_token("");
        each_case(
            ["/", "/health", "/openapi.json", "/integration.schema.json"],
            |path| {
                let get = anonymous.get(path);
                let head = anonymous.request("HEAD", path, &[], Body::Empty);
                assert_eq!(head.status, get.status, "{path}");
                assert!(head.body.is_empty() && !get.body.is_empty(), "{path}");
                each_case(
                    ["content-type", "cache-control", "x-frame-options"],
                    |name| {
                        assert_eq!(head.header(name), get.header(name), "{path} {name}");
                    },
                );
            },
        );
        let head = anonymous.request("HEAD", "/integration", &[], Body::Empty);
        assert_eq!(head.status, 405);
    });
}

#[test]
fn only_a_get_or_a_head_asks_for_it() {
    let client = Client::admin(&World::new());
    assert_eq!(client.send("POST", "/", &serde_json::json!({})).status, 405);
    assert_eq!(client.get("//").status, 404);
}
