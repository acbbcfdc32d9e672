//! Which kinds the cluster serves: plural and scope, asked once for each group and version and remembered.
//! It must not guess: what discovery does not list is unknown, and what can't be asked is unavailable.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIResource, APIResourceList};
use kube::{Client, core::ApiResource};
use tokio::sync::Mutex;

use crate::sync::{
    key::GroupKind,
    kinds::{Kinds, Known},
};

/// A kind that was not there is asked for again no sooner than this: a repository with a misspelt kind must not become a
/// stream of requests. A change of a CRD in its group asks at once.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// A CRD is served some moments after it was accepted: so long it is asked for more often, and so often.
const SETTLING: Duration = Duration::from_secs(30);
const ASK_SOON: Duration = Duration::from_millis(250);
/// A kind may also come from an aggregated API, which no CRD tells of.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What an API must offer to be managed: to look, to write and to notice changes.
const VERBS: [&str; 4] = ["get", "patch", "delete", "watch"];

/// What the cluster serves, as far as anybody asked.
pub(crate) struct Discovery {
    client: Client,
    answers: Mutex<Answers>,
    /// When a CRD of a group last changed.
    changes: std::sync::Mutex<HashMap<String, Instant>>,
}

#[derive(Debug, Default)]
struct Answers {
    versions: HashMap<GroupVersion, Answer>,
    /// All answers as one value for the planner, made anew when one changes.
    kinds: Arc<Kinds>,
}

/// Group and version of an API; the group is empty for the core group.
type GroupVersion = (String, String);

#[derive(Debug)]
struct Answer {
    at: Instant,
    /// Served kinds; `None` when the API behind this group does not answer.
    served: Option<HashMap<String, Known>>,
}

impl Discovery {
    pub(crate) fn new(client: Client) -> Self {
        Discovery {
            client,
            answers: Mutex::new(Answers::default()),
            changes: std::sync::Mutex::default(),
        }
    }

    /// All kinds known so far, after each of `wanted` was asked for.
    ///
    /// # Errors
    /// When the API server is away. A group that is not there, or whose API does not answer, is an answer.
    pub(crate) async fn kinds(
        &self,
        wanted: impl IntoIterator<Item = (GroupKind, String)>,
    ) -> Result<Arc<Kinds>, kube::Error> {
        let mut answers = self.answers.lock().await;
        for (kind, version) in wanted {
            if answers.is_due(&kind, &version, self.ask_after(&kind.group)) {
                let served = self.ask(&kind.group, &version).await?;
                answers.remember(kind.group, version, served);
            }
        }
        Ok(answers.kinds.clone())
    }

    /// A CRD of this group changed: everything known of the group is asked for again when it is next wanted.
    pub(crate) async fn changed(&self, group: &str) {
        self.changes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(group.to_owned(), Instant::now());
        let mut answers = self.answers.lock().await;
        answers.versions.retain(|(known, _), _| known != group);
    }

    /// When it is worth asking for unknown kinds of these groups again; `None` when there are none.
    pub(crate) fn ask_again(&self, groups: &BTreeSet<String>) -> Option<Duration> {
        let settling = |group: &String| self.ask_after(group) == ASK_SOON;
        match groups.iter().any(settling) {
            true => Some(ASK_SOON),
            false => groups.first().map(|_| LOOK_AGAIN),
        }
    }

    fn ask_after(&self, group: &str) -> Duration {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        match changes.get(group) {
            Some(at) if at.elapsed() < SETTLING => ASK_SOON,
            _ => ASK_AGAIN,
        }
    }

    async fn ask(
        &self,
        group: &str,
        version: &str,
    ) -> Result<Option<HashMap<String, Known>>, kube::Error> {
        let list = if group.is_empty() {
            self.client.list_core_api_resources(version).await
        } else {
            let api_version = format!("{group}/{version}");
            self.client.list_api_group_resources(&api_version).await
        };
        match list {
            Ok(list) => Ok(Some(served(list))),
            // In plain text where the whole group is not there, so only the code says it.
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(Some(HashMap::new())),
            Err(kube::Error::Api(status)) => {
                tracing::warn!(group, version, error = %status.message, "an API group can't be discovered");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl Answers {
    fn is_due(&self, kind: &GroupKind, version: &str, after: Duration) -> bool {
        let gv = (kind.group.clone(), version.to_owned());
        match self.versions.get(&gv) {
            None => true,
            Some(Answer { at, served }) => {
                let found = served
                    .as_ref()
                    .is_some_and(|kinds| kinds.contains_key(&kind.kind));
                !found && at.elapsed() >= after
            }
        }
    }

    /// Keeps an answer; the shared value changes only when the answer did, so that nothing is normalised again for nothing.
    fn remember(&mut self, group: String, version: String, served: Option<HashMap<String, Known>>) {
        let at = Instant::now();
        self.versions
            .insert((group, version), Answer { at, served });
        let kinds = self.all();
        if *self.kinds != kinds {
            self.kinds = Arc::new(kinds);
        }
    }

    fn all(&self) -> Kinds {
        let mut all = Kinds::default();
        for ((group, version), answer) in &self.versions {
            match &answer.served {
                None => all.insert_unavailable(group),
                Some(kinds) => {
                    for (kind, known) in kinds {
                        all.insert(GroupKind::new(&**group, &**kind), version, known.clone());
                    }
                }
            }
        }
        all
    }
}

fn served(list: APIResourceList) -> HashMap<String, Known> {
    list.resources
        .into_iter()
        .filter(is_manageable)
        .map(known)
        .collect()
}

/// Subresources and kinds that can only be created or only be read are no objects that Git could hold.
fn is_manageable(resource: &APIResource) -> bool {
    let offers = |verb: &&str| resource.verbs.iter().any(|offered| offered == verb);
    !resource.name.contains('/') && VERBS.iter().all(offers)
}

fn known(resource: APIResource) -> (String, Known) {
    let known = Known {
        plural: resource.name,
        namespaced: resource.namespaced,
    };
    (resource.kind, known)
}

/// Where requests for a kind go, when the cluster serves it.
pub(crate) fn api_resource(
    kinds: &Kinds,
    kind: &GroupKind,
    version: &str,
) -> Option<(ApiResource, bool)> {
    let known = kinds.known(kind, version)?;
    let api_version = match kind.group.as_str() {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    };
    let resource = ApiResource {
        group: kind.group.clone(),
        version: version.to_owned(),
        api_version,
        kind: kind.kind.clone(),
        plural: known.plural.clone(),
    };
    Some((resource, known.namespaced))
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use kube::client::Body;
    use tower::service_fn;

    use super::*;
    use crate::sync::kinds::Lookup;

    /// What is known of a kind of which the API server answers like this.
    async fn answered(code: u16, text: &'static str) -> Lookup<'static> {
        let service = service_fn(move |_: Request<Body>| async move {
            Response::builder()
                .status(code)
                .body(Body::from(text.as_bytes().to_vec()))
        });
        let discovery = Discovery::new(Client::new(service, "default"));
        let kind = GroupKind::new("example.com", "Widget");
        let kinds = discovery.kinds([(kind.clone(), "v1".to_owned())]).await;
        match kinds.expect("an answer").lookup(&kind, "v1") {
            Lookup::Known(_) => unreachable!("no answer names a kind"),
            Lookup::Unknown => Lookup::Unknown,
            Lookup::Unavailable => Lookup::Unavailable,
        }
    }

    #[tokio::test]
    async fn a_group_that_is_not_there_is_unknown_and_one_that_fails_is_unavailable() {
        assert_eq!(answered(404, "404 page not found\n").await, Lookup::Unknown);
        assert_eq!(
            answered(503, "service unavailable\n").await,
            Lookup::Unavailable
        );
    }
}
