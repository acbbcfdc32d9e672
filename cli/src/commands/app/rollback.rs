//! `signet app rollback`. Must not apply anything itself: it asks the controller for a sync, and to stay there.

mod earlier;

use std::time::Duration;

use crds::Hold;
use crds::names::HOLD;
use serde_json::{Map, Value, json};

use super::{Error, Namespace, ask_again, operation};
use crate::application::{Application, Applications, revisions_of, shortened};
use crate::cluster::Cluster;
use crate::commands::Outcome;
use crate::{duration, error, report};

/// Sync an Application to what it was synced to before, and keep it there
///
/// Where the last sync failed, that is the one before it that succeeded. A sync that runs, waits or is
/// tried again does not go on: the rollback takes its place.
///
/// Where it is synced automatically, it stays there until its sources mean something else than now: a
/// new commit, say. A sync, or --release, ends that before. Git is not changed.
///
/// Example:
///
///   signet app rollback shop
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Name of the Application
    name: String,

    /// Number of the sync in `signet app history` [default: the last one that is not what was asked for last]
    #[arg(value_name = "ID")]
    id: Option<i64>,

    /// Delete objects that were not there then
    #[arg(long)]
    prune: bool,

    /// Follow the sources again, instead of rolling back
    #[arg(long, conflicts_with_all = ["id", "prune", "no_wait", "timeout"])]
    release: bool,

    /// Ask only, without waiting for the end
    #[arg(long, conflicts_with = "timeout")]
    no_wait: bool,

    /// Wait this long
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration::parse)]
    timeout: Duration,

    #[command(flatten)]
    within: Namespace,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, error::Error> {
    let cluster = arguments.within.connect()?;
    let applications = arguments.within.applications(&cluster);
    let name = &arguments.name;
    if arguments.release {
        release(&applications, name)?;
        return Ok(Outcome::Fine);
    }
    let Requested { at, hold, replaced } =
        ask_again(|| request(&cluster, &applications, arguments))?;
    if let Some(replaced) = replaced {
        let at = shortened(&at);
        report::note(format_args!(
            "{name}: the rollback to {at} takes the place of {replaced}"
        ));
    }
    if arguments.no_wait {
        report::note(format_args!("{name}: rollback requested"));
    } else {
        operation::succeeded(&applications, name, arguments.timeout)?;
    }
    if let Some(hold) = &hold {
        report::note(format_args!(
            "{name}: it stays at {} until its source means something else than {}",
            shortened(&hold.at),
            shortened(&hold.past)
        ));
    }
    Ok(Outcome::Fine)
}

/// A rollback that was asked for.
struct Requested {
    at: Vec<String>,
    hold: Option<Hold>,
    /// What was asked for or under way until then.
    replaced: Option<String>,
}

/// Whatever is asked for or under way: who rolls back in trouble can't wait for what does not end.
fn request(
    cluster: &Cluster,
    applications: &Applications<'_>,
    arguments: &Arguments,
) -> Result<Requested, Error> {
    let name = &arguments.name;
    let application = applications.get(name)?;
    let entry = earlier::chosen(&application, name, arguments.id)?;
    earlier::check_sources(&application, name, entry)?;
    let at = revisions_of(entry);
    let hold = hold(&application, &at);
    let mut sync = Map::from_iter([operation::revisions(&application, &at)]);
    sync.extend(earlier::sources(&application, entry));
    if arguments.prune {
        sync.insert("prune".to_owned(), Value::Bool(true));
    }
    let annotation = hold.as_ref().map(|hold| json!(hold).to_string());
    let request = operation::request(cluster, &sync);
    let patch = json!({
        "metadata": {
            "resourceVersion": application.resource_version(),
            "annotations": { HOLD: annotation },
        },
        "operation": operation::in_place_of(application.request(), request),
    });
    applications.merge(name, &format!("roll Application {name} back"), patch)?;
    let replaced = operation::replaced(&application);
    Ok(Requested { at, hold, replaced })
}

fn release(applications: &Applications<'_>, name: &str) -> Result<(), Error> {
    let application = applications.get(name)?;
    if application.annotation(HOLD).is_none() {
        return Err(Error::NotHeld {
            name: name.to_owned(),
        });
    }
    let patch = json!({ "metadata": { "annotations": { HOLD: null } } });
    applications.merge(name, &format!("release Application {name}"), patch)?;
    report::note(format_args!("{name}: it follows its source again"));
    Ok(())
}

/// What keeps it at these revisions. `None` where nothing would move it from there by itself, or its sources mean them anyway.
fn hold(application: &Application, at: &[String]) -> Option<Hold> {
    let automated = &application.spec()["syncPolicy"]["automated"];
    let is_automated = automated.is_object() && automated["enabled"] != false;
    let held = application
        .annotation(HOLD)
        .and_then(|text| serde_saphyr::from_str::<Hold>(text).ok());
    // While it is held, it is compared with what it is held at.
    let past = match held {
        Some(held) => held.past,
        None => application.revisions(),
    };
    (is_automated && past != at).then(|| Hold {
        at: at.to_vec(),
        past,
    })
}
