use http::HeaderMap;

use super::*;

#[test]
fn a_code_names_who_must_act_and_is_unique() {
    let mut seen = std::collections::BTreeSet::new();
    for code in Code::ALL {
        let who = code.as_str().split('.').next().unwrap();
        assert!(["caller", "account", "integration", "provider", "internal"].contains(&who));
        assert!(
            seen.insert(code.as_str()),
            "{} is there twice",
            code.as_str()
        );
        assert!(!code.meaning().is_empty());
    }
}

#[test]
fn one_error_is_in_the_message_several_are_counted() {
    assert_eq!(
        Failure::invalid("name", "is required").message,
        "name: is required"
    );
    let two = vec![
        Complaint {
            path: "a".into(),
            message: "b".into(),
        };
        2
    ];
    assert!(
        Failure::invalid_in(&two)
            .message
            .starts_with("The request has 2 errors")
    );
}

#[test]
fn a_providers_error_keeps_its_status() {
    let mut failure = Failure::new(Code::Rejected, "no");
    assert_eq!(failure.status(), 502);
    failure.remote = Some(Box::new(Remote {
        status: 418,
        raw_response: "null".into(),
        headers: HeaderMap::new(),
        answered_by: AnsweredBy::Provider,
    }));
    assert_eq!(failure.status(), 418);
}
