//! An OCI registry: the tags of a chart, and its archive by tag, asked for as the distribution specification says.
//! It pushes nothing and keeps nothing but the token of one visit.

pub(super) mod challenge;
pub(super) mod manifest;
mod token;

use std::time::Duration;

use reqwest::{
    Url,
    header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, LINK, WWW_AUTHENTICATE},
};
use serde::Deserialize;

use self::challenge::{Challenge, challenge};
use super::{
    Access, ChartError, Login,
    http::{Answer, Get, Http, Redirects, is_same_host},
    limits::{ARCHIVE_BYTES, MANIFEST_BYTES, TAG_PAGES, TAGS, TAGS_BYTES, TAGS_PER_PAGE, shown},
    place::Location,
    sha256_hex,
};

/// The digest of a manifest, as registries say it.
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// One chart in a registry.
#[derive(Debug)]
pub(super) struct Registry {
    http: Http,
    location: Location,
    at: String,
}

/// An archive, as the registry has it.
#[derive(Debug)]
pub(super) struct Pulled {
    pub(super) sha256: String,
    pub(super) archive: Vec<u8>,
}

/// What was asked for is not there.
pub(super) enum Absent {
    /// By the registry's own word.
    NotFound,
    Failed(ChartError),
}

impl From<ChartError> for Absent {
    fn from(error: ChartError) -> Self {
        Self::Failed(error)
    }
}

#[derive(Deserialize)]
struct Page {
    tags: Option<Vec<String>>,
}

impl Registry {
    pub(super) fn new(
        location: Location,
        access: &Access,
        timeout: Duration,
    ) -> Result<Self, ChartError> {
        let at = location.to_string();
        let scheme = if access.plain_http { "http" } else { "https" };
        let home = location.api(scheme).ok_or_else(|| ChartError::InvalidUrl {
            at: at.clone(),
            problem: "expected oci://HOST/PATH",
        })?;
        Ok(Self {
            http: Http::new(home, access, &at, timeout)?,
            location,
            at,
        })
    }

    pub(super) fn access(&self) -> &Access {
        self.http.access()
    }

    /// The chart's name.
    pub(super) fn name(&self) -> &str {
        self.location.path.rsplit('/').next().unwrap_or_default()
    }

    /// All tags of the chart, page by page.
    pub(super) async fn tags(&self) -> Result<Vec<String>, Absent> {
        let mut visit = Visit::new(self);
        let mut tags = Vec::new();
        let mut next = Some(self.url(&format!("tags/list?n={TAGS_PER_PAGE}"))?);
        for _ in 0..TAG_PAGES {
            let Some(url) = next else { return Ok(tags) };
            let answer = visit
                .get(&url, "application/json", Redirects::OwnHost, &self.at)
                .await?;
            next = next_page(&answer).filter(|next| is_same_host(next, &url));
            let page: Option<Page> =
                serde_json::from_slice(&answer.body(TAGS_BYTES, "list of tags").await?).ok();
            let page = page.ok_or_else(|| self.problem("its list of tags is not understood"))?;
            tags.extend(page.tags.unwrap_or_default());
            if tags.len() > TAGS {
                break;
            }
        }
        Err(Absent::Failed(ChartError::TooLarge {
            at: self.at.clone(),
            what: "list of tags",
            limit: format!("{TAGS} tags"),
        }))
    }

    /// The archive that `tag` names; not its bytes when `known` has its SHA-256 digest already.
    pub(super) async fn pull(
        &self,
        tag: &str,
        known: impl FnOnce(&str) -> bool,
        at: &str,
    ) -> Result<Option<Pulled>, Absent> {
        let mut visit = Visit::new(self);
        let url = self.url(&format!("manifests/{tag}"))?;
        let answer = visit
            .get(&url, manifest::ACCEPTED, Redirects::OwnHost, at)
            .await?;
        let said = answer.headers(CONTENT_DIGEST).next().map(str::to_owned);
        let text = answer.body(MANIFEST_BYTES, "manifest").await?;
        let own = format!("sha256:{}", sha256_hex(&text));
        if said.is_some_and(|said| said.starts_with("sha256:") && said != own) {
            return Err(Absent::Failed(ChartError::DigestMismatch {
                at: at.to_owned(),
                what: "manifest",
            }));
        }
        let blob = manifest::archive(&text).map_err(|problem| ChartError::NotAChart {
            at: at.to_owned(),
            problem: problem.to_owned(),
        })?;
        if known(&blob.sha256) {
            return Ok(None);
        }
        if usize::try_from(blob.size).is_ok_and(|size| size > ARCHIVE_BYTES) {
            return Err(Absent::Failed(ChartError::TooLarge {
                at: at.to_owned(),
                what: "archive",
                limit: shown(ARCHIVE_BYTES),
            }));
        }
        let url = self.url(&format!("blobs/sha256:{}", blob.sha256))?;
        let answer = match visit.get(&url, "*/*", Redirects::Anywhere, at).await {
            Err(Absent::NotFound) => {
                return Err(Absent::Failed(ChartError::ArchiveNotFound {
                    at: at.to_owned(),
                }));
            }
            answer => answer?,
        };
        Ok(Some(Pulled {
            archive: answer.body(ARCHIVE_BYTES, "archive").await?,
            sha256: blob.sha256,
        }))
    }

    fn url(&self, below: &str) -> Result<Url, ChartError> {
        self.http
            .home()
            .join(below)
            .map_err(|_| ChartError::InvalidUrl {
                at: self.at.clone(),
                problem: "expected oci://HOST/PATH",
            })
    }

    fn problem(&self, problem: &str) -> ChartError {
        ChartError::NotARegistry {
            at: self.at.clone(),
            problem: problem.to_owned(),
        }
    }
}

/// Requests that belong together: once a registry said what it wants to see, it sees it.
struct Visit<'a> {
    registry: &'a Registry,
    authorization: Option<HeaderValue>,
}

impl<'a> Visit<'a> {
    fn new(registry: &'a Registry) -> Self {
        Self {
            registry,
            authorization: None,
        }
    }

    /// An answer with status 200.
    async fn get(
        &mut self,
        url: &Url,
        accept: &'static str,
        redirects: Redirects,
        at: &str,
    ) -> Result<Answer, Absent> {
        let mut answer = self.send(url, accept, redirects, at).await?;
        if answer.status() == 401 && self.authorization.is_none() {
            self.authorization = self.authorize(&answer, at).await?;
            if self.authorization.is_some() {
                answer = self.send(url, accept, redirects, at).await?;
            }
        }
        match answer.status().as_u16() {
            200 => Ok(answer),
            404 => Err(Absent::NotFound),
            status => {
                let refusal = self.registry.http.refusal(at, answer.status());
                let other = || self.registry.problem(&format!("HTTP status {status}"));
                Err(Absent::Failed(refusal.unwrap_or_else(other)))
            }
        }
    }

    async fn send(
        &self,
        url: &Url,
        accept: &'static str,
        redirects: Redirects,
        at: &str,
    ) -> Result<Answer, ChartError> {
        let http = &self.registry.http;
        let get = Get {
            at,
            url: url.clone(),
            headers: HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]),
            authorization: self.authorization.as_ref(),
            known_to: std::slice::from_ref(http.home()),
            redirects,
        };
        http.get(get).await
    }

    /// What the registry wants to see, as far as we have it.
    async fn authorize(
        &self,
        answer: &Answer,
        at: &str,
    ) -> Result<Option<HeaderValue>, ChartError> {
        let http = &self.registry.http;
        match challenge(answer.headers(WWW_AUTHENTICATE)) {
            Some(Challenge::Bearer(_)) if matches!(http.access().login, Login::Bearer(_)) => {
                Ok(http.authorization())
            }
            Some(Challenge::Bearer(request)) => {
                let scope = format!("repository:{}:pull", self.registry.location.path);
                token::token(http, &request, &scope, at).await.map(Some)
            }
            Some(Challenge::Basic) => Ok(http.authorization()),
            None => Ok(None),
        }
    }
}

/// The URL of the next page: `Link: </v2/…>; rel="next"`.
fn next_page(answer: &Answer) -> Option<Url> {
    let link = answer
        .headers(LINK)
        .find(|link| link.contains("rel=\"next\"") || link.contains("rel=next"))?;
    let (_, rest) = link.split_once('<')?;
    let (target, _) = rest.split_once('>')?;
    answer.url().join(target).ok()
}
