//! Where the gateway is reached, as far as a URL says.

use url::{Host, Url};

/// The domain of a deployment on the platform that has no custom domain; only the platform routes such names.
const PLATFORM_DOMAIN: &str = ".workers.dev";

/// The place that a URL's host means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// This machine.
    Loopback,
    /// A name of the platform's own.
    Platform,
    /// Any other name or address.
    Elsewhere,
}

impl Place {
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
            ("http://127.0.0.1:8787/", Place::Loopback),
            ("http://127.8.9.1/", Place::Loopback),
            ("http://0x7f.1/", Place::Loopback),
            ("http://LOCALHOST/", Place::Loopback),
            ("http://app.localhost./", Place::Loopback),
            ("http://[::1]/", Place::Loopback),
            ("http://[::ffff:127.0.0.1]/", Place::Loopback),
            ("https://causeway.me.workers.dev/", Place::Platform),
            ("https://workers.dev.evil.example/", Place::Elsewhere),
            ("https://evilworkers.dev/", Place::Elsewhere),
            ("https://localhost.evil.example/", Place::Elsewhere),
            ("http://0.0.0.0/", Place::Elsewhere),
            ("http://10.0.0.1/", Place::Elsewhere),
        ] {
            assert_eq!(Place::of(&url(text)), place, "{text}");
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
            assert_eq!(Place::is_same(&own, &url(target)), is_same, "{target}");
        }
        let own = url("http://127.0.0.1:8787/");
        assert!(Place::is_same(&own, &url("http://localhost:8787/")));
        assert!(!Place::is_same(&own, &url("http://127.0.0.1:9000/")));
        assert!(!Place::is_same(&own, &url("https://gateway.example:8787/")));
    }
}
