//! A thin client for the user's cluster, on a runtime of its own that only lives while a command needs it.
//! Must not be made for offline work, and knows nothing of files.

use std::fmt;
use std::time::{Duration, Instant};

use crds::names::CERTIFICATE_CONFIG_MAP;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::core::Status;
use kube::{Api, Client, Config};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::arguments::ClusterArguments;

/// Namespace of the plain install.
pub(crate) const OWN_NAMESPACE: &str = "signet";
/// Namespace of upstream's plain install and Helm chart.
const UPSTREAM_NAMESPACE: &str = "kube-system";
/// Services behind which the sealing API may be: ours, upstream's manifest, upstream's Helm chart.
const SERVICES: [&str; 3] = [
    "signet-controller",
    "sealed-secrets-controller",
    "sealed-secrets",
];
/// Item of the ConfigMap that holds the certificate.
const CERTIFICATE_ITEM: &str = "cert.pem";

/// Longer than any healthy API server needs, shorter than a person waits.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Upstream's controller takes two requests a second and says `Retry-After: 1` to more.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

pub(crate) struct Cluster {
    runtime: Runtime,
    pub(crate) client: Client,
    server: String,
    namespace: Option<String>,
    service: Option<String>,
}

/// A certificate as the cluster keeps it.
pub(crate) struct Found {
    /// Where it was found, such as `ConfigMap signet/signet-certificate`.
    pub(crate) origin: String,
    pub(crate) pem: String,
}

/// The sealing API behind the API server's service proxy.
#[derive(Clone, Debug)]
pub(crate) struct SealingService {
    pub(crate) namespace: String,
    name: String,
    port: String,
}

/// What the API server, or the controller behind it, said.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Said(String);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot use the kubeconfig")]
    Kubeconfig { source: Box<KubeconfigError> },
    #[error("cannot use the service account of this pod")]
    InCluster { source: InClusterError },
    #[error("cannot start a client for the cluster")]
    Start { source: std::io::Error },
    #[error("cannot make a client for {server}")]
    Client {
        server: String,
        source: Box<kube::Error>,
    },
    #[error("cannot reach the cluster at {server}")]
    Unreachable {
        server: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("no answer in {} s while trying to {action}", ANSWER_TIMEOUT.as_secs())]
    TimedOut { action: String },
    #[error("you are not allowed to {action}")]
    Forbidden { action: String, source: Said },
    #[error("cannot {action}")]
    Refused {
        action: String,
        code: u16,
        source: Said,
    },
    #[error("cannot {action}: the answer is not what was expected")]
    Answer {
        action: String,
        source: serde_json::Error,
    },
    #[error("no sealing controller found: there is no {}", looked.join(", no "))]
    NoController { looked: Vec<String> },
}

impl From<&Status> for Said {
    fn from(status: &Status) -> Self {
        match status.message.trim() {
            "" => Self(format!("status {} without a word", status.code)),
            message => Self(message.to_owned()),
        }
    }
}

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Kubeconfig { .. } => Some(
                "name one with --kubeconfig or $KUBECONFIG, and a context with --context"
                    .to_owned(),
            ),
            Self::Unreachable { .. } => {
                Some("`kubectl cluster-info` shows whether the cluster answers".to_owned())
            }
            Self::Forbidden { .. } => Some(
                "ask for the permission, or choose another user with --context or --kubeconfig"
                    .to_owned(),
            ),
            Self::NoController { .. } => Some(
                "name the controller with --controller-namespace and --controller-name".to_owned(),
            ),
            _ => None,
        }
    }

    /// Whether the API server said that there is no such object.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { code: 404, .. })
    }

    /// What is not there or not shown to this user is looked for elsewhere.
    fn looks_on(&self) -> bool {
        self.is_missing() || matches!(self, Self::Forbidden { .. })
    }
}

impl fmt::Display for SealingService {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Service {}/{}", self.namespace, self.name)
    }
}

impl Cluster {
    pub(crate) fn connect(arguments: &ClusterArguments) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| Error::Start { source })?;
        let mut config = runtime.block_on(config(arguments))?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // Its 15 retries of every 503 take minutes; a person wants to know sooner.
        config.default_retry = false;
        let server = config.cluster_url.to_string();
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
            namespace: arguments.controller_namespace.clone(),
            service: arguments.controller_name.clone(),
        })
    }

    /// Namespace of the controller, where only one can be meant.
    pub(crate) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or(OWN_NAMESPACE)
    }

    /// Awaits one request. `action` completes the sentence "cannot …".
    pub(crate) fn ask<T>(
        &self,
        action: &str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Error> {
        match self.within(ANSWER_TIMEOUT, request) {
            Some(answer) => answer.map_err(|error| self.error(action, error)),
            None => Err(Error::TimedOut {
                action: action.to_owned(),
            }),
        }
    }

    /// Awaits something for some time; `None` when it did not happen.
    pub(crate) fn within<T>(&self, time: Duration, event: impl Future<Output = T>) -> Option<T> {
        self.runtime
            .block_on(async { tokio::time::timeout(time, event).await.ok() })
    }

    pub(crate) fn error(&self, action: &str, error: kube::Error) -> Error {
        let action = action.to_owned();
        match error {
            kube::Error::Api(status) => {
                let source = Said::from(&*status);
                match status.code {
                    401 | 403 => Error::Forbidden { action, source },
                    code => Error::Refused {
                        action,
                        code,
                        source,
                    },
                }
            }
            kube::Error::SerdeError(source) => Error::Answer { action, source },
            kube::Error::Service(source) => Error::Unreachable {
                server: self.server.clone(),
                source,
            },
            other => Error::Unreachable {
                server: self.server.clone(),
                source: Box::new(other),
            },
        }
    }

    /// The current certificate: from the ConfigMap that everybody may read, else from the sealing API.
    pub(crate) fn certificate(&self) -> Result<Found, Error> {
        if let Some(pem) = self.published_certificate()? {
            let origin = format!("ConfigMap {}/{CERTIFICATE_CONFIG_MAP}", self.namespace());
            return Ok(Found { origin, pem });
        }
        let (service, pem) = self.serving()?;
        Ok(Found {
            origin: service.to_string(),
            pem,
        })
    }

    /// The certificate that our controller publishes. `None` where it publishes none, or not to this user.
    pub(crate) fn published_certificate(&self) -> Result<Option<String>, Error> {
        let api = Api::<ConfigMap>::namespaced(self.client.clone(), self.namespace());
        let action = format!(
            "read ConfigMap {}/{CERTIFICATE_CONFIG_MAP}",
            self.namespace()
        );
        match self.ask(&action, api.get_opt(CERTIFICATE_CONFIG_MAP)) {
            Ok(map) => Ok(map.and_then(certificate_in)),
            Err(error) if error.looks_on() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The sealing API to work with.
    pub(crate) fn sealing_service(&self) -> Result<SealingService, Error> {
        self.serving().map(|(service, _)| service)
    }

    /// The first Service, of those that an install makes, behind which there is a certificate, and that certificate.
    /// Ours has none while it only watches upstream's at work.
    fn serving(&self) -> Result<(SealingService, String), Error> {
        let mut looked = Vec::new();
        let mut refused = None;
        for (namespace, name) in self.candidates() {
            match self.certificate_behind(&namespace, &name) {
                Err(error) if error.is_missing() => {
                    looked.push(format!("Service {namespace}/{name}"));
                }
                Err(error @ (Error::Refused { .. } | Error::Forbidden { .. })) => {
                    refused.get_or_insert(error);
                }
                found => return found,
            }
        }
        Err(refused.unwrap_or(Error::NoController { looked }))
    }

    fn certificate_behind(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<(SealingService, String), Error> {
        let api = Api::<Service>::namespaced(self.client.clone(), namespace);
        let found = self.ask(&format!("read Service {namespace}/{name}"), api.get(name))?;
        let service = SealingService {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            port: port_name(&found),
        };
        let request = http::Request::get(service.path("/v1/cert.pem")).body(Vec::new());
        let action = format!("fetch the certificate from {service}");
        let pem = self.ask(&action, self.send(request))?;
        Ok((service, pem))
    }

    fn candidates(&self) -> Vec<(String, String)> {
        let at = |namespace: &str, name: &str| (namespace.to_owned(), name.to_owned());
        match (&self.namespace, &self.service) {
            (_, Some(service)) => vec![at(self.namespace(), service)],
            (Some(namespace), None) => SERVICES.iter().map(|name| at(namespace, name)).collect(),
            (None, None) => {
                let mut candidates = vec![at(OWN_NAMESPACE, SERVICES[0])];
                candidates.extend(
                    SERVICES[1..]
                        .iter()
                        .map(|name| at(UPSTREAM_NAMESPACE, name)),
                );
                candidates
            }
        }
    }

    /// Posts a SealedSecret to `/v1/rotate` and gives back what the controller made of it.
    pub(crate) fn rotate(
        &self,
        service: &SealingService,
        action: &str,
        sealed: &Value,
    ) -> Result<Value, Error> {
        let deadline = Instant::now() + ANSWER_TIMEOUT;
        loop {
            let request = http::Request::post(service.path("/v1/rotate"))
                .header(http::header::CONTENT_TYPE, "application/json")
                .body(sealed.to_string().into_bytes());
            match self.ask(action, self.send(request)) {
                Err(Error::Refused { code: 429, .. }) if Instant::now() < deadline => {
                    std::thread::sleep(BUSY_PAUSE)
                }
                answer => {
                    let answer = answer?;
                    return serde_json::from_str(&answer).map_err(|source| Error::Answer {
                        action: action.to_owned(),
                        source,
                    });
                }
            }
        }
    }

    async fn send(&self, request: http::Result<http::Request<Vec<u8>>>) -> kube::Result<String> {
        self.client
            .request_text(request.map_err(kube::Error::HttpError)?)
            .await
    }
}

impl SealingService {
    fn path(&self, path: &str) -> String {
        let Self {
            namespace,
            name,
            port,
        } = self;
        format!("/api/v1/namespaces/{namespace}/services/http:{name}:{port}/proxy{path}")
    }
}

pub(crate) fn certificate_in(map: ConfigMap) -> Option<String> {
    map.data?.remove(CERTIFICATE_ITEM)
}

fn port_name(service: &Service) -> String {
    let port = service
        .spec
        .as_ref()
        .and_then(|spec| spec.ports.as_ref()?.first());
    port.and_then(|port| port.name.clone()).unwrap_or_default()
}

async fn config(arguments: &ClusterArguments) -> Result<Config, Error> {
    let options = KubeConfigOptions {
        context: arguments.context.clone(),
        ..KubeConfigOptions::default()
    };
    let config = match &arguments.kubeconfig {
        Some(path) => match Kubeconfig::read_from(path) {
            Ok(kubeconfig) => Config::from_custom_kubeconfig(kubeconfig, &options).await,
            Err(error) => Err(error),
        },
        None => Config::from_kubeconfig(&options).await,
    };
    match config {
        Err(_) if arguments.kubeconfig.is_none() && arguments.context.is_none() && is_pod() => {
            Config::incluster().map_err(|source| Error::InCluster { source })
        }
        config => config.map_err(|source| Error::Kubeconfig {
            source: Box::new(source),
        }),
    }
}

/// Whether this process runs in a pod, where no kubeconfig is needed.
fn is_pod() -> bool {
    std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
        && std::env::var_os("KUBECONFIG").is_none()
}
