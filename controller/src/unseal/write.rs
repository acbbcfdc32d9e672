//! Observes the Secret, plans, and writes until nobody else interferes.
//! It must not open or report anything.

use crds::SealedSecret;
use kube::ResourceExt;
use sealing::Unsealed;

use super::apply::Written;
use super::plan::{self, Plan, World, Write};
use super::{ObjectName, UnsealOutcome, UnsealReason, Unsealer, apply};

/// Attempts at one write while others write the same Secret.
const ATTEMPTS: usize = 4;

/// What became of a write, and what was seen on the way.
pub(super) struct Effect {
    pub(super) outcome: UnsealOutcome,
    /// Version of the Secret that was found or left.
    pub(super) secret: Option<String>,
    /// Who undid what was put right.
    pub(super) rival: Option<String>,
}

impl Effect {
    /// The API server does not let us look or write, and says why.
    pub(super) fn refused(message: String) -> Self {
        Self {
            outcome: refused(message),
            secret: None,
            rival: None,
        }
    }
}

impl Unsealer {
    /// Writes the Secret. Where there is most likely none it is created without looking.
    pub(super) async fn write(
        &self,
        sealed: &SealedSecret,
        opened: &Result<Unsealed, UnsealReason>,
        settled: bool,
        mut is_absent: bool,
    ) -> kube::Result<Effect> {
        let name = ObjectName::of(sealed);
        let api = self.secrets(&name);
        let mut attempts = 0;
        loop {
            let looks = opened.is_ok() && !std::mem::take(&mut is_absent);
            let existing = match looks {
                true => match apply::read(&api, &name).await? {
                    Ok(existing) => existing,
                    Err(message) => return Ok(Effect::refused(message)),
                },
                false => None,
            };
            let found = existing.as_ref().and_then(ResourceExt::resource_version);
            let Plan { write, refusal } = plan::plan(World {
                sealed,
                opened,
                existing,
                settled,
            });
            let (done, rival) = (outcome(&write), rival(&write));
            let metadata = match &write {
                Write::Update { new, .. } => Some(new.metadata.clone()),
                Write::Nothing | Write::Create(_) => None,
            };
            attempts += 1;
            let (outcome, secret) = match apply::write(&api, &name, write).await? {
                Written::Nothing => (refusal.map_or(done, UnsealOutcome::Refused), found),
                Written::Version(left) => {
                    self.repairs.inc_by(u64::from(settled));
                    if let Some(mut new) = metadata {
                        // Before the watch tells of it: who applies what uses the Secret next has to know.
                        new.resource_version.clone_from(&left);
                        self.changes.see(&name, &new);
                    }
                    (refusal.map_or(done, UnsealOutcome::Refused), left)
                }
                Written::Interfered if attempts < ATTEMPTS => continue,
                Written::Interfered => {
                    let message = "other writers change the Secret all the time".to_owned();
                    (refused(message), found)
                }
                Written::Refused(message) => (refused(message), found),
            };
            return Ok(Effect {
                outcome,
                secret,
                rival,
            });
        }
    }
}

/// What a write comes to when it succeeds.
fn outcome(write: &Write) -> UnsealOutcome {
    match write {
        Write::Nothing => UnsealOutcome::Unchanged,
        Write::Create(_) => UnsealOutcome::Created,
        Write::Update { .. } => UnsealOutcome::Updated,
    }
}

/// Who undid what this write puts right, if anybody did. Nothing records who deletes.
fn rival(write: &Write) -> Option<String> {
    match write {
        Write::Nothing => None,
        Write::Create(_) => Some("somebody who deletes it".to_owned()),
        Write::Update { old, .. } => {
            let rival = plan::managers::rival(&old.metadata);
            Some(rival.unwrap_or("another writer").to_owned())
        }
    }
}

fn refused(message: String) -> UnsealOutcome {
    UnsealOutcome::Refused(UnsealReason::WriteRefused { message })
}
