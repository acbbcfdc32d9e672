//! Following a small set of objects: listed once, then watched, with the ones that vanish during an interruption told as gone.
//! It keeps names only; what the objects mean is its caller's business.

use std::{collections::BTreeSet, fmt::Debug};

use futures::StreamExt;
use kube::{
    Api, Resource, ResourceExt,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;

use crate::watch_backoff::WatchBackoff;

/// What happened to the set.
#[derive(Debug)]
pub(crate) enum Change<K> {
    /// Part of a listing: it may be known.
    Listed(K),
    /// New or changed.
    Changed(K),
    /// No longer there.
    Gone { namespace: String, name: String },
    /// The listing is complete.
    Whole,
}

/// Follows all objects of an API for ever. A kind that the cluster does not serve counts as an empty set, and is asked for again
/// with growing pauses; any other error leaves the set as it was.
pub(crate) async fn follow<K>(api: Api<K>, config: watcher::Config, mut tell: impl FnMut(Change<K>))
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut events = watcher(api, config.streaming_lists())
        .backoff(WatchBackoff::new())
        .boxed();
    let mut known = BTreeSet::new();
    let mut listed = BTreeSet::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(object)) => {
                listed.insert(name(&object));
                tell(Change::Listed(object));
            }
            Ok(Event::InitDone) => {
                for (namespace, name) in known.difference(&listed).cloned() {
                    tell(Change::Gone { namespace, name });
                }
                known = std::mem::take(&mut listed);
                tell(Change::Whole);
            }
            Ok(Event::Apply(object)) => {
                known.insert(name(&object));
                tell(Change::Changed(object));
            }
            Ok(Event::Delete(object)) => {
                let (namespace, name) = name(&object);
                known.remove(&(namespace.clone(), name.clone()));
                tell(Change::Gone { namespace, name });
            }
            Err(error) if is_not_served(&error) => {
                for (namespace, name) in std::mem::take(&mut known) {
                    tell(Change::Gone { namespace, name });
                }
                tell(Change::Whole);
            }
            Err(error) => tracing::debug!(%error, "a watch is interrupted"),
        }
    }
}

/// Follows one object of an API for ever, which may or may not be there: tells what `read` takes of it, or that it is not there,
/// once it was looked for and whenever that changes.
pub(crate) async fn follow_one<K, T: PartialEq>(
    api: Api<K>,
    name: &str,
    read: impl Fn(K) -> T,
    mut tell: impl FnMut(Option<&T>),
) where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let mut known = None;
    follow(api, config, |change| {
        if note(&mut known, change, &read)
            && let Some(now) = &known
        {
            tell(now.as_ref());
        }
    })
    .await;
}

/// Takes a change in; true when it makes a difference. Nothing is known until the object was looked for.
fn note<K, T: PartialEq>(
    known: &mut Option<Option<T>>,
    change: Change<K>,
    read: impl Fn(K) -> T,
) -> bool {
    let now = match change {
        Change::Listed(object) | Change::Changed(object) => Some(read(object)),
        Change::Whole if known.is_some() => return false,
        Change::Whole | Change::Gone { .. } => None,
    };
    let differs = known.as_ref() != Some(&now);
    *known = Some(now);
    differs
}

fn name<K: Resource>(object: &K) -> (String, String) {
    (object.namespace().unwrap_or_default(), object.name_any())
}

fn is_not_served(error: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchStartFailed};
    matches!(error, InitialListFailed(kube::Error::Api(status)) | WatchStartFailed(kube::Error::Api(status)) if status.code == 404)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_makes_a_difference_is_news() {
        let gone = || Change::Gone {
            namespace: String::new(),
            name: String::new(),
        };
        let mut known = None;
        for (change, news) in [
            (Change::Whole, true),
            (Change::Whole, false),
            (gone(), false),
            (Change::Changed("1"), true),
            (Change::Listed("1"), false),
            (Change::Whole, false),
            (Change::Changed("2"), true),
            (gone(), true),
        ] {
            let before = format!("{known:?} {change:?}");
            assert_eq!(note(&mut known, change, str::to_owned), news, "{before}");
        }
        assert_eq!(known, Some(None));
    }
}
