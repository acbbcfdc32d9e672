//! A cluster made of maps: what survives when the process is killed.
//! It decides nothing: it does what a step says.

use std::collections::BTreeMap;

use controller::dialect;
use controller::sync::desired::{Desired, WantedHash};
use controller::sync::items::Items;
use controller::sync::key::ObjectKey;
use controller::sync::outcome::{Done, Outcome};
use controller::sync::plan::{HookRun, PlannedStep, Step};
use controller::sync::report::Report;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    pub(crate) uid: usize,
    pub(crate) tracking: String,
    pub(crate) wanted: Option<WantedHash>,
    pub(crate) annotations: Value,
    /// A hook made it: our finalizer is on it.
    pub(crate) held: bool,
    /// It goes by itself once it has come to its end.
    pub(crate) temporary: bool,
    pub(crate) deleting: bool,
    pub(crate) healthy: bool,
    pub(crate) created: usize,
    pub(crate) changed: usize,
}

/// What survives a kill.
#[derive(Clone, Default)]
pub(crate) struct Outside {
    pub(crate) objects: BTreeMap<ObjectKey, Object>,
    pub(crate) status: crds::ApplicationStatus,
    pub(crate) finalizers: Vec<String>,
    /// Somebody deletes the Application.
    pub(crate) deleted: bool,
    /// How often each run of a hook made its object.
    pub(crate) runs: BTreeMap<(ObjectKey, String), usize>,
    /// Names of objects that never work.
    pub(crate) broken: &'static [&'static str],
    pub(crate) uids: usize,
    pub(crate) writes: usize,
}

/// The process was killed.
pub(crate) struct Killed;

impl Outside {
    /// One more write reaches the cluster; the process may not live to see the next.
    pub(crate) fn write(&mut self, kill_after: Option<usize>) -> Result<(), Killed> {
        if kill_after == Some(self.writes) {
            return Err(Killed);
        }
        self.writes += 1;
        Ok(())
    }

    /// Time passes: what was made works now, what was deleted is gone, unless it is held.
    pub(crate) fn settle(&mut self) {
        self.objects
            .retain(|_, object| !object.deleting || object.held);
        for object in self.objects.values_mut() {
            object.deleting |= object.temporary && object.healthy;
            object.healthy = true;
        }
    }

    /// What a report writes to the Application.
    pub(crate) fn told(&mut self, report: Report) {
        self.status = report.status;
        self.finalizers = report.finalizers.unwrap_or_else(|| self.finalizers.clone());
    }

    pub(crate) fn execute(
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
                Done::Created(Items::default())
            }
            Step::RunHook(run) => self.run_hook(run, desired, kill)?,
            Step::ReleaseHook { key, .. } => {
                self.write(kill)?;
                self.objects.get_mut(key).expect("it was seen").held = false;
                Done::Configured(Items::default())
            }
            Step::DeleteHook { key, .. } => {
                self.write(kill)?;
                self.objects.get_mut(key).expect("it was seen").held = false;
                self.write(kill)?;
                self.objects.get_mut(key).expect("it was seen").deleting = true;
                Done::Deleted
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
            annotations: wanted.object["metadata"]["annotations"].clone(),
            held: false,
            temporary: false,
            deleting: false,
            healthy: false,
            created: 1,
            changed: 0,
        };
        match self.objects.get_mut(key) {
            Some(object) => {
                object.wanted = hash;
                object.changed += 1;
                Ok(Done::Configured(Items::default()))
            }
            None => {
                self.objects.insert(key.clone(), new);
                Ok(Done::Created(Items::default()))
            }
        }
    }

    fn run_hook(
        &mut self,
        run: &HookRun,
        desired: &Desired,
        kill: Option<usize>,
    ) -> Result<Done, Killed> {
        self.write(kill)?;
        self.uids += 1;
        let made = desired.hooks[&run.id].made(&run.key, &run.run);
        let annotations = &made.object["metadata"]["annotations"];
        let object = Object {
            uid: self.uids,
            tracking: annotations[dialect::TRACKING_ANNOTATION]
                .as_str()
                .unwrap()
                .to_owned(),
            wanted: Some(made.hash),
            annotations: annotations.clone(),
            held: true,
            temporary: made.object["spec"]["ttlSecondsAfterFinished"].is_number(),
            deleting: false,
            healthy: false,
            created: 1,
            changed: 0,
        };
        let before = self.objects.insert(run.key.clone(), object);
        assert!(before.is_none(), "{run} runs over what is there");
        let identity = (run.key.clone(), run.run.clone());
        *self.runs.entry(identity).or_default() += 1;
        Ok(Done::Created(Items::default()))
    }
}
