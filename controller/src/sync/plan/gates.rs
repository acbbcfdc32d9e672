//! What has to be in order before anything is compared: spec, project, source. And, object by object, what the
//! project permits. Every refusal is told by name; none is decided from anything but the World.

use crate::access::{Claim, Project};
use crate::dialect::{Destination, Intent, Marks};
use crate::sync::desired::Wanted;
use crate::sync::key::ObjectKey;
use crate::sync::plan::comparison::{Terms, named};
use crate::sync::plan::dependencies;
use crate::sync::plan::inventory;
use crate::sync::plan::order::is_sealed_secret;
use crate::sync::plan::recorded;
use crate::sync::plan::{Comparison, Condition, ConditionKind, Difference};
use crate::sync::world::{Live, SourceReason, Unsealer, World};

/// Why nothing is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sync) struct Stop {
    pub(in crate::sync) conditions: Vec<Condition>,
    /// It may pass without anybody changing spec or source, so an operation that runs goes on waiting.
    pub(in crate::sync) passes: bool,
}

/// Why an Application of this namespace is left alone altogether, if it is.
pub(in crate::sync) fn hands_off(
    namespace: &str,
    another_controller: bool,
    marks: &Marks,
) -> Option<String> {
    if another_controller {
        return Some(format!(
            "AnotherController: an Argo CD application controller with replicas lives in namespace {namespace}"
        ));
    }
    marks
        .skip_reconcile
        .then(|| "its annotation says to skip it".to_owned())
}

/// The terms on which a comparison is made.
pub(in crate::sync) fn terms(world: &World) -> Result<Terms<'_>, Stop> {
    let (intent, project) = policy(world)?;
    if let Some(circle) = dependencies::circle(world) {
        let condition = Condition::new(ConditionKind::InvalidSpecError, circle);
        return Err(stop(vec![condition], false));
    }
    let source = world.source.as_ref().map_err(|problem| {
        let condition = Condition::new(ConditionKind::ComparisonError, problem.to_string());
        stop(vec![condition], problem.reason == SourceReason::Fetch)
    })?;
    Ok(Terms {
        intent,
        project,
        source,
        options: inventory::options(world),
    })
}

/// Spec and project, when both are in order and agree.
pub(in crate::sync) fn policy(world: &World) -> Result<(&Intent, &Project), Stop> {
    let invalid = |texts: Vec<String>| {
        let conditions = texts
            .into_iter()
            .map(|text| Condition::new(ConditionKind::InvalidSpecError, text));
        stop(conditions.collect(), false)
    };
    let intent = world
        .intent
        .as_ref()
        .map_err(|refusals| invalid(texts(refusals)))?;
    let project = world
        .project
        .as_ref()
        .map_err(|denied| invalid(texts(denied)))?;
    let checks = [
        project.permits_application_namespace(
            &world.application.namespace,
            &world.own_namespace,
            &world.application_namespaces,
        ),
        project.permits_destination(&intent.destination),
    ];
    let sources = intent
        .sources
        .iter()
        .map(|source| project.permits_source(&source.repo_url, world.allow_file_repositories));
    let denied: Vec<_> = checks
        .into_iter()
        .chain(sources)
        .filter_map(Result::err)
        .collect();
    match denied.is_empty() {
        true => Ok((intent, project)),
        false => Err(invalid(texts(&denied))),
    }
}

fn stop(conditions: Vec<Condition>, passes: bool) -> Stop {
    Stop { conditions, passes }
}

fn texts(refusals: &[impl ToString]) -> Vec<String> {
    refusals.iter().map(ToString::to_string).collect()
}

impl Stop {
    /// All of it in one line, for an operation that can't run.
    pub(in crate::sync) fn message(&self) -> String {
        let texts: Vec<String> = self
            .conditions
            .iter()
            .map(|condition| condition.message.clone())
            .collect();
        named(&texts).unwrap_or_default()
    }
}

/// Whether the project permits a wanted object, and the live one that it would overwrite.
pub(in crate::sync) fn permits_wanted(
    world: &World,
    terms: &Terms<'_>,
    wanted: &Wanted,
) -> Result<(), String> {
    let key = &wanted.key;
    let claim = Claim::of(
        key.group(),
        key.kind(),
        key.namespace(),
        key.name(),
        &wanted.object,
    );
    permits(world, terms.project, &terms.intent.destination, &claim)?;
    world.live.get(key).map_or(Ok(()), |live| {
        permits_live(world, terms.project, &terms.intent.destination, key, live)
    })
}

/// Whether the project permits that a live object is changed or deleted.
pub(in crate::sync) fn permits_live(
    world: &World,
    project: &Project,
    destination: &Destination,
    key: &ObjectKey,
    live: &Live,
) -> Result<(), String> {
    let claim = Claim::of_live(
        key.group(),
        key.kind(),
        key.namespace(),
        key.name(),
        &live.metadata,
    );
    permits(world, project, destination, &claim)
}

/// Whether the project permits it now, wherever the spec points to and whether or not it is in order. Without a project nothing is permitted.
pub(in crate::sync) fn permits_still(world: &World, key: &ObjectKey, live: &Live) -> bool {
    let in_cluster = || Destination {
        server: "https://kubernetes.default.svc".into(),
        name: "in-cluster".into(),
        namespace: world.application.spec.destination.namespace.clone(),
    };
    let intent = world.intent.as_ref();
    let destination = intent.map_or_else(|_| in_cluster(), |intent| intent.destination.clone());
    let project = world.project.as_ref();
    project.is_ok_and(|project| permits_live(world, project, &destination, key, live).is_ok())
}

/// Whether the project permits that the destination namespace is made.
pub(in crate::sync) fn permits_namespace(world: &World, terms: &Terms<'_>) -> Result<(), String> {
    let claim = Claim::of_namespace(&terms.intent.destination.namespace);
    permits(world, terms.project, &terms.intent.destination, &claim)
}

fn permits(
    world: &World,
    project: &Project,
    destination: &Destination,
    claim: &Claim<'_>,
) -> Result<(), String> {
    let permitted = project.permits_object(claim, destination, &world.own_namespace);
    permitted.map_err(|denied| denied.to_string())
}

/// The source was not synced as a whole at this revision yet.
pub(in crate::sync) fn is_new_revision(world: &World, terms: &Terms<'_>) -> bool {
    recorded::synced(&world.application).as_ref() != Some(&terms.source.revisions)
}

/// SealedSecrets of a new revision of which is not known yet whether they are new or changed, and that are not known to
/// open: they are compared before anything of the revision is applied.
pub(in crate::sync) fn in_question<'a>(
    world: &'a World,
    terms: &'a Terms<'_>,
    comparison: &'a Comparison,
) -> impl Iterator<Item = &'a ObjectKey> {
    let asks = world.unsealer == Unsealer::Ours && is_new_revision(world, terms);
    let in_question = move |key: &&ObjectKey| {
        let difference = comparison.difference(key);
        asks && is_sealed_secret(key)
            && matches!(difference, Some(Difference::Unverified))
            && !matches!(world.opening.get(*key), Some(Ok(())))
    };
    terms.source.desired.order.iter().filter(in_question)
}
