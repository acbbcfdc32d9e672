//! Applications that have to work before one is synced: what it waits for, and circles, which would wait for ever.
//! Of an Application of another project and namespace it does not even tell that it is there.

use std::collections::{BTreeMap, VecDeque};

use crate::dialect::ApplicationName;
use crate::dialect::signet::DEPENDS_ON;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::operation::is_running;
use crate::sync::plan::recorded;
use crate::sync::plan::{Initiator, Operation};
use crate::sync::revisions::is_about;
use crate::sync::world::{Dependency, World};

/// What an operation waits for before it begins. One that has done something goes on, and a heal waits for nobody.
pub(super) fn awaited(world: &World, terms: &Terms<'_>, operation: &Operation) -> Option<String> {
    if has_begun(world, operation) || operation.heals() {
        return None;
    }
    terms.intent.depends_on.iter().find_map(|name| {
        let why = why_not(world, terms, operation, name)?;
        Some(format!(
            "waiting for Application {}: {why}",
            shown(world, name)
        ))
    })
}

fn has_begun(world: &World, operation: &Operation) -> bool {
    let state = recorded::operation(&world.application).filter(|_| !operation.starts());
    let result = state.and_then(|state| state.sync_result.as_ref());
    result.is_some_and(|result| !result.resources.is_empty())
}

/// Why a dependency does not work yet.
fn why_not(
    world: &World,
    terms: &Terms<'_>,
    operation: &Operation,
    name: &ApplicationName,
) -> Option<String> {
    let project = terms.project.name();
    let neighbour = name.namespace == world.application.namespace;
    let of_project = |found: &&Dependency| {
        let intent = found.intent.as_ref();
        neighbour || intent.is_some_and(|intent| intent.project == project)
    };
    let Some(found) = world.dependencies.get(name).filter(of_project) else {
        return Some(match neighbour {
            true => "there is no such Application".to_owned(),
            false => format!("there is no such Application in project {project}"),
        });
    };
    let application = &found.application;
    let status = &application.status;
    let sync = status.sync.clone().unwrap_or_default();
    let compared = sync.compared_to.unwrap_or_default();
    let spec = &application.spec;
    let health = status.health.clone().unwrap_or_default();
    let automated = operation.initiator == Initiator::Automated;
    if application.deletion_timestamp.is_some() {
        Some("it is being deleted".to_owned())
    } else if application.operation.is_some()
        || status.operation_state.as_ref().is_some_and(is_running)
    {
        Some("it is being synced".to_owned())
    } else if !is_about(compared.source.as_ref(), &compared.sources, spec)
        || compared.destination != spec.destination
    {
        Some("it was not compared since it was made or changed".to_owned())
    } else if automated && is_behind(terms, found) {
        Some("it was not compared at the newest revision yet".to_owned())
    } else {
        [(sync.status, "Synced"), (health.status, "Healthy")]
            .into_iter()
            .find(|(found, wanted)| found != wanted)
            .map(|(found, _)| found)
    }
}

/// It has a source in common, which it was last compared with at another revision.
fn is_behind(terms: &Terms<'_>, found: &Dependency) -> bool {
    let stands_at = recorded::compared(&found.application.status).unwrap_or_default();
    let theirs = found.intent.iter().flat_map(|intent| &intent.sources);
    let theirs: BTreeMap<_, _> = theirs
        .zip(stands_at.all())
        .map(|(source, revision)| ((&source.repo_url, &source.revision), revision))
        .collect();
    let ours = terms.intent.sources.iter();
    let mut ours = ours.zip(terms.source.revisions.all());
    ours.any(|(source, revision)| {
        let other = theirs.get(&(&source.repo_url, &source.revision));
        other.is_some_and(|other| *other != revision)
    })
}

/// The shortest circle that leads from the Application back to it.
pub(super) fn circle(world: &World) -> Option<String> {
    let own = ApplicationName {
        namespace: world.application.namespace.clone(),
        name: world.application.name.clone(),
    };
    let direct = &world.intent.as_ref().ok()?.depends_on;
    let mut before: BTreeMap<&ApplicationName, &ApplicationName> = BTreeMap::new();
    let mut open: VecDeque<(&ApplicationName, &ApplicationName)> =
        direct.iter().map(|name| (name, &own)).collect();
    while let Some((name, from)) = open.pop_front() {
        if before.contains_key(name) {
            continue;
        }
        before.insert(name, from);
        if *name == own {
            return Some(told(world, &own, &before));
        }
        let intent = world
            .dependencies
            .get(name)
            .and_then(|found| found.intent.as_ref());
        let further = intent.into_iter().flat_map(|intent| &intent.depends_on);
        open.extend(further.map(|further| (further, name)));
    }
    None
}

fn told(
    world: &World,
    own: &ApplicationName,
    before: &BTreeMap<&ApplicationName, &ApplicationName>,
) -> String {
    let mut names = vec![shown(world, own)];
    let mut at = own;
    while let Some(&from) = before.get(at) {
        names.push(shown(world, from));
        at = from;
        if at == own {
            break;
        }
    }
    names.reverse();
    let circle = names.join(" → ");
    format!("annotation {DEPENDS_ON}: found a dependency cycle: {circle}")
}

/// Without the namespace where it is the Application's own.
fn shown(world: &World, name: &ApplicationName) -> String {
    match name.namespace == world.application.namespace {
        true => name.name.clone(),
        false => format!("{}/{}", name.namespace, name.name),
    }
}
