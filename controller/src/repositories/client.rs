//! HTTP clients that obey an [`Access`]: whom they trust, who they say they are, which way they go and where they must not.
//! They carry no login: it goes with each request.

use std::time::Duration;

use reqwest::{Certificate, Client, Identity, NoProxy, Proxy, Url, redirect};

use super::{
    Access, AccessError, ProxySettings,
    guard::{GuardedResolver, LocalAddress, is_local_literal},
};

/// A server that is there answers in far less.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Below what servers and the proxies before them commonly wait before they close an idle connection.
const IDLE: Duration = Duration::from_secs(30);
/// Idle connections per host: one is in use at a time, mostly.
pub(crate) const IDLE_CONNECTIONS: usize = 2;
/// As many as browsers of old followed; more are a loop.
const REDIRECTS: usize = 10;

/// Which redirects a client follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// None: a redirect is the answer.
    Refused,
    /// To the same scheme, host and port.
    SameHost,
    /// Anywhere that is permitted, for files that registries and chart servers keep elsewhere; reqwest sends no
    /// `Authorization` to another host.
    Elsewhere,
}

/// A client that obeys `access`: its TLS settings and proxy, no redirects but `redirects`, and no loopback or link-local
/// address, neither as one that a name resolves to nor in a redirect. The URL of a first request is for
/// [`Access::admit`] to look at.
///
/// # Errors
/// When certificates or the proxy's URL can't be used.
pub fn http_client(access: &Access, redirects: Redirects) -> Result<Client, AccessError> {
    let mut builder = Client::builder()
        .user_agent(concat!("signet-controller/", env!("CARGO_PKG_VERSION")))
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .redirect(policy(redirects, access.allow_local_addresses))
        .tls_danger_accept_invalid_certs(access.tls.insecure);
    let unusable = |what| AccessError::Client { what };
    if let Some(pem) = &access.tls.authorities {
        let authorities = certificates(pem).ok_or(unusable("the certificates for its host"))?;
        builder = builder.tls_certs_only(authorities);
    }
    if let Some(pem) = &access.tls.identity {
        let identity =
            identity(pem.expose()).ok_or(unusable("tlsClientCertData and tlsClientCertKey"))?;
        builder = builder.identity(identity);
    }
    if let Some(settings) = &access.proxy {
        builder = builder.proxy(proxy(settings).ok_or(unusable("proxy"))?);
    }
    if !access.allow_local_addresses {
        builder = builder.dns_resolver(GuardedResolver::new(proxy_hosts(access)));
    }
    builder.build().map_err(|_| unusable("its TLS settings"))
}

pub(super) fn certificates(pem: &str) -> Option<Vec<Certificate>> {
    let found = Certificate::from_pem_bundle(pem.as_bytes()).ok()?;
    (!found.is_empty()).then_some(found)
}

pub(super) fn identity(pem: &str) -> Option<Identity> {
    Identity::from_pem(pem.as_bytes()).ok()
}

pub(super) fn proxy(settings: &ProxySettings) -> Option<Proxy> {
    let proxy = Proxy::all(settings.url.expose()).ok()?;
    Some(proxy.no_proxy(NoProxy::from_string(&settings.no_proxy)))
}

/// Hosts of the proxies that may be used: those of the Secret, else of the environment.
fn proxy_hosts(access: &Access) -> Vec<String> {
    let host = |url: &str| {
        let url = Url::parse(url).or_else(|_| Url::parse(&format!("http://{url}")));
        url.ok()?.host_str().map(str::to_owned)
    };
    if let Some(settings) = &access.proxy {
        return host(settings.url.expose()).into_iter().collect();
    }
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
        .into_iter()
        .flat_map(|name| [name.to_owned(), name.to_ascii_lowercase()])
        .filter_map(|name| host(&std::env::var(name).ok()?))
        .collect()
}

fn policy(redirects: Redirects, allow_local: bool) -> redirect::Policy {
    if redirects == Redirects::Refused {
        return redirect::Policy::none();
    }
    redirect::Policy::custom(move |attempt| {
        let from = attempt.previous().last().cloned();
        let Some(from) = from.filter(|_| attempt.previous().len() <= REDIRECTS) else {
            return attempt.error("too many redirects");
        };
        let to = attempt.url();
        let downgrade = from.scheme() == "https" && to.scheme() != "https";
        if downgrade || (redirects == Redirects::SameHost && !same_host(&from, to)) {
            return attempt.stop();
        }
        let host = to.host_str().unwrap_or_default().to_owned();
        if !allow_local && is_local_literal(&host) {
            return attempt.error(LocalAddress(host));
        }
        attempt.follow()
    })
}

/// Whether both URLs have the same scheme, host and port.
pub(crate) fn same_host(one: &Url, other: &Url) -> bool {
    let key = |url: &Url| {
        (
            url.scheme().to_owned(),
            url.host_str().map(str::to_owned),
            url.port_or_known_default(),
        )
    };
    key(one) == key(other)
}
