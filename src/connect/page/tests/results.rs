use url::Url;

use super::{HOSTILE, assert_sound, brand, nonce};
use crate::connect::outcome::{ConnectFailure, ConnectOutcome};
use crate::connect::page::{
    Application, ConnectPurpose, ConnectedPage, FailedPage, Popup, connected, explanation, failed,
    popup,
};

fn failure(failure: ConnectFailure) -> FailedPage<'static> {
    FailedPage {
        brand: Some(brand("Acme", None)),
        application: None,
        failure,
        provider_words: None,
        again: Some("/connect/acme?link_token=lt_1"),
        reference: "0199-ab",
    }
}

fn success() -> ConnectedPage<'static> {
    ConnectedPage {
        brand: brand("Acme", None),
        application: Application::default(),
        purpose: ConnectPurpose::Connect,
    }
}

#[test]
fn success_is_said_plainly() {
    let html = connected(&success(), &nonce());
    assert_sound(&html);
    assert!(html.contains("Acme is connected</h1>") && html.contains("close this window"));
    assert!(!html.contains("<script"));
    let again = ConnectedPage {
        purpose: ConnectPurpose::Reconnect,
        ..success()
    };
    assert!(connected(&again, &nonce()).contains("connected again"));
}

#[test]
fn every_failure_has_words_a_reference_and_a_way_on_where_there_is_one() {
    let mut headings = std::collections::BTreeSet::new();
    for kind in ConnectFailure::ALL {
        for brand in [None, Some(brand("Acme", None))] {
            let html = failed(
                &FailedPage {
                    brand,
                    ..failure(kind)
                },
                &nonce(),
            );
            assert_sound(&html);
            assert!(html.contains("Reference for support: <span class=\"reference\">0199-ab"));
            assert!(!html.contains(kind.error_type()), "{kind:?}");
            headings.insert(
                html.split("<h1")
                    .nth(1)
                    .unwrap()
                    .split("</h1>")
                    .next()
                    .unwrap()
                    .to_owned(),
            );
            let is_final = matches!(
                kind,
                ConnectFailure::InvalidToken
                    | ConnectFailure::AlreadyUsed
                    | ConnectFailure::OtherBrowser
            );
            assert_eq!(html.contains("class=\"button\""), !is_final, "{kind:?}");
        }
        assert!(explanation(kind, None).ends_with('.'));
    }
    assert!(headings.len() >= ConnectFailure::ALL.len());
    let alone = FailedPage {
        again: None,
        ..failure(ConnectFailure::ConnectionError)
    };
    assert!(!failed(&alone, &nonce()).contains("class=\"button\""));
}

#[test]
fn the_providers_words_are_shown_as_text_and_cut() {
    for text in HOSTILE {
        let page = FailedPage {
            brand: Some(brand(text, None)),
            provider_words: Some(text),
            reference: text,
            ..failure(ConnectFailure::AccessDenied)
        };
        assert_sound(&failed(&page, &nonce()));
    }
    let long = "x".repeat(10_000);
    let page = FailedPage {
        provider_words: Some(&long),
        ..failure(ConnectFailure::AccessDenied)
    };
    let html = failed(&page, &nonce());
    assert!(html.contains(&format!("{}…", "x".repeat(600))) && !html.contains(&"x".repeat(601)));
    let page = FailedPage {
        provider_words: Some(" \n"),
        ..failure(ConnectFailure::AccessDenied)
    };
    assert!(!failed(&page, &nonce()).contains("says:"));
}

#[test]
fn a_popup_tells_its_opener_and_no_other_origin() {
    let outcome = ConnectOutcome::Connected {
        integration: "acme",
        integrated_account_id: "0199",
    };
    let uri = Url::parse("https://app.example:8443/done?x=1#y").unwrap();
    let html = popup(&Popup::Connected(success()), &outcome, &uri, &nonce());
    assert_sound(&html);
    let sent = "postMessage({\"result\":\"success\",\"integration\":\"acme\",\"integrated_account_id\":\"0199\"},\"https://app.example:8443\")";
    assert!(html.contains(sent), "{html}");
    assert!(html.contains("you can close it"));
    let opaque = popup(
        &Popup::Connected(success()),
        &outcome,
        &Url::parse("app:done").unwrap(),
        &nonce(),
    );
    assert!(opaque.contains("},\"null\")"));
}

#[test]
fn no_value_breaks_out_of_the_script() {
    let uri = Url::parse("https://app.example/").unwrap();
    for text in HOSTILE {
        let outcome = ConnectOutcome::Failed {
            integration: Some(text),
            failure: ConnectFailure::AccessDenied,
            error: text,
        };
        let html = popup(
            &Popup::Failed(failure(ConnectFailure::AccessDenied)),
            &outcome,
            &uri,
            &nonce(),
        );
        assert_sound(&html);
        let script = html
            .split("<script nonce=\"")
            .nth(1)
            .unwrap()
            .split_once('>')
            .unwrap()
            .1;
        let script = script.split("</script>").next().unwrap();
        assert!(
            !script.contains(['<', '>', '\u{2028}', '\u{2029}', '\n', '\0']),
            "{script}"
        );
        let json = script.split("postMessage(").nth(1).unwrap();
        let mut values = serde_json::Deserializer::from_str(json).into_iter::<serde_json::Value>();
        let message = values.next().unwrap().unwrap();
        assert_eq!(message["error"], text);
        assert_eq!(message["error_type"], "access_denied");
    }
}
