//! Follows Argo CD's settings in our own namespace: a ConfigMap that may or may not be there.
//! It hands them to those who read keys of it, and knows none of the keys.

use std::collections::BTreeMap;

use health::SETTINGS_CONFIG_MAP;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};

use crate::sync::observe::follow::follow_one;

/// Follows the ConfigMap for ever, and tells its data once it was looked for and whenever it changed.
pub(crate) async fn follow_settings(
    client: Client,
    namespace: &str,
    mut tell: impl FnMut(&BTreeMap<String, String>),
) {
    let api = Api::<ConfigMap>::namespaced(client, namespace);
    let data = |map: ConfigMap| map.data.unwrap_or_default();
    let none = BTreeMap::new();
    follow_one(api, SETTINGS_CONFIG_MAP, data, |data| {
        tell(data.unwrap_or(&none));
    })
    .await;
}
