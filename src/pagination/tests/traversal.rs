//! What every format has: a page before, an end, a position that can be kept.

use super::*;

#[test]
fn the_page_before_is_told_by_the_provider_or_by_counting() {
    let pagination = cursor(&json!({ "prev_cursor_path": "prev" }));
    let links = turned(
        &pagination,
        &start(&pagination, None),
        1,
        &json!({ "prev": "p" }),
        &[],
    )
    .unwrap();
    assert_eq!(
        (links.next, links.prev.map(|prev| prev.at)),
        (None, Some(PagePlace::Cursor("\"p\"".into())))
    );
    let pagination = self::pagination("offset", &json!({ "offset_key": "skip", "limit_key": "n" }));
    let mut position = start(&pagination, Some(10));
    let prev = |position: &Position| {
        let links = turned(&pagination, position, 10, &json!({}), &[]).unwrap();
        links.prev.map(|prev| prev.at)
    };
    assert_eq!(prev(&position), None);
    position.at = PagePlace::Offset(25);
    assert_eq!(prev(&position), Some(PagePlace::Offset(15)));
    position.at = PagePlace::Offset(5);
    assert_eq!(prev(&position), Some(PagePlace::Offset(0)));
}

#[test]
fn a_provider_that_repeats_or_never_ends_is_detected() {
    let pagination = cursor(&json!({}));
    let mut position = start(&pagination, None);
    for (page, next) in [(1, "a"), (2, "b")] {
        let body = json!({ "next": next });
        position = answered(&pagination, &position, (1, "[same]"), &body, &[])
            .unwrap()
            .next
            .unwrap();
        assert_eq!(position.pages, page);
    }
    let third = answered(
        &pagination,
        &position,
        (1, "[same]"),
        &json!({ "next": "c" }),
        &[],
    );
    assert_eq!(
        third,
        error(&PageError::Repeats),
        "three pages are the same"
    );
    let other = answered(
        &pagination,
        &position,
        (1, "[other]"),
        &json!({ "next": "b" }),
        &[],
    );
    assert_eq!(
        other,
        error(&PageError::Repeats),
        "the cursor that was just used"
    );
}

#[test]
fn two_equal_pages_of_several_records_are_a_repetition() {
    let pagination = cursor(&json!({}));
    let page = |position: &Position, next: &str| {
        let body = json!({ "next": next });
        answered(&pagination, position, (2, "[same, same]"), &body, &[])
    };
    let second = page(&start(&pagination, None), "a").unwrap().next.unwrap();
    assert_eq!(page(&second, "b"), error(&PageError::Repeats));
}

#[test]
fn a_place_has_so_many_bytes() {
    let pagination = cursor(&json!({ "prev_cursor_path": "next" }));
    let body = json!({ "next": "x".repeat(100) });
    let links = turned(&pagination, &start(&pagination, None), 1, &body, &[]).unwrap();
    assert_eq!(links.next.as_ref().unwrap().pages, 1);
    let size = links.next.as_ref().unwrap().size();
    assert_eq!(links.clone().within(size), links.clone());
    let too_long = led(links.clone().within(size - 1));
    assert_eq!(too_long, error(&PageError::TooLong(size - 1)));
    let last = PageLinks {
        next: None,
        ..links
    };
    assert_eq!(last.clone().within(size), last.clone());
    assert_eq!(last.within(10), PageLinks::default());
}

#[test]
fn with_a_content_hash_an_equal_page_is_the_end() {
    let pagination = cursor(&json!({ "use_content_hash": true }));
    let body = json!({ "next": "a" });
    let position = answered(
        &pagination,
        &start(&pagination, None),
        (1, "[same]"),
        &body,
        &[],
    )
    .unwrap()
    .next
    .unwrap();
    let again = answered(
        &pagination,
        &position,
        (1, "[same]"),
        &json!({ "next": "b" }),
        &[],
    )
    .unwrap();
    assert_eq!((again.next, again.standing), (None, PageStatus::Repeated));
}

#[test]
fn a_position_goes_through_json_unchanged() {
    for at in [
        PagePlace::Cursor("\"a\"".into()),
        PagePlace::Link("/x?y".into()),
        PagePlace::Page(2),
        PagePlace::Offset(u64::MAX),
        PagePlace::Values(json!({ "day": 1 })),
    ] {
        let pagination = cursor(&json!({}));
        let body = json!({ "next": "a" });
        let mut position = turned(&pagination, &start(&pagination, Some(3)), 3, &body, &[])
            .unwrap()
            .next
            .unwrap();
        position.at = at;
        let text = serde_json::to_string(&position).unwrap();
        assert_eq!(
            serde_json::from_str::<Position>(&text).unwrap(),
            position,
            "{text}"
        );
    }
}

#[test]
fn a_limit_is_kept_within_what_the_provider_takes() {
    let pagination = cursor(&json!({ "min_limit": 5 }));
    for (limit, expected) in [
        (Some(0), Some(5)),
        (Some(4), Some(5)),
        (Some(20), Some(20)),
        (Some(500), Some(50)),
        (None, None),
    ] {
        assert_eq!(start(&pagination, limit).limit, expected, "{limit:?}");
    }
    assert_eq!(start(&cursor(&json!({})), Some(0)).limit, Some(1));
}

#[test]
fn an_end_that_the_provider_contradicts_is_guessed() {
    let more = json!({ "has_next_path": "more" });
    let allowed = json!({ "has_next_path": "more", "allow_empty_page_cursor": true });
    for (config, count, body, is_guessed) in [
        (json!({}), 0, json!({ "next": "b" }), false),
        (more.clone(), 0, json!({ "next": "b", "more": true }), true),
        (
            more.clone(),
            0,
            json!({ "next": "b", "more": false }),
            false,
        ),
        (more.clone(), 1, json!({ "next": "b", "more": true }), false),
        (more.clone(), 1, json!({ "next": null, "more": true }), true),
        (more, 1, json!({ "next": null, "more": false }), false),
        (allowed, 0, json!({ "next": "b", "more": true }), false),
    ] {
        let pagination = cursor(&config);
        let links = turned(&pagination, &start(&pagination, None), count, &body, &[]).unwrap();
        assert_eq!(links.is_guessed_end, is_guessed, "{config} {count} {body}");
    }
    let offset = pagination(
        "offset",
        &json!({ "offset_key": "offset", "limit_key": "limit" }),
    );
    let next = |position: &Position| {
        let links = answered(&offset, position, (1, "[same]"), &json!({}), &[]).unwrap();
        (links.next, links.is_guessed_end)
    };
    let (second, is_guessed) = next(&start(&offset, None));
    assert!(!is_guessed);
    assert_eq!(next(&second.unwrap()), (None, true));
}

/// The pages of a list that a total is known of: whether the end behind them is a guess.
#[track_caller]
fn ends(pagination: &Pagination, pages: &[(u64, Value, &str)], is_guessed: bool) {
    let mut position = start(pagination, Some(10));
    let mut end = None;
    for (count, body, range) in pages {
        assert_eq!(end, None, "the list goes on");
        let headers = [("content-range", *range)];
        let headers = headers.get(usize::from(range.is_empty())..).unwrap();
        let links = turned(pagination, &position, *count, body, headers).unwrap();
        match links.next {
            Some(next) => position = next,
            None => end = Some(links.is_guessed_end),
        }
    }
    assert_eq!(end, Some(is_guessed), "{pages:?}");
}

#[test]
fn an_empty_page_before_the_total_is_a_guess() {
    let total = |total: u64| json!({ "total": total, "pages": total / 10 });
    let offset = pagination(
        "offset",
        &json!({ "offset_key": "offset", "limit_key": "limit", "total_path": "total" }),
    );
    let page = pagination(
        "page",
        &json!({ "page_key": "page", "limit_key": "limit", "total_path": "total" }),
    );
    let pages = pagination(
        "page",
        &json!({ "page_key": "page", "limit_key": "limit", "total_pages_path": "pages" }),
    );
    for pagination in [&offset, &page, &pages] {
        ends(pagination, &[(10, total(30), ""), (0, total(30), "")], true);
        ends(
            pagination,
            &[(10, total(20), ""), (10, total(20), "")],
            false,
        );
        // The total of the page before counts where an empty page has none: a 404, say.
        ends(pagination, &[(10, total(30), ""), (0, json!({}), "")], true);
        ends(
            pagination,
            &[(10, json!({}), ""), (0, json!({}), "")],
            false,
        );
        ends(pagination, &[(0, total(0), "")], false);
    }
    // A list that became shorter says so.
    ends(&offset, &[(10, total(20), ""), (0, total(10), "")], false);
}

#[test]
fn the_end_of_ranges_is_a_guess_where_a_total_contradicts_it() {
    let capped = pagination("range", &json!({ "max_limit": 10 }));
    let range = pagination("range", &json!({}));
    let none = || json!([]);
    for pagination in [&capped, &range] {
        let (first, second) = ((10, none(), "items 0-9/30"), (10, none(), "items 10-19/20"));
        ends(
            pagination,
            &[first.clone(), (0, none(), "items 10-9/30")],
            true,
        );
        ends(pagination, &[first.clone(), (0, none(), "")], true);
        ends(pagination, &[first, second], false);
        let unknown = (10, none(), "items 0-9/*");
        ends(pagination, &[unknown.clone(), (0, none(), "")], false);
    }
    // Only where the file names the largest page is a short one known to be the last.
    ends(&capped, &[(4, none(), "items 0-3/*")], false);
    ends(
        &range,
        &[(4, none(), "items 0-3/*"), (0, none(), "")],
        false,
    );
    let position = start(&range, Some(1));
    let same = |position: &Position| {
        let header = [("content-range", "items 0-0/*")];
        answered(&range, position, (1, "[same]"), &none(), &header).unwrap()
    };
    let links = same(&same(&position).next.unwrap());
    assert_eq!((links.next, links.is_guessed_end), (None, true));
}
