//! Where a chart is, as `repoURL` and `chart` say: below an HTTP index, or in an OCI registry.
//! Pure: it asks no server.

use reqwest::Url;

use super::ChartError;
use crate::git::redacted;

/// The registry that people mean by a name at which none answers.
const DOCKER_HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// Where a chart is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A Helm repository, its URL ending in a slash.
    Index(Url),
    Registry(Location),
}

/// One repository of a registry: all versions of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Location {
    /// With its port, as written.
    pub(super) host: String,
    /// Without slashes at its ends.
    pub(super) path: String,
}

impl Place {
    /// Reads `repoURL`: a registry when it has no scheme, as Argo CD writes it, or `oci://`; `chart` is a part of its path.
    pub(super) fn parse(url: &str, chart: &str) -> Result<Self, ChartError> {
        let url = url.trim();
        let refused = |problem| Err(invalid(url, problem));
        if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return refused("it contains white space");
        }
        let (scheme, rest) = url.split_once("://").unwrap_or(("oci", url));
        let authority = rest.split('/').next().unwrap_or_default();
        if authority
            .rsplit_once('@')
            .is_some_and(|(user, _)| user.contains(':'))
        {
            return refused("it carries a password; put it into a repository Secret");
        }
        if rest.contains(['?', '#']) {
            return refused("it carries a query or fragment");
        }
        match scheme.to_ascii_lowercase().as_str() {
            "oci" => registry(url, rest, chart).map(Self::Registry),
            "http" | "https" if chart.is_empty() => Err(no_name(url, chart)),
            "http" | "https" => {
                index(url).map_or_else(|| refused("expected a host"), |url| Ok(Self::Index(url)))
            }
            _ => refused("expected https:// or oci://"),
        }
    }

    /// The repository without user and slash at its end, for messages and as what is shared; that of a registry with the chart.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Index(url) => url.as_str().trim_end_matches('/').to_owned(),
            Self::Registry(location) => location.to_string(),
        }
    }
}

const NO_LOCATION: &str =
    "expected HOST/PATH of lower case letters and digits, with . _ or - between them";

fn registry(url: &str, rest: &str, chart: &str) -> Result<Location, ChartError> {
    let below = rest.trim_end_matches('/');
    if chart.is_empty() {
        return Location::parse(below).ok_or_else(|| invalid(url, NO_LOCATION));
    }
    if !chart.split('/').all(is_component) {
        return Err(no_name(url, chart));
    }
    Location::parse(&format!("{below}/{chart}")).ok_or_else(|| invalid(url, NO_LOCATION))
}

fn no_name(url: &str, chart: &str) -> ChartError {
    ChartError::InvalidName {
        at: redacted(url),
        chart: chart.to_owned(),
    }
}

fn index(url: &str) -> Option<Url> {
    let mut parsed = Url::parse(url).ok()?;
    parsed.host_str().filter(|host| !host.is_empty())?;
    parsed.set_username("").ok()?;
    if !parsed.path().ends_with('/') {
        let path = format!("{}/", parsed.path());
        parsed.set_path(&path);
    }
    Some(parsed)
}

fn invalid(url: &str, problem: &'static str) -> ChartError {
    ChartError::InvalidUrl {
        at: redacted(url),
        problem,
    }
}

impl Location {
    /// Reads `host/path`, as the distribution specification allows them.
    fn parse(text: &str) -> Option<Self> {
        let (host, path) = text.split_once('/')?;
        let host_is_sound = !host.is_empty()
            && host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
            && Url::parse(&format!("https://{host}/")).is_ok();
        let path_is_sound = path.split('/').all(is_component);
        (host_is_sound && path_is_sound).then(|| Self {
            host: host.to_ascii_lowercase(),
            path: path.to_owned(),
        })
    }

    /// Reads the `oci://host/path:tag` of an index.
    pub(super) fn with_tag(url: &str) -> Option<(Self, &str)> {
        let (location, tag) = url.strip_prefix("oci://")?.rsplit_once(':')?;
        (is_tag(tag)).then_some((Self::parse(location)?, tag))
    }

    /// The URL of the registry's API below which all of the repository is.
    pub(super) fn api(&self, scheme: &str) -> Option<Url> {
        let host = if self.host == DOCKER_HUB.0 {
            DOCKER_HUB.1
        } else {
            &self.host
        };
        Url::parse(&format!("{scheme}://{host}/v2/{}/", self.path)).ok()
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "oci://{}/{}", self.host, self.path)
    }
}

fn is_component(part: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = (part.bytes().next(), part.bytes().next_back());
    matches!(ends, (Some(first), Some(last)) if is_word(first) && is_word(last))
        && part
            .bytes()
            .all(|byte| is_word(byte) || b"._-".contains(&byte))
        && !part.contains("..")
}

/// Whether `text` can be a tag: it becomes a part of a URL.
pub(super) fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut bytes = text.bytes();
    text.len() <= 128
        && bytes.next().is_some_and(is_word)
        && bytes.all(|byte| is_word(byte) || b".-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        Place::parse(url, "nginx").unwrap().shown()
    }

    fn refused(url: &str) -> String {
        Place::parse(url, "nginx").unwrap_err().to_string()
    }

    #[test]
    fn a_scheme_tells_an_index_from_a_registry() {
        for (url, expected) in [
            (
                "https://Charts.Example/stable",
                "https://charts.example/stable",
            ),
            (
                " https://me@charts.example:443/stable/ ",
                "https://charts.example/stable",
            ),
            ("https://charts.example", "https://charts.example"),
            (
                "oci://Registry.example:5000/charts/",
                "oci://registry.example:5000/charts/nginx",
            ),
            (
                "registry.example/charts",
                "oci://registry.example/charts/nginx",
            ),
            ("registry.example", "oci://registry.example/nginx"),
            (
                "localhost:5000/a_b/c.d",
                "oci://localhost:5000/a_b/c.d/nginx",
            ),
        ] {
            assert_eq!(shown(url), expected, "{url}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_repeated() {
        for url in [
            "https://me:hunter2@charts.example/a",
            "me:hunter2@registry.example/a",
            "oci://me:hunter2@r/a",
        ] {
            let message = refused(url);
            assert!(
                message.contains("it carries a password") && !message.contains("hunter2"),
                "{message}"
            );
        }
    }

    #[test]
    fn what_is_no_url_of_a_chart_repository_is_refused() {
        for url in [
            "",
            "ftp://h/a",
            "https://",
            "https://h/a?x",
            "https://h/a#x",
            "oci://h/../a",
            "oci://h/A",
            "oci:///a",
            "h/a b",
            "oci://h/a//b",
            "oci://h/a%2fb",
            "oci://h/a:1.2",
        ] {
            assert!(refused(url).contains("not a chart repository URL"), "{url}");
        }
        assert_eq!(
            Place::parse("oci://h/a", "../b").unwrap_err().to_string(),
            "oci://h/a: \"../b\" is no name of a chart"
        );
        assert!(Place::parse("https://h/a", "").is_err());
        assert_eq!(Place::parse("oci://h/a", "").unwrap().shown(), "oci://h/a");
    }

    #[test]
    fn docker_hub_answers_at_another_host() {
        let location = Location::parse("docker.io/bitnamicharts/nginx").unwrap();
        assert_eq!(
            location.api("https").unwrap().as_str(),
            "https://registry-1.docker.io/v2/bitnamicharts/nginx/"
        );
    }

    #[test]
    fn an_index_may_name_an_archive_in_a_registry() {
        let (location, tag) = Location::with_tag("oci://h:5000/a/nginx:1.2.3_b").unwrap();
        assert_eq!(
            (location.to_string().as_str(), tag),
            ("oci://h:5000/a/nginx", "1.2.3_b")
        );
        for url in [
            "oci://h:5000/a/nginx",
            "oci://h/a/nginx:",
            "oci://h/a/nginx:../x",
            "https://h/a:1",
        ] {
            assert!(Location::with_tag(url).is_none(), "{url}");
        }
    }
}
