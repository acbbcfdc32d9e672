//! Through which proxy a server is reached: a kubeconfig's, else the environment's, chosen as kubectl and kubeseal do.
//! Must not talk to anyone.

use std::net::IpAddr;

use http::Uri;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};

/// The client's configuration. The library's own choice of a proxy compares `NO_PROXY` with the proxy, not with the server.
pub(crate) async fn configuration(
    kubeconfig: Kubeconfig,
    options: &KubeConfigOptions,
) -> Result<Config, KubeconfigError> {
    let named = of_kubeconfig(&kubeconfig, options.context.as_deref());
    let config = Config::from_custom_kubeconfig(kubeconfig, options).await?;
    let proxy = named.or_else(|| of_environment(&config.cluster_url));
    with_proxy(config, proxy)
}

/// The configuration of a pod, which names no proxy itself.
pub(crate) fn with_environment(config: Config) -> Result<Config, KubeconfigError> {
    let proxy = of_environment(&config.cluster_url);
    with_proxy(config, proxy)
}

fn with_proxy(mut config: Config, proxy: Option<String>) -> Result<Config, KubeconfigError> {
    config.proxy_url = proxy
        .map(|proxy| proxy.parse().map_err(KubeconfigError::ParseProxyUrl))
        .transpose()?;
    Ok(config)
}

/// The proxy that the environment names for this server: none for this machine itself, nor for what `NO_PROXY` exempts.
pub(crate) fn of_environment(server: &Uri) -> Option<String> {
    of_variables(server, variable)
}

fn of_variables(server: &Uri, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let [upper, lower] = match server.scheme_str() {
        Some("https") => ["HTTPS_PROXY", "https_proxy"],
        Some("http") => ["HTTP_PROXY", "http_proxy"],
        _ => return None,
    };
    let proxy = variable(upper).or_else(|| variable(lower))?;
    let exempt = variable("NO_PROXY").or_else(|| variable("no_proxy"));
    if is_exempt(server, &exempt.unwrap_or_default()) {
        return None;
    }
    Some(match proxy.contains("://") {
        true => proxy,
        false => format!("http://{proxy}"),
    })
}

/// What stands beside the server in a kubeconfig, which no `NO_PROXY` takes back.
fn of_kubeconfig(kubeconfig: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let context = context.or(kubeconfig.current_context.as_deref())?;
    let mut contexts = kubeconfig.contexts.iter();
    let context = contexts.find(|named| named.name == context)?;
    let cluster = &context.context.as_ref()?.cluster;
    let mut clusters = kubeconfig.clusters.iter();
    let cluster = clusters.find(|named| named.name == *cluster)?;
    let proxy = cluster.cluster.as_ref()?.proxy_url.clone();
    proxy.filter(|proxy| !proxy.is_empty())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether a server is reached directly, by the rules of Go's network library for `NO_PROXY`.
fn is_exempt(server: &Uri, list: &str) -> bool {
    let host = server.host().unwrap_or_default();
    let host = host.trim_matches(['[', ']']).to_lowercase();
    let address = host.parse::<IpAddr>().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    let usual = if server.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    let port = server.port_u16().unwrap_or(usual);
    list.split(',')
        .map(|entry| entry.trim().to_lowercase())
        .any(|entry| covers(&entry, &host, address, port))
}

/// One entry: `*`, `10.0.0.0/8`, `10.0.0.1`, `example.com` with what is below it, `.example.com` for that alone; with a port or not.
fn covers(entry: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if let Some((network, bits)) = entry.split_once('/') {
        return address.is_some_and(|address| is_in(address, network, bits));
    }
    let (name, only) = match entry.rsplit_once(':') {
        Some((name, only)) if !name.contains(':') || name.ends_with(']') => (name, Some(only)),
        _ => (entry, None),
    };
    if only.is_some_and(|only| only.parse() != Ok(port)) {
        return false;
    }
    let name = name.trim_matches(['[', ']']);
    if let Ok(exempt) = name.parse::<IpAddr>() {
        return address == Some(exempt);
    }
    match name.strip_prefix('*').unwrap_or(name) {
        "" => name == "*",
        below if below.starts_with('.') => host.ends_with(below),
        name => host
            .strip_suffix(name)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
    }
}

fn is_in(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse(), bits.parse::<u32>()) else {
        return false;
    };
    let begins_alike = |differing: u128, width: u32| {
        let behind = width.checked_sub(bits);
        behind.is_some_and(|behind| differing.checked_shr(behind).unwrap_or(0) == 0)
    };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            begins_alike((address.to_bits() ^ network.to_bits()).into(), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            begins_alike(address.to_bits() ^ network.to_bits(), 128)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exempt(server: &str, list: &str) -> bool {
        is_exempt(&server.parse().expect("a URL"), list)
    }

    #[test]
    fn the_environment_names_a_proxy_by_the_scheme_of_the_server() {
        let chosen = |server: &str, variables: &[(&str, &str)]| {
            let value = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            of_variables(&server.parse().expect("a URL"), value)
        };
        let proxies = [("HTTPS_PROXY", "10.0.0.9:3128"), ("http_proxy", "http://p")];
        assert_eq!(
            chosen("https://10.0.0.1", &proxies).as_deref(),
            Some("http://10.0.0.9:3128")
        );
        assert_eq!(
            chosen("http://10.0.0.1", &proxies).as_deref(),
            Some("http://p")
        );
        let exempt = [proxies[0], ("no_proxy", "10.0.0.0/8")];
        assert_eq!(chosen("https://10.0.0.1", &exempt), None);
        assert_eq!(chosen("https://10.0.0.1", &[]), None);
    }

    #[test]
    fn this_machine_is_reached_directly() {
        for server in [
            "https://localhost:6443",
            "https://127.0.0.1:6443",
            "https://[::1]",
        ] {
            assert!(exempt(server, ""), "{server}");
        }
        assert!(!exempt("https://10.0.0.1", ""));
    }

    #[test]
    fn addresses_are_exempt_one_by_one_or_by_network() {
        for list in ["10.1.2.3", "a, 10.0.0.0/8", "10.1.2.3:6443", "0.0.0.0/0"] {
            assert!(exempt("https://10.1.2.3:6443", list), "{list}");
        }
        for list in [
            "10.1.2.4",
            "10.1.3.0/24",
            "10.1.2.3:443",
            "::/0",
            "10.0.0.0/x",
        ] {
            assert!(!exempt("https://10.1.2.3:6443", list), "{list}");
        }
        assert!(exempt("https://[fd00::1]:6443", "fd00::/8"));
        assert!(exempt("https://[fd00::1]:6443", "[fd00::1]:6443"));
        assert!(exempt("https://[fd00::1]:6443", "fd00::1"));
        assert!(!exempt("https://[fd00::1]:6443", "[fd00::1]:443"));
    }

    #[test]
    fn names_are_exempt_with_what_is_below_them() {
        let server = "https://api.Example.com";
        for list in [
            "*",
            "example.com",
            ".example.com",
            "*.example.com",
            "API.example.com:443",
            "x,,example.com,",
        ] {
            assert!(exempt(server, list), "{list}");
        }
        for list in ["ample.com", ".api.example.com", "example.com:80", "", ","] {
            assert!(!exempt(server, list), "{list}");
        }
    }

    #[test]
    fn the_proxy_of_a_kubeconfig_is_that_of_its_context() {
        let kubeconfig = serde_json::from_value(serde_json::json!({
            "clusters": [
                {"name": "c", "cluster": {"server": "https://c", "proxy-url": "http://p"}},
                {"name": "d", "cluster": {"server": "https://d", "proxy-url": ""}},
            ],
            "contexts": [{"name": "a", "context": {"cluster": "c"}}, {"name": "b", "context": {"cluster": "d"}}],
            "current-context": "a",
        }));
        let kubeconfig = kubeconfig.expect("a kubeconfig");
        assert_eq!(
            of_kubeconfig(&kubeconfig, None).as_deref(),
            Some("http://p")
        );
        assert_eq!(of_kubeconfig(&kubeconfig, Some("b")), None);
        assert_eq!(of_kubeconfig(&kubeconfig, Some("x")), None);
    }
}
