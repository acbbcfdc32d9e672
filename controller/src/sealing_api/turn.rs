//! The work for callers: a core for a request, item by item, and only while its caller waits.
//! It must not tell which item could not be opened, not even by the time it takes.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use crds::SealedSecret;
use rand::rngs::SysRng;
use sealing::{Certificate, Keyring};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The right of one request to use a core. Whoever drops it ends the work, at the latest with the item in hand.
pub(super) struct Turn(Arc<OwnedSemaphorePermit>);

impl Turn {
    pub(super) async fn wait(turns: &Arc<Semaphore>) -> Self {
        let turn = Arc::clone(turns).acquire_owned().await;
        Self(Arc::new(
            turn.expect("invariant: the semaphore is never closed"),
        ))
    }

    /// Runs one piece of work on a thread of its own. The turn lasts until it ended, also when nobody waits for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let turn = Arc::clone(&self.0);
        let working = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        working
            .await
            .expect("invariant: openings do not panic and are not aborted")
    }

    /// Whether every item can be opened. The first that can't ends the search.
    pub(super) async fn opens(&self, sealed: SealedSecret, keyring: &Arc<Keyring>) -> bool {
        for (_, part) in parts(sealed) {
            let keyring = Arc::clone(keyring);
            let opens = self.run(move || sealing::opens(&part, &keyring).is_ok());
            if !opens.await {
                return false;
            }
        }
        true
    }

    /// All items, sealed with this certificate; nothing when one of them can't be opened.
    pub(super) async fn reseal(
        &self,
        sealed: SealedSecret,
        keyring: &Arc<Keyring>,
        current: &Certificate,
    ) -> Option<BTreeMap<String, String>> {
        let mut resealed = BTreeMap::new();
        for (_, part) in parts(sealed) {
            let (keyring, current) = (Arc::clone(keyring), current.clone());
            let items =
                self.run(move || sealing::reseal(&part, &keyring, &current, &mut SysRng).ok());
            resealed.extend(items.await?);
        }
        Some(resealed)
    }
}

/// Cut into objects of one item each, in an order that nobody can foresee. The deprecated format has one item only.
fn parts(mut sealed: SealedSecret) -> Vec<(u64, SealedSecret)> {
    sealed.spec.template = None;
    if sealed.spec.data.is_some() {
        return vec![(0, sealed)];
    }
    let items = std::mem::take(&mut sealed.spec.encrypted_data);
    let order = RandomState::new();
    let mut parts: Vec<_> = items
        .into_iter()
        .map(|(item, text)| {
            let mut part = sealed.clone();
            let place = order.hash_one(&item);
            part.spec.encrypted_data.insert(item, text);
            (place, part)
        })
        .collect();
    parts.sort_by_key(|(place, _)| *place);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(1))
    }

    fn sealed(items: u32) -> SealedSecret {
        let items: BTreeMap<_, _> = (0..items).map(|item| (item.to_string(), "")).collect();
        let object = serde_json::json!({
            "metadata": { "namespace": "ns", "name": "name", "labels": { "a": "b" } },
            "spec": { "encryptedData": items }
        });
        crds::decode(&object).unwrap()
    }

    #[test]
    fn parts_keep_the_metadata_and_come_in_another_order_each_time() {
        let names = || {
            let parts = parts(sealed(50)).into_iter().map(|(_, part)| part);
            parts
                .map(|part| {
                    assert_eq!(part.metadata, sealed(0).metadata);
                    part.spec.encrypted_data.into_keys().collect::<String>()
                })
                .collect::<Vec<_>>()
        };
        let (first, mut second) = (names(), names());
        assert_ne!(first, second);
        let mut sorted = first;
        sorted.sort();
        second.sort();
        assert_eq!(sorted, second);
    }

    #[tokio::test]
    async fn an_object_without_items_can_be_opened_and_one_that_no_key_opens_can_not() {
        let keyring = Arc::new(Keyring::default());
        let turn = Turn::wait(&turns()).await;
        assert!(turn.opens(sealed(0), &keyring).await);
        assert!(!turn.opens(sealed(2), &keyring).await);
    }

    #[tokio::test]
    async fn who_leaves_ends_the_work_and_keeps_the_turn_until_it_ended() {
        let turns = turns();
        let turn = Turn::wait(&turns).await;
        let (begin, begun) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let work = tokio::spawn(async move {
            let first = turn.run(move || {
                begin.send(()).unwrap();
                ended.recv().unwrap();
            });
            first.await;
            turn.run(|| panic!("nobody waits for this")).await;
        });
        tokio::task::spawn_blocking(move || begun.recv().unwrap())
            .await
            .unwrap();
        work.abort();
        assert!(work.await.unwrap_err().is_cancelled());
        assert_eq!(turns.available_permits(), 0);
        end.send(()).unwrap();
        drop(Turn::wait(&turns).await);
    }
}
