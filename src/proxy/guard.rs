//! The outbound guard: our own look at the address, before the platform's (`global_fetch_strictly_public`).
//! Names that resolve to private addresses are the platform's to catch.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::settings::PrivateUpstreams;

/// Why a URL may not be requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedAddress {
    /// Plain http.
    #[error("requests go out over https only")]
    NotHttps,
    /// An address inside some network.
    #[error("requests do not go to private addresses")]
    Private,
    /// A user name inside a URL.
    #[error("a URL must not carry a user name")]
    UserInfo,
}

/// Checks where a request is about to go.
pub fn check(url: &Url, private: PrivateUpstreams) -> Result<(), RefusedAddress> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(RefusedAddress::UserInfo);
    }
    if private == PrivateUpstreams::Allowed && matches!(url.scheme(), "http" | "https") {
        return Ok(());
    }
    if url.scheme() != "https" {
        return Err(RefusedAddress::NotHttps);
    }
    let is_private = match url.host() {
        None => true,
        Some(Host::Domain(name)) => is_private_name(name),
        Some(Host::Ipv4(address)) => is_private_v4(address),
        Some(Host::Ipv6(address)) => is_private_v6(address),
    };
    if is_private {
        Err(RefusedAddress::Private)
    } else {
        Ok(())
    }
}

/// Names that never mean a public host (RFC 6761, RFC 6762, RFC 8375, and `internal`).
fn is_private_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.contains('.')
        || matches!(
            last,
            "localhost" | "local" | "internal" | "lan" | "intranet" | "invalid"
        )
        || name.ends_with(".home.arpa")
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (18..20).contains(&b))
        || matches!(
            (a, b, c),
            (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) | (192, 88, 99)
        )
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [first, second, ..] = segments;
    let [.., high, low] = segments;
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    match segments {
        // IPv4 in IPv6: mapped, compatible (also `::` and `::1`), and NAT64.
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            is_private_v4(Ipv4Addr::new(a, b, c, d))
        }
        // 6to4 carries the address in front.
        [0x2002, high, low, ..] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            is_private_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Only 2000::/3 is global unicast; Teredo and documentation are inside it.
        _ => (first & 0xe000) != 0x2000 || (first == 0x2001 && matches!(second, 0 | 0xdb8)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(url: &str) -> Result<(), RefusedAddress> {
        check(&Url::parse(url).unwrap(), PrivateUpstreams::Refused)
    }

    #[test]
    fn public_hosts_pass() {
        for url in [
            "https://api.example.com/",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
            "https://[::ffff:8.8.8.8]/",
            "https://172.32.0.1/",
        ] {
            assert_eq!(checked(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn private_addresses_are_refused_however_they_are_written() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "printer",
            "x.local",
            "metadata.google.internal",
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[fc00::1]",
            "[fd12::1]",
            "[fe80::1]",
            "[ff02::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a00:1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[::7f00:1]",
            "[2001:db8::1]",
            "192.0.2.1",
            "x.home.arpa",
        ] {
            assert_eq!(
                checked(&format!("https://{host}/")),
                Err(RefusedAddress::Private),
                "{host}"
            );
        }
    }

    #[test]
    fn plain_http_and_user_names_are_refused() {
        assert_eq!(
            checked("http://api.example.com/"),
            Err(RefusedAddress::NotHttps)
        );
        assert_eq!(
            checked("https://me@api.example.com/"),
            Err(RefusedAddress::UserInfo)
        );
    }

    #[test]
    fn development_may_go_anywhere_but_not_as_somebody() {
        let check = |url: &str| check(&Url::parse(url).unwrap(), PrivateUpstreams::Allowed);
        assert_eq!(check("http://127.0.0.1:4873/"), Ok(()));
        assert_eq!(check("ftp://127.0.0.1/"), Err(RefusedAddress::NotHttps));
        assert_eq!(
            check("http://a:b@127.0.0.1/"),
            Err(RefusedAddress::UserInfo)
        );
    }
}
