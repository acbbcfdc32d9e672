//! Asking the API server what would become of a step, with all its checks, admission included.
//! It writes nothing and remembers nothing.

use std::borrow::Cow;

use crds::names::FIELD_MANAGER;
use kube::api::{Patch, PatchParams};

use super::write::{items_between, not_wanted, too_slow};
use super::{Answer, Executor, answer::failure, body};
use crate::sync::{key::ObjectKey, outcome::Done, plan::Step};

impl Executor<'_> {
    /// What would become of a step.
    pub(super) async fn dry_run(&self, step: &Step) -> Answer {
        match step {
            Step::Delete {
                key,
                uid,
                propagation,
            } => self.delete_dry(key, uid, *propagation).await,
            Step::Replace(key) => self.replace_dry(key).await,
            step => match step.written() {
                Some(key) => self.dry_run_write(key).await,
                None => Ok(Ok(Done::Noted)),
            },
        }
    }

    pub(super) async fn dry_run_write(&self, key: &ObjectKey) -> Answer {
        let Some(wanted) = self.wanted(key) else {
            return Ok(Err(not_wanted(key)));
        };
        let (api, _) = match self.api(key) {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        let params = PatchParams::apply(FIELD_MANAGER).force().dry_run();
        let live = match wanted.ignored.leaves_alone() {
            true => api.get_opt(key.name()).await,
            false => self.with_items(&api, key).await,
        };
        let live = match live {
            Ok(live) => live,
            Err(error) => return failure(key, error).map(Err),
        };
        let body = match live.as_ref().map(|live| body::of_apply(wanted, live)) {
            None => Cow::Borrowed(&wanted.object),
            Some(Ok(body)) => body,
            Some(Err(problem)) => return Ok(Err(too_slow(key, &problem))),
        };
        let body = Patch::Apply(self.with_notes(key, body));
        let items = |after| items_between(key, live.as_ref(), &after);
        match api.patch(key.name(), &params, &body).await {
            Ok(after) if self.world.live.contains_key(key) => {
                Ok(Ok(Done::Configured(items(after))))
            }
            Ok(after) => Ok(Ok(Done::Created(items(after)))),
            Err(error) => failure(key, error).map(Err),
        }
    }
}
