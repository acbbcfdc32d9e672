//! A client for one API server, on a runtime of its own that lives as long as it is needed.
//! Must not know what is asked.

use std::time::Duration;

use http::{Request, response};
use kube::client::Body;
use kube::{Client, Config};
use tokio::runtime::Runtime;

use super::Error;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A runtime and a client on it.
pub(crate) struct Link {
    pub(super) runtime: Runtime,
    pub(super) client: Client,
    pub(super) server: String,
    proxy: Option<String>,
}

impl Link {
    /// What a client runs on; reading its configuration may need it as well.
    pub(crate) fn runtime() -> Result<Runtime, Error> {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| Error::Start { source })
    }

    pub(crate) fn new(runtime: Runtime, mut config: Config) -> Result<Self, Error> {
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // Its 15 retries of every 503 take minutes; a person wants to know sooner.
        config.default_retry = false;
        let server = config.cluster_url.to_string();
        let proxy = config.proxy_url.as_ref().map(ToString::to_string);
        let guard = runtime.enter();
        let client = Client::try_from(config).map_err(|source| Error::Client {
            server: server.clone(),
            source: Box::new(source),
        })?;
        drop(guard);
        Ok(Self {
            runtime,
            client,
            server,
            proxy,
        })
    }

    /// The address of the API server.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// The proxy before it.
    pub(crate) fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// One request and whatever answers it.
    pub(crate) fn exchange(
        &self,
        request: Request<Vec<u8>>,
    ) -> kube::Result<(response::Parts, Vec<u8>)> {
        self.runtime.block_on(async {
            let answer = self.client.send(request.map(Body::from)).await?;
            let (parts, body) = answer.into_parts();
            let content = body.collect_bytes().await?;
            Ok((parts, content.to_vec()))
        })
    }
}
