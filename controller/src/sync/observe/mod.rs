//! Reads all that one pass looks at into a World: the Application, its project, Git, the cluster's kinds and its live objects.
//! It decides nothing; where something can't be read, the World says so.

pub(super) mod applications;
pub(super) mod definitions;
pub(super) mod discovery;
pub(super) mod follow;
pub(super) mod live;
pub(super) mod memory;
pub(super) mod neighbours;
pub(super) mod projects;
pub(super) mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crds::{AppProject, Application, ApplicationStatus};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::jiff::Timestamp;
use kube::{Api, api::DynamicObject};
use serde_json::Value;

use crate::sync::{
    desired::{Desired, Inputs, desired},
    engine::Engine,
    key::{GroupKind, ObjectKey, group_version},
    kinds::Kinds,
    observe::applications::AppId,
    observe::discovery::api_resource,
    observe::live::{Answer, Seen},
    observe::memory::{DesiredKey, Render},
    plan::operation::revision_to_render,
    world::{
        AppFacts, Cluster, DestinationNamespace, Live, LiveState, Source, SourceProblem, Unsealer,
        World,
    },
};
use crate::{
    access::{Denied, Project, Reason},
    dialect::{self, Intent, Refresh, Refusal},
    git::Freshness,
};

/// GETs of one pass at a time, for objects that no watch told of.
const LOOKS: usize = 8;

/// The Application as decoded for one pass.
struct Subject {
    facts: AppFacts,
    intent: Result<Intent, Vec<Refusal>>,
    request: Result<Option<dialect::OperationRequest>, Vec<Refusal>>,
}

impl Engine {
    /// The World of one pass. `first` is true for the first look of a pass: then a request to refresh lists the refs anew.
    ///
    /// # Errors
    /// When the API server is away.
    pub(crate) async fn observe(
        &self,
        app: &AppId,
        object: &Value,
        first: bool,
    ) -> Result<World, kube::Error> {
        let subject = self.subject(app, object);
        if first && subject.facts.marks.refresh == Some(Refresh::Hard) {
            self.live.index().distrust(app);
        }
        let project = self.project(&subject);
        let rendered = match self.readable(&subject, project.as_ref().ok()) {
            Some(intent) => self.render(app, &subject, intent, first).await,
            None => Err(no_source()),
        };
        let kinds = self.kinds(app, &subject, rendered.as_ref().ok()).await?;
        let source = self.source(app, &subject, rendered, &kinds);
        let wanted = source.as_ref().ok().map(|source| source.desired.clone());
        let observed = self
            .cluster(app, &subject, wanted.as_deref(), &kinds)
            .await?;
        let opening = self.opening(app, wanted.as_deref(), &observed.live).await;
        Ok(World {
            now: Timestamp::now(),
            application: subject.facts,
            intent: subject.intent,
            request: subject.request,
            project,
            source,
            kinds,
            cluster: Cluster::Reachable,
            destination_namespace: observed.namespace,
            live: observed.live,
            unlisted: observed.unlisted,
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
            another_controller: self.neighbours.at_work(&app.namespace),
        })
    }

    /// One odd field makes the Application's spec refused, by name, and hides nothing else of it.
    fn subject(&self, app: &AppId, object: &Value) -> Subject {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (application, odd) = match crds::decode::<Application>(object) {
            Ok(application) => (application, None),
            Err(error) => (
                without_spec(object),
                Some(vec![Refusal::invalid(error.path, error.message)]),
            ),
        };
        let facts = AppFacts {
            namespace: app.namespace.clone(),
            name: app.name.clone(),
            uid: text("/metadata/uid"),
            resource_version: text("/metadata/resourceVersion"),
            deletion_timestamp: text("/metadata/deletionTimestamp").parse().ok(),
            tracking_name: app.tracking_name(&self.context.namespace),
            marks: dialect::marks(&application),
            spec: application.spec.clone(),
            operation: application.operation.clone(),
            status: stored_status(object),
        };
        match odd {
            Some(refusals) => Subject {
                facts,
                intent: Err(refusals),
                request: Ok(None),
            },
            None => Subject {
                facts,
                intent: dialect::intent(&application),
                request: dialect::operation(&application),
            },
        }
    }

    fn project(&self, subject: &Subject) -> Result<Project, Vec<Denied>> {
        let name = match subject.facts.spec.project.as_str() {
            "" => "default",
            name => name,
        };
        let object = self
            .projects
            .get(name)
            .map(|object| crds::decode::<AppProject>(&object))
            .transpose();
        let invalid = |error: crds::DecodeError| {
            vec![Denied {
                reason: Reason::ProjectInvalid,
                message: error.to_string(),
            }]
        };
        Project::find(name, object.map_err(invalid)?.as_ref())
    }

    /// The intent whose source may be read. What the project does not permit is not fetched, let alone with credentials.
    fn readable<'a>(&self, subject: &'a Subject, project: Option<&Project>) -> Option<&'a Intent> {
        let (intent, project) = (subject.intent.as_ref().ok()?, project?);
        let sync = &self.context.settings.sync;
        let namespace = project.permits_application_namespace(
            &subject.facts.namespace,
            &self.context.namespace,
            &sync.application_namespaces(),
        );
        let source = project.permits_source(&intent.source.repo_url, sync.allow_file_repositories);
        namespace.and(source).is_ok().then_some(intent)
    }

    /// What Git holds at the revision in question. A request waits for a new listing of refs; a revision that is not in the last
    /// listing gets one when the source is new to us.
    async fn render(
        &self,
        app: &AppId,
        subject: &Subject,
        intent: &Intent,
        first: bool,
    ) -> Result<Render, SourceProblem> {
        let (source, project) = (&intent.source, &intent.project);
        let request = subject.request.as_ref().ok().and_then(Option::as_ref);
        let revision = revision_to_render(&subject.facts, intent, request);
        let asked = subject.facts.marks.refresh.is_some() || request.is_some();
        let freshness = if first && asked {
            Freshness::Latest
        } else {
            Freshness::Cached
        };
        let known = self
            .memories
            .get(app)
            .render
            .filter(|known| known.source == *source && known.project == *project);
        let resolved = self
            .sources
            .resolve(source, project, &revision, freshness, known.is_none())
            .await;
        let (repository, commit) = resolved?;
        let trusted = subject.facts.marks.refresh != Some(Refresh::Hard) || !first;
        if let Some(known) = known.filter(|known| trusted && known.commit == commit) {
            return Ok(known);
        }
        let rendered = self.sources.render(source, &repository, &commit).await?;
        let render = Render {
            source: source.clone(),
            project: project.clone(),
            commit,
            rendered,
        };
        self.memories
            .with(app, |memory| memory.render = Some(render.clone()));
        Ok(render)
    }

    /// Kinds of all that is rendered or remembered, and of the objects that steps of ours make.
    async fn kinds(
        &self,
        app: &AppId,
        subject: &Subject,
        render: Option<&Render>,
    ) -> Result<Arc<Kinds>, kube::Error> {
        let manifests = render
            .map(|render| &render.rendered.manifests)
            .into_iter()
            .flatten();
        let mut wanted: BTreeSet<(GroupKind, String)> = manifests
            .map(|manifest| kind_of(&manifest.object))
            .collect();
        wanted.extend(
            inventory(&subject.facts.status).map(|(key, version)| (key.group_kind(), version)),
        );
        wanted.insert((namespace_kind(), "v1".to_owned()));
        let kinds = self.discovery.kinds(wanted.iter().cloned()).await?;
        let unknown = wanted
            .into_iter()
            .filter(|(kind, version)| kinds.known(kind, version).is_none());
        let unknown = unknown.map(|(kind, _)| kind.group).collect();
        self.memories.with(app, |memory| memory.unknown = unknown);
        Ok(kinds)
    }

    fn source(
        &self,
        app: &AppId,
        subject: &Subject,
        render: Result<Render, SourceProblem>,
        kinds: &Arc<Kinds>,
    ) -> Result<Source, SourceProblem> {
        let render = render?;
        let Ok(intent) = &subject.intent else {
            return Err(no_source());
        };
        let key = DesiredKey {
            render: render.rendered.key.clone(),
            namespace: intent.destination.namespace.clone(),
            defaults: intent.defaults,
            kinds: kinds.clone(),
            scaled: self.scaled(app),
        };
        let revision = render.commit.to_string();
        if let Some((known, desired)) = self.memories.get(app).desired
            && known == key
        {
            return Ok(Source { revision, desired });
        }
        let desired = Arc::new(desired(&Inputs {
            manifests: &render.rendered.manifests,
            kinds,
            application_id: &subject.facts.tracking_name,
            namespace: &key.namespace,
            defaults: key.defaults,
            scaled: &key.scaled,
        }));
        self.memories
            .with(app, |memory| memory.desired = Some((key, desired.clone())));
        Ok(Source { revision, desired })
    }

    fn scaled(&self, app: &AppId) -> BTreeSet<ObjectKey> {
        self.live.index().scaled_of(app)
    }

    /// Live objects that are wanted, remembered or tracked. Kinds are watched before they are asked for, so that no change is missed
    /// between the answer and the watch.
    async fn cluster(
        &self,
        app: &AppId,
        subject: &Subject,
        wanted: Option<&Desired>,
        kinds: &Kinds,
    ) -> Result<Observed, kube::Error> {
        let mut versions: BTreeMap<GroupKind, String> = BTreeMap::new();
        let mut keys: BTreeSet<ObjectKey> = BTreeSet::new();
        for (key, version) in inventory(&subject.facts.status) {
            versions.insert(key.group_kind(), version);
            keys.insert(key);
        }
        for wanted in wanted
            .into_iter()
            .flat_map(|desired| desired.objects.values())
        {
            versions.insert(wanted.key.group_kind(), wanted.version.clone());
            keys.insert(wanted.key.clone());
        }
        let namespace = subject
            .intent
            .as_ref()
            .ok()
            .map(|intent| intent.destination.namespace.as_str())
            .filter(|name| !name.is_empty());
        let namespace = namespace.map(|name| ObjectKey::new(&namespace_kind(), None, name));
        versions
            .entry(namespace_kind())
            .or_insert_with(|| "v1".to_owned());
        self.live
            .index()
            .concern(app, keys.iter().chain(&namespace).cloned());
        let unlisted = self.watch(&versions, kinds).await;
        keys.extend(
            self.live
                .index()
                .tracked_by(&subject.facts.tracking_name)
                .cloned(),
        );
        self.look(keys.iter().chain(&namespace), &versions, &unlisted, kinds)
            .await?;
        let index = self.live.index();
        let live = keys.into_iter().filter_map(|key| match index.answer(&key) {
            Answer::Present(live) => Some((key, *live)),
            Answer::Absent | Answer::Unasked => None,
        });
        Ok(Observed {
            live: live.collect(),
            namespace: namespace.map_or(DestinationNamespace::NotNamed, |key| {
                destination(index.answer(&key))
            }),
            unlisted,
        })
    }

    async fn watch(
        &self,
        versions: &BTreeMap<GroupKind, String>,
        kinds: &Kinds,
    ) -> BTreeSet<GroupKind> {
        let served = versions
            .iter()
            .filter_map(|(kind, version)| api_resource(kinds, kind, version));
        let resources = served.map(|(resource, _)| resource).collect();
        self.live.watch(resources).await
    }

    /// Asks for what no watch told of: it may exist without a tracking id.
    async fn look<'a>(
        &self,
        keys: impl Iterator<Item = &'a ObjectKey> + Send,
        versions: &BTreeMap<GroupKind, String>,
        unlisted: &BTreeSet<GroupKind>,
        kinds: &Kinds,
    ) -> Result<(), kube::Error> {
        let unasked: Vec<_> = {
            let index = self.live.index();
            keys.filter(|key| {
                !unlisted.contains(&key.group_kind())
                    && matches!(index.answer(key), Answer::Unasked)
            })
            .collect()
        };
        let looks = unasked.into_iter().filter_map(|key| {
            let kind = key.group_kind();
            let (resource, namespaced) = api_resource(kinds, &kind, versions.get(&kind)?)?;
            let client = self.context.client.clone();
            let api: Api<DynamicObject> = match (&key.namespace, namespaced) {
                (Some(namespace), true) => Api::namespaced_with(client, namespace, &resource),
                _ => Api::all_with(client, &resource),
            };
            Some(async move {
                match api.get_opt(&key.name).await {
                    Ok(Some(object)) => self.live.see(key, Seen::whole(object, &resource)),
                    Ok(None) => self.live.index().absent(key),
                    // Nothing is known of it then: applying it tells why.
                    Err(kube::Error::Api(status)) => {
                        tracing::debug!(%key, error = %status.message, "an object can't be read")
                    }
                    Err(error) => return Err(error),
                }
                Ok(())
            })
        });
        let looks: Vec<_> = looks.collect();
        stream::iter(looks)
            .buffer_unordered(LOOKS)
            .try_collect()
            .await
    }

    /// Tries each wanted SealedSecret that is new or changed, once for each content that opens.
    async fn opening(
        &self,
        app: &AppId,
        wanted: Option<&Desired>,
        live: &BTreeMap<ObjectKey, Live>,
    ) -> BTreeMap<ObjectKey, Result<(), String>> {
        use crds::names::sealed_secret::{GROUP, KIND};
        let mut opening = BTreeMap::new();
        if !self.context.unsealer.unseals_here() {
            return opening;
        }
        let opened = self.memories.get(app).opened;
        let sealed = wanted
            .into_iter()
            .flat_map(|desired| desired.objects.values())
            .filter(|wanted| wanted.key.is(GROUP, KIND));
        for wanted in sealed {
            let settled = match live.get(&wanted.key).map(|live| &live.state) {
                Some(LiveState::Matches(hash)) => *hash == wanted.hash,
                Some(LiveState::Unverified) => true,
                _ => false,
            };
            if settled {
                continue;
            }
            let result = if opened.get(&wanted.key) == Some(&wanted.hash) {
                Ok(())
            } else {
                self.opens(&wanted.object).await
            };
            if result.is_ok() {
                self.memories.with(app, |memory| {
                    memory.opened.insert(wanted.key.clone(), wanted.hash)
                });
            }
            opening.insert(wanted.key.clone(), result);
        }
        let locked = opening.values().any(Result::is_err);
        self.memories.with(app, |memory| memory.locked = locked);
        opening
    }

    async fn opens(&self, object: &Value) -> Result<(), String> {
        let sealed =
            crds::decode::<crds::SealedSecret>(object).map_err(|error| error.to_string())?;
        let keyring = self.context.keyring.clone();
        let tried = tokio::task::spawn_blocking(move || sealing::opens(&sealed, &keyring)).await;
        match tried {
            Ok(opened) => opened.map_err(|error| error.to_string()),
            Err(broken) => Err(format!("opening broke off: {broken}")),
        }
    }
}

/// What the cluster holds for one Application.
struct Observed {
    live: BTreeMap<ObjectKey, Live>,
    namespace: DestinationNamespace,
    unlisted: BTreeSet<GroupKind>,
}

fn destination(answer: Answer) -> DestinationNamespace {
    match answer {
        Answer::Present(live) if live.deleting => DestinationNamespace::Terminating,
        Answer::Present(_) => DestinationNamespace::Exists,
        Answer::Absent | Answer::Unasked => DestinationNamespace::Missing,
    }
}

fn namespace_kind() -> GroupKind {
    GroupKind::new("", "Namespace")
}

fn kind_of(object: &Value) -> (GroupKind, String) {
    let text = |field: &str| {
        object
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
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

/// The status as it stands; one that can't be decoded counts as none.
pub(in crate::sync) fn stored_status(object: &Value) -> ApplicationStatus {
    let status = object.get("status").cloned().unwrap_or_default();
    serde_json::from_value(status).unwrap_or_default()
}

/// The Application without what can't be decoded: its metadata still says whether to leave it alone and what to do on deletion.
fn without_spec(object: &Value) -> Application {
    let metadata = object.get("metadata").cloned().unwrap_or_default();
    Application {
        metadata: serde_json::from_value(metadata).unwrap_or_default(),
        ..Application::default()
    }
}

/// A spec that is refused, by itself or by its project, names no source to read.
fn no_source() -> SourceProblem {
    SourceProblem {
        reason: crate::sync::world::SourceReason::Fetch,
        message: "the spec is not accepted".to_owned(),
    }
}
