use super::{Finding, read};
use crate::config::Field;
use crate::config::credentials::ApiKey;
use serde_json::json;

fn findings(value: serde_json::Value) -> Vec<(String, String, Option<String>)> {
    let mut findings: Vec<Finding> = Vec::new();
    let _: Option<ApiKey> = read(value, "at", &mut findings);
    findings
        .into_iter()
        .map(|f| (f.path, f.message, f.hint))
        .collect()
}

#[test]
fn every_mistake_of_a_unit_is_found_at_its_own_place() {
    let found = findings(json!({"fields": [
        {"lable": "a", "name": 1, "x-note": 1},
        {"name": "ok", "required": "secret text", "help_text": null},
        {"type": "pasword", "name": "p"},
        {"nane": "q"},
    ], "y": 1}));
    let paths: Vec<&str> = found.iter().map(|(path, ..)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "at.fields[0].lable",
            "at.fields[0].name",
            "at.fields[1].required",
            "at.fields[2].type",
            "at.fields[3].nane",
            "at.fields[3]",
            "at.y"
        ]
    );
    assert_eq!(found[0].2.as_deref(), Some("did you mean `label`?"));
    assert_eq!(found[2].1, "invalid type: string, expected a boolean");
    assert_eq!(found[3].2.as_deref(), Some("did you mean `password`?"));
    assert_eq!(found[5].1, "`name` is missing");
    assert_eq!(found[6].2.as_deref(), Some("known here: fields"));
}

#[test]
fn what_cannot_be_read_at_all_is_one_finding() {
    let mut found = Vec::new();
    assert!(read::<Field>(json!("text"), "at", &mut found).is_none());
    assert_eq!(found.len(), 1);
}
