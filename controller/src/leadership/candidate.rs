//! One process that stands for election: reads the Lease, writes it, and knows since when it was silent.
//! It must not decide: `plan` does.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::PostParams;

use super::plan::{self, Step, World};
use super::{DEADLINE, DURATION, PERIOD, REQUEST, RETRY, Role, UNGRANTED};
use crate::context::Context;
use crate::run;
use crate::settings::{Part, Settings};

pub(super) struct Candidate {
    api: Api<Lease>,
    name: String,
    me: String,
    /// The Lease as it was last read or written, and since when it looks like that.
    lease: Option<(Lease, Instant)>,
    /// When this process last took or renewed it.
    renewed: Option<Instant>,
    role: Role,
}

impl Candidate {
    pub(super) fn new(context: &Context, client: kube::Client) -> Self {
        Self {
            api: Api::namespaced(client, &context.namespace),
            name: lease_name(&context.settings),
            me: identity(),
            lease: None,
            renewed: None,
            role: Role::Unknown,
        }
    }

    /// Who has the Lease, as far as this process knows.
    pub(super) fn holder(&self) -> &str {
        self.lease.as_ref().map_or("", |(lease, _)| holder(lease))
    }

    /// One look and what follows from it: the role, and when to look again.
    pub(super) async fn turn(&mut self) -> (Role, Duration) {
        let begin = Instant::now();
        let turn = tokio::time::timeout(self.patience(), self.look_and_step()).await;
        let (role, wait) = match turn {
            Ok(Ok((role, wait))) => {
                if role == Role::Leading {
                    self.renewed = Some(begin);
                }
                (role, wait)
            }
            Ok(Err(kube::Error::Api(status))) if is_refusal(&status) => {
                if self.role != Role::Leading {
                    let error = status.message.as_str();
                    tracing::info!(
                        error,
                        "Leases can't be used, so this process writes whatever others do"
                    );
                }
                self.renewed = None;
                (Role::Leading, UNGRANTED)
            }
            Ok(Err(error)) => {
                tracing::debug!(error = run::chain(&error), "can't reach the Lease");
                (self.role_without_answer(), RETRY)
            }
            Err(_) => (self.role_without_answer(), RETRY),
        };
        self.role = role;
        (role, wait)
    }

    /// How long to wait for an answer: who leads has to notice its deadline.
    fn patience(&self) -> Duration {
        match self.renewed.filter(|_| self.role == Role::Leading) {
            Some(renewed) => REQUEST.min(DEADLINE.saturating_sub(renewed.elapsed())),
            None => REQUEST,
        }
    }

    /// Our Lease counts for a while after it was renewed. What another wrote in the meantime has to be read.
    fn role_without_answer(&mut self) -> Role {
        let ours = self
            .renewed
            .is_some_and(|renewed| renewed.elapsed() < DEADLINE);
        match self.role {
            Role::Following => Role::Following,
            Role::Leading if ours => {
                self.lease = None;
                Role::Leading
            }
            Role::Leading | Role::Unknown => Role::Unknown,
        }
    }

    async fn look_and_step(&mut self) -> kube::Result<(Role, Duration)> {
        let known = self.lease.as_ref().filter(|_| self.role == Role::Leading);
        if known.is_none() {
            let read = self.api.get_opt(&self.name).await?;
            self.saw(read);
        }
        let ours = match self.plan() {
            Step::Wait(wait) => return Ok((Role::Following, wait)),
            Step::Create => self.write(None).await?,
            Step::Renew | Step::Take => {
                let lease = self.lease.as_ref().map(|(lease, _)| lease.clone());
                self.write(lease).await?
            }
        };
        if ours.is_none() {
            return Ok((self.role_without_answer(), RETRY));
        }
        self.saw(ours);
        Ok((Role::Leading, PERIOD))
    }

    fn plan(&self) -> Step {
        let lease = self.lease.as_ref().map(|(lease, since)| plan::Lease {
            holder: holder(lease),
            duration: duration(lease),
            unchanged: since.elapsed(),
        });
        plan::plan(&World {
            me: &self.me,
            lease,
            period: PERIOD,
        })
    }

    /// Only what its holder says in it is a sign of life: a label that somebody sets is none.
    fn saw(&mut self, read: Option<Lease>) {
        let before = self.lease.take();
        self.lease = read.map(|lease| match before {
            Some((before, since)) if before.spec == lease.spec => (lease, since),
            _ => (lease, Instant::now()),
        });
    }

    /// Writes that the Lease is ours, over the version that was read; nothing where another process was faster.
    async fn write(&self, lease: Option<Lease>) -> kube::Result<Option<Lease>> {
        let wanted = self.ours(lease.clone());
        let written = match lease {
            Some(_) => {
                self.api
                    .replace(&self.name, &PostParams::default(), &wanted)
                    .await
            }
            None => self.api.create(&PostParams::default(), &wanted).await,
        };
        match written {
            Ok(lease) => Ok(Some(lease)),
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn ours(&self, lease: Option<Lease>) -> Lease {
        let now = Some(MicroTime(Timestamp::now()));
        let mut lease = lease.unwrap_or_else(|| Lease {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                ..ObjectMeta::default()
            },
            spec: None,
        });
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() != Some(&self.me) {
            spec.holder_identity = Some(self.me.clone());
            spec.acquire_time = now.clone();
            spec.lease_transitions = Some(
                spec.lease_transitions
                    .map_or(0, |count| count.saturating_add(1)),
            );
        }
        spec.lease_duration_seconds = i32::try_from(DURATION.as_secs()).ok();
        spec.renew_time = now;
        lease
    }

    /// Gives the Lease back, if it is ours.
    pub(super) async fn resign(self) -> kube::Result<()> {
        let Some((mut lease, _)) = self.lease.filter(|(lease, _)| holder(lease) == self.me) else {
            return Ok(());
        };
        let spec: &mut LeaseSpec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(String::new());
        let parameters = PostParams::default();
        match self.api.replace(&self.name, &parameters, &lease).await {
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
            given => given.map(drop),
        }
    }
}

/// Leases are not for us, however often we ask. What passes by itself is no refusal.
fn is_refusal(status: &kube::core::Status) -> bool {
    (400..500).contains(&status.code) && !matches!(status.code, 401 | 408 | 429)
}

fn holder(lease: &Lease) -> &str {
    let spec = lease.spec.as_ref();
    spec.and_then(|spec| spec.holder_identity.as_deref())
        .unwrap_or_default()
}

fn duration(lease: &Lease) -> Duration {
    let seconds = lease
        .spec
        .as_ref()
        .and_then(|spec| spec.lease_duration_seconds);
    seconds
        .and_then(|seconds| u64::try_from(seconds).ok())
        .map_or(DURATION, Duration::from_secs)
}

/// Processes that run the same parts stand against each other.
fn lease_name(settings: &Settings) -> String {
    let name = "signet-controller";
    match (settings.runs(Part::Sealing), settings.runs(Part::Sync)) {
        (true, false) => format!("{name}-sealing"),
        (false, true) => format!("{name}-sync"),
        _ => name.to_owned(),
    }
}

/// The pod's name, which a restarted container keeps; outside of pods another name for each process.
fn identity() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    match std::env::var_os("KUBERNETES_SERVICE_HOST") {
        Some(_) => host.to_owned(),
        None => format!("{host}_{:016x}", RandomState::new().hash_one(host)),
    }
}
