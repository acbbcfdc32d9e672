//! What a project says of Secrets that are not sealed.
//! It must not look at a Secret.

use crds::AppProject;
use crds::names::PLAINTEXT_SECRETS;

/// What becomes of a revision with a Secret that is not sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlaintextSecrets {
    /// It is synced.
    #[default]
    Allow,
    /// It is synced, with a warning.
    Warn,
    /// It is not synced.
    Refuse,
}

impl PlaintextSecrets {
    /// Reads the project's annotation; a message says what is wrong with it.
    pub(super) fn read(project: &AppProject) -> Result<Self, String> {
        let annotations = project.metadata.annotations.as_ref();
        let value = annotations.and_then(|annotations| annotations.get(PLAINTEXT_SECRETS));
        match value.map(String::as_str) {
            None => Ok(Self::default()),
            Some("allow") => Ok(Self::Allow),
            Some("warn") => Ok(Self::Warn),
            Some("refuse") => Ok(Self::Refuse),
            Some(other) => Err(format!(
                "annotation {PLAINTEXT_SECRETS}: found \"{other}\", expected refuse, warn or allow"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_annotation_is_one_of_three_words() {
        for (value, policy) in [
            (None, Ok(PlaintextSecrets::Allow)),
            (Some("allow"), Ok(PlaintextSecrets::Allow)),
            (Some("warn"), Ok(PlaintextSecrets::Warn)),
            (Some("refuse"), Ok(PlaintextSecrets::Refuse)),
            (Some("Refuse"), Err("annotation signet.dev/plaintext-secrets: found \"Refuse\", expected refuse, warn or allow".to_owned())),
        ] {
            let mut project = AppProject::default();
            let annotation = |value: &str| (PLAINTEXT_SECRETS.to_owned(), value.to_owned());
            project.metadata.annotations = Some(value.map(annotation).into_iter().collect());
            assert_eq!(PlaintextSecrets::read(&project), policy);
        }
    }
}
