//! `signet app rollback`. Must not apply anything itself: it asks the controller for a sync, and to stay there.

use std::time::Duration;

use crds::Hold;
use crds::names::HOLD;
use serde_json::{Map, Value, json};

use super::{Error, Namespace, operation};
use crate::application::{Application, Applications, revisions_of, shortened};
use crate::commands::Outcome;
use crate::{duration, error, report};

/// Sync an Application to what it was synced to before, and keep it there
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

    /// Number of the sync in `signet app history` [default: the last one of another revision]
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
    let application = operation::idle(&applications, name)?;
    let entry = chosen(&application, arguments)?;
    check_sources(&application, name, entry)?;
    let at = revisions_of(entry);
    let hold = hold(&application, &at);
    let mut sync = Map::from_iter([operation::revisions(&application, &at)]);
    if arguments.prune {
        sync.insert("prune".to_owned(), Value::Bool(true));
    }
    let annotation = hold.as_ref().map(|hold| json!(hold).to_string());
    let patch = json!({
        "metadata": {
            "resourceVersion": application.resource_version(),
            "annotations": { HOLD: annotation },
        },
        "operation": operation::request(&cluster, &sync),
    });
    applications
        .merge(name, &format!("roll Application {name} back"), patch)
        .map_err(Error::from)?;
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

/// The entry of the history to go back to.
fn chosen<'app>(
    application: &'app Application,
    arguments: &Arguments,
) -> Result<&'app Value, Error> {
    let history = application.elements("/status/history");
    let name = || arguments.name.clone();
    match (arguments.id, history) {
        (Some(id), history) => history
            .iter()
            .find(|entry| entry["id"] == id)
            .ok_or_else(|| Error::NoSuchSync { name: name(), id }),
        (None, [earlier @ .., last]) => earlier
            .iter()
            .rev()
            .find(|entry| revisions_of(entry) != revisions_of(last))
            .ok_or_else(|| Error::NoEarlierSync { name: name() }),
        (None, []) => Err(Error::NoEarlierSync { name: name() }),
    }
}

/// A request names revisions and no sources: those have to be the same as then.
fn check_sources(application: &Application, name: &str, entry: &Value) -> Result<(), Error> {
    let sources = |object: &Value| match object["sources"].as_array().map(Vec::as_slice) {
        None | Some([]) => vec![object["source"].clone()],
        Some(sources) => sources.to_vec(),
    };
    let (then, now) = (sources(entry), sources(application.spec()));
    let other = |field: String| Error::OtherSource {
        name: name.to_owned(),
        id: entry["id"].as_i64().unwrap_or_default(),
        field,
    };
    if then.len() != now.len() {
        return Err(other("sources".to_owned()));
    }
    for (then, now) in then.iter().zip(&now) {
        let fields = [then, now].map(|source| source.as_object().cloned().unwrap_or_default());
        let mut names = fields.iter().flat_map(Map::keys);
        let differs = names.find(|&field| field != "targetRevision" && then[field] != now[field]);
        if let Some(field) = differs {
            return Err(other(field.clone()));
        }
    }
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
