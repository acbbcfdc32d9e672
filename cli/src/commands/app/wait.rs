//! `signet app wait`. Must not change anything.

use std::time::{Duration, Instant};

use super::{Error, Namespace};
use crate::application::{Application, Applications};
use crate::commands::Outcome;
use crate::{duration, error, report};

/// Wait until Applications are synced and healthy
///
/// With --synced or --healthy alone it waits for that alone. Without either it also waits for the end
/// of a running sync. Ends with code 1 when the time is over.
///
/// The state is what the controller saw last: after a push, `signet app get NAME --refresh` makes it
/// look.
///
/// Example:
///
///   signet app wait shop --healthy --timeout 10m
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Names of the Applications
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Wait until the cluster is as Git says
    #[arg(long)]
    synced: bool,

    /// Wait until all objects work
    #[arg(long)]
    healthy: bool,

    /// Wait this long for all
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration::parse)]
    timeout: Duration,

    #[command(flatten)]
    within: Namespace,
}

/// What is waited for.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    synced: bool,
    healthy: bool,
    idle: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, error::Error> {
    let cluster = arguments.within.connect()?;
    let applications = arguments.within.applications(&cluster);
    let wanted = Wanted::new(arguments);
    let deadline = Instant::now() + arguments.timeout;
    for name in &arguments.names {
        applications.get(name).map_err(Error::from)?;
    }
    for name in &arguments.names {
        let left = deadline.saturating_duration_since(Instant::now());
        let reached = applications
            .wait(name, left, |application| wanted.holds(application))
            .map_err(Error::from)?;
        match reached {
            Some(application) => report::note(format_args!("{name}: {}", state(&application))),
            None => return Err(not_reached(&applications, name, wanted, arguments.timeout)?.into()),
        }
    }
    Ok(Outcome::Fine)
}

impl Wanted {
    fn new(arguments: &Arguments) -> Self {
        let all = !arguments.synced && !arguments.healthy;
        Self {
            synced: arguments.synced || all,
            healthy: arguments.healthy || all,
            idle: all,
        }
    }

    fn holds(self, application: &Application) -> bool {
        (!self.synced || application.sync_status() == "Synced")
            && (!self.healthy || application.health() == "Healthy")
            && (!self.idle || !application.is_operating())
    }

    fn words(self) -> &'static str {
        match (self.synced, self.healthy) {
            (true, true) => "Synced and Healthy",
            (true, false) => "Synced",
            _ => "Healthy",
        }
    }
}

fn state(application: &Application) -> String {
    let or_unknown = |text: &str| {
        if text.is_empty() {
            "Unknown".to_owned()
        } else {
            text.to_owned()
        }
    };
    format!(
        "{}, {}",
        or_unknown(application.sync_status()),
        or_unknown(application.health())
    )
}

fn not_reached(
    applications: &Applications<'_>,
    name: &str,
    wanted: Wanted,
    timeout: Duration,
) -> Result<Error, Error> {
    let found = state(&applications.get(name)?);
    Ok(Error::NotReached {
        name: name.to_owned(),
        wanted: wanted.words().to_owned(),
        timeout,
        found,
    })
}
