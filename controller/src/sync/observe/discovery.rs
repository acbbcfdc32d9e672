//! Which kinds the cluster serves: plural and scope, asked once for each group and version and remembered.
//! It must not guess: what discovery does not list is unknown, and what can't be asked is unavailable.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIResource, APIResourceList};
use kube::{Client, core::ApiResource};
use tokio::time::timeout;

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
/// So often a look asks anew where a definition changed while it asked.
const ROUNDS: usize = 3;
/// Behind an aggregated API is a Pod, which may hang; the API server itself answers in milliseconds. A group that takes longer
/// than this is unavailable, so that whoever wants a kind of it can go on with all others.
const LONGEST: Duration = Duration::from_secs(5);

/// What an API must offer to be managed: to look, to write and to notice changes.
const VERBS: [&str; 4] = ["get", "patch", "delete", "watch"];

/// What the cluster serves, as far as anybody asked.
pub(crate) struct Discovery {
    /// It does not try again by itself: an API that is away is an answer too.
    client: Client,
    answers: Mutex<Answers>,
    longest: Duration,
}

#[derive(Debug, Default)]
struct Answers {
    versions: HashMap<GroupVersion, Answer>,
    /// When a CRD of a group last changed.
    changes: HashMap<String, Instant>,
    /// Held by whoever asks, so that nobody else asks for the same.
    turns: HashMap<GroupVersion, Arc<tokio::sync::Mutex<()>>>,
    /// All answers as one value for the planner, made anew when one changes.
    kinds: Arc<Kinds>,
}

/// Group and version of an API; the group is empty for the core group.
type GroupVersion = (String, String);

#[derive(Debug)]
struct Answer {
    /// When it was asked for, and when it came.
    asked: Instant,
    at: Instant,
    /// Served kinds; `None` when the API behind this group does not answer.
    served: Option<HashMap<String, Known>>,
}

impl Discovery {
    pub(crate) fn new(client: Client) -> Self {
        Discovery {
            client,
            answers: Mutex::default(),
            longest: LONGEST,
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
        let wanted: Vec<(GroupKind, String)> = wanted.into_iter().collect();
        for _ in 0..ROUNDS {
            for (kind, version) in &wanted {
                let is_due = self.answers().is_due(kind, version);
                if is_due {
                    self.learn(kind, version.clone()).await?;
                }
            }
            // A definition that changed meanwhile has taken answers back.
            let answers = self.answers();
            let mut all = wanted.iter();
            if all.all(|(kind, version)| answers.counts(&(kind.group.clone(), version.clone()))) {
                return Ok(answers.kinds.clone());
            }
        }
        Ok(self.answers().kinds.clone())
    }

    /// A CRD of this group changed: everything known of the group is asked for again when it is next wanted.
    pub(crate) fn changed(&self, group: &str) {
        let mut answers = self.answers();
        answers.changes.insert(group.to_owned(), Instant::now());
        answers.versions.retain(|(known, _), _| known != group);
    }

    /// When it is worth asking for unknown kinds of these groups again; `None` when there are none.
    pub(crate) fn ask_again(&self, groups: &BTreeSet<String>) -> Option<Duration> {
        let answers = self.answers();
        let settling = |group: &String| answers.ask_after(group) == ASK_SOON;
        match groups.iter().any(settling) {
            true => Some(ASK_SOON),
            false => groups.first().map(|_| LOOK_AGAIN),
        }
    }

    /// Asks for what is served in a version of a group. Where somebody else does, the last answer counts meanwhile, and the first
    /// one is waited for.
    async fn learn(&self, kind: &GroupKind, version: String) -> Result<(), kube::Error> {
        let of = (kind.group.clone(), version);
        let turn = self.answers().turn(&of);
        let _turn = match turn.try_lock() {
            Ok(turn) => turn,
            Err(_) if self.answers().counts(&of) => return Ok(()),
            Err(_) => turn.lock().await,
        };
        let is_due = self.answers().is_due(kind, &of.1);
        if !is_due {
            return Ok(());
        }
        let asked = Instant::now();
        let served = self.ask(&of.0, &of.1).await?;
        let answer = Answer {
            asked,
            at: Instant::now(),
            served,
        };
        self.answers().remember(of, answer);
        Ok(())
    }

    async fn ask(
        &self,
        group: &str,
        version: &str,
    ) -> Result<Option<HashMap<String, Known>>, kube::Error> {
        let list = async {
            if group.is_empty() {
                self.client.list_core_api_resources(version).await
            } else {
                let api_version = format!("{group}/{version}");
                self.client.list_api_group_resources(&api_version).await
            }
        };
        let error = match timeout(self.longest, list).await {
            Ok(Ok(list)) => return Ok(Some(served(list))),
            // In plain text where the whole group is not there, so only the code says it.
            Ok(Err(kube::Error::Api(status))) if status.code == 404 => {
                return Ok(Some(HashMap::new()));
            }
            // An API server that is too busy says nothing of the group.
            Ok(Err(kube::Error::Api(status))) if status.code != 429 => status.message,
            Ok(Err(error)) => return Err(error),
            Err(_) => format!("no answer within {} s", self.longest.as_secs()),
        };
        tracing::warn!(group, version, error, "an API group can't be discovered");
        Ok(None)
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers {
    /// The kind is not known, and it is time to ask for it.
    fn is_due(&self, kind: &GroupKind, version: &str) -> bool {
        let of = (kind.group.clone(), version.to_owned());
        let Some(answer) = self.versions.get(&of).filter(|_| self.counts(&of)) else {
            return true;
        };
        let kinds = answer.served.as_ref();
        let found = kinds.is_some_and(|kinds| kinds.contains_key(&kind.kind));
        !found && answer.at.elapsed() >= self.ask_after(&kind.group)
    }

    /// There is an answer, and it was asked for after the last change of a CRD.
    fn counts(&self, of: &GroupVersion) -> bool {
        let changed = self.changes.get(&of.0);
        let since = |answer: &Answer| changed.is_none_or(|changed| answer.asked > *changed);
        self.versions.get(of).is_some_and(since)
    }

    fn ask_after(&self, group: &str) -> Duration {
        match self.changes.get(group) {
            Some(at) if at.elapsed() < SETTLING => ASK_SOON,
            _ => ASK_AGAIN,
        }
    }

    fn turn(&mut self, of: &GroupVersion) -> Arc<tokio::sync::Mutex<()>> {
        self.turns.entry(of.clone()).or_default().clone()
    }

    /// Keeps an answer; the shared value changes only when the answer did, so that nothing is normalised again for nothing.
    fn remember(&mut self, of: GroupVersion, answer: Answer) {
        self.versions.insert(of, answer);
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
    use std::{
        future,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use http::{Request, Response};
    use kube::client::Body;
    use tower::service_fn;

    use super::*;
    use crate::sync::kinds::Lookup;

    /// A group whose API never answers.
    const HANGS: &str = "hangs.example.com";

    fn widget(group: &str) -> [(GroupKind, String); 1] {
        [(GroupKind::new(group, "Widget"), "v1".to_owned())]
    }

    /// Of an API server that gives this answer to all but what hangs, and counts requests.
    fn discovery(code: u16, text: &'static str) -> (Discovery, Arc<AtomicUsize>) {
        let asked = Arc::<AtomicUsize>::default();
        let count = asked.clone();
        let service = service_fn(move |request: Request<Body>| {
            count.fetch_add(1, Ordering::Relaxed);
            async move {
                if request.uri().path().contains(HANGS) {
                    future::pending::<()>().await;
                }
                Response::builder()
                    .status(code)
                    .body(Body::from(text.as_bytes().to_vec()))
            }
        });
        (Discovery::new(Client::new(service, "default")), asked)
    }

    fn is_unavailable(kinds: &Kinds, group: &str) -> bool {
        let [(kind, version)] = widget(group);
        match kinds.lookup(&kind, &version) {
            Lookup::Known(_) => unreachable!("no answer names a kind"),
            Lookup::Unknown => false,
            Lookup::Unavailable => true,
        }
    }

    #[tokio::test]
    async fn a_group_that_is_not_there_is_unknown_and_one_that_fails_is_unavailable() {
        for (code, text, unavailable) in [
            (404, "404 page not found\n", false),
            (503, "service unavailable\n", true),
        ] {
            let (discovery, _) = discovery(code, text);
            let kinds = discovery.kinds(widget("example.com")).await;
            let kinds = kinds.expect("an answer");
            assert_eq!(is_unavailable(&kinds, "example.com"), unavailable, "{code}");
        }
    }

    #[tokio::test]
    async fn an_api_server_that_is_too_busy_says_nothing_of_a_group() {
        let (discovery, _) = discovery(429, "too many requests\n");
        let kinds = discovery.kinds(widget("example.com")).await;
        assert!(kinds.is_err(), "{kinds:?}");
    }

    #[tokio::test]
    async fn an_api_that_does_not_answer_holds_up_nobody_who_wants_another() {
        let (discovery, _) = discovery(404, "");
        let kinds = tokio::select! {
            biased;
            _ = discovery.kinds(widget(HANGS)) => unreachable!("the other one comes first"),
            kinds = discovery.kinds(widget("example.com")) => kinds,
        };
        assert!(!is_unavailable(&kinds.expect("an answer"), "example.com"));
    }

    #[tokio::test]
    async fn while_a_group_is_asked_for_again_its_last_answer_counts() {
        let (discovery, _) = discovery(404, "");
        let mut discovery = Discovery {
            longest: Duration::from_millis(1),
            ..discovery
        };
        let kinds = discovery.kinds(widget(HANGS)).await.expect("an answer");
        assert!(is_unavailable(&kinds, HANGS));
        for answer in discovery.answers().versions.values_mut() {
            let earlier = answer.at.checked_sub(ASK_AGAIN);
            answer.at = earlier.expect("a machine that runs for some seconds");
        }
        discovery.longest = LONGEST;
        let kinds = tokio::select! {
            biased;
            _ = discovery.kinds(widget(HANGS)) => unreachable!("the other one comes first"),
            kinds = discovery.kinds(widget(HANGS)) => kinds,
        };
        assert!(is_unavailable(&kinds.expect("an answer"), HANGS));
    }

    #[tokio::test]
    async fn two_who_want_the_same_ask_once() {
        let (discovery, asked) = discovery(404, "");
        let (one, other) = tokio::join!(
            discovery.kinds(widget("example.com")),
            discovery.kinds(widget("example.com"))
        );
        one.and(other).expect("an answer");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_was_asked_for_before_a_definition_changed_is_asked_for_again() {
        let (discovery, _) = discovery(404, "");
        let [(kind, version)] = widget("example.com");
        let asked = Instant::now();
        discovery.changed(&kind.group);
        let known = Known {
            plural: "widgets".to_owned(),
            namespaced: true,
        };
        let answer = |asked| Answer {
            asked,
            at: Instant::now(),
            served: Some([("Widget".to_owned(), known.clone())].into()),
        };
        let of = (kind.group.clone(), version.clone());
        let mut answers = discovery.answers();
        answers.remember(of.clone(), answer(asked));
        assert!(answers.is_due(&kind, &version));
        let since = answers.changes[&kind.group] + Duration::from_nanos(1);
        answers.remember(of, answer(since));
        assert!(!answers.is_due(&kind, &version));
    }
}
