//! What each source of an Application stands at: a commit, or a version of a chart; in the order of the sources.
//! It must not know how a source is read.

use std::fmt;

use crds::{ApplicationSource, ApplicationSpec};

/// One revision for each source. The status writes that of a single source as `revision`, those of several as `revisions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revisions(Vec<String>);

impl Revisions {
    /// The revisions of sources that were read.
    #[must_use]
    pub fn new(revisions: Vec<String>) -> Self {
        Self(revisions)
    }

    /// As a status has them; nothing where it has none.
    #[must_use]
    pub fn stored(revision: &str, revisions: &[String]) -> Self {
        match (revision, revisions) {
            ("", []) => Self::default(),
            (revision, []) => Self(vec![revision.to_owned()]),
            (_, revisions) => Self(revisions.to_vec()),
        }
    }

    /// No source was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One for each source, in their order.
    #[must_use]
    pub fn all(&self) -> &[String] {
        &self.0
    }

    /// The fields `revision` and `revisions` of a status about `spec`.
    #[must_use]
    pub fn fields(&self, spec: &ApplicationSpec) -> (String, Vec<String>) {
        match spec.sources.is_empty() {
            true => (self.0.first().cloned().unwrap_or_default(), Vec::new()),
            false => (String::new(), self.0.clone()),
        }
    }
}

impl fmt::Display for Revisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// The fields `source` and `sources` of a status about `spec`, which is redacted: in the style that counts.
#[must_use]
pub fn sources_of(spec: &ApplicationSpec) -> (Option<ApplicationSource>, Vec<ApplicationSource>) {
    match spec.sources.is_empty() {
        true => (spec.source.clone(), Vec::new()),
        false => (None, spec.sources.clone()),
    }
}

/// Whether the sources that a status was written about are those of `spec`.
#[must_use]
pub fn is_about(
    source: Option<&ApplicationSource>,
    sources: &[ApplicationSource],
    spec: &ApplicationSpec,
) -> bool {
    let source = source.map(std::slice::from_ref).unwrap_or_default();
    match spec.sources.is_empty() {
        true => sources.is_empty() && source == spec.source.as_slice(),
        false => *sources == spec.sources,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(sources: usize) -> ApplicationSpec {
        ApplicationSpec {
            source: Some(ApplicationSource::default()),
            sources: vec![ApplicationSource::default(); sources],
            ..ApplicationSpec::default()
        }
    }

    #[test]
    fn the_style_of_the_spec_decides_where_revisions_are_written() {
        let revisions = Revisions::new(vec!["a".into(), "b".into()]);
        assert_eq!(
            revisions.fields(&spec(2)),
            (String::new(), vec!["a".into(), "b".into()])
        );
        let one = Revisions::new(vec!["a".into()]);
        assert_eq!(one.fields(&spec(0)), ("a".into(), Vec::new()));
        assert_eq!(one.fields(&spec(1)), (String::new(), vec!["a".into()]));
    }

    #[test]
    fn what_was_written_is_read_again() {
        for sources in 0..3 {
            let revisions = Revisions::new(vec!["a".into(); sources.max(1)]);
            let (revision, several) = revisions.fields(&spec(sources));
            assert_eq!(Revisions::stored(&revision, &several), revisions);
        }
        assert!(Revisions::stored("", &[]).is_empty());
    }

    #[test]
    fn a_status_about_another_style_is_about_other_sources() {
        let (source, sources) = sources_of(&spec(1));
        assert!(is_about(source.as_ref(), &sources, &spec(1)));
        assert!(!is_about(source.as_ref(), &sources, &spec(0)));
        let (source, sources) = sources_of(&spec(0));
        assert!(!is_about(source.as_ref(), &sources, &spec(1)));
    }
}
