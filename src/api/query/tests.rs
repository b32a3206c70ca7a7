use super::*;

fn page(query: &str) -> Result<PageRequest, Failure> {
    let url = Url::parse(&format!("http://x/y?{query}")).unwrap();
    let fields = [
        FilterField::flag("is_beta"),
        FilterField::time("created_at"),
        FilterField::text("integration.name").stored_as("integration_name"),
    ];
    Ok(QueryParameters::of_list(&url, &[], &fields)?.1)
}

#[test]
fn the_limit_is_clamped_not_refused() {
    for (query, limit) in [
        ("", 100),
        ("limit=7", 7),
        ("limit=1000", 1000),
        ("limit=1001", 1000),
        ("limit=0", 1),
    ] {
        assert_eq!(page(query).unwrap().limit, limit, "{query}");
    }
    assert_eq!(page("limit=many").unwrap_err().status(), 400);
}

#[test]
fn a_cursor_comes_back_as_it_went() {
    let id = "018bcfe5-6800-8000-8000-000000000000";
    assert_eq!(
        page(&format!("next_cursor={}", cursor(id)))
            .unwrap()
            .after
            .as_deref(),
        Some(id)
    );
    for wrong in ["abc", "***", "JyBPUiAx"] {
        assert_eq!(
            page(&format!("next_cursor={wrong}")).unwrap_err().status(),
            400,
            "{wrong}"
        );
    }
}

#[test]
fn a_cursor_of_events_holds_a_time_too() {
    let place = format!("1700000000000.evt_{}_abababababababab", "0".repeat(32));
    let after = |text: &str| {
        let url = format!("http://x/event?next_cursor={}", cursor(text));
        QueryParameters::of_events(&Url::parse(&url).unwrap(), &[], &[]).map(|(_, page)| page.after)
    };
    assert_eq!(after(&place).unwrap(), Some(place.clone()));
    assert_eq!(after("").unwrap(), None, "the first page");
    for wrong in ["1 OR 1", "1;evt", &"a".repeat(101)] {
        assert_eq!(after(wrong).unwrap_err().status(), 400, "{wrong}");
    }
    let elsewhere = page(&format!("next_cursor={}", cursor(&place)));
    assert_eq!(elsewhere.unwrap_err().status(), 400);
}

#[test]
fn filters_are_read_by_their_kind() {
    let page =
        page("is_beta=true&created_at%5Bgt%5D=2026-01-31T01:00:00%2B01:00&integration.name=a")
            .unwrap();
    let read: Vec<_> = page
        .filters
        .iter()
        .map(|one| (one.field.as_str(), one.comparison, one.value.clone()))
        .collect();
    let expected = [
        ("is_beta", Comparison::Is, FilterValue::Flag(true)),
        (
            "created_at",
            Comparison::Above,
            FilterValue::Text("2026-01-31T00:00:00.000Z".into()),
        ),
        (
            "integration_name",
            Comparison::Is,
            FilterValue::Text("a".into()),
        ),
    ];
    assert_eq!(read, expected);
    for wrong in ["is_beta=yes", "created_at=today", "is_beta[gt]=true"] {
        assert_eq!(
            super::tests::page(wrong).unwrap_err().status(),
            400,
            "{wrong}"
        );
    }
}

#[test]
fn a_misspelt_or_doubled_parameter_is_refused() {
    assert!(page("limitt=1").unwrap_err().message.contains("limitt"));
    assert!(
        page("limit=1&limit=2")
            .unwrap_err()
            .message
            .contains("more than once")
    );
}
