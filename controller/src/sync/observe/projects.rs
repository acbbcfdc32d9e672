//! The AppProjects of our namespace, kept current by a watch.
//! It holds them as they are; what they permit is decided by `access/`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crds::names::{ALLOWED_SIGNERS, PLAINTEXT_SECRETS, app_project as names};
use kube::{
    Api, Client, ResourceExt,
    api::DynamicObject,
    core::{ApiResource, GroupVersionKind},
    runtime::watcher,
};
use serde_json::Value;

use crate::sync::observe::follow::{Change, follow};

/// All AppProjects.
#[derive(Debug, Default)]
pub(crate) struct Projects {
    known: Mutex<HashMap<String, Arc<Value>>>,
}

/// What a change of the set asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Its Applications have to be looked at.
    Changed(String),
    /// The first listing is complete.
    Whole,
}

impl Projects {
    /// Follows the AppProjects of a namespace for ever.
    pub(crate) async fn follow(&self, client: Client, namespace: &str, mut tell: impl FnMut(Told)) {
        let gvk = GroupVersionKind::gvk(names::GROUP, names::VERSION, names::KIND);
        let resource = ApiResource::from_gvk_with_plural(&gvk, names::PLURAL);
        let api = Api::<DynamicObject>::namespaced_with(client, namespace, &resource);
        follow(api, watcher::Config::default(), |change| {
            if let Some(told) = self.take_in(change) {
                tell(told);
            }
        })
        .await;
    }

    /// The AppProject of this name.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Value>> {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    fn take_in(&self, change: Change<DynamicObject>) -> Option<Told> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match change {
            Change::Listed(object) | Change::Changed(object) => {
                let name = object.name_any();
                let project = crate::sync::observe::applications::whole(
                    object,
                    names::API_VERSION,
                    names::KIND,
                );
                let before = known.insert(name.clone(), Arc::new(project));
                let changed = before.is_none_or(|before| rules(&before) != rules(&known[&name]));
                changed.then_some(Told::Changed(name))
            }
            Change::Gone { name, .. } => known.remove(&name).map(|_| Told::Changed(name)),
            Change::Whole => Some(Told::Whole),
        }
    }
}

/// What of an AppProject makes a difference to its Applications.
fn rules(project: &Value) -> [Option<&Value>; 3] {
    let annotations = project.pointer("/metadata/annotations");
    let annotation = |name| annotations.and_then(|annotations| annotations.get(name));
    [
        project.get("spec"),
        annotation(ALLOWED_SIGNERS),
        annotation(PLAINTEXT_SECRETS),
    ]
}
