//! ConfigMaps and Secrets with variables for Applications: each is watched by itself while an Application names it.
//! It must not substitute anything: it says which values there are.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client, Resource, core::NamespaceResourceScope, runtime::watcher};
use serde::de::DeserializeOwned;
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use zeroize::Zeroizing;

use crate::{
    access::{Claim, Project},
    dialect::{Intent, VariablesFrom, VariablesKind},
    render::{Origin, Variables},
    sync::{
        observe::applications::AppId,
        observe::follow::{Change, follow},
        queue::{Lane, Queue},
        world::{SourceProblem, SourceReason},
    },
};

/// How long to wait for the first look at an object before saying that it is not known.
const FIRST_LOOK: Duration = Duration::from_secs(10);

/// The object that variables are from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Reference {
    kind: VariablesKind,
    namespace: String,
    name: String,
}

/// What such an object holds.
#[derive(Clone)]
struct Items {
    sealing_key: bool,
    /// None where the value is no text.
    of: BTreeMap<String, Option<Zeroizing<String>>>,
}

/// None as long as it was not looked for; in it, none where there is no such object.
type Seen = Option<Option<Arc<Items>>>;

/// The objects that are watched.
pub(crate) struct VariablesFromObjects {
    client: Client,
    queue: Arc<Queue<AppId>>,
    followed: Arc<Mutex<HashMap<Reference, Followed>>>,
}

struct Followed {
    users: BTreeSet<AppId>,
    seen: watch::Receiver<Seen>,
    task: JoinHandle<()>,
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl VariablesFromObjects {
    pub(crate) fn new(client: Client, queue: Arc<Queue<AppId>>) -> Self {
        Self {
            client,
            queue,
            followed: Arc::default(),
        }
    }

    /// The variables of an Application; none when it has none. From now on it is woken when one of its objects changes.
    ///
    /// # Errors
    /// When one of them is missing, or is no text, or its project does not let the Application have such an object itself.
    pub(crate) async fn get(
        &self,
        app: &AppId,
        intent: &Intent,
        project: &Project,
        own_namespace: &str,
    ) -> Result<Option<Variables>, SourceProblem> {
        let namespace = &intent.destination.namespace;
        let from = intent.substitution.iter().flat_map(|wanted| &wanted.from);
        let from: Vec<_> = from
            .map(|from| (from, reference(from, namespace)))
            .collect();
        let seen = self.follow(app, from.iter().map(|(_, reference)| reference));
        let Some(substitution) = &intent.substitution else {
            return Ok(None);
        };
        if namespace.is_empty() && !from.is_empty() {
            return Err(SourceProblem {
                reason: SourceReason::Render,
                message: "variables from objects need a namespace to look in".to_owned(),
                hint: Some("set spec.destination.namespace".to_owned()),
            });
        }
        let mut variables = Variables::default();
        for ((from, reference), mut seen) in from.into_iter().zip(seen) {
            let permitted = |sealing_key| {
                let claim = Claim {
                    group: "",
                    kind: reference.kind.name(),
                    namespace: Some(namespace),
                    name: &reference.name,
                    sealing_key,
                };
                let permitted = project.permits_object(&claim, &intent.destination, own_namespace);
                permitted.map_err(|denied| problem(&reference, &denied.to_string(), None))
            };
            permitted(false)?;
            let looked = timeout(FIRST_LOOK, seen.wait_for(Option::is_some)).await;
            let Ok(Ok(looked)) = looked.map(|seen| seen.map(|seen| seen.clone().flatten())) else {
                return Err(problem(&reference, "can't be read yet", None));
            };
            match looked {
                Some(items) => {
                    permitted(items.sealing_key)?;
                    take(&mut variables, &reference, &items)?;
                }
                None if from.optional => {}
                None => {
                    let hint = "create it, or mark it with optional: true";
                    return Err(problem(&reference, "does not exist", Some(hint)));
                }
            }
        }
        for (name, value) in &substitution.values {
            variables.set(name, value, Origin::Plain);
        }
        Ok(Some(variables))
    }

    /// The Application is gone.
    pub(crate) fn forget(&self, app: &AppId) {
        self.follow(app, std::iter::empty());
    }

    /// Watches what the Application names, and no longer what nobody names.
    fn follow<'a>(
        &self,
        app: &AppId,
        references: impl Iterator<Item = &'a Reference>,
    ) -> Vec<watch::Receiver<Seen>> {
        let mut followed = lock(&self.followed);
        for one in followed.values_mut() {
            one.users.remove(app);
        }
        let seen = references
            .map(|reference| {
                let one = followed
                    .entry(reference.clone())
                    .or_insert_with(|| self.start(reference.clone()));
                one.users.insert(app.clone());
                one.seen.clone()
            })
            .collect();
        followed.retain(|_, one| !one.users.is_empty());
        seen
    }

    fn start(&self, reference: Reference) -> Followed {
        let (tell, seen) = watch::channel(None);
        let (queue, followed) = (self.queue.clone(), self.followed.clone());
        let (client, at) = (self.client.clone(), reference.clone());
        let changed = move |now: Option<Items>| {
            tell.send_replace(Some(now.map(Arc::new)));
            let users = lock(&followed).get(&reference).map(|one| one.users.clone());
            for app in users.unwrap_or_default() {
                queue.wake(&app, Lane::Prompt);
            }
        };
        let task = match at.kind {
            VariablesKind::ConfigMap => {
                tokio::spawn(follow_one::<ConfigMap>(client, at, changed, of_config_map))
            }
            VariablesKind::Secret => {
                tokio::spawn(follow_one::<Secret>(client, at, changed, of_secret))
            }
        };
        Followed {
            users: BTreeSet::new(),
            seen,
            task,
        }
    }
}

async fn follow_one<K>(
    client: Client,
    at: Reference,
    changed: impl Fn(Option<Items>),
    items: fn(K) -> Items,
) where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + 'static,
{
    let api = Api::<K>::namespaced(client, &at.namespace);
    let config = watcher::Config::default().fields(&format!("metadata.name={}", at.name));
    let mut listed = false;
    follow(api, config, move |change| match change {
        Change::Listed(object) => {
            listed = true;
            changed(Some(items(object)));
        }
        Change::Changed(object) => changed(Some(items(object))),
        Change::Gone { .. } => changed(None),
        Change::Whole => {
            if !std::mem::take(&mut listed) {
                changed(None);
            }
        }
    })
    .await;
}

fn of_config_map(object: ConfigMap) -> Items {
    let text = |(name, value)| (name, Some(Zeroizing::new(value)));
    Items {
        sealing_key: false,
        of: object
            .data
            .unwrap_or_default()
            .into_iter()
            .map(text)
            .collect(),
    }
}

fn of_secret(object: Secret) -> Items {
    let labels = object.metadata.labels.unwrap_or_default();
    let text = |value: Vec<u8>| {
        let text = Zeroizing::new(value);
        std::str::from_utf8(&text)
            .ok()
            .map(|text| Zeroizing::new(text.to_owned()))
    };
    let items = object.data.unwrap_or_default().into_iter();
    Items {
        sealing_key: labels.contains_key(crds::names::SEALING_KEY_LABEL),
        of: items.map(|(name, value)| (name, text(value.0))).collect(),
    }
}

fn take(
    variables: &mut Variables,
    reference: &Reference,
    items: &Items,
) -> Result<(), SourceProblem> {
    for (name, value) in &items.of {
        let Some(value) = value else {
            let what = format!("its item {name} is not UTF-8 text");
            return Err(problem(
                reference,
                &what,
                Some("keep it in a Secret of its own"),
            ));
        };
        let origin = match reference.kind {
            VariablesKind::ConfigMap => Origin::Plain,
            VariablesKind::Secret => Origin::Secret(reference.name.clone()),
        };
        variables.set(name, value, origin);
    }
    Ok(())
}

fn reference(from: &VariablesFrom, namespace: &str) -> Reference {
    Reference {
        kind: from.kind,
        namespace: namespace.to_owned(),
        name: from.name.clone(),
    }
}

fn problem(at: &Reference, what: &str, hint: Option<&str>) -> SourceProblem {
    let Reference {
        kind,
        namespace,
        name,
    } = at;
    SourceProblem {
        reason: SourceReason::Render,
        message: format!("variables from {} {namespace}/{name}: {what}", kind.name()),
        hint: hint.map(str::to_owned),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
