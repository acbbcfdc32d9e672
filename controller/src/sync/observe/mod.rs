//! Reads all that one pass looks at into a World: the Application, its project, Git, the cluster's kinds and its live objects.
//! It decides nothing; where something can't be read, the World says so.

pub(super) mod applications;
pub(super) mod argocd_cm;
pub(super) mod bases;
pub(super) mod definitions;
pub(super) mod dependencies;
mod desired;
pub(super) mod discovery;
pub(super) mod facts;
pub(super) mod follow;
mod in_use;
pub(super) mod live;
pub(super) mod memory;
pub(super) mod neighbours;
mod objects;
mod opening;
pub(super) mod projects;
mod rendering;
mod requests;
mod restarts;
pub(super) mod settings;
pub(super) mod signatures;
pub(super) mod sources;
mod subject;
mod submodules;
pub(super) mod variables;

use std::collections::BTreeSet;
use std::sync::Arc;

use crds::ApplicationStatus;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::dialect::Refresh;
use crate::sync::{
    engine::Engine,
    key::{GroupKind, ObjectKey, group_version},
    kinds::Kinds,
    observe::applications::AppId,
    observe::memory::Render,
    plan::recorded,
    world::{Asked, SourceProblem, Unsealer, World},
};
use subject::Subject;
pub(super) use subject::stored_status;

impl Engine {
    /// The World of one look. What somebody asks for, and did not ask for at the look `before`, lists the refs anew.
    ///
    /// # Errors
    /// When the API server is away.
    pub(crate) async fn observe(
        &self,
        app: &AppId,
        object: &Value,
        before: Asked,
    ) -> Result<World, kube::Error> {
        let subject = self.subject(app, object);
        if !before.refresh && subject.facts.marks.refresh == Some(Refresh::Hard) {
            self.live.index().distrust(app);
        }
        let project = self.project(&subject);
        let (newest, rendered) = match self.readable(&subject, project.as_ref().ok()) {
            Some((intent, project)) => {
                let newest = self.newest(&subject, intent, before).await;
                // A request is large, and mostly nothing is rendered.
                let rendered =
                    Box::pin(self.render(app, &subject, intent, project, newest.as_ref(), before));
                let rendered = rendered.await?;
                (newest, rendered)
            }
            None => (None, Err(no_source())),
        };
        let kinds = self.kinds(app, &subject, rendered.as_ref().ok()).await?;
        let source = self.source(app, &subject, rendered, &kinds);
        let wanted = source.as_ref().ok().map(|source| source.desired.clone());
        let observed = self
            .cluster(app, &subject, wanted.as_deref(), &kinds)
            .await?;
        let opening = self.opening(app, wanted.as_deref(), &observed.live).await;
        let dependencies = self.dependencies(&subject);
        Ok(World {
            now: Timestamp::now(),
            application: subject.facts,
            intent: subject.intent,
            request: subject.request,
            project,
            source,
            newest,
            kinds,
            destination_namespace: observed.namespace,
            namespace_metadata: observed.namespace_metadata,
            live: observed.live,
            unlisted: observed.unlisted,
            customizations: self.live.customizations(),
            restarts: self.restarts(wanted.as_deref()),
            opening,
            unsealer: if self.context.unsealer.unseals_here() {
                Unsealer::Ours
            } else {
                Unsealer::Other
            },
            own_namespace: self.context.namespace.clone(),
            application_namespaces: self.context.settings.sync.application_namespaces(),
            allow_file_repositories: self.context.settings.sync.allow_file_repositories,
            applications: self.applications.tracking_names(),
            dependencies,
            another_controller: self.neighbours.at_work(&app.namespace),
        })
    }

    /// Kinds of all that is rendered or remembered, and of the objects that steps of ours make.
    async fn kinds(
        &self,
        app: &AppId,
        subject: &Subject,
        render: Option<&Render>,
    ) -> Result<Arc<Kinds>, kube::Error> {
        let manifests = render.into_iter().flat_map(Render::manifests);
        let mut wanted: BTreeSet<(GroupKind, String)> = manifests
            .map(|manifest| kind_of(&manifest.object))
            .collect();
        wanted.extend(
            inventory(&subject.facts.status).map(|(key, version)| (key.group_kind(), version)),
        );
        let results = recorded::hooks(&subject.facts.status);
        wanted.extend(results.map(|result| {
            let kind = recorded::key_of_result(result).group_kind();
            (kind, result.version.clone())
        }));
        wanted.insert((namespace_kind(), "v1".to_owned()));
        let kinds = self.discovery.kinds(wanted.iter().cloned()).await?;
        let unknown = wanted
            .into_iter()
            .filter(|(kind, version)| kinds.known(kind, version).is_none());
        let unknown = unknown.map(|(kind, _)| kind.group).collect();
        self.memories.with(app, |memory| memory.unknown = unknown);
        Ok(kinds)
    }
}

fn namespace_kind() -> GroupKind {
    GroupKind::new("", "Namespace")
}

fn kind_of(object: &Value) -> (GroupKind, String) {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let (group, version) = group_version(text("apiVersion"));
    (GroupKind::new(group, text("kind")), version.to_owned())
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
