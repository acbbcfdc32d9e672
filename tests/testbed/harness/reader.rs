//! What the API server holds, read by this process: a test asks many times a second, and starting a `kubectl` costs a hundred
//! times what the answer does. It writes nothing: what a user does is done with `kubectl`.

use std::future::Future;
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};

use http::Request;
use kube::Client;
use kube::core::discovery::v2::{APIGroupDiscovery, APIResourceDiscovery, APIVersionDiscovery};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use super::{Testbed, eventually};

/// As the namespace of `objects`: all of them.
pub(crate) const EVERYWHERE: &str = "";

impl Testbed {
    /// An object, which must be there. `kind` is what kubectl takes: `secret`, `deploy`, `leases.coordination.k8s.io`.
    #[track_caller]
    pub(crate) fn object(&self, namespace: &str, kind: &str, name: &str) -> Value {
        self.find_object(namespace, kind, name)
            .unwrap_or_else(|| panic!("there is no {kind} {namespace}/{name}"))
    }

    /// An object, if it is there.
    #[track_caller]
    pub(crate) fn find_object(&self, namespace: &str, kind: &str, name: &str) -> Option<Value> {
        let kind = Kind::called(kind);
        Some(kind.shown(get(&format!("{}/{name}", kind.path(namespace)))?))
    }

    /// All objects of a kind, in a namespace or `EVERYWHERE`.
    #[track_caller]
    pub(crate) fn objects(&self, namespace: &str, kind: &str) -> Vec<Value> {
        let kind = Kind::called(kind);
        let mut list = get(&kind.path(namespace)).unwrap_or_default();
        let items = list["items"].as_array_mut().map(std::mem::take);
        let items = items.unwrap_or_default().into_iter();
        items.map(|item| kind.shown(item)).collect()
    }

    /// Those with this label.
    #[track_caller]
    pub(crate) fn labelled(
        &self,
        namespace: &str,
        kind: &str,
        label: &str,
        value: &str,
    ) -> Vec<Value> {
        let mut objects = self.objects(namespace, kind);
        objects.retain(|object| object["metadata"]["labels"][label] == value);
        objects
    }

    /// What is at a path, as it stands; or why it is not.
    pub(crate) fn raw(&self, path: &str) -> Result<String, String> {
        let request = request(path);
        ask(|client| async move { client.request_text(request).await })
            .map_err(|error| error.to_string())
    }
}

/// A kind that the API server serves.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    group: String,
    version: String,
    plural: String,
    kind: String,
    is_namespaced: bool,
    /// Plural, singular, kind and short names, in lower case.
    names: Vec<String>,
}

impl Kind {
    /// The kind that kubectl would take for this. Waits for it, since a definition is served some moments after it was applied.
    #[track_caller]
    pub(super) fn called(word: &str) -> Self {
        static KNOWN: Mutex<Vec<Kind>> = Mutex::new(Vec::new());
        eventually(&format!("the API server serves {word}"), || {
            let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
            let find = |known: &[Self]| known.iter().find(|kind| kind.is_called(word)).cloned();
            find(&known)
                .or_else(|| {
                    *known = Self::all();
                    find(&known)
                })
                .ok_or("nothing that it serves is called so")
        })
    }

    fn is_called(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let (name, group) = match word.split_once('.') {
            Some((name, group)) => (name, Some(group)),
            None => (word.as_str(), None),
        };
        self.names.iter().any(|known| known == name)
            && group.is_none_or(|group| group == self.group)
    }

    /// Everything that is served, the preferred first.
    fn all() -> Vec<Self> {
        let core = ask(|client| async move { client.list_core_api_versions_aggregated().await });
        let groups = ask(|client| async move { client.list_api_groups_aggregated().await });
        let lists = [core, groups].map(|list| list.expect("the API server says what it serves"));
        lists
            .iter()
            .flat_map(|list| &list.items)
            .flat_map(|group| group.versions.iter().map(move |version| (group, version)))
            .flat_map(|(group, version)| {
                let of_resource = move |resource| Self::of(group, version, resource);
                version.resources.iter().filter_map(of_resource)
            })
            .collect()
    }

    fn of(
        group: &APIGroupDiscovery,
        version: &APIVersionDiscovery,
        resource: &APIResourceDiscovery,
    ) -> Option<Self> {
        let kind = resource.response_kind.as_ref()?.kind.clone()?;
        let plural = resource.resource.clone()?;
        let names = [
            Some(&plural),
            resource.singular_resource.as_ref(),
            Some(&kind),
        ];
        let names = names.into_iter().flatten().chain(&resource.short_names);
        Some(Self {
            names: names.map(|name| name.to_lowercase()).collect(),
            group: group.metadata.as_ref()?.name.clone().unwrap_or_default(),
            version: version.version.clone()?,
            is_namespaced: resource.scope.as_deref() == Some("Namespaced"),
            plural,
            kind,
        })
    }

    fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    fn path(&self, namespace: &str) -> String {
        let root = if self.group.is_empty() { "api" } else { "apis" };
        let of = match namespace {
            EVERYWHERE => String::new(),
            _ if !self.is_namespaced => String::new(),
            namespace => format!("namespaces/{namespace}/"),
        };
        format!("/{root}/{}/{of}{}", self.api_version(), self.plural)
    }

    /// The object as kubectl shows it: items of a list name their kind, too, and nobody reads who manages which field.
    fn shown(&self, mut object: Value) -> Value {
        object["apiVersion"] = self.api_version().into();
        object["kind"] = self.kind.as_str().into();
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        object
    }
}

/// The answer to a GET; `None` where nothing is.
#[track_caller]
fn get(path: &str) -> Option<Value> {
    let request = request(path);
    match ask(|client| async move { client.request(request).await }) {
        Ok(value) => Some(value),
        Err(kube::Error::Api(status)) if status.code == 404 => None,
        Err(error) => panic!("GET {path}: {error}"),
    }
}

fn request(path: &str) -> Request<Vec<u8>> {
    Request::get(path)
        .body(Vec::new())
        .expect("a path of the API server")
}

/// Asks as the admin.
fn ask<T, Answer>(question: impl FnOnce(Client) -> Answer) -> T
where
    Answer: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    static READER: OnceLock<(Runtime, Client)> = OnceLock::new();
    let (runtime, client) = READER.get_or_init(|| {
        let builder = &mut Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a thread can be started");
        let client = wait(&runtime, async { Testbed::get().client().await });
        (runtime, client)
    });
    wait(runtime, question(client.clone()))
}

/// Not `block_on`, which panics in a test that awaits.
fn wait<T: Send + 'static>(
    runtime: &Runtime,
    answer: impl Future<Output = T> + Send + 'static,
) -> T {
    let (sender, receiver) = mpsc::channel();
    runtime.spawn(async move { drop(sender.send(answer.await)) });
    receiver.recv().expect("the answer comes before the end")
}
