//! Watches SealedSecrets and the metadata of Secrets, and has the Unsealer work on what changed.
//! It must not keep whole objects of Secrets, nor let one odd object, or one slow one, hold up the others.

use std::sync::Arc;
use std::time::Instant;

use futures::stream::{BoxStream, SelectAll, StreamExt};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::core::{DynamicObject, PartialObjectMeta};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, ResourceExt};

use super::jobs::{self, Jobs};
use super::queue::{Ended, JobId, Place, Policy, Queue};
use super::{ObjectName, Unsealer};
use crate::context::Context;
use crate::keys::Standing;
use crate::keys::observe::sealed_secret_resource;
use crate::leadership::Role;
use crate::run;
use crate::settings::Namespaces;
use crate::watch_backoff::WatchBackoff;

/// Jobs at once: enough to keep the API server busy while two cores open values.
const IN_FLIGHT: usize = 32;

/// Jobs at once while a list is being read: what is new is seen only behind its end, so few requests may delay it.
const WHILE_LISTING: usize = 4;

/// Objects per page of a first list: a page is in memory as a whole, and its parsed form takes several times its text.
const PAGE: u32 = 100;

/// Opens SealedSecrets until shutdown; the writes in hand are finished.
pub async fn run(context: Arc<Context>) -> Result<(), run::Error> {
    let mut standing = context.keys.standing();
    let mut role = context.leadership.role();
    let mut key_changes = context.keys.changes();
    let mut loop_ = Loop::new(Arc::clone(&context));
    tokio::spawn(name_missing_namespaces(Arc::clone(&context)));
    loop {
        let serving = *standing.borrow_and_update() == Standing::Serving;
        let writing = serving && *role.borrow_and_update() == Role::Leading;
        if writing {
            loop_.start_jobs();
        }
        tokio::select! {
            () = context.shutdown.cancelled() => break,
            Ok(()) = standing.changed() => {}
            Ok(()) = role.changed() => {}
            Ok(()) = key_changes.changed() => loop_.keys_changed(),
            Some((scope, event)) = loop_.sealed.next(), if serving => loop_.sealed_secret(scope, event),
            Some((scope, event)) = loop_.secrets.next() => loop_.secret(scope, event),
            Some((id, how)) = loop_.jobs.next() => loop_.ended(id, how),
            () = sleep_until(loop_.queue.next_retry()), if writing => {}
        }
    }
    while let Some((id, how)) = loop_.jobs.next().await {
        loop_.ended(id, how);
    }
    Ok(())
}

/// Says which of the namespaces that were asked for do not exist. Their watches find them once they do.
async fn name_missing_namespaces(context: Arc<Context>) {
    let Namespaces::These(these) = context.settings.unseal.namespaces(&context.namespace) else {
        return;
    };
    let api = Api::<Namespace>::all(context.client.clone());
    // We live in our own, and may not be allowed to read it.
    for namespace in these.into_iter().filter(|name| *name != context.namespace) {
        // Who may not read namespaces is told by the watches what is missing.
        if let Ok(None) = api.get_metadata_opt(&namespace).await {
            tracing::warn!(
                namespace,
                "namespace doesn't exist, SealedSecrets in it are opened once it does"
            );
        }
    }
}

async fn sleep_until(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when.into()).await,
        None => std::future::pending().await,
    }
}

/// Number of a scope, with what its watch said.
type Watched<K> = (usize, watcher::Result<Event<K>>);

/// Where is watched: one namespace or all. Each name belongs to one scope, and no scope waits for another.
#[derive(Default)]
struct Scope {
    namespace: Option<String>,
    /// Number of the list of SealedSecrets that is or was read last.
    list: u32,
    /// The same of Secrets.
    secret_list: u32,
    is_listing: bool,
    /// All SealedSecrets were listed once, so that other Secrets can be dropped as they stream by.
    is_listed: bool,
    are_secrets_listed: bool,
    /// What was told last of a watch that fails.
    trouble: Option<String>,
}

/// State of the loop.
struct Loop {
    context: Arc<Context>,
    unsealer: Arc<Unsealer>,
    scopes: Vec<Scope>,
    queue: Queue,
    jobs: Jobs,
    sealed: SelectAll<BoxStream<'static, Watched<DynamicObject>>>,
    secrets: SelectAll<BoxStream<'static, Watched<PartialObjectMeta<Secret>>>>,
}

impl Loop {
    fn new(context: Arc<Context>) -> Self {
        let namespaces = match context.settings.unseal.namespaces(&context.namespace) {
            Namespaces::All => vec![None],
            Namespaces::These(these) => these.into_iter().map(Some).collect(),
        };
        let scopes: Vec<_> = namespaces
            .into_iter()
            .map(|namespace| Scope {
                namespace,
                ..Scope::default()
            })
            .collect();
        let policy = Policy {
            quick_retries: context.settings.unseal.max_unseal_retries,
            self_heal: context.settings.unseal.self_heal,
        };
        Self {
            unsealer: Arc::clone(&context.unsealer),
            queue: Queue::new(policy),
            jobs: Jobs::default(),
            sealed: scopes
                .iter()
                .enumerate()
                .map(|(index, scope)| watch_sealed_secrets(&context, index, scope))
                .collect(),
            secrets: SelectAll::new(),
            scopes,
            context,
        }
    }

    fn start_jobs(&mut self) {
        let room = match self.scopes.iter().any(|scope| scope.is_listing) {
            true => WHILE_LISTING,
            false => IN_FLIGHT,
        };
        while self.jobs.len() < room
            && let Some(job) = self.queue.take(Instant::now())
        {
            let id = job.id.clone();
            self.jobs
                .spawn(Some(id), jobs::work(Arc::clone(&self.unsealer), job));
        }
    }

    fn ended(&mut self, id: Option<JobId>, how: Ended) {
        let Some(id) = id else {
            return;
        };
        let (unsealer, left) = (&self.unsealer, self.unsealer.secret_version(&id.name));
        let again =
            self.queue
                .is_outdated(&id, |sealed| unsealer.was_tried(sealed), left.as_deref());
        if !self.queue.ended(&id, how, again, Instant::now()) {
            self.unsealer.forget(&id.name);
        }
    }

    fn sealed_secret(&mut self, scope: usize, event: watcher::Result<Event<DynamicObject>>) {
        match event {
            Ok(Event::Init) => {
                self.scopes[scope].list += 1;
                self.scopes[scope].is_listing = true;
            }
            Ok(Event::InitApply(object)) => self.applied(scope, &object, Place::Backlog),
            Ok(Event::Apply(object)) => self.applied(scope, &object, Place::Fresh),
            Ok(Event::Delete(object)) => self.deleted(&ObjectName::of(&object), object.uid()),
            Ok(Event::InitDone) => {
                let Scope {
                    namespace, list, ..
                } = &self.scopes[scope];
                for name in self.queue.missing(namespace.as_deref(), *list) {
                    self.deleted(&name, None);
                }
                self.listed(scope);
            }
            Err(error) => {
                self.scopes[scope].is_listing = false;
                self.watch_failed(scope, "SealedSecrets", &error);
            }
        }
    }

    fn applied(&mut self, scope: usize, object: &DynamicObject, place: Place) {
        let name = ObjectName::of(object);
        self.queue.exists(&name, self.scopes[scope].list);
        match jobs::decode(object) {
            Ok(sealed) if self.unsealer.was_tried(&sealed) => {}
            Ok(sealed) => self.queue.want(&name, Some(Box::new(sealed)), place),
            Err(_) if self.unsealer.was_tried_malformed(object) => {}
            Err(_) => self.queue.want(&name, None, place),
        }
    }

    fn deleted(&mut self, name: &ObjectName, uid: Option<String>) {
        if !self.queue.forget(name) {
            return;
        }
        self.unsealer.forget(name);
        self.context.metrics.unseal_requests.inc();
        if self.context.settings.unseal.old_gc_behavior {
            tracing::info!(key = %name, "SealedSecret has gone, deleting Secret");
            let delete = jobs::delete(Arc::clone(&self.unsealer), name.clone(), uid);
            self.jobs.spawn(None, delete);
        }
    }

    /// The SealedSecrets of a scope are all known: from now on its Secrets are watched.
    fn listed(&mut self, index: usize) {
        let scope = &mut self.scopes[index];
        scope.trouble = None;
        scope.is_listing = false;
        tracing::debug!(namespace = scope.namespace, "SealedSecrets are listed");
        if std::mem::replace(&mut scope.is_listed, true) {
            return;
        }
        if self.context.settings.unseal.skip_recreate {
            // Of Secrets no more is ever known than what is written to them.
            self.unsealer.changes.listed(scope.namespace.as_deref());
            return;
        }
        let watch = watch_secrets(&self.context, index, &self.scopes[index]);
        self.secrets.push(watch);
    }

    /// What failed may be opened now, and what was opened with a key that has gone can't be opened any more.
    fn keys_changed(&mut self) {
        self.queue.keys_changed(self.unsealer.lacking_keys());
    }

    fn secret(&mut self, scope: usize, event: watcher::Result<Event<PartialObjectMeta<Secret>>>) {
        let now = Instant::now();
        match event {
            Ok(Event::Init) => self.scopes[scope].secret_list += 1,
            Ok(Event::InitApply(secret) | Event::Apply(secret)) => {
                let name = ObjectName::of(&secret);
                if self
                    .queue
                    .secret_exists(&name, self.scopes[scope].secret_list)
                {
                    self.unsealer.changes.see(&name, &secret.metadata);
                    let version = secret.resource_version().unwrap_or_default();
                    self.queue.secret_changed(
                        &name,
                        &version,
                        self.unsealer.secret_version(&name).as_deref(),
                        now,
                    );
                }
            }
            Ok(Event::Delete(secret)) => {
                let name = ObjectName::of(&secret);
                self.unsealer.changes.forget(&name);
                self.queue.secret_is_gone(&name);
                self.queue.secret_changed(&name, "", None, now);
            }
            Ok(Event::InitDone) => self.secrets_listed(scope, now),
            Err(error) => self.watch_failed(scope, "Secrets", &error),
        }
    }

    /// The Secrets of a scope are all known; those that are not among them any more were deleted.
    fn secrets_listed(&mut self, index: usize, now: Instant) {
        self.scopes[index].are_secrets_listed = true;
        self.scopes[index].trouble = None;
        tracing::debug!(
            namespace = self.scopes[index].namespace,
            "Secrets are listed"
        );
        if self.scopes.iter().all(|scope| scope.are_secrets_listed) {
            self.queue.secrets_are_listed();
        }
        let Scope {
            namespace,
            secret_list,
            ..
        } = &self.scopes[index];
        self.unsealer.changes.listed(namespace.as_deref());
        for name in self
            .queue
            .missing_secrets(namespace.as_deref(), *secret_list)
        {
            if self.unsealer.secret_version(&name).is_some() {
                self.queue.secret_changed(&name, "", None, now);
            }
        }
    }

    /// The stream tries again by itself; the same trouble is told once.
    fn watch_failed(&mut self, index: usize, what: &str, error: &watcher::Error) {
        let text = run::chain(error);
        let Scope {
            namespace, trouble, ..
        } = &mut self.scopes[index];
        if trouble.as_ref() != Some(&text) {
            let namespace = namespace.as_deref().unwrap_or("all");
            tracing::warn!(namespace, error = text, "can't watch {what}, will retry");
            *trouble = Some(text);
        }
    }
}

fn watch_sealed_secrets(
    context: &Context,
    index: usize,
    scope: &Scope,
) -> BoxStream<'static, Watched<DynamicObject>> {
    let resource = sealed_secret_resource();
    let api = match &scope.namespace {
        Some(namespace) => Api::namespaced_with(context.client.clone(), namespace, &resource),
        None => Api::all_with(context.client.clone(), &resource),
    };
    let config = watch::Config::default()
        .labels(&context.settings.unseal.label_selector)
        .page_size(PAGE);
    let events = watch::watcher(api, config)
        .modify(keep_status_managers)
        .backoff(WatchBackoff::new());
    events.map(move |event| (index, event)).boxed()
}

/// Of the managers only those of the status are asked for, and the last applied text is as large as the object.
fn keep_status_managers(object: &mut DynamicObject) {
    if let Some(managers) = &mut object.metadata.managed_fields {
        managers.retain(|entry| entry.subresource.as_deref() == Some("status"));
        managers.iter_mut().for_each(|entry| entry.fields_v1 = None);
    }
    if let Some(annotations) = &mut object.metadata.annotations {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
}

fn watch_secrets(
    context: &Context,
    index: usize,
    scope: &Scope,
) -> BoxStream<'static, Watched<PartialObjectMeta<Secret>>> {
    let api = match &scope.namespace {
        Some(namespace) => {
            Api::<PartialObjectMeta<Secret>>::namespaced(context.client.clone(), namespace)
        }
        None => Api::all(context.client.clone()),
    };
    let events =
        watch::watcher(api, watch::Config::default().page_size(PAGE)).backoff(WatchBackoff::new());
    events.map(move |event| (index, event)).boxed()
}
