//! `signet app terminate`. Must not delete anything itself: the controller ends what it began.

use std::time::Duration;

use serde_json::json;

use super::{Error, Namespace, operation};
use crate::commands::Outcome;
use crate::{duration, error, report};

/// End the sync of an Application that is under way
///
/// Hooks that run are deleted; what was applied stays.
///
/// Example:
///
///   signet app terminate shop
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Name of the Application
    name: String,

    /// Wait this long
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration::parse)]
    timeout: Duration,

    #[command(flatten)]
    within: Namespace,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, error::Error> {
    let cluster = arguments.within.connect()?;
    let applications = arguments.within.applications(&cluster);
    let name = &arguments.name;
    let application = applications.get(name).map_err(Error::from)?;
    if !application.is_operating() {
        return Err(Error::Idle { name: name.clone() }.into());
    }
    // A request that was not taken up is withdrawn.
    let running = application.is_running();
    let mut patch = json!({
        "metadata": { "resourceVersion": application.resource_version() },
        "operation": null,
    });
    if running {
        patch["status"] = json!({ "operationState": { "phase": "Terminating" } });
    }
    applications
        .merge(name, &format!("end the sync of Application {name}"), patch)
        .map_err(Error::from)?;
    match running {
        true => {
            let application = operation::ended(&applications, name, arguments.timeout)?;
            let message = application.text("/status/operationState/message");
            report::note(format_args!("{name}: {message}"));
        }
        false => report::note(format_args!("{name}: the request is withdrawn")),
    }
    Ok(Outcome::Fine)
}
