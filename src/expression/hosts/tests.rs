//! Which hosts a pattern permits, and what is none.

use super::{AllowedHosts, PlainHttp};

fn permits(pattern: &str, url: &str) -> bool {
    let hosts = AllowedHosts::parse([pattern]).unwrap();
    hosts.permits(&url.parse().unwrap(), PlainHttp::Allowed)
}

#[test]
fn a_pattern_permits_its_hosts_and_no_others() {
    let table = [
        ("api.example.com", "https://api.example.com/x", true),
        ("API.example.com", "https://api.EXAMPLE.com:443/", true),
        ("api.example.com", "https://evilapi.example.com/", false),
        (
            "api.example.com",
            "https://api.example.com.evil.com/",
            false,
        ),
        ("api.example.com", "https://api.example.com:8443/", false),
        ("api.example.com", "http://api.example.com/", false),
        ("api.example.com", "https://user@api.example.com/", false),
        ("*.my.example.com", "https://acme.my.example.com/", true),
        ("*.my.example.com", "https://a.b.my.example.com/", true),
        ("*.my.example.com", "https://my.example.com/", false),
        ("*.my.example.com", "https://evilmy.example.com/", false),
        ("*.x.com:8443", "https://a.x.com:8443/", true),
        ("*.x.com:8443", "https://a.x.com/", false),
        ("http://localhost:4873", "http://localhost:4873/a", true),
        ("http://localhost:4873", "https://localhost:4873/a", false),
        ("http://127.0.0.1:80", "http://127.0.0.1/", true),
        (
            "accounts.zoho.{com,eu,com.au}",
            "https://accounts.zoho.eu/oauth",
            true,
        ),
        (
            "accounts.zoho.{com,eu,com.au}",
            "https://accounts.zoho.com.au/",
            true,
        ),
        (
            "accounts.zoho.{com,eu,com.au}",
            "https://accounts.zoho.in/",
            false,
        ),
        (
            "accounts.zoho.{com,eu,com.au}",
            "https://accounts.zoho.com.evil.com/",
            false,
        ),
        (
            "accounts.zoho.{com,eu,com.au}",
            "https://evil.zoho.eu/",
            false,
        ),
        (
            "accounts.zoho.{com,eu,com.au}",
            "http://accounts.zoho.eu/",
            false,
        ),
        (
            "accounts.zoho.{com,eu,com.au}",
            "https://accounts.zoho.eu:8443/",
            false,
        ),
        ("*.zoho.{com,eu}", "https://www.zoho.eu/", true),
        ("*.zoho.{com,eu}", "https://zoho.eu/", false),
        ("*.zoho.{com,eu}", "https://www.evilzoho.eu/", false),
        ("*", "https://anything.internal:9999/", true),
        ("*", "http://anything.internal/", true),
        ("*", "https://user@x.com/", false),
        ("*", "ftp://x.com/", false),
    ];
    for (pattern, url, expected) in table {
        assert_eq!(permits(pattern, url), expected, "{pattern} {url}");
    }
}

#[test]
fn plain_http_needs_the_callers_word() {
    for pattern in ["*", "http://localhost:4873"] {
        let hosts = AllowedHosts::parse([pattern]).unwrap();
        let url = "http://localhost:4873/".parse().unwrap();
        assert!(!hosts.permits(&url, PlainHttp::Refused), "{pattern}");
        assert!(hosts.permits(&url, PlainHttp::Allowed), "{pattern}");
    }
}

#[test]
fn what_is_not_a_pattern_is_refused() {
    for text in [
        "",
        "*.com",
        "*com",
        "a.*.com",
        "ftp://x.com",
        "x.com/path",
        "x.com?",
        "u@x.com",
        "x.com:port",
        "x.com:99999",
        "https://",
        "exämple.com",
        "x .com",
        "*.*",
        "**",
        "{com,eu}",
        "*.{com,eu}",
        "*.{com.au,co.uk}",
        ".{com,eu}",
        "zoho{.com,.eu}",
        "zoho.{com,eu",
        "zoho.{com,}",
        "zoho.{}",
        "zoho.{com,*}",
        "zoho.{com,evil.com/}",
        "zoho.{com,eu}:8443",
        "zoho.{com,{eu}}",
        "{a}.zoho.{com}",
    ] {
        assert!(AllowedHosts::parse([text]).is_err(), "{text}");
    }
    let list = |count: usize| format!("zoho.{{{}}}", vec!["eu"; count].join(","));
    assert!(AllowedHosts::parse([list(50).as_str()]).is_ok());
    assert!(AllowedHosts::parse([list(51).as_str()]).is_err());
}
