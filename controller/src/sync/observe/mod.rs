//! Reads all that one pass looks at into a World: the Application, its project, Git, the cluster's kinds and its live objects.
//! It decides nothing; where something can't be read, the World says so.

pub(super) mod applications;
pub(super) mod argocd_cm;
pub(super) mod autoscalers;
pub(super) mod bases;
pub(super) mod clock;
pub(super) mod definitions;
pub(super) mod dependencies;
mod desired;
pub(super) mod discovery;
pub(super) mod facts;
pub(super) mod follow;
pub(super) mod live;
pub(super) mod memory;
pub(super) mod neighbours;
mod objects;
mod opening;
mod preview;
pub(super) mod projects;
mod rendering;
mod requests;
mod restarts;
mod sent;
pub(super) mod settings;
pub(super) mod signatures;
pub(super) mod sources;
mod subject;
mod submodules;
pub(super) mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crds::ApplicationStatus;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::access::{Denied, Project};
use crate::dialect::ApplicationName;
use crate::sync::{
    engine::Engine,
    key::{GroupKind, ObjectKey, group_version},
    kinds::Kinds,
    observe::applications::AppId,
    observe::memory::{Render, is_due_again},
    observe::neighbours::{Listed, listed},
    plan::gates::hands_off,
    plan::holders::is_holder,
    plan::{HeldBack, recorded},
    redaction_key,
    revisions::Revisions,
    world::{Asked, Dependency, Live, Source, SourceProblem, Unsealer, World},
};
use objects::Observed;
pub(super) use subject::stored_status;
use subject::{Subject, marks};

/// What a look found in Git and in the cluster.
struct Sight {
    source: Result<Source, SourceProblem>,
    newest: Option<Revisions>,
    held_back: Option<HeldBack>,
    tries_again: bool,
    others: Vec<Listed>,
    kinds: Arc<Kinds>,
    observed: Observed,
    opening: BTreeMap<ObjectKey, Result<(), String>>,
    dependencies: BTreeMap<ApplicationName, Dependency>,
    another_controller: bool,
}

/// Why nothing can be said of an Application now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Api(#[from] kube::Error),
    #[error(transparent)]
    RedactionKey(#[from] redaction_key::Error),
}

impl Engine {
    /// The World of one look. What somebody asks for, and did not ask for at the look `before`, lists the refs anew.
    ///
    /// # Errors
    /// When the API server is away, or there is no key to redact with.
    pub(crate) async fn observe(
        &self,
        app: &AppId,
        object: &Value,
        before: Asked,
    ) -> Result<World, Error> {
        let another_controller = self.neighbours.at_work(&app.namespace);
        let left_alone = hands_off(&app.namespace, another_controller, &marks(object));
        // Of one that is left alone nothing is written, so that no key is made for it.
        let redactor = match left_alone {
            Some(_) => self.redactor_aside().await?,
            None => self.redactor().await?,
        };
        let subject = self.subject(&redactor, app, object);
        let dependencies = self.dependencies(&redactor, &subject);
        if subject.asked().distrusts(before) {
            self.live.index().distrust(app);
        }
        let project = self.project(&subject);
        let held_back = self.memories.get(app).held_back;
        let held_back = held_back.filter(|held_back| Timestamp::now() < held_back.until);
        let (newest, rendered) = self
            .rendered(
                app,
                &subject,
                project.as_ref().ok(),
                before,
                held_back.as_ref(),
                None,
            )
            .await?;
        let running = recorded::running_at(&subject.facts);
        let held_back = held_back.filter(|held_back| {
            let is_elsewhere = |running: &Revisions| *running != held_back.revisions;
            held_back.is(newest.as_ref()) && running.as_ref().is_some_and(is_elsewhere)
        });
        let others = self.others(app, &subject, rendered.as_ref().ok());
        let (kinds, unknown) = self
            .kinds(&subject, rendered.as_ref().ok(), &others)
            .await?;
        self.memories.with(app, |memory| memory.unknown = unknown);
        let source = self.source(app, &subject, rendered, &kinds).await;
        let wanted = source.as_ref().ok().map(|source| source.desired.clone());
        let observed = self
            .cluster(app, &subject, wanted.as_deref(), &kinds)
            .await?;
        let opening = self.opening(app, wanted.as_deref(), &observed.live).await;
        let tries_again = self.tries_again(app, &observed.live);
        Ok(self.world(
            subject,
            project,
            Sight {
                source,
                newest,
                held_back,
                tries_again,
                others,
                kinds,
                observed,
                opening,
                dependencies,
                another_controller,
            },
        ))
    }

    /// Whether what could not be compared is to be tried again: now and then, for nothing tells when it can be.
    fn tries_again(&self, app: &AppId, live: &BTreeMap<ObjectKey, Live>) -> bool {
        let last = self.memories.with(app, |memory| memory.tried_again);
        is_due_again(last) && live.values().any(|live| live.state.is_undecided())
    }

    /// What others list that would go with Namespaces and definitions which may be deleted now: with the Application all that it has, else
    /// what the render lacks.
    fn others(&self, app: &AppId, subject: &Subject, render: Option<&Render>) -> Vec<Listed> {
        let status = &subject.facts.status;
        let of_cluster = status.resources.iter();
        let of_cluster = of_cluster.filter(|entry| entry.namespace.is_empty());
        let results = recorded::hooks(status).map(recorded::key_of_result);
        let keys = of_cluster.map(recorded::key_of).chain(results);
        let mut holders: BTreeSet<ObjectKey> = keys.filter(is_holder).collect();
        if holders.is_empty() {
            return Vec::new();
        }
        if subject.facts.deletion_timestamp.is_none() {
            // Without a render nothing is deleted.
            let Some(render) = render else {
                return Vec::new();
            };
            // At most two kinds: of all other objects no key is made.
            let kinds: BTreeSet<GroupKind> = holders.iter().map(ObjectKey::group_kind).collect();
            for manifest in render.manifests() {
                let [group, kind, _] = kind_of(&manifest.object);
                if !kinds.iter().any(|known| known.is(group, kind)) {
                    continue;
                }
                let name = manifest.object["metadata"]["name"].as_str();
                holders.remove(&ObjectKey::of(group, kind, "", name.unwrap_or_default()));
            }
        }
        match holders.is_empty() {
            true => Vec::new(),
            false => listed(&self.applications.others(app), &holders),
        }
    }

    /// All that was seen, and what is known without looking.
    fn world(
        &self,
        subject: Subject,
        project: Result<Project, Vec<Denied>>,
        sight: Sight,
    ) -> World {
        let wanted = sight.source.as_ref().ok();
        let desired = wanted.map(|source| &*source.desired);
        let restarts = self.restarts(desired, &sight.observed.live);
        World {
            now: Timestamp::now(),
            application: subject.facts,
            intent: subject.intent,
            request: subject.request,
            project,
            source: sight.source,
            newest: sight.newest,
            held_back: sight.held_back,
            tries_again: sight.tries_again,
            kinds: sight.kinds,
            destination_namespace: sight.observed.namespace,
            namespace_metadata: sight.observed.namespace_metadata,
            live: sight.observed.live,
            unlisted: sight.observed.unlisted,
            customizations: self.live.customizations(),
            restarts,
            opening: sight.opening,
            unsealer: if self.context.unsealer.unseals_here() {
                Unsealer::Ours
            } else {
                Unsealer::Other
            },
            own_namespace: self.context.namespace.clone(),
            application_namespaces: self.context.settings.sync.application_namespaces(),
            allow_file_repositories: self.context.settings.sync.allow_file_repositories,
            applications: self.applications.tracking_names(),
            others: sight
                .others
                .into_iter()
                .map(|listed| (listed.key, listed.application))
                .collect(),
            dependencies: sight.dependencies,
            another_controller: sight.another_controller,
        }
    }

    /// Kinds of all that is rendered or remembered, of the objects that steps of ours make, and of these of others; with the groups of
    /// our own that the cluster does not know.
    async fn kinds(
        &self,
        subject: &Subject,
        render: Option<&Render>,
        others: &[Listed],
    ) -> Result<(Arc<Kinds>, BTreeSet<String>), kube::Error> {
        let manifests = render.into_iter().flat_map(Render::manifests);
        let status = &subject.facts.status;
        let listed = status.resources.iter();
        let listed = listed.map(|entry| [&*entry.group, &entry.kind, &entry.version]);
        let results = recorded::hooks(status);
        let results = results.map(|result| [&*result.group, &result.kind, &result.version]);
        // Many objects are of few kinds.
        let wanted: BTreeSet<[&str; 3]> = manifests
            .map(|manifest| kind_of(&manifest.object))
            .chain(listed)
            .chain(results)
            .chain([["", "Namespace", "v1"]])
            .collect();
        let wanted = wanted
            .into_iter()
            .map(|[group, kind, version]| (GroupKind::new(group, kind), version.to_owned()));
        let wanted: Vec<(GroupKind, String)> = wanted.collect();
        let others = others.iter();
        let others = others.map(|listed| (listed.key.group_kind(), listed.version.clone()));
        let asked: Vec<(GroupKind, String)> = wanted.iter().cloned().chain(others).collect();
        let kinds = self.discovery.kinds(asked).await?;
        let unknown = wanted
            .into_iter()
            .filter(|(kind, version)| kinds.known(kind, version).is_none());
        let unknown = unknown.map(|(kind, _)| kind.group).collect();
        Ok((kinds, unknown))
    }
}

fn namespace_kind() -> GroupKind {
    GroupKind::new("", "Namespace")
}

/// Group, kind and version.
fn kind_of(object: &Value) -> [&str; 3] {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let (group, version) = group_version(text("apiVersion"));
    [group, text("kind"), version]
}

/// The inventory: every object that the last passes applied and did not see go, with its version.
fn inventory(status: &ApplicationStatus) -> impl Iterator<Item = (ObjectKey, String)> {
    status.resources.iter().map(|entry| {
        let kind = GroupKind::new(&*entry.group, &*entry.kind);
        (
            ObjectKey::new(&kind, Some(&entry.namespace), &entry.name),
            entry.version.clone(),
        )
    })
}

/// A spec that is refused, by itself or by its project, names no source to read.
fn no_source() -> SourceProblem {
    SourceProblem {
        reason: crate::sync::world::SourceReason::Fetch,
        message: "the spec is not accepted".to_owned(),
        hint: None,
    }
}
