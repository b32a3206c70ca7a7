//! Where the gateway is reached, as far as a URL says.

use url::{Host, Url};

/// The domain of a deployment on the platform that has no custom domain; only the platform routes such names.
const PLATFORM_DOMAIN: &str = ".workers.dev";

/// The place that a URL's host means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKind {
    /// This machine.
    Loopback,
    /// A name of the platform's own.
    Platform,
    /// Any other name or address.
    Elsewhere,
}

impl HostKind {
    /// Of a URL's host.
    pub fn of(url: &Url) -> Self {
        match url.host() {
            Some(Host::Ipv4(address)) if address.is_loopback() => Self::Loopback,
            Some(Host::Ipv6(address)) if address.to_canonical().is_loopback() => Self::Loopback,
            Some(Host::Domain(name)) if is_localhost(name) => Self::Loopback,
            Some(Host::Domain(name)) if name.ends_with(PLATFORM_DOMAIN) => Self::Platform,
            _ => Self::Elsewhere,
        }
    }

    /// Whether a request to `target` arrives where one to `own` does, as far as names say: at the same host on any port,
    /// since that is one gateway; on loopback at the same port, since a developer's machine runs several servers.
    pub fn is_same(own: &Url, target: &Url) -> bool {
        match (Self::of(own), Self::of(target)) {
            (Self::Loopback, Self::Loopback) => {
                own.port_or_known_default() == target.port_or_known_default()
            }
            _ => host(own).is_some() && host(own) == host(target),
        }
    }
}

/// A name is the same with and without a dot at its end.
fn host(url: &Url) -> Option<&str> {
    url.host_str().map(|name| name.trim_end_matches('.'))
}

/// RFC 6761 §6.3.
fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn loopback_is_this_machine_however_it_is_written() {
        for (text, place) in [
            ("http://127.0.0.1:8787/", HostKind::Loopback),
            ("http://127.8.9.1/", HostKind::Loopback),
            ("http://0x7f.1/", HostKind::Loopback),
            ("http://LOCALHOST/", HostKind::Loopback),
            ("http://app.localhost./", HostKind::Loopback),
            ("http://[::1]/", HostKind::Loopback),
            ("http://[::ffff:127.0.0.1]/", HostKind::Loopback),
            ("https://causeway.me.workers.dev/", HostKind::Platform),
            ("https://workers.dev.evil.example/", HostKind::Elsewhere),
            ("https://evilworkers.dev/", HostKind::Elsewhere),
            ("https://localhost.evil.example/", HostKind::Elsewhere),
            ("http://0.0.0.0/", HostKind::Elsewhere),
            ("http://10.0.0.1/", HostKind::Elsewhere),
        ] {
            assert_eq!(HostKind::of(&url(text)), place, "{text}");
        }
    }

    #[test]
    fn one_gateway_is_one_host() {
        let own = url("https://gateway.example/x");
        for (target, is_same) in [
            ("https://gateway.example/y", true),
            ("http://GATEWAY.example.:8080/", true),
            ("https://app.gateway.example/", false),
        ] {
            assert_eq!(HostKind::is_same(&own, &url(target)), is_same, "{target}");
        }
        let own = url("http://127.0.0.1:8787/");
        assert!(HostKind::is_same(&own, &url("http://localhost:8787/")));
        assert!(!HostKind::is_same(&own, &url("http://127.0.0.1:9000/")));
        assert!(!HostKind::is_same(
            &own,
            &url("https://gateway.example:8787/")
        ));
    }
}
