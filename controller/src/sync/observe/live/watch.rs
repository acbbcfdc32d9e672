//! The watch of one kind: metadata alone, or whole objects where health needs their status, trimmed as they stream by.
//! It ends only when it is dropped; errors are waited out with growing pauses.

use std::sync::{Arc, Weak};

use futures::{Stream, StreamExt};
use kube::{
    Api, Resource,
    api::{DynamicObject, ObjectMeta, PartialObjectMeta},
    core::ApiResource,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use tokio::{sync::watch, task::AbortHandle};

use super::{Affected, Lane, Live, Seen};
use crate::{
    dialect,
    restart::Teller,
    sync::{
        key::{GroupKind, ObjectKey},
        observe::autoscalers,
    },
    watch_backoff::WatchBackoff,
    watch_rest::Rested,
};

/// How far the first listing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    /// Under way.
    Pending,
    /// Done; events follow.
    Whole,
    /// The API server does not let us watch; tried again with growing pauses.
    Refused,
}

/// A running watch; dropping it ends it.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) resource: ApiResource,
    pub(super) listing: watch::Receiver<Listing>,
    task: AbortHandle,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watch {
    pub(super) fn start(live: &Arc<Live>, resource: ApiResource) -> Watch {
        let (state, listing) = watch::channel(Listing::Pending);
        let kind = GroupKind::new(&*resource.group, &*resource.kind);
        let feed = Feed {
            live: Arc::downgrade(live),
            teller: live
                .restarts
                .as_ref()
                .and_then(|register| register.teller(&kind)),
            kind,
            state,
        };
        let client = live.client.clone();
        let (followed, whole) = (resource.clone(), live.reads_status(&feed.kind));
        let task = tokio::spawn(async move {
            if whole {
                let api = Api::<DynamicObject>::all_with(client, &resource);
                feed.run(watcher(api, config()), |live, object| {
                    live.sight(object, &resource)
                })
                .await;
            } else {
                let api = Api::<PartialObjectMeta<DynamicObject>>::all_with(client, &resource);
                feed.run(watcher(api, config()), |_, object| {
                    Seen::metadata(object.metadata)
                })
                .await;
            }
        });
        Watch {
            resource: followed,
            listing,
            task: task.abort_handle(),
        }
    }
}

fn config() -> watcher::Config {
    watcher::Config::default().streaming_lists()
}

/// Carries events of one kind into the index.
struct Feed {
    live: Weak<Live>,
    kind: GroupKind,
    /// Who else wants to hear of the kind.
    teller: Option<Teller>,
    state: watch::Sender<Listing>,
}

impl Feed {
    async fn run<K: Resource + Send>(
        self,
        events: impl Stream<Item = watcher::Result<Event<K>>> + Send,
        trim: impl Fn(&Live, K) -> Seen + Send,
    ) {
        let mut events = Rested::new(Box::pin(events.backoff(WatchBackoff::new())));
        while let Some(event) = events.next().await {
            let Some(live) = self.live.upgrade() else {
                return;
            };
            match event {
                Ok(event) => self.take_in(&live, event, &trim),
                Err(error) => self.interrupted(&error),
            }
        }
    }

    fn take_in<K: Resource>(&self, live: &Live, event: Event<K>, trim: impl Fn(&Live, K) -> Seen) {
        if let Some(teller) = &self.teller {
            teller.hear(&event);
        }
        match event {
            Event::Init => live.index().begin_listing(&self.kind),
            Event::InitApply(object) => live.wake(&self.see(live, object, trim), Lane::Calm),
            Event::Apply(object) => live.wake(&self.see(live, object, trim), Lane::Prompt),
            Event::Delete(object) => {
                let (key, uid) = (self.key(object.meta()), object.meta().uid.as_deref());
                let affected = live.index().lose(&key, uid);
                live.wake(&affected, Lane::Prompt);
            }
            Event::InitDone => {
                let affected = live.index().end_listing(&self.kind);
                self.state.send_replace(Listing::Whole);
                live.wake(&affected, Lane::Prompt);
            }
        }
    }

    /// Objects that are neither tracked nor anybody's concern are dropped before anything is made of them. Any autoscaler may be the
    /// one of a workload.
    fn see<K: Resource>(
        &self,
        live: &Live,
        object: K,
        trim: impl Fn(&Live, K) -> Seen,
    ) -> Affected {
        let key = self.key(object.meta());
        let tracked = object
            .meta()
            .annotations
            .as_ref()
            .is_some_and(|all| all.contains_key(dialect::TRACKING_ANNOTATION));
        let matters = tracked || self.kind == autoscalers::kind();
        if !matters && !live.index().cares(&key) {
            return Affected::default();
        }
        let seen = trim(live, object);
        live.index().see(&key, seen)
    }

    fn key(&self, metadata: &ObjectMeta) -> ObjectKey {
        ObjectKey::new(
            &self.kind,
            metadata.namespace.as_deref(),
            metadata.name.as_deref().unwrap_or_default(),
        )
    }

    /// A watch that breaks after its first listing goes on where it was; before it, nothing is known of the kind.
    fn interrupted(&self, error: &watcher::Error) {
        tracing::debug!(kind = %self.kind, %error, "a watch is interrupted");
        self.state.send_if_modified(|state| {
            let first = *state == Listing::Pending;
            if first {
                *state = Listing::Refused;
            }
            first
        });
    }
}
