//! What Argo CD's settings say, handed to those who act upon it.
//! It must not know how the settings spell it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use health::{Customizations, SETTINGS_CONFIG_MAP};
use tokio::sync::mpsc::UnboundedSender;

use super::argocd_cm;
use crate::dialect::{ignored_everywhere, kustomize_settings};
use crate::ignore::Rule;
use crate::sync::engine::Engine;

/// What of the settings passes ask for.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    ignored: Mutex<Vec<Arc<Rule>>>,
}

impl Settings {
    /// Differences that don't count, whatever the Application.
    pub(crate) fn ignored(&self) -> Vec<Arc<Rule>> {
        self.rules().clone()
    }

    /// True when other differences count from now on.
    fn ignore(&self, rules: Vec<Arc<Rule>>) -> bool {
        let mut known = self.rules();
        let other = *known != rules;
        *known = rules;
        other
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Arc<Rule>>> {
        self.ignored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Follows the settings for ever; `whole` is told once, when they are known.
    pub(in crate::sync) async fn follow_settings(&self, whole: UnboundedSender<()>) {
        let mut settled = false;
        let tell = |settings: &BTreeMap<String, String>| {
            self.take_in(settings);
            if !std::mem::replace(&mut settled, true) {
                let _ = whole.send(());
            }
        };
        let (client, namespace) = (self.context.client.clone(), &self.context.namespace);
        argocd_cm::follow_settings(client, namespace, tell).await;
    }

    fn take_in(&self, settings: &BTreeMap<String, String>) {
        let (customizations, problems) = Customizations::read(settings);
        for problem in problems {
            tracing::warn!(%problem, "a setting in {SETTINGS_CONFIG_MAP} can not be used");
        }
        self.live.customize(customizations);
        let (rules, problems) = ignored_everywhere(settings);
        let odd = rules.iter().filter_map(|rule| rule.problem());
        for problem in problems.iter().chain(odd) {
            tracing::warn!(%problem, "a setting can not be used");
        }
        let renders_otherwise = self.sources.set_kustomize(kustomize_settings(settings));
        let compares_otherwise = self.settings.ignore(rules);
        if renders_otherwise || compares_otherwise {
            self.wake_those(|_| true);
        }
    }
}
