//! The status without its operation: sync, health, inventory, conditions, summary.
//! Times move only when what they date has changed.

use crds::{
    ApplicationCondition, ApplicationStatus, ApplicationSummary, ComparedTo,
    HealthStatus as StoredHealth, ResourceStatus, SyncStatus as StoredSync,
};

use super::{AppMetrics, time};
use crate::sync::aggregate::{Member, aggregate, counts};
use crate::sync::key::ObjectKey;
use crate::sync::outcome::{Done, Outcome};
use crate::sync::plan::comparison::{is_present, is_unseen, named};
use crate::sync::plan::recorded;
use crate::sync::plan::{
    Compared, Comparison, Condition, ConditionKind, OperationPhase, Plan, Step, SyncStatus,
};
use crate::sync::revisions::{Revisions, sources_of};
use crate::sync::world::{Health, HealthStatus, World};

/// Longest text of a condition or message: a status has to stay far below etcd's limit.
pub(super) const LONGEST_TEXT: usize = 1024;
/// So many conditions at most.
const CONDITIONS: usize = 50;

/// The status after these outcomes; the operation is as it was.
pub(super) fn status(world: &World, plan: &Plan, outcomes: &[Outcome]) -> ApplicationStatus {
    let mut status = world.application.status.clone();
    status.conditions = conditions(world, plan, outcomes);
    if let Some(comparison) = &plan.comparison {
        let settled = settled(comparison, outcomes);
        status.resources = settled
            .iter()
            .map(|(key, compared)| resource(key, compared))
            .collect();
        status.sync = Some(sync(
            world,
            &comparison.revisions,
            overall(comparison, &settled, outcomes),
        ));
        if let Ok(source) = &world.source {
            let types = source
                .source_types
                .iter()
                .map(|tool| tool.as_str().to_owned());
            match world.application.spec.sources.is_empty() {
                true => status.source_type = types.collect(),
                false => status.source_types = types.collect(),
            }
        }
        status.controller_namespace.clone_from(&world.own_namespace);
        status.resource_health_source = "appTree".into();
        status.summary = summary(world, &status);
        let health = health_after(world, comparison, outcomes).or_else(|| plan.health.clone());
        status.health = Some(dated(world, health));
    } else if world.application.deletion_timestamp.is_none() {
        let revisions = recorded::compared(&status).unwrap_or_default();
        status.sync = Some(sync(world, &revisions, SyncStatus::Unknown));
        status.health = Some(dated(world, plan.health.clone()));
    }
    status
}

/// The comparison as the outcomes have changed it: what was applied is as wanted.
fn settled<'a>(comparison: &'a Comparison, outcomes: &[Outcome]) -> Vec<(&'a ObjectKey, Compared)> {
    let applied: std::collections::BTreeSet<&ObjectKey> = outcomes
        .iter()
        .filter(|outcome| outcome.result.is_ok())
        .filter_map(|outcome| outcome.step.step.written())
        .collect();
    let settle = |(key, compared): (&'a ObjectKey, &Compared)| {
        let mut compared = compared.clone();
        if applied.contains(key) {
            compared.status = SyncStatus::Synced;
            compared.difference = None;
        }
        (key, compared)
    };
    comparison.objects.iter().map(settle).collect()
}

fn overall(
    comparison: &Comparison,
    settled: &[(&ObjectKey, Compared)],
    outcomes: &[Outcome],
) -> SyncStatus {
    let objects = settled.iter().map(|(_, compared)| compared);
    let objects = crate::sync::plan::comparison::overall(objects);
    let is_applied = |outcome: &Outcome| {
        matches!(outcome.step.step, Step::ApplyNamespace(_)) && outcome.result.is_ok()
    };
    let namespace = comparison.namespace.as_ref();
    let namespace = namespace.filter(|_| !outcomes.iter().any(is_applied));
    crate::sync::plan::namespace::lowers(namespace, objects)
}

fn resource(key: &ObjectKey, compared: &Compared) -> ResourceStatus {
    ResourceStatus {
        group: key.group().to_owned(),
        version: compared.version.clone(),
        kind: key.kind().to_owned(),
        namespace: key.namespace_or_empty().to_owned(),
        name: key.name().to_owned(),
        status: compared.status.name().into(),
        requires_pruning: compared.requires_pruning,
        requires_deletion_confirmation: compared.asks,
        sync_wave: compared.slot.wave.into(),
        ..ResourceStatus::default()
    }
}

/// The same objects in the same order, however they stand.
pub(super) fn lists_the_same(these: &[ResourceStatus], those: &[ResourceStatus]) -> bool {
    these.iter().map(identity).eq(those.iter().map(identity))
}

fn identity(resource: &ResourceStatus) -> [&str; 4] {
    let ResourceStatus {
        group,
        kind,
        namespace,
        name,
        ..
    } = resource;
    [group, kind, namespace, name].map(String::as_str)
}

fn sync(world: &World, revisions: &Revisions, status: SyncStatus) -> StoredSync {
    let spec = &world.application.spec;
    let (revision, revisions) = revisions.fields(spec);
    let (source, sources) = sources_of(spec);
    StoredSync {
        status: status.name().into(),
        revision,
        revisions,
        compared_to: Some(ComparedTo {
            source,
            sources,
            destination: spec.destination.clone(),
            ignore_differences: spec.ignore_differences.clone(),
            ..ComparedTo::default()
        }),
        ..StoredSync::default()
    }
}

fn summary(world: &World, status: &ApplicationStatus) -> Option<ApplicationSummary> {
    let source = world.source.as_ref().ok()?;
    let summary = ApplicationSummary {
        images: source.desired.images.iter().cloned().collect(),
        ..status.summary.clone().unwrap_or_default()
    };
    (summary != ApplicationSummary::default()).then_some(summary)
}

/// Health right after objects were created: what has a rule is on its way until its status is seen.
fn health_after(world: &World, comparison: &Comparison, outcomes: &[Outcome]) -> Option<Health> {
    let created: std::collections::BTreeSet<&ObjectKey> = outcomes
        .iter()
        .filter(|outcome| matches!(outcome.result, Ok(Done::Created(_))))
        .filter_map(|outcome| outcome.step.step.written())
        .collect();
    if created.is_empty() {
        return None;
    }
    let starting = Health {
        status: HealthStatus::Progressing,
        message: String::new(),
    };
    let desired = &world.source.as_ref().ok()?.desired;
    let members = comparison.objects.iter().map(|(key, compared)| Member {
        key,
        health: match created.contains(key) && is_judged(world, key) {
            true => Some(&starting),
            false => compared.health.as_ref(),
        },
        present: created.contains(key) || is_present(world, key, compared),
        counts: counts(world, desired, key) && !is_unseen(compared),
    });
    Some(aggregate(&members.collect::<Vec<_>>()))
}

/// By a rule or a script: what a status may say later is left to later.
fn is_judged(world: &World, key: &ObjectKey) -> bool {
    health::has_rule(key.group(), key.kind())
        || world.customizations.has_script(key.group(), key.kind())
}

/// What the metrics say: the words of the status.
pub(super) fn metrics(status: &ApplicationStatus, ended: Option<OperationPhase>) -> AppMetrics {
    let sync = status.sync.as_ref().map(|sync| sync.status.as_str());
    let health = status
        .health
        .as_ref()
        .map(|health| health.status.as_str())
        .unwrap_or_default();
    AppMetrics {
        sync: match sync {
            Some("Synced") => SyncStatus::Synced,
            Some("OutOfSync") => SyncStatus::OutOfSync,
            _ => SyncStatus::Unknown,
        },
        health: HealthStatus::named(health).unwrap_or(HealthStatus::Unknown),
        ended,
    }
}

fn dated(world: &World, health: Option<Health>) -> StoredHealth {
    let (status, message) = match health {
        Some(health) => (health.status.name(), short(&health.message)),
        None => (HealthStatus::Unknown.name(), String::new()),
    };
    let stored = world.application.status.health.as_ref();
    let since = stored
        .filter(|stored| stored.status == status)
        .and_then(|stored| stored.last_transition_time.clone());
    StoredHealth {
        status: status.into(),
        message,
        last_transition_time: since.or_else(|| Some(time(world.now))),
        ..StoredHealth::default()
    }
}

fn conditions(world: &World, plan: &Plan, outcomes: &[Outcome]) -> Vec<ApplicationCondition> {
    let dated = |condition: &Condition| {
        let mut new = ApplicationCondition {
            type_: condition.kind.name().into(),
            message: short(&condition.message),
            ..ApplicationCondition::default()
        };
        let stored = world.application.status.conditions.iter();
        let since =
            stored.filter(|stored| stored.type_ == new.type_ && stored.message == new.message);
        let since = since
            .filter_map(|stored| stored.last_transition_time.clone())
            .next();
        new.last_transition_time = since.or_else(|| Some(time(world.now)));
        new
    };
    let undeleted = undeleted(world, outcomes);
    let all = plan.conditions.iter().chain(&undeleted);
    all.take(CONDITIONS).map(dated).collect()
}

/// What a deletion could not do. No operation would tell of it.
fn undeleted(world: &World, outcomes: &[Outcome]) -> Option<Condition> {
    let failed = outcomes.iter().filter_map(|outcome| {
        let failure = outcome.result.as_ref().err()?;
        Some(failure.message.clone())
    });
    let failed = named(&failed.collect::<Vec<_>>())?;
    let deleting = world.application.deletion_timestamp.is_some();
    deleting.then(|| Condition::new(ConditionKind::DeletionError, failed))
}

/// A text cut to what a status can hold.
pub(super) fn short(text: &str) -> String {
    cut(text, LONGEST_TEXT)
}

/// A text of at most `longest` characters.
pub(super) fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
