//! `causeway import nango`: what becomes of each form that a definition can have. The definitions are invented.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use causeway::config::schema::integration_schema;
use causeway::config::{Level, read};
use serde_json::{Value, json};

use super::{Folder, causeway};
use crate::cases::each_case;
use crate::integration_files::{load, mistakes_by_schema, root};

const CATALOGUE: &str = "tests/cases/import/providers.yaml";

/// The files of the invented catalogue, and what was printed.
pub fn imported(test: &str) -> (BTreeMap<String, Value>, String) {
    let folder = Folder::new(test);
    converted(&folder, &root().join(CATALOGUE))
}

/// The files of a catalogue, and what was printed.
fn converted(folder: &Folder, catalogue: &Path) -> (BTreeMap<String, Value>, String) {
    let out = folder.path().join("out");
    let printed = causeway([
        "import".as_ref(),
        "nango".as_ref(),
        catalogue.as_os_str(),
        "--out".as_ref(),
        out.as_os_str(),
    ])
    .expect(0);
    let files = fs::read_dir(&out).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, load(&path))
    });
    (files.collect(), printed)
}

/// The outcome of a definition, and what follows it.
fn row<'p>(printed: &'p str, name: &str) -> &'p str {
    let mut rows = printed.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        rest.starts_with(' ').then(|| rest.trim())
    });
    rows.next().unwrap_or_else(|| panic!("{name}: {printed}"))
}

#[test]
fn every_file_is_free_of_errors_and_named_like_its_definition() {
    let (files, printed) = imported("nango-valid");
    assert!(files.len() >= 33, "{}", files.len());
    each_case(files, |(name, file)| {
        assert_eq!(file["name"], json!(name));
        let findings = read(&file).findings;
        let errors: Vec<_> = findings
            .iter()
            .filter(|one| one.level == Level::Error)
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        assert_eq!(mistakes_by_schema(&file), Vec::<String>::new(), "{name}");
    });
    assert!(printed.contains("44 definitions: "), "{printed}");
}

#[test]
fn a_definition_without_a_file_has_its_reason() {
    let (files, printed) = imported("nango-impossible");
    let cases = [
        ("client-certificate", "impossible  mTLS"),
        ("saml-token", "impossible  SAML"),
        ("coded-mode", "impossible  auth_mode SOMETHING_ELSE"),
        (
            "lost-alias",
            "impossible  alias: the file has no `no-such-definition`",
        ),
        (
            "round-one",
            "impossible  alias: `round-one` is an alias of itself",
        ),
        ("no-object", "impossible  definition: it is not an object"),
        ("Bad Name", "impossible  name: "),
    ];
    each_case(cases, |(name, reported)| {
        let row = row(&printed, name);
        assert!(row.starts_with(reported), "{name}: {row}");
        assert!(!files.contains_key(name), "{name}");
    });
    let count = printed
        .lines()
        .find(|line| line.contains("mTLS") && line.starts_with("  impossible"));
    assert_eq!(count, Some("  impossible     1  mTLS"));
}

#[test]
fn a_word_of_the_schema_is_used_and_one_that_is_not_there_is_a_loss() {
    let (files, printed) = imported("nango-words");
    let field = &files["excluded-value"]["config"]["credentials"]["api_key"]["config"]["fields"][0];
    assert_eq!(field["pattern"], "^[a-z]+$");
    let schema = integration_schema();
    let is_known = schema
        .pointer("/$defs/Field/properties/not_pattern")
        .is_some();
    let row = row(&printed, "excluded-value");
    if is_known {
        assert_eq!((row, &field["not_pattern"]), ("full", &json!("www$")));
    } else {
        assert!(row.starts_with("loss        not_pattern: "), "{row}");
    }
}

#[test]
fn a_value_that_nothing_fills_is_typed_in_and_reported() {
    let (files, printed) = imported("nango-unfilled");
    assert_eq!(
        row(&printed, "unfilled-value"),
        "loss        automated value: `site` is typed in"
    );
    assert!(printed.contains("note: post_connection_script `unfilledPostConnection`"));
    let fields = &files["unfilled-value"]["config"]["credentials"]["api_key"]["config"]["fields"];
    assert_eq!(fields[0]["name"], "site");
}

#[test]
fn hosts_are_pinned_where_the_definition_says_whose_they_are() {
    let (files, printed) = imported("nango-hosts");
    let cases = [
        ("bearer-key", json!(null)),
        ("basic-user", json!(null)),
        (
            "listed-host",
            json!(["api.listedhost.dev", "api.listedhost.eu"]),
        ),
        (
            "pattern-host",
            json!(["*.patternhost.com", "*.patternhost.mil"]),
        ),
        (
            "example-host",
            json!(["*.examplehost.us", "examplehost.us"]),
        ),
        (
            "either-label",
            json!([
                "api.au.eitherlabel.dev",
                "api.eitherlabel.dev",
                "api.eu.eitherlabel.dev"
            ]),
        ),
        (
            "oauth-instance",
            json!([
                "*.oauthinstance.dev",
                "login.oauthinstance.dev",
                "oauthinstance.dev"
            ]),
        ),
        ("own-server", json!(["*"])),
        ("own-port", json!(["*"])),
        ("oauth-own", json!(["*"])),
        ("mcp-own", json!(["*"])),
    ];
    each_case(cases, |(name, hosts)| {
        assert_eq!(files[name]["config"]["allowed_hosts"], hosts, "{name}");
    });
    let warned = printed.matches("any host may be called").count();
    assert_eq!(warned, 4, "{printed}");
}

#[test]
fn a_client_at_a_server_of_the_customers_is_the_customers() {
    let (files, _) = imported("nango-clients");
    let client = |name: &str| {
        files[name]["config"]["credentials"]["oauth2"]["config"]["client"]["id"].clone()
    };
    assert_eq!(client("oauth-plain"), "{{environment_variables.client_id}}");
    assert_eq!(client("oauth-own"), "{{client_id}}");
}

#[test]
fn a_server_of_mcp_says_its_endpoints_or_registers_the_client() {
    let (files, printed) = imported("nango-mcp");
    let credential = |name: &str| files[name]["config"]["credentials"]["oauth2"]["config"].clone();
    let dynamic = credential("mcp-dynamic");
    assert_eq!(
        dynamic["auth"]["registrationUrl"],
        "https://mcpdynamic.dev/register"
    );
    assert_eq!(dynamic["client"], json!(null));
    let said = json!({ "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"] });
    assert_eq!(dynamic["registration"], said);
    assert_eq!(row(&printed, "mcp-dynamic"), "full");
    let own = credential("mcp-own");
    assert_eq!(own["auth"], json!({ "discover": "{{mcp_server_url}}" }));
    assert_eq!(own["client"], json!({ "metadataDocument": true }));
    assert_eq!(own["fields"][0]["name"], "mcp_server_url");
    assert_eq!(files["mcp-own"]["config"]["base_url"], "{{mcp_server_url}}");
    assert_eq!(row(&printed, "mcp-own"), "full");
}

#[test]
fn oauth_keeps_what_the_definition_says_and_leaves_out_what_the_gateway_sets() {
    let (files, _) = imported("nango-oauth");
    let config = &files["oauth-plain"]["config"]["credentials"]["oauth2"]["config"];
    let auth = json!({
        "authorizeUrl": "https://login.oauthplain.dev/authorize",
        "tokenUrl": "https://login.oauthplain.dev/token",
        "refreshUrl": "https://login.oauthplain.dev/refresh",
    });
    assert_eq!(config["auth"], auth);
    assert_eq!(config["scope"], json!(["read", "write"]));
    assert_eq!(config["pkce"], false);
    assert_eq!(
        config["params"],
        json!({ "access_type": "offline", "session": "false" })
    );
    assert_eq!(config["tokenParams"], json!({ "request": "token" }));
    assert_eq!(config["refreshParams"], json!({ "request": "token" }));
    let options = &config["options"];
    let said = (
        &options["scopeSeparator"],
        &options["bodyFormat"],
        &options["authorizationMethod"],
    );
    assert_eq!(said, (&json!(","), &json!("json"), &json!("header")));
    let config = &files["oauth-instance"]["config"]["credentials"]["oauth2"]["config"];
    assert_eq!(
        config["contextFromToken"],
        json!({ "instance_url": "instance_url" })
    );
    assert_eq!(
        config["contextFromCallback"],
        json!({ "realmId": "realmId" })
    );
    let config =
        &files["client-grant"]["config"]["credentials"]["oauth2_client_credentials"]["config"];
    assert_eq!(
        config["tokenParams"]["audience"],
        "{{audience?:https://api.clientgrant.dev}}"
    );
}

#[test]
fn fields_have_what_the_definition_says_of_them() {
    let (files, _) = imported("nango-fields");
    let fields = |name: &str, format: &str| {
        files[name]["config"]["credentials"][format]["config"]["fields"].clone()
    };
    let key = json!([{
        "name": "api_key", "label": "Key", "type": "password", "required": true, "placeholder": "abc",
        "help_text": "Your key.", "pattern": "^[a-z]+$",
    }]);
    assert_eq!(fields("bearer-key", "api_key"), key);
    let options = &fields("listed-path", "api_key")[0]["options"];
    let first =
        json!({ "label": "api.listedpath.dev/b2b", "value": "https://api.listedpath.dev/b2b" });
    assert_eq!(options[0], first);
    assert_eq!(
        fields("own-port", "api_key")[0]["pattern"],
        "^https://(?:[a-zA-Z0-9.-]+(:[0-9]+)?)$"
    );
    let hidden = fields("hidden-region", "api_key");
    assert!(!hidden.to_string().contains("region"), "{hidden}");
    let webhook = fields("paged", "api_key");
    assert!(
        webhook
            .as_array()
            .unwrap()
            .iter()
            .any(|field| field["name"] == "webhook_secret")
    );
}

#[test]
fn verification_retries_and_pages_have_the_words_of_the_file() {
    let (files, _) = imported("nango-words-of-calls");
    let validation = json!({ "type": "request", "config": { "method": "get", "path": "/me" } });
    assert_eq!(
        files["bearer-key"]["config"]["actions"]["validation"],
        validation
    );
    let limit =
        json!({ "is_rate_limited": "status = 429", "retry_after_header_expression": "x-wait" });
    assert_eq!(files["bearer-key"]["config"]["rate_limit"], limit);
    let limit = &files["paged"]["config"]["rate_limit"];
    assert_eq!(
        limit["is_rate_limited"],
        "status = 429 or (status >= 400 and headers.`x-left` = \"0\")"
    );
    let pages = json!({ "format": "cursor", "config": { "limit_key": "size", "cursor_path": "meta.next", "cursor_key": "after" } });
    assert_eq!(files["paged"]["config"]["pagination"], pages);
}

#[test]
fn a_request_for_a_token_reads_the_answer_that_it_names() {
    let folder = Folder::new("nango-answers");
    let definition = json!({
        "auth_mode": "TWO_STEP",
        "token_url": "https://login.threerequests.dev/one",
        "token_params": { "user": "${credentials.username}" },
        "additional_steps": [
            { "token_url": "https://login.threerequests.dev/two", "token_params": { "a": "${step1.id}" } },
            { "token_url": "https://login.threerequests.dev/three",
              "token_params": { "a": "${step1.id}", "b": "${step2.id}", "c": "${now:YYYY}" } },
        ],
        "token_response": { "token": "access_token" },
        "credentials": { "username": { "type": "string", "title": "User name" } },
        "proxy": { "base_url": "https://api.threerequests.dev" },
    });
    let catalogue = json!({ "three-requests": definition });
    let catalogue = folder.json("providers.json", &catalogue);
    let (files, printed) = converted(&folder, Path::new(&catalogue));
    assert_eq!(row(&printed, "three-requests"), "full");
    let credentials = &files["three-requests"]["config"]["credentials"];
    let steps = &credentials["custom_token"]["config"]["steps"];
    let body = |step: usize| steps[step]["config"]["body"].clone();
    let copy = json!({ "type": "update_context", "config": "{ \"step1\": $previous }" });
    assert_eq!(steps[1], copy);
    assert_eq!(body(2), json!({ "a": "{{body.id}}" }));
    let time = "$merge([$previous, { \"time0\": $fromMillis($millis(), \"[Y0001]\") }])";
    assert_eq!(steps[3]["config"], time);
    let last = json!({ "a": "{{step1.id}}", "b": "{{body.id}}", "c": "{{body.time0}}" });
    assert_eq!(body(4), last);
}

#[test]
fn a_scheme_other_than_basic_is_an_expression() {
    let folder = Folder::new("nango-schemes");
    let definition = |authorization: &str| {
        json!({ "auth_mode": "API_KEY", "proxy": {
            "base_url": "https://api.schemes.dev", "headers": { "authorization": authorization },
        } })
    };
    let catalogue = json!({
        "basic": definition("Basic ${base64(${apiKey}:x)}"),
        "token": definition("Token ${base64(${apiKey}:x)}"),
    });
    let catalogue = folder.json("providers.json", &catalogue);
    let (files, printed) = converted(&folder, Path::new(&catalogue));
    let basic =
        json!({ "format": "basic", "config": { "username": "{{api_key}}", "password": "x" } });
    let expression =
        "{ \"authorization\": \"Token \" & $base64encode(context.`api_key` & \":x\") }";
    let header = json!({ "format": "header", "config": { "expression": expression } });
    each_case([("basic", basic), ("token", header)], |(name, expected)| {
        assert_eq!(
            files[name]["config"]["authorization"], expected,
            "{printed}"
        );
    });
}

#[test]
fn the_domain_of_a_platform_pins_no_host() {
    let folder = Folder::new("nango-platforms");
    let definition = json!({
        "auth_mode": "OAUTH2",
        "authorization_url": "https://one.execute-api.us-east-1.amazonaws.com/authorize",
        "token_url": "https://one.execute-api.us-east-1.amazonaws.com/token",
        "token_response_metadata": ["instance_url"],
        "proxy": { "base_url": "${connectionConfig.instance_url}" },
    });
    let catalogue = folder.json("providers.json", &json!({ "on-platform": definition }));
    let (files, _) = converted(&folder, Path::new(&catalogue));
    assert_eq!(
        files["on-platform"]["config"]["allowed_hosts"],
        json!(["*"])
    );
}

#[test]
fn only_some_definitions_are_converted_and_nothing_is_written_without_a_folder() {
    let catalogue = root().join(CATALOGUE);
    let catalogue = catalogue.to_str().unwrap();
    let printed = causeway([
        "import",
        "nango",
        catalogue,
        "--only",
        "bearer-key",
        "nothing",
    ])
    .expect(0);
    assert!(
        printed.starts_with("bearer-key  full\nnothing     full\n\n2 definitions: 2 full"),
        "{printed}"
    );
    let complaint = causeway(["import", "nango", catalogue, "--only", "missing"]).complaint(1);
    assert!(complaint.contains("no definition `missing`"), "{complaint}");
}

#[test]
fn what_is_no_catalogue_is_a_clear_problem() {
    let folder = Folder::new("nango-problems");
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let lines = names.windows(2).map(|pair| {
        let items = vec![format!("*{}", pair[0]); 10].join(",");
        format!("{}: &{} [{items}]\n", pair[1], pair[1])
    });
    let bomb = format!(
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n{}",
        lines.collect::<Vec<_>>().concat()
    );
    let deep = format!("a: {}{}", "[".repeat(400), "]".repeat(400));
    let cases = [
        ("list.yaml", "- a\n- b\n", "not an object of definitions"),
        ("broken.yaml", "a: [1, 2\nb: }", "not YAML"),
        ("broken.json", "{\"a\": ", "not JSON"),
        ("twice.yaml", "a: {x: 1}\na: {x: 2}\n", "not YAML"),
        ("bomb.yaml", bomb.as_str(), "not YAML"),
        ("deep.yaml", deep.as_str(), "not YAML"),
    ];
    each_case(cases, |(name, text, reported)| {
        let file = folder.file(name, text);
        let complaint = causeway(["import", "nango", &file]).complaint(1);
        assert!(complaint.contains(reported), "{name}: {complaint}");
    });
    let folder = folder.path().to_str().unwrap();
    assert!(
        causeway(["import", "nango", folder])
            .complaint(1)
            .contains("this is a folder")
    );
    assert!(
        causeway(["import", "nango", "/no/such"])
            .complaint(1)
            .contains("cannot be read")
    );
}
