//! How repositories are reached: what Secrets and ConfigMaps of our namespace say, and clients that obey it.
//! It reads no repository, and lends no project what another one holds.

mod access;
mod client;
mod error;
mod github_app;
pub(crate) mod guard;
mod known;
pub(crate) mod listings;
mod pem;
mod secret;
mod signing;
mod url;
mod watch;
pub(crate) mod wire_format;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch as latest, time::timeout};

pub use access::{Access, Confidential, HostKeys, Login, ProxySettings, RepositoryKind, Tls};
pub(crate) use client::{IDLE_CONNECTIONS, same_host};
pub use client::{Redirects, http_client};
pub use error::AccessError;
pub use github_app::GitHubApp;
pub use known::Known;
pub use secret::{ALLOW_LOCAL_ADDRESSES, RepositorySecret};
pub(crate) use signing::RsaHash;
pub use signing::{KeyRefused, SigningKey};
pub(crate) use url::SshTarget;
pub(crate) use url::without_query;
pub use url::{RepositoryUrl, redacted};

/// How long to wait for the first list of repository Secrets before saying that they are not known.
const KNOWN_WAIT: Duration = Duration::from_secs(30);
/// Clients that are kept: one for each set of TLS and proxy settings in use. Beyond, the oldest is made anew when needed.
const CLIENTS: usize = 32;

/// What is known of the ways to repositories, shared by all who read them.
#[derive(Debug)]
pub struct Repositories {
    known: latest::Sender<Option<Arc<Known>>>,
    clients: Mutex<Vec<(Settings, reqwest::Client)>>,
    tokens: github_app::Tokens,
}

/// What makes one HTTP client another than the next; logins do not.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Settings {
    tls: Tls,
    proxy: Option<ProxySettings>,
    allow_local_addresses: bool,
    redirects: Redirects,
}

impl Default for Repositories {
    fn default() -> Self {
        Self {
            known: latest::Sender::new(None),
            clients: Mutex::default(),
            tokens: github_app::Tokens::default(),
        }
    }
}

impl Repositories {
    /// Sets what is known; what was known before is the answer.
    pub fn learn(&self, known: Arc<Known>) -> Arc<Known> {
        let before = self.known.send_replace(Some(known));
        before.unwrap_or_default()
    }

    /// How an Application of `project` may reach `url`; waits until the Secrets are known.
    ///
    /// # Errors
    /// As [`Known::access`], or when the Secrets can't be read from the cluster.
    pub async fn access(
        &self,
        kind: RepositoryKind,
        url: &str,
        project: &str,
    ) -> Result<Access, AccessError> {
        let mut known = self.known.subscribe();
        let whole = timeout(KNOWN_WAIT, known.wait_for(Option::is_some)).await;
        let known = match whole {
            Ok(Ok(known)) => known.clone(),
            Ok(Err(_)) | Err(_) => None,
        };
        match known {
            Some(known) => known.access(kind, url, project),
            None => Err(AccessError::SecretsUnknown { url: redacted(url) }),
        }
    }

    /// A client that obeys `access`, shared with all whose settings are the same.
    ///
    /// # Errors
    /// As [`http_client`].
    pub fn client(
        &self,
        access: &Access,
        redirects: Redirects,
    ) -> Result<reqwest::Client, AccessError> {
        let settings = Settings {
            tls: access.tls.clone(),
            proxy: access.proxy.clone(),
            allow_local_addresses: access.allow_local_addresses,
            redirects,
        };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(kept, _)| *kept == settings) {
            return Ok(client.clone());
        }
        let client = http_client(access, redirects)?;
        if clients.len() == CLIENTS {
            clients.remove(0);
        }
        clients.push((settings, client.clone()));
        Ok(client)
    }

    /// The value of the `Authorization` header for a request to `url`; `None` for a request without login.
    ///
    /// # Errors
    /// When GitHub gives no token for an App.
    pub async fn authorization(
        &self,
        access: &Access,
        url: &RepositoryUrl,
    ) -> Result<Option<Confidential>, AccessError> {
        let Login::GitHubApp(app) = &access.login else {
            return Ok(access.authorization());
        };
        access.admit(&app.api)?;
        let client = self.client(access, Redirects::Refused)?;
        let token = self.tokens.get(&client, app, url.owner()).await;
        let token = token.map_err(|cause| AccessError::NoToken {
            url: url.to_string(),
            secret: access.secret.clone().unwrap_or_default(),
            cause,
        })?;
        Ok(Some(access::basic(TOKEN_USER, token.expose())))
    }

    /// Forgets what was derived from a login that a server did not take.
    pub async fn refused(&self, access: &Access) {
        if let Login::GitHubApp(app) = &access.login {
            self.tokens.forget(app).await;
        }
    }
}

/// As whom GitHub takes a token for a password.
const TOKEN_USER: &str = "x-access-token";
