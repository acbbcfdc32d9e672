//! The one light of an Application: its worst object.
//! Objects without health count as fine, and a single missing object is a matter of sync, not of health.

use crate::sync::key::ObjectKey;
use crate::sync::world::{Health, HealthStatus};

/// So many culprits are named in the message.
const NAMED: usize = 3;

/// One object as the light sees it.
pub(crate) struct Member<'a> {
    pub(crate) key: &'a ObjectKey,
    pub(crate) health: Option<&'a Health>,
    pub(crate) present: bool,
    /// Wanted: an extra's health says nothing about the Application.
    pub(crate) counts: bool,
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
    let lights = || counted().filter_map(|member| Some((member.key, member.health?)));
    let worst = lights()
        .map(|(_, health)| health.status)
        .max()
        .unwrap_or(HealthStatus::Healthy);
    let message = match worst {
        HealthStatus::Healthy => String::new(),
        _ => culprits(lights().filter(|(_, health)| health.status == worst)),
    };
    Health {
        status: worst,
        message,
    }
}

fn culprits<'a>(lights: impl Iterator<Item = (&'a ObjectKey, &'a Health)>) -> String {
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
    texts.join("; ")
}
