//! Charts kept in memory for whoever asks next, the least used of them given up past a limit of bytes.
//! It fetches none.

use std::{collections::VecDeque, sync::Arc};

use super::{Chart, limits::KEPT_ARCHIVE_BYTES};

/// Where a chart came from: whoever asks with other credentials asks its server first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    pub(super) repository: String,
    pub(super) secret: Option<String>,
    pub(super) chart: String,
    pub(super) version: String,
    /// What the repository says of the archive: its digest, else its URL; empty for a registry, whose versions stay what they are.
    pub(super) pin: String,
}

/// Charts by origin, the last used first.
#[derive(Debug, Default)]
pub(super) struct Kept(VecDeque<(Origin, Arc<Chart>)>);

impl Kept {
    pub(super) fn get(&mut self, origin: &Origin) -> Option<Arc<Chart>> {
        let at = self.0.iter().position(|(known, _)| known == origin)?;
        let found = self.0.remove(at)?;
        let chart = Arc::clone(&found.1);
        self.0.push_front(found);
        Some(chart)
    }

    /// Gives up what was fetched from a repository with the credentials of a Secret.
    pub(super) fn forget(&mut self, repository: &str, secret: Option<&str>) {
        self.0.retain(|(origin, _)| {
            origin.repository != repository || origin.secret.as_deref() != secret
        });
    }

    pub(super) fn keep(&mut self, origin: Origin, chart: Arc<Chart>) {
        self.0.retain(|(known, _)| *known != origin);
        self.0.push_front((origin, chart));
        let mut bytes = 0;
        let fits = |(_, chart): &&(Origin, Arc<Chart>)| {
            bytes += chart.size();
            bytes <= KEPT_ARCHIVE_BYTES
        };
        let kept = self.0.iter().take_while(fits).count();
        self.0.truncate(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(chart: usize) -> Origin {
        Origin {
            repository: "https://h".to_owned(),
            secret: None,
            chart: chart.to_string(),
            version: "1.0.0".to_owned(),
            pin: String::new(),
        }
    }

    #[test]
    fn the_least_used_are_given_up_past_the_limit() {
        let mut kept = Kept::default();
        let size = KEPT_ARCHIVE_BYTES / 4;
        for chart in 0..4 {
            kept.keep(origin(chart), Arc::new(Chart::of_size(size)));
        }
        assert!(kept.get(&origin(0)).is_some());
        kept.keep(origin(4), Arc::new(Chart::of_size(size)));
        let left: Vec<bool> = (0..5)
            .map(|chart| kept.get(&origin(chart)).is_some())
            .collect();
        assert_eq!(left, [true, false, true, true, true]);
    }

    #[test]
    fn other_credentials_find_nothing() {
        let mut kept = Kept::default();
        kept.keep(origin(0), Arc::new(Chart::of_size(1)));
        let other = Origin {
            secret: Some("signet/a".to_owned()),
            ..origin(0)
        };
        assert!(kept.get(&other).is_none());
    }
}
