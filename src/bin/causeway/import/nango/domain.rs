//! Domains of examples: whether one is the vendor's own, or only shows what a customer's may look like.

/// Second-level labels under which names are registered, in front of a country's two letters.
const SECOND_LEVEL: [&str; 8] = ["ac", "co", "com", "edu", "gov", "net", "or", "org"];

/// Labels of made-up domains.
const MADE_UP: [&str; 26] = [
    "acme",
    "company",
    "companyname",
    "corp",
    "customer",
    "domain",
    "domainname",
    "example",
    "foo",
    "foobar",
    "host",
    "hostname",
    "instance",
    "localhost",
    "myapp",
    "mysite",
    "name",
    "organization",
    "sample",
    "server",
    "site",
    "store",
    "subdomain",
    "tenant",
    "test",
    "website",
];

/// Domains where any customer of a platform has a name: who owns it is not the vendor.
const PLATFORMS: &str = include_str!("platforms.txt");

/// The domain that someone registered: its last two labels, or three under such as `co.uk`.
pub fn registrable(host: &str) -> Option<String> {
    let host = host.trim_matches('.').to_ascii_lowercase();
    let labels: Vec<&str> = host.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let is_numeric = labels
        .last()
        .is_none_or(|last| last.bytes().any(|b| b.is_ascii_digit()));
    if labels.len() < 2 || is_numeric || !labels.iter().all(is_label) {
        return None;
    }
    let is_country = labels.last().is_some_and(|last| last.len() == 2);
    let second = labels.iter().rev().nth(1);
    let is_deep = is_country && second.is_some_and(|label| SECOND_LEVEL.contains(label));
    let count = if is_deep { 3 } else { 2 };
    let from = labels.len().checked_sub(count)?;
    Some(labels.get(from..)?.join("."))
}

/// Whether any customer of a platform has a name at a registrable domain.
pub fn is_platform(domain: &str) -> bool {
    PLATFORMS.lines().any(|platform| platform == domain)
}

/// Whether a registrable domain is one that a vendor can own, and no made-up one.
pub fn is_vendors(domain: &str) -> bool {
    let label = domain.split('.').next().unwrap_or_default();
    let bare = label.replace('-', "");
    let owned = ["my", "our"].iter().find_map(|own| bare.strip_prefix(own));
    let is_made_up = |label: &str| MADE_UP.contains(&label);
    !(is_platform(domain)
        || is_made_up(&bare)
        || owned.is_some_and(|rest| rest.is_empty() || is_made_up(rest))
        || bare.starts_with("your"))
}

/// The host of a text that shows one: `https://a.example.com/b`, `a.example.com:8080`.
pub fn host_of(text: &str) -> &str {
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let end = text.find(['/', ':', '?', '#']).unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}
