//! Follows Argo CD's settings in our own namespace: a ConfigMap that may or may not be there.
//! It hands them to those who read keys of it, and knows none of the keys.

use std::collections::BTreeMap;

use health::SETTINGS_CONFIG_MAP;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client, runtime::watcher};

use crate::sync::observe::follow::{Change, follow};

/// Follows the ConfigMap for ever, and tells its data once it was looked for and whenever it changed.
pub(crate) async fn follow_settings(
    client: Client,
    namespace: &str,
    mut tell: impl FnMut(&BTreeMap<String, String>),
) {
    let api = Api::<ConfigMap>::namespaced(client, namespace);
    let named = format!("metadata.name={SETTINGS_CONFIG_MAP}");
    let config = watcher::Config::default().fields(&named);
    let mut known = None;
    follow(api, config, |change| {
        if note(&mut known, change)
            && let Some(data) = &known
        {
            tell(data);
        }
    })
    .await;
}

/// Takes a change in; true when it makes a difference.
fn note(known: &mut Option<BTreeMap<String, String>>, change: Change<ConfigMap>) -> bool {
    let data = match change {
        Change::Listed(map) | Change::Changed(map) => map.data.unwrap_or_default(),
        Change::Whole if known.is_some() => return false,
        Change::Whole | Change::Gone { .. } => BTreeMap::new(),
    };
    let differs = known.as_ref() != Some(&data);
    *known = Some(data);
    differs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_empty_and_only_what_makes_a_difference_is_news() {
        let map = |value: &str| ConfigMap {
            data: Some([("key".to_owned(), value.to_owned())].into()),
            ..ConfigMap::default()
        };
        let gone = || Change::Gone {
            namespace: String::new(),
            name: String::new(),
        };
        let mut known = None;
        for (change, news) in [
            (Change::Whole, true),
            (Change::Whole, false),
            (gone(), false),
            (Change::Changed(map("1")), true),
            (Change::Listed(map("1")), false),
            (Change::Whole, false),
            (Change::Changed(map("2")), true),
            (gone(), true),
        ] {
            let before = format!("{known:?} {change:?}");
            assert_eq!(note(&mut known, change), news, "{before}");
        }
        assert_eq!(known, Some(BTreeMap::new()));
    }
}
