//! Tells when key Secrets may have changed: by watches, or every ten seconds where watching is refused.
//! It must not say what changed: the observer reads that.

use std::pin::Pin;
use std::time::Duration;

use crds::names::SEALING_KEY_LABEL;
use futures::stream::{self, BoxStream, Select, StreamExt};
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};

use crate::watch_backoff::WatchBackoff;

/// How often keys are listed where they can't be watched.
const POLL: Duration = Duration::from_secs(10);

/// Wakes up when key Secrets may have changed.
pub(super) struct Changes {
    client: Client,
    namespace: String,
    source: Source,
}

type Events = BoxStream<'static, watcher::Result<watcher::Event<PartialObjectMeta<Secret>>>>;

enum Source {
    /// Of the labelled Secrets, and of the one that needs no label.
    Watch(Select<Events, Events>),
    Poll(Pin<Box<tokio::time::Sleep>>),
    /// `--watch-for-secrets=false`
    None,
}

impl Changes {
    /// `legacy` is the name of the Secret that is a key without a label.
    pub(super) fn new(client: Client, namespace: String, legacy: &str, wanted: bool) -> Self {
        let mut changes = Self {
            client,
            namespace,
            source: Source::None,
        };
        if wanted {
            let labelled = watcher::Config::default().labels(SEALING_KEY_LABEL);
            let named = watcher::Config::default().fields(&format!("metadata.name={legacy}"));
            let (labelled, named) = (changes.watch(labelled), changes.watch(named));
            changes.source = Source::Watch(stream::select(labelled, named));
        }
        changes
    }

    fn watch(&self, config: watcher::Config) -> Events {
        let api =
            Api::<PartialObjectMeta<Secret>>::namespaced(self.client.clone(), &self.namespace);
        watcher(api, config).backoff(WatchBackoff::new()).boxed()
    }

    /// True where changes are not told but have to be looked for.
    pub(super) fn polls(&self) -> bool {
        matches!(self.source, Source::Poll(_))
    }

    /// Returns when keys may have changed. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) {
        loop {
            let refused = match &mut self.source {
                Source::Watch(events) => match events.next().await {
                    // The list that opens each watch is what the observer reads anyway, until it is complete.
                    Some(Ok(watcher::Event::Init | watcher::Event::InitApply(_))) => false,
                    Some(Ok(_)) => return,
                    Some(Err(error)) => is_refused(&error),
                    None => true,
                },
                Source::Poll(sleep) => {
                    sleep.as_mut().await;
                    self.source = poll();
                    return;
                }
                Source::None => stream::pending().next().await.unwrap_or(false),
            };
            if refused {
                tracing::warn!(
                    namespace = self.namespace,
                    "key Secrets can't be watched, they are listed every 10 s"
                );
                self.source = poll();
            }
        }
    }
}

fn poll() -> Source {
    Source::Poll(Box::pin(tokio::time::sleep(POLL)))
}

fn is_refused(error: &watcher::Error) -> bool {
    let (watcher::Error::WatchStartFailed(kube::Error::Api(status))
    | watcher::Error::InitialListFailed(kube::Error::Api(status))) = error
    else {
        return matches!(error, watcher::Error::WatchError(status) if status.is_forbidden());
    };
    status.is_forbidden()
}
