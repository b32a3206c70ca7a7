use super::*;

fn with(name: &'static str, text: &str) -> Settings {
    Settings::read(|asked| (asked == name).then(|| text.to_owned()))
}

#[test]
fn what_is_absent_gets_the_safe_default() {
    let settings = Settings::read(|_| None);
    assert!(settings.admin_token.is_none());
    assert!(settings.keyring().is_err());
    assert_eq!(settings.eu_jurisdiction, EuJurisdiction::Enforced);
    assert_eq!(settings.private_upstreams, PrivateUpstreams::Refused);
    assert_eq!(settings.config_cache, Duration::from_secs(30));
    assert_eq!(settings.account_rate, None);
    assert_eq!(settings.list_pages, 100_000);
    assert_eq!(settings.buffers, Buffers::default());
    assert_eq!(settings.call_timeout, Duration::from_secs(30));
    assert_eq!(settings.log_retention, Duration::from_hours(24 * 7));
    assert_eq!(settings.log_retention_count, 10_000);
    assert_eq!(settings.log_calls, LogCalls::Failed);
    assert_eq!(settings.log_stored_calls, LogCalls::All);
    assert_eq!(settings.unreadable, [""; 0]);
}

#[test]
fn the_share_of_logged_calls_is_above_0_and_up_to_1() {
    let rows = [
        ("all", LogCalls::All, true),
        ("failed", LogCalls::Failed, true),
        ("0.01", LogCalls::Share(0.01), true),
        ("1", LogCalls::All, true),
        ("0", LogCalls::Failed, false),
        ("1.01", LogCalls::Failed, false),
        ("-1", LogCalls::Failed, false),
        ("NaN", LogCalls::Failed, false),
        ("some", LogCalls::Failed, false),
    ];
    for (text, log_calls, is_readable) in rows {
        let settings = with("LOG_CALLS", text);
        assert_eq!(settings.log_calls, log_calls, "{text}");
        assert_eq!(settings.unreadable.is_empty(), is_readable, "{text}");
        let stored = with("LOG_STORED_CALLS", text).log_stored_calls;
        let expected = if is_readable {
            log_calls
        } else {
            LogCalls::All
        };
        assert_eq!(stored, expected, "{text}");
    }
}

#[test]
fn each_number_ends_exactly_at_its_bounds() {
    const MIB: u64 = 1024 * 1024;
    type Read = fn(&Settings) -> u64;
    let rows: [(&str, u64, u64, u64, Read); 12] = [
        ("ACCOUNT_RATE", 0, 10_000, 0, |s| {
            s.account_rate.map_or(0, |rate| rate.get() as u64)
        }),
        ("CONFIG_CACHE_SECONDS", 0, 60, 30, |s| {
            s.config_cache.as_secs()
        }),
        ("WEBHOOK_BODY_BYTES", 1, 1_900_000, MIB, |s| {
            s.webhook_body_bytes as u64
        }),
        ("EVENT_RETENTION_DAYS", 1, 30, 30, |s| {
            s.event_retention.as_secs() / 86_400
        }),
        ("BUFFERED_ANSWER_BYTES", 1, 16 * MIB, 8 * MIB, |s| {
            s.buffers.answer_bytes as u64
        }),
        ("BUFFERED_TOTAL_BYTES", 16 * MIB, 64 * MIB, 32 * MIB, |s| {
            s.buffers.total_bytes as u64
        }),
        ("UNPROVED_BYTES", 3_097_152, 16 * MIB, 4 * MIB, |s| {
            s.buffers.unproved_bytes as u64
        }),
        ("CALLS_WAITING", 1, 4_000, 1_000, |s| s.calls_waiting as u64),
        ("CALL_TIMEOUT_MS", 1, 100_000, 30_000, |s| {
            s.call_timeout.as_secs() * 1_000 + u64::from(s.call_timeout.subsec_millis())
        }),
        ("MCP_RESULT_BYTES", 16_384, 4 * MIB, MIB / 4, |s| {
            s.mcp_result_bytes as u64
        }),
        ("LOG_RETENTION_DAYS", 1, 7, 7, |s| {
            s.log_retention.as_secs() / 86_400
        }),
        ("LOG_RETENTION_COUNT", 1, 100_000, 10_000, |s| {
            s.log_retention_count as u64
        }),
    ];
    for (name, least, most, default, read) in rows {
        let set = |text: &str| {
            let settings = with(name, text);
            (read(&settings), settings.unreadable.len())
        };
        for (given, expected) in [
            (least, least),
            (most - 1, most - 1),
            (most, most),
            (most + 1, most),
        ] {
            assert_eq!(set(&given.to_string()), (expected, 0), "{name}={given}");
        }
        for text in ["-1", "many", "1.5", "99999999999999999999"] {
            assert_eq!(set(text), (default, 1), "{name}={text}");
        }
        if least == 1 {
            assert_eq!(set("0"), (default, 1), "{name}=0");
        }
        assert_eq!(set("  "), (default, 0), "{name}");
    }
}

#[test]
fn a_total_that_is_less_than_two_answers_is_noted_and_does_not_count() {
    let settings = with("BUFFERED_TOTAL_BYTES", "16777215");
    assert_eq!(settings.buffers.total_bytes, 2 * BUFFERED_ANSWER_BYTES);
    let noted = ["BUFFERED_TOTAL_BYTES is less than twice BUFFERED_ANSWER_BYTES"];
    assert_eq!(settings.unreadable, noted);
}

#[test]
fn an_unproved_part_that_cannot_take_the_largest_webhook_is_noted_and_does_not_count() {
    let settings = with("UNPROVED_BYTES", "3097151");
    assert_eq!(settings.buffers.unproved_bytes, 3_097_152);
    let noted = ["UNPROVED_BYTES is less than 3097152, which WEBHOOK_BODY_BYTES needs"];
    assert_eq!(settings.unreadable, noted);
    let settings = with("WEBHOOK_BODY_BYTES", "1900000");
    assert_eq!(settings.buffers.unproved_bytes, 4_800_000);
    assert_eq!(settings.unreadable, [""; 0]);
}

#[test]
fn only_the_exact_words_loosen_anything() {
    let settings = Settings::read(|name| match name {
        "ALLOW_PRIVATE_UPSTREAMS" => Some("1".to_owned()),
        "EU_JURISDICTION" => Some("of".to_owned()),
        "CONFIG_CACHE_SECONDS" => Some("9999".to_owned()),
        _ => Some("  ".to_owned()),
    });
    assert_eq!(settings.private_upstreams, PrivateUpstreams::Refused);
    assert_eq!(settings.eu_jurisdiction, EuJurisdiction::Enforced);
    assert_eq!(
        settings.config_cache,
        Duration::from_mins(1),
        "with a minute of KV the documented 120 s hold"
    );
    assert!(settings.admin_token.is_none());
    assert_eq!(
        settings.unreadable,
        [
            "EU_JURISDICTION is neither `eu` nor `off`",
            "ALLOW_PRIVATE_UPSTREAMS is neither `false` nor `true`",
        ]
    );
}

#[test]
fn what_cannot_be_read_is_noted_without_its_value() {
    for (name, text) in [
        ("PUBLIC_URL", "sekret.example"),
        ("PUBLIC_URL", "ftp://sekret.example"),
        ("LIST_PAGES", "sekret"),
        ("LIST_PAGES", "0"),
        ("MCP_ALLOWED_ORIGINS", "https://sekret.example/a"),
        ("EVENT_RETENTION_COUNT", "-1"),
        ("EU_JURISDICTION", "sekret"),
        ("ALLOW_PRIVATE_UPSTREAMS", "sekret"),
    ] {
        let unreadable = with(name, text).unreadable;
        assert_eq!(unreadable.len(), 1, "{name}={text}");
        let words = &unreadable[0];
        assert!(
            words.starts_with(name) && !words.contains("sekret"),
            "{words}"
        );
    }
    for (name, text) in [
        ("PUBLIC_URL", "http://localhost:8787"),
        ("EU_JURISDICTION", "eu"),
        ("ALLOW_PRIVATE_UPSTREAMS", "false"),
        ("EVENT_RETENTION_COUNT", "0"),
    ] {
        assert_eq!(with(name, text).unreadable, [""; 0], "{name}={text}");
    }
}

#[test]
fn origins_are_read_as_browsers_write_them() {
    for (text, origins, unreadable) in [
        ("", &[][..], 0),
        (
            " https://app.example ,http://localhost:6274,",
            &["https://app.example", "http://localhost:6274"],
            0,
        ),
        ("https://App.example", &["https://app.example"], 0),
        ("https://app.example/", &[], 1),
        (
            "https://app.example, app.example, null, *, https://app.example:443",
            &[],
            1,
        ),
    ] {
        let settings = with("MCP_ALLOWED_ORIGINS", text);
        assert_eq!(settings.mcp_allowed_origins, origins, "{text}");
        assert_eq!(settings.unreadable.len(), unreadable, "{text}");
    }
}
