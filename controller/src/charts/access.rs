//! How a chart repository may be reached: with which login, trust and addresses.
//! It asks no server; none of it is shown.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use zeroize::Zeroizing;

/// How a repository may be reached, by all that Secrets and ConfigMaps say; the default is that they say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `namespace/name` of the Secret that holds the login.
    pub secret: Option<String>,
    pub login: Login,
    pub tls: Tls,
    /// `insecureOCIForceHttp`: a registry is asked over plain HTTP.
    pub plain_http: bool,
    /// Loopback and link-local addresses are not refused.
    pub allow_local_addresses: bool,
}

/// As whom to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Login {
    #[default]
    None,
    Basic {
        username: Confidential,
        password: Confidential,
    },
    Bearer(Confidential),
}

/// Which certificates are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Take any certificate.
    pub insecure: bool,
    /// PEM certificates of the authorities for this host, in place of the system's.
    pub authorities: Option<Arc<str>>,
}

/// Text that is shown nowhere and leaves no copy in memory when it goes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Confidential(Zeroizing<String>);

impl Confidential {
    #[must_use]
    pub fn of(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Confidential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(redacted)")
    }
}

impl Access {
    /// The value of an HTTP `Authorization` header.
    pub(crate) fn authorization(&self) -> Option<Confidential> {
        match &self.login {
            Login::Basic { username, password } => {
                let pair = Zeroizing::new(format!("{}:{}", username.expose(), password.expose()));
                let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
                Some(Confidential::of(format!("Basic {}", *encoded)))
            }
            Login::Bearer(token) => Some(Confidential::of(format!("Bearer {}", token.expose()))),
            Login::None => None,
        }
    }

    /// Whether the host of `url` is written as an address that is refused; names are looked at when they resolve.
    pub(super) fn refuses(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse();
        !self.allow_local_addresses && address.is_ok_and(is_local)
    }
}

/// A client that obeys `access` and follows no redirect. `None` when the authorities are no certificates.
pub(super) fn http_client(access: &Access) -> Option<Client> {
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .referer(false)
        .user_agent(concat!("signet-controller/", env!("CARGO_PKG_VERSION")))
        .tls_danger_accept_invalid_certs(access.tls.insecure);
    if let Some(authorities) = &access.tls.authorities {
        let read = reqwest::Certificate::from_pem_bundle(authorities.as_bytes()).ok()?;
        builder = builder.tls_certs_only(read);
    }
    if !access.allow_local_addresses {
        builder = builder.dns_resolver(Guard);
    }
    builder.build().ok()
}

/// An address that means our own machine, or the link with the cloud's metadata service on it.
fn is_local(address: IpAddr) -> bool {
    let v4 = |address: Ipv4Addr| {
        address.is_loopback() || address.is_link_local() || address.octets()[0] == 0
    };
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unicast_link_local()
                || address.to_ipv4().is_some_and(v4)
        }
    }
}

/// A host that resolves to local addresses only.
#[derive(Debug, thiserror::Error)]
#[error("a loopback or link-local address")]
pub(super) struct LocalAddress;

/// Resolves names and leaves out local addresses.
struct Guard;

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<_> = found.filter(|address| !is_local(address.ip())).collect();
            if allowed.is_empty() {
                return Err(LocalAddress.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
