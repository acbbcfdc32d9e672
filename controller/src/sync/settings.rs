//! What happens when Argo CD's settings change: each who uses keys of them takes over what they say now.
//! It must not know what a key means.

use std::collections::BTreeMap;

use health::{Customizations, SETTINGS_CONFIG_MAP};

use crate::{
    dialect::kustomize_settings,
    sync::{engine::Engine, observe::argocd_cm::follow_settings, run::Whole},
};

impl Engine {
    /// Scripts that judge health, and how kustomize is called.
    pub(super) async fn follow_settings(&self, whole: Whole) {
        let mut settled = false;
        let tell = |settings: &BTreeMap<String, String>| {
            let (customizations, problems) = Customizations::read(settings);
            for problem in problems {
                tracing::warn!(%problem, "a setting in {SETTINGS_CONFIG_MAP} can not be used");
            }
            self.live.customize(customizations);
            if self.sources.set_kustomize(kustomize_settings(settings)) {
                self.wake_those(|_| true);
            }
            if !std::mem::replace(&mut settled, true) {
                let _ = whole.send(());
            }
        };
        follow_settings(self.context.client.clone(), &self.context.namespace, tell).await;
    }
}
