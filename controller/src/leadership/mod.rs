//! Which of several processes writes: the holder of a Lease, or every one where Leases are not granted.
//! It must not be needed for a right outcome: every write stands by itself, conditional on a resourceVersion.

mod candidate;
pub mod plan;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::candidate::Candidate;
use crate::context::Context;
use crate::run;

/// What this process may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Not known yet, or not any more: the API server is away.
    Unknown,
    /// Another process writes.
    Following,
    /// This process writes.
    Leading,
}

/// What the other rooms see of the election.
#[derive(Debug)]
pub struct Leadership {
    role: watch::Sender<Role>,
}

impl Leadership {
    /// Leads from the start where there is no election.
    pub fn new(elected: bool) -> Self {
        let role = if elected {
            Role::Unknown
        } else {
            Role::Leading
        };
        Self {
            role: watch::Sender::new(role),
        }
    }

    /// True while this process is to write.
    pub fn leads(&self) -> bool {
        *self.role.borrow() == Role::Leading
    }

    /// What this process may do, now and whenever that changes.
    pub fn role(&self) -> watch::Receiver<Role> {
        self.role.subscribe()
    }

    /// Waits until it is known whether this process is to write, and says it.
    pub async fn decided(&self) -> bool {
        let mut role = self.role();
        let known = role.wait_for(|role| *role != Role::Unknown).await;
        known.is_ok_and(|role| *role == Role::Leading)
    }
}

/// Stands for election until `done`, then resigns, so that another process need not wait for the Lease to expire.
/// The client is one that does not wait behind other requests.
pub async fn run(context: Arc<Context>, client: kube::Client, done: CancellationToken) {
    if !context.settings.leader_election {
        context.metrics.leader.set(1);
        return;
    }
    let mut candidate = Candidate::new(&context, client);
    loop {
        let (role, wait) = candidate.turn().await;
        announce(&context, &candidate, role);
        tokio::select! {
            () = done.cancelled() => break,
            () = tokio::time::sleep(wait) => {}
        }
    }
    if let Err(error) = candidate.resign().await {
        tracing::warn!(error = run::chain(&error), "can't give the Lease back");
    }
}

fn announce(context: &Context, candidate: &Candidate, role: Role) {
    let set = |current: &mut Role| std::mem::replace(current, role) != role;
    if !context.leadership.role.send_if_modified(set) {
        return;
    }
    context.metrics.leader.set(i64::from(role == Role::Leading));
    let holder = candidate.holder();
    match role {
        Role::Leading => tracing::info!(holder, "this process writes"),
        Role::Following => tracing::info!(holder, "another process writes, this one stands by"),
        Role::Unknown => tracing::warn!("the Lease can't be renewed, so nothing is written"),
    }
}

/// How long a Lease counts after its holder was last heard of.
pub(crate) const DURATION: Duration = Duration::from_secs(10);
/// How long the holder writes without having renewed: shorter, so that what it began ends before another begins.
const DEADLINE: Duration = Duration::from_secs(8);
/// How often the holder renews, and the others look.
const PERIOD: Duration = Duration::from_secs(3);
/// How long one look may take.
const REQUEST: Duration = Duration::from_secs(3);
/// How soon a failed request is repeated.
const RETRY: Duration = Duration::from_secs(1);
/// How often it is tried again where Leases are not granted.
const UNGRANTED: Duration = Duration::from_secs(60);
