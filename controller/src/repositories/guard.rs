//! Addresses that no repository has by default: our own machine, and the link with the cloud's metadata service on it.
//! It looks at addresses only after names are resolved, so that no name leads round it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Whether `address` is a loopback, link-local or unspecified one, also when written as IPv6.
#[must_use]
pub(crate) fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_local_v4(address),
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unicast_link_local()
                || embedded(address).is_some_and(is_local_v4)
        }
    }
}

/// All of 0.0.0.0/8 means this machine to Linux, or nothing.
fn is_local_v4(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.is_link_local() || address.octets()[0] == 0
}

/// The IPv4 address inside `::ffff:a.b.c.d`, `::a.b.c.d` and NAT64's `64:ff9b::a.b.c.d`.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., a, b, c, d] = address.octets();
    let holds_v4 = matches!(
        address.segments(),
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _]
    );
    holds_v4.then(|| Ipv4Addr::new(a, b, c, d))
}

/// Whether `host`, as a URL has it, is a local address written out.
pub(super) fn is_local_literal(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse().is_ok_and(is_local)
}

/// A host that resolves to local addresses only.
#[derive(Debug, thiserror::Error)]
#[error("{0} is a loopback or link-local address")]
pub(crate) struct LocalAddress(pub(crate) String);

/// Resolves names as the system does and leaves out local addresses.
#[derive(Debug)]
pub(super) struct GuardedResolver {
    /// Proxies: an administrator named them.
    exempt: Vec<String>,
}

impl GuardedResolver {
    pub(super) fn new(exempt: Vec<String>) -> Self {
        Self { exempt }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let exempt = self
            .exempt
            .iter()
            .any(|proxy| proxy.eq_ignore_ascii_case(&host));
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let addresses: Vec<SocketAddr> = match exempt {
                true => found.collect(),
                false => permitted(&host, found)?,
            };
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Those of `found` that are not local.
pub(crate) fn permitted(
    host: &str,
    found: impl Iterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, LocalAddress> {
    let addresses: Vec<_> = found.filter(|found| !is_local(found.ip())).collect();
    match addresses.is_empty() {
        true => Err(LocalAddress(host.to_owned())),
        false => Ok(addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_link_local_and_unspecified_addresses_are_local_however_written() {
        for address in [
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "::1",
            "::",
            "fe80::1",
            "febf::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::169.254.169.254",
        ] {
            assert!(is_local(address.parse().unwrap()), "{address}");
        }
        for address in [
            "10.0.0.1",
            "192.168.0.1",
            "172.16.0.1",
            "169.253.255.255",
            "128.0.0.1",
            "2001:db8::1",
            "fd00::1",
            "fec0::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_local(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn of_several_addresses_the_local_ones_are_left_out() {
        let addresses = |texts: &[&str]| {
            let parsed: Vec<SocketAddr> = texts.iter().map(|text| text.parse().unwrap()).collect();
            permitted("h", parsed.into_iter()).map_err(|error| error.to_string())
        };
        assert_eq!(
            addresses(&["127.0.0.1:1", "10.0.0.1:1"]).unwrap(),
            ["10.0.0.1:1".parse().unwrap()]
        );
        assert_eq!(
            addresses(&["127.0.0.1:1", "[fe80::1]:1"]).unwrap_err(),
            "h is a loopback or link-local address"
        );
    }
}
