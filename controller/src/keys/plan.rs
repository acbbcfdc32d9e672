//! Decides what to do about the sealing keys: load, drop, generate, publish, or only watch.
//! It must not read a clock, the cluster, or key material.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// Everything that the plan depends on.
#[derive(Clone, Debug)]
pub struct World {
    pub now: Timestamp,
    pub policy: Policy,
    /// Key Secrets of our namespace, whatever the value of their label.
    pub secrets: Vec<KeySecret>,
    /// Keys in the keyring: name of the Secret and its version when it was loaded.
    pub loaded: BTreeMap<String, String>,
    /// Secrets that were found unusable before, with the version that was reported.
    pub reported: BTreeMap<String, String>,
    /// Names that are taken by a Secret which is not a key.
    pub taken: BTreeSet<String>,
    /// Proof that another controller opens SealedSecrets here; looked for only where there is no key.
    pub other_controller: Option<String>,
    /// PEM of the certificate in the ConfigMap; nothing where that can't be read.
    pub published: Option<String>,
    /// Name of the key that was the newest when this process started, until its age was looked at: the cutoff time is
    /// about no other, least of all about a key that was made because of it.
    pub newest_at_start: Option<String>,
    /// True when the process was asked for a new key by signal.
    pub signalled: bool,
}

/// What the operator wants.
#[derive(Clone, Debug)]
pub struct Policy {
    pub prefix: String,
    pub renew_period: Duration,
    pub cutoff: Option<Timestamp>,
    pub take_over: bool,
}

/// A Secret that is or should be a sealing key.
#[derive(Clone, Debug)]
pub struct KeySecret {
    pub name: String,
    pub version: String,
    pub state: State,
    /// The annotation that asks for a new key is set.
    pub rotate: bool,
}

#[derive(Clone, Debug)]
pub enum State {
    /// A key in use.
    Usable {
        /// What the keyring orders by.
        time: Timestamp,
        certificate: String,
    },
    /// Labelled with something else than `active`.
    Retired,
    /// Labelled as key in use, and no key that can be used.
    Unusable {
        reason: &'static str,
        message: String,
    },
}

/// What to do, in this order, and when to look again at the latest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub steps: Vec<Step>,
    pub next: Option<Duration>,
}

impl Plan {
    /// True when there is to be a new key.
    pub(super) fn generates(&self) -> bool {
        let is_one = |step: &Step| matches!(step, Step::Generate { .. });
        self.steps.iter().any(is_one)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Unload {
        name: String,
    },
    Load {
        name: String,
    },
    Report {
        name: String,
        reason: &'static str,
        message: String,
    },
    Generate {
        name: String,
        because: Cause,
        /// Begin of its certificate.
        begin: Timestamp,
    },
    Publish {
        certificate: String,
    },
    Observe {
        proof: String,
    },
}

/// Why there is to be a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    NoKey,
    Age,
    Cutoff,
    Annotation,
    Signal,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        match self.next {
            Some(next) => writeln!(f, "look again in {} s", next.as_secs()),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unload { name } => write!(f, "unload {name}"),
            Self::Load { name } => write!(f, "load {name}"),
            Self::Report {
                name,
                reason,
                message,
            } => write!(f, "report {name}: {reason}: {message}"),
            Self::Generate { name, because, .. } => write!(f, "generate {name}: {because}"),
            Self::Publish { .. } => write!(f, "publish the certificate"),
            Self::Observe { proof } => write!(f, "observe: {proof}"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoKey => "there is no key",
            Self::Age => "the newest key reached its age",
            Self::Cutoff => "the newest key is older than the cutoff time",
            Self::Annotation => "the newest key asks for its rotation",
            Self::Signal => "asked by signal",
        })
    }
}

/// How often an observer looks whether keys were restored. It serves nobody until then, so it does not count on watches,
/// which may be turned off.
const WHILE_OBSERVING: Duration = Duration::from_secs(10);

/// The plan for what was observed. After a key was generated the world is observed again, so nothing follows that step.
pub fn plan(world: &World) -> Plan {
    let mut steps: Vec<Step> = unloads(world)
        .chain(loads(world))
        .chain(reports(world))
        .collect();
    let Some(newest) = newest(&world.secrets) else {
        let step = first_key(world);
        let next = matches!(step, Step::Observe { .. }).then_some(WHILE_OBSERVING);
        steps.push(step);
        return Plan { steps, next };
    };
    if let Some(step) = cause(world, newest).and_then(|because| successor(world, newest, because)) {
        steps.push(step);
        return Plan { steps, next: None };
    }
    if let (Some(published), State::Usable { certificate, .. }) = (&world.published, &newest.state)
        && published != certificate
    {
        steps.push(Step::Publish {
            certificate: certificate.clone(),
        });
    }
    Plan {
        steps,
        next: renewal(world, newest).filter(|wait| !wait.is_zero()),
    }
}

fn unloads(world: &World) -> impl Iterator<Item = Step> {
    let usable = |name: &String| {
        world
            .secrets
            .iter()
            .any(|secret| secret.name == *name && secret.time().is_some())
    };
    world
        .loaded
        .keys()
        .filter(move |name| !usable(name))
        .map(|name| Step::Unload { name: name.clone() })
}

/// Oldest first, so that of equal times the one that was there first stays the newest.
fn loads(world: &World) -> impl Iterator<Item = Step> {
    let mut new: Vec<_> = world
        .secrets
        .iter()
        .filter(|secret| {
            secret.time().is_some() && world.loaded.get(&secret.name) != Some(&secret.version)
        })
        .collect();
    new.sort_by_key(|secret| secret.time());
    new.into_iter().map(|secret| Step::Load {
        name: secret.name.clone(),
    })
}

fn reports(world: &World) -> impl Iterator<Item = Step> {
    world
        .secrets
        .iter()
        .filter_map(|secret| match &secret.state {
            State::Unusable { reason, message }
                if world.reported.get(&secret.name) != Some(&secret.version) =>
            {
                Some(Step::Report {
                    name: secret.name.clone(),
                    reason,
                    message: message.clone(),
                })
            }
            _ => None,
        })
}

impl KeySecret {
    fn time(&self) -> Option<Timestamp> {
        match self.state {
            State::Usable { time, .. } => Some(time),
            State::Retired | State::Unusable { .. } => None,
        }
    }
}

/// The key with the greatest time; of equal ones the first in the list, which is ordered by creation.
pub(super) fn newest(secrets: &[KeySecret]) -> Option<&KeySecret> {
    secrets
        .iter()
        .rev()
        .filter(|secret| secret.time().is_some())
        .max_by_key(|secret| secret.time())
}

fn first_key(world: &World) -> Step {
    match &world.other_controller {
        Some(proof) if !world.policy.take_over => Step::Observe {
            proof: proof.clone(),
        },
        _ => {
            let free = names(&world.policy.prefix, "").find(|name| !is_taken(world, name));
            Step::Generate {
                name: free.unwrap_or_default(),
                because: Cause::NoKey,
                begin: world.now,
            }
        }
    }
}

fn cause(world: &World, newest: &KeySecret) -> Option<Cause> {
    if world.signalled {
        return Some(Cause::Signal);
    }
    if newest.rotate {
        return Some(Cause::Annotation);
    }
    if world.newest_at_start.as_ref() == Some(&newest.name) && newest.time() < world.policy.cutoff {
        return Some(Cause::Cutoff);
    }
    (renewal(world, newest) == Some(Duration::ZERO)).then_some(Cause::Age)
}

/// Time until the newest key is due to be followed; nothing where keys are not renewed.
fn renewal(world: &World, newest: &KeySecret) -> Option<Duration> {
    if world.policy.renew_period.is_zero() {
        return None;
    }
    let age = Duration::try_from(world.now.duration_since(newest.time()?)).unwrap_or_default();
    Some(world.policy.renew_period.saturating_sub(age))
}

/// The new key, unless the newest one has a successor already: then a certificate's date is odd, and making a key in
/// each pass would not help. A signal is an order that stands by itself.
fn successor(world: &World, newest: &KeySecret, because: Cause) -> Option<Step> {
    let in_use = |name: &str| {
        world
            .secrets
            .iter()
            .any(|secret| secret.name == name && secret.time().is_some())
    };
    for name in names(&world.policy.prefix, &newest.name) {
        if in_use(&name) && because != Cause::Signal {
            return None;
        }
        if !is_taken(world, &name) {
            let begin = begin(world.now, newest);
            return Some(Step::Generate {
                name,
                because,
                begin,
            });
        }
    }
    None
}

/// Certificates count whole seconds, and a new key must be newer than the one before it. A clock that is further off
/// is left as it is: nobody should get a certificate that begins next year.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

fn begin(now: Timestamp, newest: &KeySecret) -> Timestamp {
    let after_newest = newest
        .time()
        .and_then(|time| time.checked_add(SignedDuration::from_secs(1)).ok());
    match after_newest {
        Some(later) if later > now && later.duration_since(now) <= CLOCK_SKEW => later,
        _ => now,
    }
}

fn is_taken(world: &World, name: &str) -> bool {
    world.taken.contains(name) || world.secrets.iter().any(|secret| secret.name == name)
}

/// Characters of a generated name: those that the API server uses for its own.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
/// How many generated characters follow the prefix, as the API server would append.
const GENERATED: usize = 5;
/// Names to try after one key. A name is skipped only when its key was retired, so this ends only by abuse.
const CANDIDATES: u32 = 1000;

/// Names for the key after `predecessor`, the same for every process: two that renew at once collide on create, and
/// the one that comes late takes the other's key.
fn names(prefix: &str, predecessor: &str) -> impl Iterator<Item = String> {
    (0..CANDIDATES).map(move |attempt| {
        let hash = Sha256::digest(format!("{predecessor}/{attempt}"));
        let characters = hash
            .iter()
            .take(GENERATED)
            .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
        prefix.chars().chain(characters).collect()
    })
}

#[cfg(test)]
mod tests;
