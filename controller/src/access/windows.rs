//! Sync windows of a project: at what times its Applications may be synced.
//! It must not read a clock, and begins and ends nothing.

use std::fmt;

use crds::SyncWindow;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::pattern::{Pattern, Separator};
use super::schedule::Schedule;
use crate::dialect::Destination;

/// One entry of `spec.syncWindows`.
#[derive(Clone, Debug)]
pub(super) struct Window {
    allows: bool,
    schedule: Schedule,
    duration: SignedDuration,
    applications: Vec<Pattern>,
    namespaces: Vec<Pattern>,
    clusters: Vec<Pattern>,
    /// Every list that names something has to match, else one of them.
    all_match: bool,
    manual_sync: bool,
    sync_overrun: bool,
}

/// The windows that are for one Application.
#[derive(Clone, Debug)]
pub struct Windows<'a> {
    project: &'a str,
    /// With their place in the project.
    windows: Vec<(usize, &'a Window)>,
}

/// A sync has to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    project: String,
    windows: Vec<usize>,
    /// When a window opens or closes; `None` when none does.
    pub until: Option<Timestamp>,
}

impl Window {
    /// Reads a window; a message names the field that can't be read.
    pub(super) fn new(window: &SyncWindow) -> Result<Self, String> {
        let allows = match window.kind.as_str() {
            "allow" => true,
            "deny" => false,
            other => return Err(format!("kind: found \"{other}\", expected allow or deny")),
        };
        let lists = [&window.applications, &window.namespaces, &window.clusters];
        if lists.iter().all(|list| list.is_empty()) {
            return Err("expected applications, namespaces or clusters: \"*\" is all".to_owned());
        }
        Ok(Self {
            allows,
            schedule: Schedule::new(&window.schedule, &window.time_zone)?,
            duration: duration(&window.duration)?,
            applications: patterns("applications", &window.applications)?,
            namespaces: patterns("namespaces", &window.namespaces)?,
            clusters: patterns("clusters", &window.clusters)?,
            all_match: window.and_operator,
            manual_sync: window.manual_sync,
            sync_overrun: window.sync_overrun,
        })
    }

    fn is_for(&self, application: &str, destination: &Destination) -> bool {
        let Destination {
            server,
            name,
            namespace,
        } = destination;
        let lists: [(&[Pattern], &[&str]); 3] = [
            (&self.applications, &[application]),
            (&self.namespaces, &[namespace]),
            (&self.clusters, &[server, name]),
        ];
        let hits = |(patterns, values): (&[Pattern], &[&str])| {
            let hits = |pattern: &Pattern| values.iter().any(|value| pattern.hits(value));
            patterns.iter().any(hits)
        };
        let mut lists = lists.into_iter().filter(|(list, _)| !list.is_empty());
        match self.all_match {
            true => lists.all(hits),
            false => lists.any(hits),
        }
    }

    /// When it opened, if it is open.
    fn opened(&self, now: Timestamp) -> Option<Timestamp> {
        let long_ago = now.checked_sub(self.duration).ok()?;
        self.schedule.next(long_ago).filter(|start| *start <= now)
    }

    /// When it opens next, or may close.
    fn changes(&self, now: Timestamp) -> Option<Timestamp> {
        match self.opened(now) {
            Some(start) => start.checked_add(self.duration).ok(),
            None => self.schedule.next(now),
        }
    }
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    let nanos = sealing::go::duration::parse(text).filter(|nanos| *nanos > 0);
    nanos
        .map(SignedDuration::from_nanos)
        .ok_or_else(|| format!("duration: found \"{text}\", expected a duration such as 90m or 8h"))
}

fn patterns(field: &str, texts: &[String]) -> Result<Vec<Pattern>, String> {
    let pattern = |(index, text): (usize, &String)| {
        let pattern = match text.strip_prefix('!') {
            Some(_) => Err(format!(
                "found \"{text}\", expected no ! in a window: an entry says what it is for"
            )),
            None => Pattern::new(text, Separator::None),
        };
        pattern.map_err(|problem| format!("{field}[{index}]: {problem}"))
    };
    texts.iter().enumerate().map(pattern).collect()
}

impl<'a> Windows<'a> {
    /// Those of a project's windows that are for an Application with this destination.
    pub(super) fn of(
        project: &'a str,
        windows: &'a [Window],
        application: &str,
        destination: &Destination,
    ) -> Self {
        let windows = windows.iter().enumerate();
        Self {
            project,
            windows: windows
                .filter(|(_, window)| window.is_for(application, destination))
                .collect(),
        }
    }

    /// What keeps a sync waiting `now`. `manual` is one that somebody asked for, `began` when it began, if it did.
    pub fn block(&self, manual: bool, began: Option<Timestamp>, now: Timestamp) -> Option<Blocked> {
        let blocking = self.blocking(now);
        let all = |is: fn(&Window) -> bool| blocking.iter().all(|(_, window)| is(window));
        if blocking.is_empty() || manual && all(|window| window.manual_sync) {
            return None;
        }
        let was_allowed = |began| self.block(manual, None, began).is_none();
        if all(|window| window.sync_overrun) && began.is_some_and(was_allowed) {
            return None;
        }
        let changes = self
            .windows
            .iter()
            .filter_map(|(_, window)| window.changes(now));
        Some(Blocked {
            project: self.project.to_owned(),
            windows: blocking.into_iter().map(|(index, _)| index).collect(),
            until: changes.min(),
        })
    }

    /// The windows that deny now, else all that allow, when none of them is open.
    fn blocking(&self, now: Timestamp) -> Vec<(usize, &'a Window)> {
        let windows = self.windows.iter().copied();
        let (open, closed): (Vec<_>, Vec<_>) =
            windows.partition(|(_, window)| window.opened(now).is_some());
        let (allow, deny): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|(_, window)| window.allows);
        match (deny.is_empty(), allow.is_empty()) {
            (false, _) => deny,
            (true, false) => Vec::new(),
            (true, true) => closed
                .into_iter()
                .filter(|(_, window)| window.allows)
                .collect(),
        }
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indices: Vec<String> = self
            .windows
            .iter()
            .map(|index| format!("[{index}]"))
            .collect();
        let (project, indices) = (&self.project, indices.join(", "));
        write!(f, "spec.syncWindows{indices} of AppProject {project}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_can_not_be_read_is_named_with_what_would_be_right() {
        for (field, value, problem) in [
            (
                "kind",
                json!("forbid"),
                "kind: found \"forbid\", expected allow or deny",
            ),
            (
                "schedule",
                json!("* *"),
                "schedule: found \"* *\", expected minute, ",
            ),
            (
                "timeZone",
                json!("Mars"),
                "timeZone: found \"Mars\", expected a name of ",
            ),
            (
                "duration",
                json!("8"),
                "duration: found \"8\", expected a duration such as ",
            ),
            (
                "duration",
                json!("-1h"),
                "duration: found \"-1h\", expected a duration ",
            ),
            (
                "namespaces",
                json!(["a", "!b"]),
                "namespaces[1]: found \"!b\", expected no ! ",
            ),
            (
                "clusters",
                json!(["a["]),
                "clusters[0]: found \"a[\", expected a glob: ",
            ),
            (
                "applications",
                json!([]),
                "expected applications, namespaces or clusters",
            ),
        ] {
            let mut window = json!({
                "kind": "deny", "schedule": "0 22 * * *", "duration": "8h", "applications": ["*"],
            });
            window[field] = value;
            let window = serde_json::from_value(window).unwrap();
            let found = Window::new(&window).unwrap_err();
            assert!(found.starts_with(problem), "{found}");
        }
    }
}
