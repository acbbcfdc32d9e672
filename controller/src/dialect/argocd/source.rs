//! What the sources of an Application ask for: `spec.source`, or `spec.sources` where there are any.
//! It must not know which fields are accepted: the lists have been asked before.

use std::collections::BTreeSet;

use crds::{ApplicationSource, ApplicationSpec};
use sealing::go::semver::{Constraint, Version};

use super::source_options;
use crate::dialect::intent::SourceIntent;
use crate::dialect::refusal::Refusal;
use crate::git::is_version_range;

/// Every source in its order; at least one.
pub(super) fn sources(spec: &ApplicationSpec) -> Result<Vec<SourceIntent>, Vec<Refusal>> {
    let sources: Vec<(String, &ApplicationSource)> = match (&spec.source, &spec.sources[..]) {
        (None, []) if spec.source_hydrator.is_some() => return Err(Vec::new()),
        (None, []) => {
            let none = "found none, expected repoURL and path";
            return Err(vec![Refusal::invalid("spec.source", none)]);
        }
        (Some(source), []) => vec![("spec.source".to_owned(), source)],
        (_, sources) => (0..)
            .zip(sources)
            .map(|(index, source): (usize, _)| (format!("spec.sources[{index}]"), source))
            .collect(),
    };
    let mut refusals = references(&sources);
    let alone = sources.len() == 1;
    let mut intents = Vec::new();
    for (field, source) in &sources {
        match intent(field, source, alone) {
            Ok(intent) => intents.push(intent),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if refusals.is_empty() && !intents.iter().any(|intent| intent.renders) {
        let none = "found only such with ref and without path, expected one with a path";
        refusals.push(Refusal::invalid("spec.sources", none));
    }
    match refusals.is_empty() {
        true => Ok(intents),
        false => Err(refusals),
    }
}

fn intent(field: &str, source: &ApplicationSource, alone: bool) -> Result<SourceIntent, Refusal> {
    if source.repo_url.is_empty() {
        return Err(Refusal::invalid(
            format!("{field}.repoURL"),
            "found none, expected the URL of a repository",
        ));
    }
    let chart = (!source.chart.is_empty()).then(|| source.chart.clone());
    for (name, value) in [("path", &source.path), ("ref", &source.ref_)] {
        if chart.is_some() && !value.is_empty() {
            let problem = format!("found \"{value}\", expected none beside chart");
            return Err(Refusal::invalid(format!("{field}.{name}"), problem));
        }
    }
    let at_revision = format!("{field}.targetRevision");
    Ok(SourceIntent {
        repo_url: source.repo_url.clone(),
        revision: match chart {
            Some(_) => version(&at_revision, &source.target_revision)?,
            None => revision(&at_revision, &source.target_revision)?,
        },
        tag_prefix: source.tag_prefix.clone(),
        path: path(&format!("{field}.path"), &source.path)?,
        chart,
        reference: (!source.ref_.is_empty()).then(|| source.ref_.clone()),
        renders: alone || source.ref_.is_empty() || !source.path.is_empty(),
        options: source_options::options(field, source)?,
    })
}

/// A version of a chart or a range of versions; the newest release when it is empty.
fn version(field: &str, version: &str) -> Result<String, Refusal> {
    match version.is_empty()
        || Version::parse(version).is_ok()
        || Constraint::parse(version).is_ok()
    {
        true => Ok(version.to_owned()),
        false => Err(Refusal::invalid(
            field,
            format!(
                "found \"{version}\", expected a version, or a range such as 1.2.*, ^1.2 or >=1.2 <2"
            ),
        )),
    }
}

/// The names by which value files refer to a source: one source each, in letters that need no quoting.
fn references(sources: &[(String, &ApplicationSource)]) -> Vec<Refusal> {
    let mut known = BTreeSet::new();
    let mut refusals = Vec::new();
    for (field, source) in sources {
        let name = source.ref_.as_str();
        let odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        let problem = if name.contains(odd) {
            "expected letters, digits, - and _"
        } else if !name.is_empty() && !known.insert(name) {
            "expected a name that no other source has"
        } else {
            continue;
        };
        let message = format!("found \"{name}\", {problem}");
        refusals.push(Refusal::invalid(format!("{field}.ref"), message));
    }
    refusals
}

/// A branch, tag, commit or range of versions; `HEAD` when `revision` is empty.
pub(super) fn revision(field: &str, revision: &str) -> Result<String, Refusal> {
    match revision {
        "" => Ok("HEAD".to_owned()),
        range if is_version_range(range) && Constraint::parse(range).is_err() => {
            Err(Refusal::invalid(
                field,
                format!("found \"{range}\", expected a range such as 1.2.*, ^1.2 or >=1.2 <2"),
            ))
        }
        name => Ok(name.to_owned()),
    }
}

fn path(field: &str, path: &str) -> Result<String, Refusal> {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    match parts.contains(&"..") || path.starts_with('/') {
        true => Err(Refusal::invalid(
            field,
            format!("found \"{path}\", expected a path inside the repository"),
        )),
        false => Ok(parts.join("/")),
    }
}
