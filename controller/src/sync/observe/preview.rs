//! The World as it would be if somebody asked for a sync now: read apart from all that passes remember, and read anew.
//! It writes nothing, wakes nobody, and asks for no object that the project does not permit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::core::ApiResource;
use kube::{Api, Client};
use serde_json::Value;

use super::objects::Observed;
use super::rendering::Aside;
use super::subject::Subject;
use super::{Error, Sight, inventory, namespace_kind};
use crate::access::{Claim, Project};
use crate::dialect::{ApplyMode, Intent};
use crate::sync::apply::answer::{failure, refuses_dry_run};
use crate::sync::apply::replace;
use crate::sync::apply::verify::predicted;
use crate::sync::compare::close::{Pair, Predicted, managed_fields};
use crate::sync::compare::ownership::is_ours;
use crate::sync::desired::{Desired, Wanted};
use crate::sync::engine::Engine;
use crate::sync::key::ObjectKey;
use crate::sync::kinds::Kinds;
use crate::sync::observe::applications::AppId;
use crate::sync::observe::autoscalers::{self, Scaler, scaler};
use crate::sync::observe::discovery::api_resource;
use crate::sync::outcome::FailureReason;
use crate::sync::preview::Sides;
use crate::sync::world::{Asked, DestinationNamespace, Live, LiveState, World};

/// Requests of one preview at a time.
const LOOKS: usize = 8;

/// One object as a preview reads it.
#[derive(Default)]
struct Seen {
    live: Option<Live>,
    sides: Sides,
}

/// Where objects are read, and what decides which.
struct Reading<'a> {
    client: Client,
    kinds: &'a Kinds,
    desired: Arc<Desired>,
    intent: &'a Intent,
    project: &'a Project,
    own_namespace: &'a str,
}

impl Engine {
    /// What the sync that an Application asks for would find, and each object as it is and as that sync would make it. With the
    /// files of an archive that was sent, in place of the repository's.
    ///
    /// # Errors
    /// As [`Self::observe`].
    pub(in crate::sync) async fn observe_preview(
        &self,
        app: &AppId,
        object: &Value,
        sent: Option<&Arc<[u8]>>,
    ) -> Result<(World, BTreeMap<ObjectKey, Sides>), Error> {
        let redactor = self.redactor_aside().await?;
        let mut subject = self.subject(&redactor, app, object);
        let dependencies = self.dependencies(&redactor, &subject);
        // It asks a pass.
        subject.facts.marks.refresh = None;
        let project = self.project(&subject);
        let aside = Some(Aside { sent });
        let (newest, rendered) = self
            .rendered(
                app,
                &subject,
                project.as_ref().ok(),
                Asked::default(),
                None,
                aside,
            )
            .await?;
        let others = self.others(app, &subject, rendered.as_ref().ok());
        let (kinds, _) = self
            .kinds(&subject, rendered.as_ref().ok(), &others)
            .await?;
        let mut source = self.source_aside(&subject, &rendered, &kinds, BTreeSet::new());
        let mut observed = Observed::nothing();
        let mut sides = BTreeMap::new();
        if let (Ok(wanted), Ok(intent), Ok(project)) = (&source, &subject.intent, &project) {
            let mut reading = Reading {
                client: self.context.client.clone(),
                kinds: &kinds,
                desired: wanted.desired.clone(),
                intent,
                project,
                own_namespace: &self.context.namespace,
            };
            let autoscaled = rendered
                .as_ref()
                .map(|render| autoscalers::targets(render, &intent.destination.namespace));
            let scaled = reading.scaled(&autoscaled.unwrap_or_default()).await?;
            if !scaled.is_empty() {
                source = self.source_aside(&subject, &rendered, &kinds, scaled);
                let desired = source.as_ref().map(|source| source.desired.clone());
                reading.desired = desired.unwrap_or_default();
            }
            (observed.namespace, observed.namespace_metadata) =
                self.namespace_of_preview(&reading).await?;
            let seen = self.read_all(&subject, &reading).await?;
            for (key, Seen { live, sides: both }) in seen {
                observed.live.extend(live.map(|live| (key.clone(), live)));
                sides.insert(key, both);
            }
        }
        let desired = source.as_ref().ok().map(|source| source.desired.clone());
        let opening = self.tried(app, desired.as_deref(), &observed.live).await;
        let sight = Sight {
            source,
            newest,
            held_back: None,
            tries_again: true,
            others,
            kinds,
            observed,
            opening,
            dependencies,
            another_controller: self.neighbours.at_work(&app.namespace),
        };
        Ok((self.world(subject, project, sight), sides))
    }

    async fn read_all(
        &self,
        subject: &Subject,
        reading: &Reading<'_>,
    ) -> Result<Vec<(ObjectKey, Seen)>, kube::Error> {
        let mut versions: BTreeMap<ObjectKey, String> = inventory(&subject.facts.status).collect();
        let wanted = reading.desired.all();
        versions.extend(wanted.map(|wanted| (wanted.key.clone(), wanted.version.clone())));
        let looks = versions.into_iter().filter_map(|(key, version)| {
            let api = reading.api(&key, &version)?;
            Some(async move {
                let seen = self.read(reading, &key, api).await?;
                Ok((key, seen))
            })
        });
        let looks: Vec<_> = looks.collect();
        stream::iter(looks)
            .buffer_unordered(LOOKS)
            .try_collect()
            .await
    }

    async fn read(
        &self,
        reading: &Reading<'_>,
        key: &ObjectKey,
        (api, resource): (Api<DynamicObject>, ApiResource),
    ) -> Result<Seen, kube::Error> {
        let wanted = reading.desired.objects.get(key);
        let object = match api.get_opt(key.name()).await {
            Ok(object) => object,
            Err(error) => {
                let sides = Sides::unread(failure(key, error)?.message);
                return Ok(Seen { live: None, sides });
            }
        };
        let sight = |object: &DynamicObject| self.live.sight(object.clone(), &resource);
        Ok(match (object, wanted) {
            (None, None) => Seen::default(),
            (None, Some(wanted)) => Seen {
                live: None,
                sides: reading.made(&api, wanted).await?,
            },
            (Some(object), None) => Seen {
                live: Some(sight(&object).compared(LiveState::Unverified, Vec::new())),
                sides: Sides::default(),
            },
            (Some(object), Some(wanted)) => {
                let (state, sides) = compared(&api, wanted, &object).await?;
                Seen {
                    live: Some(sight(&object).compared(state, Vec::new())),
                    sides,
                }
            }
        })
    }

    async fn namespace_of_preview(
        &self,
        reading: &Reading<'_>,
    ) -> Result<(DestinationNamespace, crate::dialect::NamespaceMetadata), kube::Error> {
        let name = &reading.intent.destination.namespace;
        if name.is_empty() {
            return Ok((DestinationNamespace::NotNamed, Default::default()));
        }
        let Some((resource, _)) = api_resource(reading.kinds, &namespace_kind(), "v1") else {
            return Ok((DestinationNamespace::Missing, Default::default()));
        };
        let api: Api<DynamicObject> = Api::all_with(reading.client.clone(), &resource);
        let Some(object) = api.get_opt(name).await? else {
            return Ok((DestinationNamespace::Missing, Default::default()));
        };
        let live = self.live.sight(object, &resource);
        let live = live.compared(LiveState::Unverified, Vec::new());
        Ok(super::objects::destination(&live))
    }
}

impl Reading<'_> {
    /// Where an object is read; nowhere what the project does not permit, or the cluster does not know.
    fn api(&self, key: &ObjectKey, version: &str) -> Option<(Api<DynamicObject>, ApiResource)> {
        let namespace = key.namespace();
        let wanted = self.desired.objects.get(key);
        let object = wanted.map_or(&Value::Null, |wanted| &wanted.object);
        let claim = Claim::of(key.group(), key.kind(), namespace, key.name(), object);
        let destination = &self.intent.destination;
        let permitted = self
            .project
            .permits_object(&claim, destination, self.own_namespace);
        permitted.ok()?;
        let (resource, namespaced) = api_resource(self.kinds, &key.group_kind(), version)?;
        let client = self.client.clone();
        let api = match (namespace, namespaced) {
            (Some(namespace), true) => Api::namespaced_with(client, namespace, &resource),
            _ => Api::all_with(client, &resource),
        };
        Some((api, resource))
    }

    /// Wanted objects whose replicas an autoscaler has taken over, `autoscaled` those for which one is wanted.
    async fn scaled(
        &self,
        autoscaled: &BTreeSet<ObjectKey>,
    ) -> Result<BTreeSet<ObjectKey>, kube::Error> {
        let has_replicas = |wanted: &&Wanted| wanted.object.pointer("/spec/replicas").is_some();
        let workloads = self.desired.objects.values().filter(has_replicas);
        let looks = workloads.filter_map(|wanted| {
            let (api, _) = self.api(&wanted.key, &wanted.version)?;
            Some(async move {
                let metadata = match api.get_metadata_opt(wanted.key.name()).await {
                    Ok(found) => found.map(|found| found.metadata),
                    Err(error) => failure(&wanted.key, error).map(|_| None)?,
                };
                let scaled = match metadata.and_then(|metadata| scaler(&metadata)) {
                    None => false,
                    Some(Scaler::Other) => true,
                    Some(Scaler::Horizontal) => {
                        autoscaled.contains(&wanted.key) || self.has_autoscaler(&wanted.key).await?
                    }
                };
                Ok::<_, kube::Error>(scaled.then(|| wanted.key.clone()))
            })
        });
        let looks: Vec<_> = looks.collect();
        let scaled: Vec<_> = stream::iter(looks)
            .buffer_unordered(LOOKS)
            .try_collect()
            .await?;
        Ok(scaled.into_iter().flatten().collect())
    }

    /// An autoscaler scales the object, as far as they can be listed.
    async fn has_autoscaler(&self, key: &ObjectKey) -> Result<bool, kube::Error> {
        let namespace = key.namespace().unwrap_or_default();
        let resource = autoscalers::resource();
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, &resource);
        Ok(match api.list(&ListParams::default()).await {
            Ok(found) => found.into_iter().any(|autoscaler| {
                autoscalers::target(&autoscaler.data, namespace).as_ref() == Some(key)
            }),
            Err(error) => failure(key, error).map(|_| true)?,
        })
    }

    /// The namespace of an object comes with the same sync.
    fn brings(&self, wanted: &Wanted) -> bool {
        let Some(namespace) = wanted.key.namespace() else {
            return false;
        };
        let made = self.intent.options.create_namespace;
        let key = ObjectKey::new(&namespace_kind(), None, namespace);
        self.desired.objects.contains_key(&key)
            || made && namespace == self.intent.destination.namespace
    }

    /// An object that is not there yet, and what the API server would say of it.
    async fn made(&self, api: &Api<DynamicObject>, wanted: &Wanted) -> Result<Sides, kube::Error> {
        let mut sides = Sides {
            becomes: Some(wanted.object.clone()),
            ..Sides::default()
        };
        let params = PatchParams::apply(crds::names::FIELD_MANAGER)
            .force()
            .dry_run();
        let body = Patch::Apply(&wanted.object);
        match api.patch_metadata(wanted.key.name(), &params, &body).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if refuses_dry_run(&status) => {}
            Err(error) => {
                let failure = failure(&wanted.key, error)?;
                let comes = failure.reason == FailureReason::NotFound && self.brings(wanted);
                sides.problem = (!comes).then_some(failure.message);
            }
        }
        Ok(sides)
    }
}

/// How an object compares, and both sides of it where they differ.
async fn compared(
    api: &Api<DynamicObject>,
    wanted: &Wanted,
    object: &DynamicObject,
) -> Result<(LiveState, Sides), kube::Error> {
    let mut sides = Sides {
        applied: applied(object),
        ..Sides::default()
    };
    let pair = match Pair::of(wanted, object) {
        Ok(pair) => pair,
        Err(state) => return Ok((state, sides)),
    };
    let (state, becomes) = match pair.at_first_sight() {
        Some(state) => (state, pair.becomes(None)),
        None => match predicted(api, wanted, object).await? {
            Ok(predicted) => {
                if let Predicted::Refusal(failure) = &predicted {
                    sides.problem = Some(failure.message.clone());
                }
                let becomes = pair.becomes(Some(&predicted));
                (pair.by_prediction(predicted), becomes)
            }
            Err(problem) => {
                let message = problem.to_string();
                let wanted = wanted.hash;
                return Ok((LiveState::Unreadable { wanted, message }, sides));
            }
        },
    };
    if !matches!(state, LiveState::Matches(_)) {
        sides.live = Some(pair.read().clone());
        sides.becomes = Some(match replaced(api, wanted, object).await? {
            Some(predicted) => pair.becomes(Some(&predicted)),
            None => becomes,
        });
    }
    Ok((state, sides))
}

/// What a write would make of an object that is replaced; `None` for one that is not.
async fn replaced(
    api: &Api<DynamicObject>,
    wanted: &Wanted,
    object: &DynamicObject,
) -> Result<Option<Predicted>, kube::Error> {
    match wanted.apply_policy().mode {
        ApplyMode::Replace => replace::predicted(api, wanted, object).await,
        _ => Ok(None),
    }
}

/// When we last changed an object.
fn applied(object: &DynamicObject) -> Option<String> {
    let entry = managed_fields(object).iter().find(|entry| is_ours(entry))?;
    entry.time.as_ref().map(|time| time.0.to_string())
}
