//! A sync that is killed after any of its writes: the same planner and reports over a cluster made of maps.
//! It proves that a restart needs nothing but the cluster and the Application's status.

use std::collections::BTreeMap;
use std::sync::Arc;

use controller::access::Project;
use controller::dialect;
use controller::render::Manifest;
use controller::sync::desired::{Desired, Inputs, WantedHash, desired};
use controller::sync::key::ObjectKey;
use controller::sync::outcome::{Done, Outcome};
use controller::sync::plan::{PlannedStep, Step, plan};
use controller::sync::report::{claim, report};
use controller::sync::revisions::Revisions;
use controller::sync::world::{
    AppFacts, DestinationNamespace, Health, HealthStatus, Live, LiveState, Source, Unsealer, World,
};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::world::built_in_kinds;

/// More passes than any run needs.
const PASSES: usize = 500;

#[derive(Clone, Debug, PartialEq)]
struct Object {
    uid: usize,
    tracking: String,
    wanted: Option<WantedHash>,
    wave: i32,
    deleting: bool,
    healthy: bool,
    created: usize,
    changed: usize,
}

/// What survives a kill.
#[derive(Clone, Default)]
struct Outside {
    objects: BTreeMap<ObjectKey, Object>,
    status: crds::ApplicationStatus,
    uids: usize,
    writes: usize,
}

/// The process was killed.
struct Killed;

impl Outside {
    /// One more write reaches the cluster; the process may not live to see the next.
    fn write(&mut self, kill_after: Option<usize>) -> Result<(), Killed> {
        if kill_after == Some(self.writes) {
            return Err(Killed);
        }
        self.writes += 1;
        Ok(())
    }

    /// Time passes: what was made works now, what was deleted is gone.
    fn settle(&mut self) {
        self.objects.retain(|_, object| !object.deleting);
        self.objects
            .values_mut()
            .for_each(|object| object.healthy = true);
    }

    fn execute(
        &mut self,
        step: &PlannedStep,
        desired: &Desired,
        kill: Option<usize>,
    ) -> Result<Outcome, Killed> {
        let done = match &step.step {
            Step::Apply(key) => self.apply(key, desired, kill)?,
            Step::Unseal(key) => {
                self.write(kill)?;
                self.objects.get_mut(key).expect("applied before").healthy = true;
                Done::Created
            }
            Step::Delete { key, .. } => {
                self.write(kill)?;
                self.objects
                    .get_mut(key)
                    .expect("planned from what is there")
                    .deleting = true;
                Done::Deleted
            }
            _ => Done::Noted,
        };
        Ok(Outcome {
            step: step.clone(),
            result: Ok(done),
        })
    }

    fn apply(
        &mut self,
        key: &ObjectKey,
        desired: &Desired,
        kill: Option<usize>,
    ) -> Result<Done, Killed> {
        let wanted = &desired.objects[key];
        let hash = Some(wanted.hash);
        if self
            .objects
            .get(key)
            .is_some_and(|object| object.wanted == hash)
        {
            return Ok(Done::Unchanged);
        }
        self.write(kill)?;
        self.uids += 1;
        let tracking = wanted.object["metadata"]["annotations"][dialect::TRACKING_ANNOTATION]
            .as_str()
            .unwrap();
        let new = Object {
            uid: self.uids,
            tracking: tracking.to_owned(),
            wanted: hash,
            wave: wanted.wave,
            deleting: false,
            healthy: false,
            created: 1,
            changed: 0,
        };
        match self.objects.get_mut(key) {
            Some(object) => {
                object.wanted = hash;
                object.changed += 1;
                Ok(Done::Configured)
            }
            None => {
                self.objects.insert(key.clone(), new);
                Ok(Done::Created)
            }
        }
    }
}

fn application() -> crds::Application {
    let value = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "shop", "namespace": "signet"},
        "spec": {"project": "default", "source": {"repoURL": "https://git.example.com/shop.git", "path": "deploy"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "demo"},
            "syncPolicy": {"automated": {"prune": true}}}});
    crds::decode(&value).unwrap()
}

/// Ten objects in each of four waves; in each wave a SealedSecret and a Deployment that uses its Secret.
fn manifests(image: &str) -> Vec<Manifest> {
    let mut manifests = Vec::new();
    let mut add = |object: Value| {
        manifests.push(Manifest {
            file: "all.yaml".into(),
            document: 1,
            line: Some(1),
            object,
        });
    };
    for wave in -1..3 {
        let metadata = |name: String| json!({"name": name, "annotations": {"argocd.argoproj.io/sync-wave": wave.to_string()}});
        for number in 0..8 {
            add(
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(format!("settings-{wave}-{number}")), "data": {"image": image}}),
            );
        }
        let secret = format!("db-{wave}");
        let container =
            json!({"name": "c", "image": image, "envFrom": [{"secretRef": {"name": secret}}]});
        add(
            json!({"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": metadata(secret), "spec": {"encryptedData": {"password": image}}}),
        );
        add(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(format!("web-{wave}")), "spec": {"template": {"spec": {"containers": [container]}}}}),
        );
    }
    manifests
}

fn source(image: &str) -> Source {
    let mut manifests = manifests(image);
    if image == "web:2" {
        // Two objects leave Git with the second commit.
        manifests.retain(|manifest| {
            !["settings-0-0", "settings-2-0"]
                .contains(&manifest.object["metadata"]["name"].as_str().unwrap())
        });
    }
    let wanted = desired(&Inputs {
        manifests: &manifests.iter().collect::<Vec<_>>(),
        kinds: &built_in_kinds(),
        application_id: "shop",
        namespace: "demo",
        defaults: dialect::intent(&application()).unwrap().defaults,
        scaled: &Default::default(),
    });
    Source {
        revisions: Revisions::new(vec![image.to_owned()]),
        desired: Arc::new(wanted),
        ..Source::default()
    }
}

/// The World as a process sees it; right after its start nothing is verified.
fn observe(outside: &Outside, source: &Source, fresh: bool, seconds: usize) -> World {
    let application = application();
    let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    World {
        now: Timestamp::from_second(start.as_second() + seconds as i64).unwrap(),
        intent: dialect::intent(&application),
        request: Ok(None),
        project: Project::find("default", None),
        application: AppFacts {
            namespace: "signet".into(),
            name: "shop".into(),
            uid: "uid".into(),
            tracking_name: "shop".into(),
            spec: application.spec,
            status: outside.status.clone(),
            ..AppFacts::default()
        },
        source: Ok(source.clone()),
        kinds: Arc::new(built_in_kinds()),
        destination_namespace: DestinationNamespace::Exists,
        live: outside
            .objects
            .iter()
            .map(|(key, object)| (key.clone(), live(key, object, fresh)))
            .collect(),
        unlisted: Default::default(),
        // Right after a start nobody has tried to open what is not known to have changed.
        opening: outside
            .objects
            .keys()
            .filter(|_| !fresh)
            .map(|key| (key.clone(), Ok(())))
            .collect(),
        unsealer: Unsealer::Ours,
        own_namespace: "signet".into(),
        application_namespaces: Vec::new(),
        allow_file_repositories: false,
        applications: Arc::new(["shop".to_owned()].into()),
        another_controller: false,
    }
}

fn live(key: &ObjectKey, object: &Object, fresh: bool) -> Live {
    let status = if object.healthy {
        HealthStatus::Healthy
    } else {
        HealthStatus::Progressing
    };
    let rule = key.kind != "ConfigMap";
    Live {
        uid: format!("uid-{}", object.uid),
        resource_version: "1".into(),
        tracking: Some(object.tracking.clone()),
        metadata: json!({"annotations": {"argocd.argoproj.io/sync-wave": object.wave.to_string()}}),
        deleting: object.deleting,
        health: rule.then(|| Health {
            status,
            message: String::new(),
        }),
        state: match object.wanted {
            Some(hash) if !fresh => LiveState::Matches(hash),
            _ => LiveState::Unverified,
        },
        takes: Vec::new(),
    }
}

/// One life of the process: passes until nothing is due, or until it is killed.
fn live_through(outside: &mut Outside, source: &Source, kill: Option<usize>) -> Result<(), Killed> {
    let mut fresh = true;
    for pass in 0..PASSES {
        let world = observe(outside, source, fresh, pass);
        let plan = plan(&world);
        if plan
            .steps
            .iter()
            .any(|step| step.step == Step::ClaimInventory)
        {
            outside.write(kill)?;
            outside.status = claim(&world, &plan).status;
        }
        let mut outcomes = Vec::new();
        for step in &plan.steps {
            outcomes.push(outside.execute(step, &source.desired, kill)?);
        }
        let report = report(&world, &plan, &outcomes);
        if report.patch(&outside.status, "1").is_some() {
            outside.write(kill)?;
            outside.status = report.status;
        }
        let running = outside
            .status
            .operation_state
            .as_ref()
            .is_some_and(|state| state.phase == "Running");
        if plan.steps.is_empty() && !running {
            return Ok(());
        }
        fresh = false;
        outside.settle();
    }
    panic!("no end after {PASSES} passes");
}

fn inventory(outside: &Outside) -> Vec<(String, String, String)> {
    let resources = outside.status.resources.iter();
    resources
        .map(|resource| {
            (
                resource.kind.clone(),
                resource.name.clone(),
                resource.status.clone(),
            )
        })
        .collect()
}

/// What may differ by the order of uids only.
fn objects(outside: &Outside) -> BTreeMap<ObjectKey, (usize, usize)> {
    outside
        .objects
        .iter()
        .map(|(key, object)| (key.clone(), (object.created, object.changed)))
        .collect()
}

fn check(killed: &Outside, undisturbed: &Outside, after: usize) {
    assert_eq!(
        objects(killed),
        objects(undisturbed),
        "killed after write {after}"
    );
    assert_eq!(
        inventory(killed),
        inventory(undisturbed),
        "killed after write {after}"
    );
    let revisions = |outside: &Outside| -> Vec<(i64, String)> {
        outside
            .status
            .history
            .iter()
            .map(|entry| (entry.id, entry.revision.clone()))
            .collect()
    };
    assert_eq!(
        revisions(killed),
        revisions(undisturbed),
        "killed after write {after}"
    );
    let phase = killed
        .status
        .operation_state
        .as_ref()
        .map(|state| state.phase.as_str());
    assert_eq!(phase, Some("Succeeded"), "killed after write {after}");
}

fn killed_after_every_write(before: &Outside, source: &Source) {
    let mut undisturbed = before.clone();
    live_through(&mut undisturbed, source, None)
        .ok()
        .expect("nobody killed it");
    let first = before.writes;
    assert!(
        undisturbed.writes - first >= 50,
        "only {} writes",
        undisturbed.writes - first
    );
    for after in first..undisturbed.writes {
        let mut outside = before.clone();
        assert!(
            live_through(&mut outside, source, Some(after)).is_err(),
            "nothing was killed after write {after}"
        );
        live_through(&mut outside, source, None)
            .ok()
            .expect("nobody killed it");
        check(&outside, &undisturbed, after);
    }
}

#[test]
fn a_first_sync_killed_after_any_write_ends_like_an_undisturbed_one() {
    killed_after_every_write(&Outside::default(), &source("web:1"));
}

#[test]
fn a_second_sync_that_changes_and_prunes_ends_the_same_too() {
    let mut first = Outside::default();
    live_through(&mut first, &source("web:1"), None)
        .ok()
        .expect("nobody killed it");
    killed_after_every_write(&first, &source("web:2"));
}
