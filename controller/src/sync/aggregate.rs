//! The one light of an Application: its worst object.
//! Objects without health count as fine, and single missing ones are a matter of sync: the message names them.

use crate::dialect;
use crate::sync::desired::Desired;
use crate::sync::key::ObjectKey;
use crate::sync::plan::comparison::named;
use crate::sync::world::{Health, HealthStatus, World};

/// So many culprits are named in the message.
const NAMED: usize = 3;

/// One object as the light sees it.
pub(crate) struct Member<'a> {
    pub(crate) key: &'a ObjectKey,
    pub(crate) health: Option<&'a Health>,
    pub(crate) present: bool,
    /// False for what says nothing about the Application: see [`counts`].
    pub(crate) counts: bool,
}

/// Whether an object's health is the Application's: it is wanted, is not the Application itself, and does not ask to be left out.
pub(crate) fn counts(world: &World, desired: &Desired, key: &ObjectKey) -> bool {
    let application = &world.application;
    let is_itself = is_application(key)
        && (key.namespace_or_empty(), key.name()) == (&*application.namespace, &*application.name);
    let wanted = desired.objects.get(key);
    !is_itself && wanted.is_some_and(|wanted| !dialect::ignores_health(&wanted.object["metadata"]))
}

fn is_application(key: &ObjectKey) -> bool {
    key.is("argoproj.io", "Application")
}

/// A child Application that is not there, or that nobody can judge, is its own affair.
fn is_own_affair(key: &ObjectKey, health: &Health) -> bool {
    is_application(key) && matches!(health.status, HealthStatus::Missing | HealthStatus::Unknown)
}

/// The worst of all members; `Missing` when things are expected and none is there.
pub(crate) fn aggregate(members: &[Member<'_>]) -> Health {
    let counted = || members.iter().filter(|member| member.counts);
    if counted().next().is_some() && counted().all(|member| !member.present) {
        return Health {
            status: HealthStatus::Missing,
            message: String::new(),
        };
    }
    let lights = || {
        let lights = counted().filter_map(|member| Some((member.key, member.health?)));
        lights.filter(|(key, health)| !is_own_affair(key, health))
    };
    let worst = lights()
        .map(|(_, health)| health.status)
        .max()
        .unwrap_or(HealthStatus::Healthy);
    let mut texts = match worst {
        HealthStatus::Healthy => Vec::new(),
        _ => culprits(lights().filter(|(_, health)| health.status == worst)),
    };
    let missing = counted().filter(|member| !member.present);
    let missing: Vec<String> = missing.map(|member| member.key.to_string()).collect();
    texts.extend(named(&missing).map(|missing| format!("missing: {missing}")));
    Health {
        status: worst,
        message: texts.join("; "),
    }
}

fn culprits<'a>(lights: impl Iterator<Item = (&'a ObjectKey, &'a Health)>) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut more = 0;
    for (key, health) in lights {
        match (texts.len() < NAMED, health.message.is_empty()) {
            (false, _) => more += 1,
            (true, true) => texts.push(key.to_string()),
            (true, false) => texts.push(format!("{key}: {}", health.message)),
        }
    }
    if more > 0 {
        texts.push(format!("and {more} more"));
    }
    texts
}

#[cfg(test)]
mod tests {
    use HealthStatus::{Degraded, Healthy, Missing, Progressing, Suspended, Unknown};

    use super::*;
    use crate::sync::key::GroupKind;

    fn pod(name: &str) -> ObjectKey {
        ObjectKey::new(&GroupKind::new("", "Pod"), Some("demo"), name)
    }

    fn light(status: HealthStatus) -> Health {
        Health {
            status,
            message: String::new(),
        }
    }

    /// What an Application of these objects shows, of which all are there.
    fn of(objects: &[(&ObjectKey, Health)]) -> Health {
        let member = |(key, health)| Member {
            key,
            health: Some(health),
            present: true,
            counts: true,
        };
        let members = objects.iter().map(|(key, health)| member((*key, health)));
        aggregate(&members.collect::<Vec<_>>())
    }

    #[test]
    fn of_the_six_lights_the_worse_is_shown_whichever_object_comes_first() {
        let (good, bad) = (pod("good"), pod("bad"));
        let from_best = [Healthy, Suspended, Progressing, Missing, Degraded, Unknown];
        for (place, worse) in from_best.into_iter().enumerate() {
            for better in from_best.into_iter().take(place) {
                let mut objects = [(&good, light(better)), (&bad, light(worse))];
                for _ in 0..2 {
                    let shown = of(&objects);
                    let expected = (worse, "Pod demo/bad".to_owned());
                    assert_eq!((shown.status, shown.message), expected, "beside {better}");
                    objects.reverse();
                }
            }
        }
    }

    #[test]
    fn three_of_the_worst_objects_are_named_and_the_others_counted() {
        let keys = ["a", "b", "c", "d", "e"].map(pod);
        let lights = [Progressing, Degraded, Degraded, Degraded, Degraded].map(light);
        let objects: Vec<_> = keys.iter().zip(lights).collect();
        let health = of(&objects);
        assert_eq!(health.status, Degraded);
        assert_eq!(
            health.message,
            "Pod demo/b; Pod demo/c; Pod demo/d; and 1 more"
        );
    }
}
