//! The plan as people read it: golden tests, `signet app diff` and the log print the same text.
//! It names objects and fields and has no value of one to print.

use std::collections::BTreeSet;
use std::fmt;

use crate::dialect::{ApplyMode, Finalizer};
use crate::restart::plan::named;
use crate::sync::plan::{
    Compared, Comparison, Condition, Decision, Difference, Ending, Initiator, Operation, Plan,
    PlannedStep, Scope, Step, SyncStatus,
};
use crate::sync::world::Health;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(reason) = &self.hands_off {
            return writeln!(f, "hands off: {reason}");
        }
        if let Some(held_back) = &self.held_back {
            writeln!(
                f,
                "held back until {}: {}",
                held_back.until, held_back.revisions
            )?;
            return write_conditions(f, &held_back.conditions);
        }
        match &self.comparison {
            Some(comparison) => write_comparison(f, comparison)?,
            None => writeln!(f, "sync: not compared")?,
        }
        if let Some(health) = &self.health {
            writeln!(f, "health: {}", HealthText(health))?;
        }
        write_conditions(f, &self.conditions)?;
        if let Some(operation) = &self.operation {
            write_operation(f, operation)?;
        }
        write_steps(f, "now", &self.steps)?;
        write_steps(f, "later", &self.later)?;
        write_finalizers(f, "finalizer on", &self.finalizers.add)?;
        write_finalizers(f, "finalizer off", &self.finalizers.remove)?;
        match self.wake_at {
            Some(at) => writeln!(f, "wake at {at}"),
            None => Ok(()),
        }
    }
}

fn write_conditions(f: &mut fmt::Formatter<'_>, conditions: &[Condition]) -> fmt::Result {
    conditions.iter().try_for_each(|condition| {
        let Condition { kind, message } = condition;
        writeln!(f, "condition {}: {message}", kind.name())
    })
}

fn write_comparison(f: &mut fmt::Formatter<'_>, comparison: &Comparison) -> fmt::Result {
    writeln!(
        f,
        "sync: {} at {}",
        comparison.status.name(),
        comparison.revisions
    )?;
    if let Some(namespace) = &comparison.namespace {
        writeln!(f, "  {namespace}: labels or annotations are not as managed")?;
    }
    for (key, compared) in &comparison.objects {
        writeln!(f, "  {key}: {compared}")?;
    }
    Ok(())
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.status.name())?;
        if !self.slot.is_ordinary() {
            write!(f, ", {}", self.slot)?;
        }
        if let Some(difference) = &self.difference {
            write!(f, ", {difference}")?;
        }
        if self.requires_pruning {
            f.write_str(", requires pruning")?;
        }
        if self.ignored {
            f.write_str(", does not count")?;
        }
        match &self.health {
            Some(health) if self.status != SyncStatus::Unknown => {
                write!(f, ", {}", HealthText(health))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("not in the cluster"),
            Self::Finished => f.write_str("removed itself when it was done"),
            Self::Changed => f.write_str("changed in Git"),
            Self::Drift(fields) => write!(f, "drift in {}", fields.join(", ")),
            Self::Immutable(why) => write!(f, "can't be changed in place: {why}"),
            Self::Deleting => f.write_str("being deleted"),
            Self::Extra => f.write_str("no longer in Git"),
            Self::Kept(guard) => write!(f, "no longer in Git, kept: {guard}"),
            Self::Doubt(doubt) => write!(f, "no longer in Git, in doubt: {doubt}"),
            Self::OutOfReach => f.write_str("no longer in Git, and its kind is no longer known"),
            Self::Unverified => f.write_str("not compared yet"),
            Self::Unlisted => f.write_str("objects of its kind can't be listed"),
            Self::UnknownKind => f.write_str("kind unknown to the cluster"),
            Self::AwaitsKind => f.write_str("kind to be established by this source"),
            Self::KindUnavailable => f.write_str("the kind's API does not answer"),
            Self::Shared(owner) => write!(f, "belongs to Application {owner}"),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::Forbidden(why) | Self::Unreadable(why) => f.write_str(why),
        }
    }
}

struct HealthText<'a>(&'a Health);

impl fmt::Display for HealthText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.message.as_str() {
            "" => write!(f, "{:?}", self.0.status),
            message => write!(f, "{:?} ({message})", self.0.status),
        }
    }
}

fn write_operation(f: &mut fmt::Formatter<'_>, operation: &Operation) -> fmt::Result {
    let verb = match operation.decision {
        Decision::Start => "start",
        Decision::Continue => "continue",
        Decision::Retry => "try again",
        Decision::Wait(_) => "wait to try again",
    };
    let who = match &operation.initiator {
        Initiator::Automated => "the automated sync".to_owned(),
        Initiator::Requested(name) => format!("the sync of {name:?}"),
    };
    write!(f, "operation: {verb}: {who}")?;
    if !operation.revisions.is_empty() {
        write!(f, " to {}", operation.revisions)?;
    }
    if operation.prune {
        f.write_str(", pruning")?;
    }
    if operation.dry_run {
        f.write_str(", as a dry-run")?;
    } else if operation.scope == Scope::Whole && !operation.runs_hooks {
        f.write_str(", without hooks")?;
    }
    if operation.apply.mode == ApplyMode::Replace {
        f.write_str(", replacing")?;
    }
    if operation.apply.force {
        f.write_str(", by force")?;
    }
    if let Scope::Objects(keys) = &operation.scope {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        write!(f, ", only {}", keys.join(", "))?;
    }
    writeln!(f)?;
    for (key, left_out) in &operation.left_out {
        writeln!(
            f,
            "  left out: {key}: {}: {}",
            left_out.reason.name(),
            left_out.message
        )?;
    }
    for state in &operation.hooks {
        write!(f, "  {}: {}", state.run, state.phase.name())?;
        match state.message.as_str() {
            "" => writeln!(f)?,
            message => writeln!(f, " ({message})")?,
        }
    }
    match &operation.ending {
        Ending::Open(waiting) => writeln!(f, "  then: {waiting}"),
        Ending::AfterSteps if !operation.falls_short() => {
            writeln!(f, "  then: succeeded, if every step is")
        }
        Ending::AfterSteps => writeln!(f, "  then: failed, for what is left out"),
        Ending::Failed(why) => writeln!(f, "  then: failed: {why}"),
        Ending::Over(phase, why) => writeln!(f, "  then: {}: {why}", phase.name()),
    }
}

fn write_steps(f: &mut fmt::Formatter<'_>, title: &str, steps: &[PlannedStep]) -> fmt::Result {
    if steps.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}:")?;
    steps.iter().try_for_each(|step| writeln!(f, "  {step}"))
}

fn write_finalizers(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    finalizers: &BTreeSet<Finalizer>,
) -> fmt::Result {
    let names = finalizers
        .iter()
        .flat_map(|finalizer| finalizer.names().first());
    names
        .into_iter()
        .try_for_each(|name| writeln!(f, "{title}: {name}"))
}

impl fmt::Display for PlannedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.slot.is_ordinary() {
            true => write!(f, "{}", self.step),
            false => write!(f, "{} ({})", self.step, self.slot),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClaimInventory => f.write_str("claim the inventory"),
            Self::CreateNamespace(name) => write!(f, "create Namespace {name}"),
            Self::ApplyNamespace(name) => {
                write!(f, "apply labels and annotations of Namespace {name}")
            }
            Self::Verify { key, urgent: true } => write!(f, "compare closely {key}"),
            Self::Verify { key, urgent: false } => write!(f, "compare closely {key}, paced"),
            Self::Apply(key) => write!(f, "apply {key}"),
            Self::Merge(key) => write!(f, "merge {key}"),
            Self::Replace(key) => write!(f, "replace {key}"),
            Self::Unseal(key) => write!(f, "unseal {key}"),
            Self::Await(key) => write!(f, "await the unsealing of {key}"),
            Self::WaitHealthy(keys) => write!(f, "wait until healthy: {}", list(keys)),
            Self::NoteSecrets(note) => {
                let key = &note.key;
                write!(f, "note which Secrets the Pods of {key} were started with")
            }
            Self::Restart { note, changed } => {
                let (key, changed) = (&note.key, named(changed));
                write!(f, "restart {key}, since Secrets have changed: {changed}")
            }
            Self::WaitApproval(keys) => {
                write!(
                    f,
                    "wait until somebody approves the deletion of {}",
                    list(keys)
                )
            }
            Self::WaitGone(keys) => write!(f, "wait until gone: {}", list(keys)),
            Self::Delete {
                key, propagation, ..
            } => write!(f, "delete {key}, {propagation:?} propagation"),
            Self::DryRun { step, asks: true } => write!(f, "dry-run: {step}"),
            Self::DryRun { step, asks: false } => write!(f, "dry-run, not asked yet: {step}"),
            Self::RunHook(run) => write!(f, "run {run}"),
            Self::WaitHooks(runs) => write!(f, "wait until done: {}", list(runs)),
            Self::ReleaseHook { key, .. } => write!(f, "take our finalizer off {key}"),
            Self::DeleteHook { key, .. } => write!(f, "delete {key}, which a hook made"),
        }
    }
}

fn list(things: &[impl fmt::Display]) -> String {
    things
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
