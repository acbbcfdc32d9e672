//! What a webhook says: whether refs of a repository moved, and under which URLs the sender knows the repository.
//! It must not take anything else from a payload: which commits there are, the repository itself is asked.

use axum::http::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::location::Location;
use super::provider::Provider;

/// What happened.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Refs of the repository at these places moved.
    Push(Vec<Location>),
    /// Something that moves no ref.
    Other,
}

/// Why a payload is no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("its body is not the JSON of such a webhook")]
    NotJson,
    #[error("its body names no URL of the repository")]
    NoRepository,
}

/// Texts that may be URLs of the repository; which of them a sender fills in depends on its version.
type Urls = Vec<Option<String>>;

/// URLs that are looked at: more than any sender has.
const MOST_URLS: usize = 16;

/// Reads the body of a webhook whose headers these are.
pub(super) fn read(
    provider: Provider,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Event, Malformed> {
    let event = provider.event(headers);
    let urls = match (provider, event) {
        (
            Provider::GitHub | Provider::Gitea | Provider::Forgejo | Provider::Gogs,
            "push" | "create" | "delete",
        ) => parse::<Github>(body)?.urls(),
        (Provider::GitLab, "Push Hook" | "Tag Push Hook") => parse::<Gitlab>(body)?.urls(),
        (Provider::GitLab, "System Hook") => match parse::<Gitlab>(body)? {
            payload if payload.is_push() => payload.urls(),
            _ => return Ok(Event::Other),
        },
        (Provider::BitbucketCloud, "repo:push") => parse::<BitbucketCloud>(body)?.urls(),
        (Provider::BitbucketServer, "repo:refs_changed") => parse::<BitbucketServer>(body)?.urls(),
        (Provider::AzureDevOps, _) => match parse::<AzureDevOps>(body)? {
            payload if payload.event_type == "git.push" => payload.urls(),
            _ => return Ok(Event::Other),
        },
        _ => return Ok(Event::Other),
    };
    let urls = urls.into_iter().flatten().take(MOST_URLS);
    let locations: Vec<_> = urls.filter_map(|url| Location::of(&url)).collect();
    match locations.is_empty() {
        true => Err(Malformed::NoRepository),
        false => Ok(Event::Push(locations)),
    }
}

/// Whether this is what a sender asks to see whether anybody is there. It carries no signature.
pub(super) fn is_unsigned_ping(provider: Provider, headers: &HeaderMap) -> bool {
    provider == Provider::BitbucketServer && provider.event(headers) == "diagnostics:ping"
}

fn parse<P: DeserializeOwned>(body: &[u8]) -> Result<P, Malformed> {
    serde_json::from_slice(body).map_err(|_| Malformed::NotJson)
}

/// Of GitHub, and of those who imitate it.
#[derive(Deserialize)]
struct Github {
    #[serde(default)]
    repository: GithubRepository,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GithubRepository {
    clone_url: Option<String>,
    ssh_url: Option<String>,
    html_url: Option<String>,
}

impl Github {
    fn urls(self) -> Urls {
        let repository = self.repository;
        vec![
            repository.clone_url,
            repository.ssh_url,
            repository.html_url,
        ]
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Gitlab {
    event_name: String,
    project: GitlabProject,
    repository: GitlabProject,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GitlabProject {
    git_http_url: Option<String>,
    git_ssh_url: Option<String>,
    web_url: Option<String>,
    homepage: Option<String>,
}

impl Gitlab {
    fn is_push(&self) -> bool {
        ["push", "tag_push", "repository_update"].contains(&self.event_name.as_str())
    }

    fn urls(self) -> Urls {
        let of = |project: GitlabProject| {
            [
                project.git_http_url,
                project.git_ssh_url,
                project.web_url,
                project.homepage,
            ]
        };
        of(self.project)
            .into_iter()
            .chain(of(self.repository))
            .collect()
    }
}

#[derive(Deserialize)]
struct BitbucketCloud {
    repository: Linked<CloudLinks>,
}

/// Of both Bitbuckets.
#[derive(Deserialize)]
struct Linked<L> {
    links: Option<L>,
}

#[derive(Deserialize)]
struct CloudLinks {
    html: Link,
}

#[derive(Deserialize)]
struct Link {
    href: Option<String>,
}

impl BitbucketCloud {
    fn urls(self) -> Urls {
        let links = self.repository.links;
        links.into_iter().map(|links| links.html.href).collect()
    }
}

#[derive(Deserialize)]
struct BitbucketServer {
    repository: Linked<ServerLinks>,
}

#[derive(Deserialize)]
struct ServerLinks {
    #[serde(default)]
    clone: Vec<Link>,
}

impl BitbucketServer {
    fn urls(self) -> Urls {
        let links = self.repository.links.into_iter();
        links
            .flat_map(|links| links.clone)
            .map(|link| link.href)
            .collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AzureDevOps {
    event_type: String,
    resource: Option<AzureResource>,
}

#[derive(Deserialize)]
struct AzureResource {
    repository: Option<AzureRepository>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AzureRepository {
    remote_url: Option<String>,
    ssh_url: Option<String>,
}

impl AzureDevOps {
    fn urls(self) -> Urls {
        let repository = self.resource.and_then(|resource| resource.repository);
        repository
            .into_iter()
            .flat_map(|repository| [repository.remote_url, repository.ssh_url])
            .collect()
    }
}
