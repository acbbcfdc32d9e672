//! `signet app`: Applications, with the user's own rights. Must not need any server but the API server, and `health` none.

mod confirm;
mod diff;
mod events;
mod get;
mod health;
mod history;
mod list;
mod operation;
mod preview;
mod resources;
mod rollback;
mod secrets;
mod sync;
mod terminate;
mod wait;

use std::time::Duration;

use super::Outcome;
use crate::application::{self, Applications};
use crate::arguments::ClusterArguments;
use crate::checkout;
use crate::cluster::{self, Cluster};
use crate::duration;
use crate::error;

/// Look at Applications, sync them, and wait for them
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    List(list::Arguments),
    Get(get::Arguments),
    Diff(diff::Arguments),
    Sync(sync::Arguments),
    Wait(wait::Arguments),
    Terminate(terminate::Arguments),
    Confirm(confirm::Arguments),
    Rollback(rollback::Arguments),
    History(history::Arguments),
    Resources(resources::Arguments),
    Events(events::Arguments),
    Secrets(secrets::Arguments),
    Health(health::Arguments),
}

/// How often something is asked while others write to the same Application.
const ATTEMPTS: usize = 5;

/// Which Applications.
#[derive(Clone, Debug, clap::Args)]
struct Namespace {
    /// Take Applications in this namespace [default: the controller's]
    #[arg(short, long)]
    namespace: Option<String>,

    #[command(flatten)]
    cluster: ClusterArguments,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Application(#[from] application::Error),
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    #[error(transparent)]
    Health(#[from] health::Error),
    #[error(transparent)]
    Checkout(#[from] checkout::Error),
    #[error("Application {name} is being synced already: {stands}")]
    Busy { name: String, stands: String },
    #[error("no sync of Application {name} is under way")]
    Idle { name: String },
    #[error("nothing of Application {name} waits for an approval")]
    NothingAsked { name: String },
    #[error("the sync of Application {name} is {message}")]
    Asks { name: String, message: String },
    #[error("the history of Application {name} has no sync {id}")]
    NoSuchSync { name: String, id: i64 },
    #[error("the history of Application {name} has no earlier sync of another revision")]
    NoEarlierSync { name: String },
    #[error("sync {id} of Application {name} was of another source: it had another {field}")]
    OtherSource {
        name: String,
        id: i64,
        field: String,
    },
    #[error("a sync of Application {name} would be refused: {message}")]
    Refused { name: String, message: String },
    #[error(
        "{problems} of the objects of Application {name} can't be synced as they are, or can't be compared"
    )]
    Undecided { name: String, problems: usize },
    #[error("no rollback keeps Application {name}")]
    NotHeld { name: String },
    #[error("Application {name} was not refreshed within {}", duration::display(*timeout))]
    NotRefreshed { name: String, timeout: Duration },
    #[error("the sync of Application {name} ended as {phase}: {message}")]
    SyncFailed {
        name: String,
        phase: String,
        message: String,
    },
    #[error("the sync of Application {name} did not end within {}", duration::display(*timeout))]
    SyncTimedOut { name: String, timeout: Duration },
    #[error("Application {name} is not {wanted} after {}: it is {found}", duration::display(*timeout))]
    NotReached {
        name: String,
        wanted: String,
        timeout: Duration,
        found: String,
    },
}

impl Error {
    /// Whether somebody else wrote at the same time.
    fn is_conflict(&self) -> bool {
        match self {
            Self::Application(application::Error::Cluster(error)) | Self::Cluster(error) => {
                error.is_conflict()
            }
            _ => false,
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Application(error) => error.hint(),
            Self::Cluster(error) => error.hint(),
            Self::Health(error) => error.hint(),
            Self::Checkout(error) => error.hint(),
            Self::Busy { name, .. } => Some(format!(
                "`signet app wait {name}` waits until that is done, and `signet app terminate {name}` ends it"
            )),
            Self::Asks { name, .. } => Some(format!(
                "`signet app confirm {name}` approves that, and `signet app terminate {name}` ends the sync"
            )),
            Self::Idle { name } | Self::NotHeld { name } | Self::NothingAsked { name } => {
                Some(format!("`signet app get {name}` shows how it stands"))
            }
            Self::Refused { .. } => None,
            Self::Undecided { .. } => {
                Some("each of them says what the problem is, in the diff above".to_owned())
            }
            Self::NoSuchSync { name, .. } | Self::NoEarlierSync { name } => {
                Some(format!("`signet app history {name}` shows what was synced"))
            }
            Self::OtherSource { name, .. } => Some(format!(
                "change the source in the Application back, or sync that revision of it as it is now: \
                 signet app sync {name} --revision REVISION"
            )),
            Self::NotRefreshed { .. } | Self::SyncTimedOut { .. } => Some(
                "is the controller running, and is this namespace one that it looks at?".to_owned(),
            ),
            Self::SyncFailed { name, .. } | Self::NotReached { name, .. } => Some(format!(
                "`signet app get {name}` shows objects and conditions"
            )),
        }
    }
}

pub(crate) fn run(command: &Command) -> Result<Outcome, error::Error> {
    match command {
        Command::List(arguments) => list::run(arguments),
        Command::Get(arguments) => get::run(arguments),
        Command::Diff(arguments) => Ok(diff::run(arguments)),
        Command::Sync(arguments) => sync::run(arguments),
        Command::Wait(arguments) => wait::run(arguments),
        Command::Terminate(arguments) => terminate::run(arguments),
        Command::Confirm(arguments) => confirm::run(arguments),
        Command::Rollback(arguments) => rollback::run(arguments),
        Command::History(arguments) => history::run(arguments),
        Command::Resources(arguments) => resources::run(arguments),
        Command::Events(arguments) => events::run(arguments),
        Command::Secrets(arguments) => secrets::run(arguments),
        Command::Health(arguments) => health::run(arguments),
    }
}

/// Asks, again where somebody else wrote to the same Application at this very moment.
fn ask_again<T>(ask: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    let mut left = ATTEMPTS;
    loop {
        left -= 1;
        match ask() {
            Err(error) if error.is_conflict() && left > 0 => {}
            answer => return answer,
        }
    }
}

impl Namespace {
    fn connect(&self) -> Result<Cluster, Error> {
        Ok(Cluster::connect(&self.cluster)?)
    }

    fn applications<'cluster>(&self, cluster: &'cluster Cluster) -> Applications<'cluster> {
        Applications::within(cluster, self.namespace.as_deref())
    }
}
