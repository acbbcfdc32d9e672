//! Keys of Argo CD's settings about kustomize. Those about health are read by the crate `health`.
//! It only sorts them: what they say is for who uses them to read.

use std::collections::BTreeMap;

use health::SETTINGS_CONFIG_MAP;

use crate::render::{KustomizeSettings, KustomizeVersion, Setting};

const BUILD_OPTIONS: &str = "kustomize.buildOptions";
/// Before the name of a version; the second is the older spelling, which the first hides.
const PROGRAM: &str = "kustomize.path.";
const OLD_PROGRAM: &str = "kustomize.version.";

/// What the settings say about kustomize.
#[must_use]
pub fn kustomize_settings(settings: &BTreeMap<String, String>) -> KustomizeSettings {
    let setting = |key: &str| {
        let value = settings.get(key)?;
        Some(Setting {
            place: format!("{key} in the ConfigMap {SETTINGS_CONFIG_MAP}"),
            value: value.trim().to_owned(),
        })
    };
    let mut versions = BTreeMap::new();
    for prefix in [OLD_PROGRAM, PROGRAM] {
        for key in settings.keys() {
            let Some(version) = key.strip_prefix(prefix).filter(|name| !name.is_empty()) else {
                continue;
            };
            let program = setting(key).unwrap_or_default();
            let build_options = setting(&format!("{BUILD_OPTIONS}.{version}"));
            let version = version.to_owned();
            versions.insert(
                version,
                KustomizeVersion {
                    program,
                    build_options,
                },
            );
        }
    }
    KustomizeSettings {
        build_options: setting(BUILD_OPTIONS),
        versions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_their_options_are_found_by_the_names_of_versions() {
        let settings = [
            ("kustomize.buildOptions", "--enable-helm"),
            ("kustomize.buildOptions.v3.9.1", "--reorder none\n"),
            ("kustomize.buildOptions.v0", "--of nobody"),
            ("kustomize.path.v3.9.1", "/tools/new"),
            ("kustomize.version.v3.9.1", "/tools/old"),
            ("kustomize.version.v4.5.7", "/tools/v4"),
            ("kustomize.path.", "/tools/nameless"),
            ("resource.customizations", ""),
        ];
        let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let setting = |key: &str, value: &str| Setting {
            place: format!("{key} in the ConfigMap argocd-cm"),
            value: value.to_owned(),
        };
        let version = |program, build_options| KustomizeVersion {
            program,
            build_options,
        };
        let expected = KustomizeSettings {
            build_options: Some(setting("kustomize.buildOptions", "--enable-helm")),
            versions: [
                (
                    "v3.9.1".to_owned(),
                    version(
                        setting("kustomize.path.v3.9.1", "/tools/new"),
                        Some(setting("kustomize.buildOptions.v3.9.1", "--reorder none")),
                    ),
                ),
                (
                    "v4.5.7".to_owned(),
                    version(setting("kustomize.version.v4.5.7", "/tools/v4"), None),
                ),
            ]
            .into(),
        };
        assert_eq!(kustomize_settings(&settings.into()), expected);
        assert_eq!(
            kustomize_settings(&BTreeMap::new()),
            KustomizeSettings::default()
        );
    }
}
