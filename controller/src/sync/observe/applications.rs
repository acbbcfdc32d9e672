//! The Applications we look after, as the API server has them, kept current by a watch of each permitted namespace.
//! It wakes an Application for what its owner changed and never for what we wrote into its status.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crds::names::application as names;
use kube::{
    Api, Client,
    api::DynamicObject,
    core::{ApiResource, GroupVersionKind},
    runtime::watcher,
};
use serde_json::{Value, json};

use crate::dialect::{ApplicationName, Finalizer};
use crate::sync::observe::dependencies::named;
use crate::sync::observe::follow::{Change, follow};

/// Which Application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AppId {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl AppId {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        AppId {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// The Application behind the name in a tracking id. Names of namespaces and Applications have no underscore.
    pub(crate) fn of_tracking_name(tracking_name: &str, own_namespace: &str) -> Self {
        let (namespace, name) = tracking_name
            .split_once('_')
            .unwrap_or((own_namespace, tracking_name));
        AppId::new(namespace, name)
    }

    /// The name in tracking ids: `name`, or `namespace_name` outside our own namespace.
    pub(crate) fn tracking_name(&self, own_namespace: &str) -> String {
        if self.namespace == own_namespace {
            self.name.clone()
        } else {
            format!("{}_{}", self.namespace, self.name)
        }
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// All Applications.
#[derive(Debug)]
pub(crate) struct Applications {
    own_namespace: String,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    objects: HashMap<AppId, Arc<Value>>,
    /// Shared with every World, so that a pass does not cost more when there are more Applications.
    tracking_names: Arc<BTreeSet<String>>,
    /// On whom those depend that depend on any.
    dependencies: HashMap<AppId, Vec<ApplicationName>>,
}

/// What a change of the set asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Look at it when there is time: it was there before us.
    Found(AppId),
    /// Look at it now.
    Changed(AppId),
    /// Forget it.
    Gone(AppId),
    /// The first listing of this namespace is complete.
    Whole,
}

impl Applications {
    pub(crate) fn new(own_namespace: &str) -> Self {
        Applications {
            own_namespace: own_namespace.to_owned(),
            known: Mutex::default(),
        }
    }

    /// Follows the Applications of a namespace for ever.
    pub(crate) async fn follow(&self, client: Client, namespace: &str, mut tell: impl FnMut(Told)) {
        let api = api(client, namespace);
        follow(api, watcher::Config::default(), |change| {
            if let Some(told) = self.take_in(change) {
                tell(told);
            }
        })
        .await;
    }

    /// The Application as it was last seen or written.
    pub(crate) fn get(&self, app: &AppId) -> Option<Arc<Value>> {
        self.known().objects.get(app).cloned()
    }

    /// Tracking names of all Applications.
    pub(crate) fn tracking_names(&self) -> Arc<BTreeSet<String>> {
        self.known().tracking_names.clone()
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Arc<Value>> {
        self.known().objects.values().cloned().collect()
    }

    /// All but one, by their names in tracking ids; without those that are going and take their objects along.
    pub(crate) fn others(&self, app: &AppId) -> BTreeMap<String, Arc<Value>> {
        let known = self.known();
        let others = known.objects.iter();
        let others = others.filter(|(other, object)| *other != app && !takes_along(object));
        let named = others.map(|(other, object)| {
            let name = other.tracking_name(&self.own_namespace);
            (name, object.clone())
        });
        named.collect()
    }

    /// Which there are.
    pub(crate) fn ids(&self) -> Vec<AppId> {
        self.known().objects.keys().cloned().collect()
    }

    /// Applications for which `is` holds.
    pub(crate) fn select(&self, is: impl Fn(&Value) -> bool) -> Vec<AppId> {
        let known = self.known();
        known
            .objects
            .iter()
            .filter(|(_, object)| is(object))
            .map(|(app, _)| app.clone())
            .collect()
    }

    /// Those that depend on an Application.
    pub(crate) fn dependants(&self, app: &AppId) -> Vec<AppId> {
        let is_named = |names: &[ApplicationName]| {
            let is_it =
                |name: &ApplicationName| name.namespace == app.namespace && name.name == app.name;
            names.iter().any(is_it)
        };
        let known = self.known();
        let dependants = known.dependencies.iter();
        dependants
            .filter(|(_, names)| is_named(names))
            .map(|(app, _)| app.clone())
            .collect()
    }

    /// Takes in the answer of a write of ours, unless the Application has gone meanwhile.
    pub(crate) fn wrote(&self, app: &AppId, object: DynamicObject) -> Arc<Value> {
        let object = Arc::new(whole(object, names::API_VERSION, names::KIND));
        let mut known = self.known();
        if known.objects.contains_key(app) {
            self.insert(&mut known, app, object.clone());
        }
        object
    }

    fn take_in(&self, change: Change<DynamicObject>) -> Option<Told> {
        match change {
            Change::Listed(object) => self.see(object).map(Told::Found),
            Change::Changed(object) => self.see(object).map(Told::Changed),
            Change::Gone { namespace, name } => {
                let app = AppId { namespace, name };
                self.remove(&app);
                Some(Told::Gone(app))
            }
            Change::Whole => Some(Told::Whole),
        }
    }

    fn see(&self, object: DynamicObject) -> Option<AppId> {
        let metadata = &object.metadata;
        let app = AppId::new(
            metadata.namespace.as_deref().unwrap_or_default(),
            metadata.name.as_deref().unwrap_or_default(),
        );
        let object = Arc::new(whole(object, names::API_VERSION, names::KIND));
        let changed = self.insert(&mut self.known(), &app, object);
        changed.then_some(app)
    }

    /// True when the owner changed something. News older than what is known are dropped.
    fn insert(&self, known: &mut Known, app: &AppId, object: Arc<Value>) -> bool {
        let before = known.objects.get(app);
        if before.is_some_and(|before| is_older(&object, before)) {
            return false;
        }
        let changed = before.is_none_or(|before| owners_part(before) != owners_part(&object));
        if before.is_none() {
            let name = app.tracking_name(&self.own_namespace);
            Arc::make_mut(&mut known.tracking_names).insert(name);
        }
        match named(&object) {
            names if names.is_empty() => known.dependencies.remove(app),
            names => known.dependencies.insert(app.clone(), names),
        };
        known.objects.insert(app.clone(), object);
        changed
    }

    fn remove(&self, app: &AppId) {
        let mut known = self.known();
        known.objects.remove(app);
        known.dependencies.remove(app);
        let name = app.tracking_name(&self.own_namespace);
        Arc::make_mut(&mut known.tracking_names).remove(&name);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Applications of a namespace, untyped, so that one odd object hides no other.
pub(crate) fn api(client: Client, namespace: &str) -> Api<DynamicObject> {
    let gvk = GroupVersionKind::gvk(names::GROUP, names::VERSION, names::KIND);
    let resource = ApiResource::from_gvk_with_plural(&gvk, names::PLURAL);
    Api::namespaced_with(client, namespace, &resource)
}

/// The object as one value, without the field ownership that nobody reads here.
pub(crate) fn whole(mut object: DynamicObject, api_version: &str, kind: &str) -> Value {
    object.metadata.managed_fields = None;
    let mut value = std::mem::take(&mut object.data);
    value["metadata"] = json!(object.metadata);
    value["apiVersion"] = api_version.into();
    value["kind"] = kind.into();
    value
}

/// What an Application's owner writes, and we (but for obeyed requests) do not. Generation would count our status as well,
/// because the kind has no status subresource. Of the status it is one word: the phase that tells an operation to end.
pub(crate) fn owners_part(object: &Value) -> [Option<&Value>; 7] {
    let ends = object
        .pointer("/status/operationState/phase")
        .filter(|phase| *phase == "Terminating");
    [
        object.pointer("/spec"),
        object.pointer("/operation"),
        object.pointer("/metadata/annotations"),
        object.pointer("/metadata/finalizers"),
        object.pointer("/metadata/deletionTimestamp"),
        object.pointer("/metadata/uid"),
        ends,
    ]
}

/// It is being deleted, and its objects with it.
fn takes_along(object: &Value) -> bool {
    let finalizers = object.pointer("/metadata/finalizers");
    let mut finalizers = finalizers.and_then(Value::as_array).into_iter().flatten();
    let names = Finalizer::Resources.names();
    let is_ours = |name: &Value| name.as_str().is_some_and(|name| names.contains(&name));
    object["metadata"]["deletionTimestamp"].is_string() && finalizers.any(is_ours)
}

fn is_older(object: &Value, known: &Value) -> bool {
    let version = |object: &Value| {
        let text = object
            .pointer("/metadata/resourceVersion")
            .and_then(Value::as_str);
        text.and_then(|text| text.parse::<u64>().ok())
    };
    matches!((version(object), version(known)), (Some(this), Some(known)) if this < known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::signet::DEPENDS_ON;

    fn application(version: &str) -> Value {
        json!({
            "metadata": {"name": "a", "namespace": "signet", "uid": "1", "resourceVersion": version},
            "spec": {"project": "default"},
        })
    }

    #[test]
    fn who_goes_with_its_objects_is_told_from_who_leaves_them() {
        let mut object = application("1");
        object["metadata"]["finalizers"] =
            json!(["resources-finalizer.argocd.argoproj.io/background"]);
        assert!(!takes_along(&object));
        object["metadata"]["deletionTimestamp"] = "2026-03-01T12:00:00Z".into();
        assert!(takes_along(&object));
        object["metadata"]["finalizers"] = json!(["signet.dev/hooks"]);
        assert!(!takes_along(&object));
    }

    fn changed(applications: &Applications, object: &Value) -> Option<Told> {
        applications.take_in(Change::Changed(
            serde_json::from_value(object.clone()).unwrap(),
        ))
    }

    #[test]
    fn our_own_status_writes_wake_nobody() {
        let applications = Applications::new("signet");
        let app = AppId::new("signet", "a");
        assert_eq!(
            changed(&applications, &application("1")),
            Some(Told::Changed(app.clone()))
        );
        let mut written = application("2");
        written["status"] = json!({"sync": {"status": "Synced"}});
        written["metadata"]["generation"] = 7.into();
        assert_eq!(changed(&applications, &written), None);
        assert_eq!(
            applications.get(&app).unwrap()["status"]["sync"]["status"],
            "Synced"
        );
    }

    #[test]
    fn spec_request_annotation_and_deletion_wake() {
        let applications = Applications::new("signet");
        let app = Some(Told::Changed(AppId::new("signet", "a")));
        let mut object = application("1");
        for (version, (parent, field)) in (2..).zip([
            ("", "operation"),
            ("/metadata", "annotations"),
            ("/metadata", "deletionTimestamp"),
        ]) {
            changed(&applications, &object);
            object["metadata"]["resourceVersion"] = version.to_string().into();
            let value = if field == "deletionTimestamp" {
                json!("2026-01-01T00:00:00Z")
            } else {
                json!({"x": "y"})
            };
            object.pointer_mut(parent).unwrap()[field] = value;
            assert_eq!(changed(&applications, &object), app, "{field}");
        }
    }

    #[test]
    fn an_operation_that_somebody_ends_wakes_and_no_other_phase_does() {
        let applications = Applications::new("signet");
        let app = AppId::new("signet", "a");
        changed(&applications, &application("1"));
        for (version, phase, told) in [
            ("2", "Running", None),
            ("3", "Terminating", Some(Told::Changed(app))),
        ] {
            let mut object = application(version);
            object["status"]["operationState"]["phase"] = phase.into();
            assert_eq!(changed(&applications, &object), told, "{phase}");
        }
    }

    #[test]
    fn who_names_an_application_depends_on_it_until_it_names_it_no_more() {
        let applications = Applications::new("signet");
        let app = AppId::new("signet", "a");
        for (version, list, dependants) in [
            ("1", "db, infra/cache", &[app][..]),
            ("2", "infra/db, cache", &[]),
        ] {
            let mut object = application(version);
            object["metadata"]["annotations"] = json!({ DEPENDS_ON: list });
            changed(&applications, &object);
            for (namespace, name) in [("signet", "db"), ("infra", "cache")] {
                let found = applications.dependants(&AppId::new(namespace, name));
                assert_eq!(found, dependants, "{namespace}/{name}: {list}");
            }
        }
    }

    #[test]
    fn older_news_change_nothing() {
        let applications = Applications::new("signet");
        changed(&applications, &application("5"));
        let mut old = application("4");
        old["spec"]["project"] = "other".into();
        assert_eq!(changed(&applications, &old), None);
        assert_eq!(
            applications.get(&AppId::new("signet", "a")).unwrap()["spec"]["project"],
            "default"
        );
    }

    #[test]
    fn an_application_elsewhere_is_tracked_with_its_namespace() {
        for (app, name) in [
            (AppId::new("signet", "a"), "a"),
            (AppId::new("team", "a"), "team_a"),
        ] {
            assert_eq!(app.tracking_name("signet"), name);
            assert_eq!(AppId::of_tracking_name(name, "signet"), app);
        }
    }

    #[test]
    fn the_answer_of_a_write_does_not_bring_a_deleted_application_back() {
        let applications = Applications::new("signet");
        let app = AppId::new("signet", "a");
        changed(&applications, &application("1"));
        applications.take_in(Change::Gone {
            namespace: "signet".to_owned(),
            name: "a".to_owned(),
        });
        applications.wrote(&app, serde_json::from_value(application("2")).unwrap());
        assert!(applications.get(&app).is_none());
        assert!(applications.tracking_names().is_empty());
    }
}
