//! ConfigMaps and Secrets with variables for Applications: each is watched by itself while an Application names it.
//! It must not substitute anything: it says which values there are.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use zeroize::Zeroizing;

use crate::{
    access::{Claim, Project},
    dialect::{Intent, VariablesFrom, VariablesKind},
    render::{Origin, Variables},
    sync::{
        observe::applications::AppId,
        observe::follow::follow_one,
        queue::{Lane, Queue},
        world::{SourceProblem, SourceReason},
    },
};

/// How long to wait for the first look at an object before saying that it is not known.
const FIRST_LOOK: Duration = Duration::from_secs(10);

/// The object that variables are from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Reference {
    kind: VariablesKind,
    namespace: String,
    name: String,
}

impl Reference {
    fn claim(&self, sealing_key: bool) -> Claim<'_> {
        Claim {
            group: "",
            kind: self.kind.name(),
            namespace: Some(&self.namespace),
            name: &self.name,
            sealing_key,
        }
    }
}

/// What such an object holds.
#[derive(Clone, PartialEq)]
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
    watched: Arc<Mutex<Watched>>,
}

/// Who names what.
#[derive(Default)]
struct Watched {
    objects: HashMap<Reference, Followed>,
    of: HashMap<AppId, BTreeSet<Reference>>,
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
            watched: Arc::default(),
        }
    }

    /// The variables of an Application; none when it has none. From now on it is woken when one of its objects changes.
    ///
    /// # Errors
    /// When one of them is missing, or is no text, or its project does not let the Application have such an object itself. And
    /// when that is not known yet, which passes.
    pub(crate) async fn get(
        &self,
        app: &AppId,
        intent: &Intent,
        project: &Project,
        own_namespace: &str,
    ) -> Result<Option<Arc<Variables>>, SourceProblem> {
        let Some(substitution) = &intent.substitution else {
            self.forget(app);
            return Ok(None);
        };
        let namespace = &intent.destination.namespace;
        if namespace.is_empty() && !substitution.from.is_empty() {
            return Err(SourceProblem {
                reason: SourceReason::Render,
                message: "variables from objects need a namespace to look in".to_owned(),
                hint: Some("set spec.destination.namespace".to_owned()),
            });
        }
        let permits = |at: &Reference, sealing_key| {
            let claim = at.claim(sealing_key);
            let permitted = project.permits_object(&claim, &intent.destination, own_namespace);
            permitted.map_err(|denied| problem(at, &denied.to_string(), None))
        };
        let mut references = Vec::new();
        for from in &substitution.from {
            let reference = reference(from, namespace);
            permits(&reference, false)?;
            references.push(reference);
        }
        let seen = self.follow(app, &references);
        let mut variables = Variables::default();
        for ((from, at), seen) in substitution.from.iter().zip(&references).zip(seen) {
            match look(at, seen).await? {
                Some(items) => {
                    permits(at, items.sealing_key)?;
                    take(&mut variables, at, &items)?;
                }
                None if from.optional => {}
                None => {
                    let hint = "create it, or mark it with optional: true";
                    return Err(problem(at, "does not exist", Some(hint)));
                }
            }
        }
        for (name, value) in &substitution.values {
            variables.set(name, value, Origin::Plain);
        }
        Ok(Some(Arc::new(variables)))
    }

    /// The Application is gone.
    pub(crate) fn forget(&self, app: &AppId) {
        self.follow(app, &[]);
    }

    /// Watches what the Application names, and no longer what nobody names.
    fn follow(&self, app: &AppId, references: &[Reference]) -> Vec<watch::Receiver<Seen>> {
        let mut watched = lock(&self.watched);
        let before = watched.of.remove(app).unwrap_or_default();
        let names: BTreeSet<_> = references.iter().cloned().collect();
        let seen = references
            .iter()
            .map(|reference| {
                let start = || self.start(reference.clone());
                let one = watched.objects.entry(reference.clone());
                let one = one.or_insert_with(start);
                one.users.insert(app.clone());
                one.seen.clone()
            })
            .collect();
        for reference in before.difference(&names) {
            let unused = watched.objects.get_mut(reference).is_some_and(|one| {
                one.users.remove(app);
                one.users.is_empty()
            });
            if unused {
                watched.objects.remove(reference);
            }
        }
        if !names.is_empty() {
            watched.of.insert(app.clone(), names);
        }
        seen
    }

    fn start(&self, at: Reference) -> Followed {
        let (tell, seen) = watch::channel(None);
        let (queue, watched) = (self.queue.clone(), self.watched.clone());
        let (client, namespace, name) =
            (self.client.clone(), at.namespace.clone(), at.name.clone());
        let kind = at.kind;
        let changed = move |now: Option<&Items>| {
            tell.send_replace(Some(now.cloned().map(Arc::new)));
            let users = lock(&watched).objects.get(&at).map(|one| one.users.clone());
            for app in users.unwrap_or_default() {
                queue.wake(&app, Lane::Prompt);
            }
        };
        let task = tokio::spawn(async move {
            match kind {
                VariablesKind::ConfigMap => {
                    let api = Api::<ConfigMap>::namespaced(client, &namespace);
                    follow_one(api, &name, of_config_map, changed).await;
                }
                VariablesKind::Secret => {
                    let api = Api::<Secret>::namespaced(client, &namespace);
                    follow_one(api, &name, of_secret, changed).await;
                }
            }
        });
        Followed {
            users: BTreeSet::new(),
            seen,
            task,
        }
    }
}

/// What the object holds; none where there is none.
async fn look(
    at: &Reference,
    mut seen: watch::Receiver<Seen>,
) -> Result<Option<Arc<Items>>, SourceProblem> {
    let looked = timeout(FIRST_LOOK, seen.wait_for(Option::is_some)).await;
    match looked {
        Ok(Ok(seen)) => Ok(seen.clone().flatten()),
        _ => Err(SourceProblem {
            reason: SourceReason::Fetch,
            ..problem(at, "can't be read yet", None)
        }),
    }
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

/// What does not pass while nobody changes anything.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_known_yet_may_pass_and_what_is_wrong_does_not() {
        let at = Reference {
            kind: VariablesKind::Secret,
            namespace: "shop".to_owned(),
            name: "database".to_owned(),
        };
        // Nobody ever tells of it.
        let (_, seen) = watch::channel(None);
        let unread = look(&at, seen).await.err();
        let reason = unread.map(|problem| problem.reason);
        assert_eq!(reason, Some(SourceReason::Fetch));

        let items = Items {
            sealing_key: false,
            of: [("key".to_owned(), None)].into(),
        };
        let wrong = take(&mut Variables::default(), &at, &items).err();
        let reason = wrong.map(|problem| problem.reason);
        assert_eq!(reason, Some(SourceReason::Render));
    }
}
