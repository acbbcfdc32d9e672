//! A thin client for the user's cluster, on a runtime of its own that only lives while a command needs it.
//! Must not be made for offline work, and knows nothing of files.

mod link;
mod sealing_service;
mod web_service;

use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::api::PostParams;
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::core::Status;
use kube::runtime::wait::{self, Condition, await_condition};
use kube::runtime::watcher;
use kube::{Api, Client, Config, Resource};
use serde::de::DeserializeOwned;

pub(crate) use link::Link;
pub(crate) use sealing_service::{SealingService, certificate_in};

use crate::arguments::ClusterArguments;
use crate::proxy;

/// Namespace of the plain install.
pub(crate) const OWN_NAMESPACE: &str = "signet";
/// Longer than any healthy API server needs, shorter than a person waits.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Before a watch that broke is begun again.
const WATCH_PAUSE: Duration = Duration::from_secs(1);

/// A connection with the rights of the user.
pub(crate) struct Cluster {
    link: Link,
    namespace: Option<String>,
    service: Option<String>,
    answer_timeout: Duration,
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
    #[error("no answer in {time:?} while trying to {action}")]
    TimedOut { time: Duration, action: String },
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
            Self::Kubeconfig { .. } | Self::Client { .. } => Some(
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

    /// Whether somebody else was there at the same time.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { code: 409, .. })
    }

    /// What is not there or not shown to this user is looked for elsewhere.
    fn looks_on(&self) -> bool {
        self.is_missing() || matches!(self, Self::Forbidden { .. })
    }
}

impl Cluster {
    pub(crate) fn connect(arguments: &ClusterArguments) -> Result<Self, Error> {
        let runtime = Link::runtime()?;
        let config = runtime.block_on(config(arguments))?;
        Ok(Self {
            link: Link::new(runtime, config)?,
            namespace: arguments.controller_namespace.clone(),
            service: arguments.controller_name.clone(),
            answer_timeout: ANSWER_TIMEOUT,
        })
    }

    /// The client, for requests to hand to [`Cluster::ask`].
    pub(crate) fn client(&self) -> Client {
        self.link.client.clone()
    }

    /// Namespace of the controller, where only one can be meant.
    pub(crate) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or(OWN_NAMESPACE)
    }

    /// Whom the API server takes us for. `None` where it does not say.
    pub(crate) fn username(&self) -> Option<String> {
        let reviews = Api::<SelfSubjectReview>::all(self.client());
        let (params, review) = (PostParams::default(), SelfSubjectReview::default());
        let answer = self.ask("ask who we are", reviews.create(&params, &review));
        let answer = answer.ok()?;
        answer.status?.user_info?.username
    }

    /// Awaits one request. `action` completes the sentence "cannot …".
    pub(crate) fn ask<T>(
        &self,
        action: &str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Error> {
        self.ask_within(self.answer_timeout, action, request)
    }

    /// The same with a time of its own, for what takes longer.
    fn ask_within<T>(
        &self,
        time: Duration,
        action: &str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Error> {
        match self.within(time, request) {
            Some(answer) => answer.map_err(|error| self.error(action, error)),
            None => Err(Error::TimedOut {
                time,
                action: action.to_owned(),
            }),
        }
    }

    async fn send(&self, request: http::Result<http::Request<Vec<u8>>>) -> kube::Result<String> {
        self.link
            .client
            .request_text(request.map_err(kube::Error::HttpError)?)
            .await
    }

    /// Watches one object until it is as wanted. `None` when the time is over first. A watch that breaks is begun again.
    pub(crate) fn watch<K>(
        &self,
        object: &str,
        time: Duration,
        api: &Api<K>,
        name: &str,
        wanted: impl Fn(Option<&K>) -> bool,
    ) -> Result<Option<K>, Error>
    where
        K: Clone + Debug + Send + DeserializeOwned + Resource + 'static,
    {
        match self.within(time, watch(api, name, &wanted)) {
            Some(Ok(object)) => Ok(object),
            Some(Err(refused)) => Err(self.error(&format!("watch {object}"), refused)),
            None => Ok(None),
        }
    }

    fn within<T>(&self, time: Duration, event: impl Future<Output = T>) -> Option<T> {
        self.link
            .runtime
            .block_on(async { tokio::time::timeout(time, event).await.ok() })
    }

    fn error(&self, action: &str, error: kube::Error) -> Error {
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
                server: self.link.server.clone(),
                source,
            },
            other => Error::Unreachable {
                server: self.link.server.clone(),
                source: Box::new(other),
            },
        }
    }
}

async fn watch<K>(api: &Api<K>, name: &str, wanted: impl Condition<K>) -> kube::Result<Option<K>>
where
    K: Clone + Debug + Send + DeserializeOwned + Resource + 'static,
{
    loop {
        let condition = |object: Option<&K>| wanted.matches_object(object);
        match await_condition(api.clone(), name, condition).await {
            Ok(object) => return Ok(object),
            Err(wait::Error::ProbeFailed(
                watcher::Error::InitialListFailed(error @ kube::Error::Api(_))
                | watcher::Error::WatchStartFailed(error @ kube::Error::Api(_)),
            )) => return Err(error),
            Err(_) => tokio::time::sleep(WATCH_PAUSE).await,
        }
    }
}

async fn config(arguments: &ClusterArguments) -> Result<Config, Error> {
    let options = KubeConfigOptions {
        context: arguments.context.clone(),
        ..KubeConfigOptions::default()
    };
    let kubeconfig = match &arguments.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let config = match kubeconfig {
        Ok(kubeconfig) => proxy::configuration(kubeconfig, &options).await,
        Err(error) => Err(error),
    };
    let config = match config {
        Err(_) if arguments.kubeconfig.is_none() && arguments.context.is_none() && is_pod() => {
            let config = Config::incluster().map_err(|source| Error::InCluster { source })?;
            proxy::with_environment(config)
        }
        config => config,
    };
    config.map_err(|source| Error::Kubeconfig {
        source: Box::new(source),
    })
}

/// Whether this process runs in a pod, where no kubeconfig is needed.
fn is_pod() -> bool {
    std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
        && std::env::var_os("KUBECONFIG").is_none()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::golden_errors::assert_said;

    #[test]
    fn a_server_that_says_nothing_is_not_waited_for() {
        let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = server.local_addr().expect("an address");
        let config = Config::new(format!("http://{address}").parse().expect("a URL"));
        let runtime = Link::runtime().expect("a runtime");
        let cluster = Cluster {
            link: Link::new(runtime, config).expect("a client"),
            namespace: None,
            service: None,
            answer_timeout: Duration::from_millis(10),
        };
        let answer = cluster.published_certificate();
        assert_said("cluster", &[&answer.expect_err("no answer")]);
    }
}
