//! `causeway validate`.

use serde_json::{Value, json};

use super::{Folder, causeway};
use crate::cases::each_case;
use crate::integration_files::root;
use crate::integrations::file;

fn broken() -> Value {
    let mut file = file();
    file["config"]["resources"]["orders"]["list"]["paht"] = json!("/x");
    file["config"]["query"] = json!({ "shop": "{{shop}}" });
    file
}

#[test]
fn valid_files_are_named_and_the_exit_code_is_0() {
    let acme = root().join("integrations/acme.json");
    let out = causeway(["validate".as_ref(), acme.as_os_str()]).expect(0);
    assert_eq!(out, format!("{}: valid\n", acme.display()));
}

#[test]
fn what_tools_lack_is_a_warning_on_request() {
    let folder = Folder::new("validate-tools");
    let mut lacking = file();
    lacking["config"]["resources"] = json!({ "orders": {
        "list": { "path": "/orders/{{query.dock}}", "description": "Lists orders." },
        "create": { "method": "post", "path": "/orders" },
        "get": { "path": "/orders/{{id}}", "description": "Gets an order." },
    } });
    let path = folder.json("lacking.json", &lacking);
    assert_eq!(
        causeway(["validate", &path]).expect(0),
        format!("{path}: valid\n")
    );
    let out = causeway(["validate", "--tools", &path]).expect(0);
    let expected = [
        "orders.create.description: a tool needs `description`",
        "orders.create.body_schema: a tool needs `body_schema`",
        "orders.list.query_schema: a tool needs `query_schema`: it declares none of dock",
    ];
    assert!(
        out.starts_with(&format!("{path}: valid, 3 warnings\n")),
        "{out}"
    );
    each_case(expected, |line| {
        assert!(out.contains(line), "{line}: {out}");
    });
}

#[test]
fn every_finding_of_every_file_is_said_with_its_place_and_hint() {
    let folder = Folder::new("validate-says-all");
    let good = folder.json("good.json", &file());
    let bad = folder.json("bad.json", &broken());
    let text = folder.file("text.json", "{\n  \"name\": \"x\"\n  \"config\": {}\n}");
    let out = causeway(["validate", &bad, &text, &good]).expect(1);
    let expected = format!(
        "{bad}: 1 error, 1 warning\n  \
           error    config.resources.orders.list.paht: `paht` is not a key here\n           \
                    did you mean `path`?\n  \
           warning  config.query.shop: nothing fills `shop`: no field declares it\n           \
                    declare a field, or give a default with `?:`\n\
         {text}: 1 error\n  \
           error    the file is not JSON: expected `,` or `}}` at line 3 column 3\n\
         {good}: valid\n"
    );
    assert_eq!(out, expected);
}

#[test]
fn warnings_alone_do_not_fail() {
    let folder = Folder::new("validate-warnings");
    let mut file = broken();
    file["config"]["resources"] = json!({});
    let path = folder.json("warned.json", &file);
    let out = causeway(["validate", &path]).expect(0);
    assert!(
        out.starts_with(&format!("{path}: valid, 1 warning\n")),
        "{out}"
    );
}

#[test]
fn in_json_each_file_has_its_findings() {
    let folder = Folder::new("validate-json");
    let good = folder.json("good.json", &file());
    let bad = folder.json("bad.json", &broken());
    let out = causeway(["validate", "--json", &good, &bad]).expect(1);
    let reports: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        reports[0],
        json!({ "file": good, "valid": true, "findings": [] })
    );
    assert_eq!(
        (&reports[1]["file"], &reports[1]["valid"]),
        (&json!(bad), &json!(false))
    );
    let findings = causeway::config::read(&broken()).findings;
    assert_eq!(reports[1]["findings"], json!(findings));
}

#[test]
fn what_cannot_be_read_is_a_finding_too() {
    let folder = Folder::new("validate-unreadable");
    let missing = folder.path().join("missing.json");
    let large = folder.file("large.json", &" ".repeat(1024 * 1024 + 1));
    let paths = [folder.path(), &missing, large.as_ref()].map(|path| path.to_str().unwrap());
    let out = causeway([&["validate"], &paths[..]].concat()).expect(1);
    let cases = [
        "this is a folder",
        "/*.json",
        "the file cannot be read: No such file",
        "larger than 1048576 bytes",
    ];
    each_case(cases, |reported| {
        assert!(out.contains(reported), "{reported}: {out}");
    });
}

#[test]
fn a_command_line_that_is_wrong_ends_with_2() {
    assert!(causeway(["validate"]).complaint(2).contains("FILES"));
    assert!(causeway(["valdiate"]).complaint(2).contains("'validate'"));
    assert!(
        causeway(["validate", "--jsn", "x"])
            .complaint(2)
            .contains("--json")
    );
    assert!(causeway(["--help"]).expect(0).contains("publish"));
    let version = causeway(["--version"]).expect(0);
    assert_eq!(
        version,
        concat!("causeway ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
