//! Tokens of GitHub Apps: a signed claim is exchanged for a token of an installation, which is kept until shortly before it ends.
//! It never says what GitHub answered, only with which status.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use k8s_openapi::jiff::Timestamp;
use reqwest::{Client, StatusCode};
use tokio::sync::Mutex;

use super::{Confidential, signing::SigningKey};

/// Where the API is when the Secret names no other.
pub(super) const GITHUB: &str = "https://api.github.com";
/// Clocks differ: a claim that begins in GitHub's future is refused.
const BACKDATED: i64 = 60;
/// GitHub takes claims of ten minutes at most, by its own clock.
const CLAIM_SECONDS: i64 = 540;
/// A token is not used in its last minutes, since a fetch takes some.
const MARGIN: i64 = 300;
/// Tokens last for an hour; a clock that is wrong by days must not keep one for days.
const LONGEST: i64 = 3_600;
/// GitHub's answers about installations and tokens have a few kilobytes.
const ANSWER_LIMIT: usize = 256 << 10;
/// How long GitHub may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An App, and the installation of it that may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitHubApp {
    pub(super) id: u64,
    /// Looked up by the owner of the repository when the Secret names none.
    pub(super) installation: Option<u64>,
    pub(super) key: SigningKey,
    /// The root of the API, without a slash at its end.
    pub(super) api: String,
}

/// The tokens in use.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<Vec<Arc<Kept>>>);

/// One App for one owner.
#[derive(Debug)]
struct Kept {
    app: GitHubApp,
    owner: String,
    token: Mutex<Option<Token>>,
}

#[derive(Clone, Debug)]
struct Token {
    text: Confidential,
    until: Instant,
}

#[derive(serde::Deserialize)]
struct Installation {
    id: u64,
}

#[derive(serde::Deserialize)]
struct Granted {
    token: String,
    expires_at: Timestamp,
}

impl Tokens {
    /// A token that reads the repositories of `owner`; who asks while one is being fetched shares it.
    ///
    /// # Errors
    /// In our words, why there is none.
    pub(super) async fn get(
        &self,
        client: &Client,
        app: &GitHubApp,
        owner: &str,
    ) -> Result<Confidential, String> {
        let kept = self.kept(app, owner).await;
        let mut token = kept.token.lock().await;
        if let Some(token) = token.as_ref().filter(|token| Instant::now() < token.until) {
            return Ok(token.text.clone());
        }
        let fetched = fetch(client, app, owner).await?;
        let text = fetched.text.clone();
        *token = Some(fetched);
        Ok(text)
    }

    /// Forgets the token: the server did not take it.
    pub(super) async fn forget(&self, app: &GitHubApp) {
        self.0.lock().await.retain(|kept| kept.app != *app);
    }

    async fn kept(&self, app: &GitHubApp, owner: &str) -> Arc<Kept> {
        // One installation serves all of its repositories, whoever owns them.
        let owner = if app.installation.is_some() {
            ""
        } else {
            owner
        };
        let mut all = self.0.lock().await;
        if let Some(kept) = all
            .iter()
            .find(|kept| kept.app == *app && kept.owner == owner)
        {
            return Arc::clone(kept);
        }
        let kept = Arc::new(Kept {
            app: app.clone(),
            owner: owner.to_owned(),
            token: Mutex::default(),
        });
        all.push(Arc::clone(&kept));
        kept
    }
}

async fn fetch(client: &Client, app: &GitHubApp, owner: &str) -> Result<Token, String> {
    let now = Timestamp::now();
    let claim = claim(app, now).ok_or("the claim could not be signed")?;
    let installation = match app.installation {
        Some(id) => id,
        None => installation(client, app, &claim, owner).await?,
    };
    let url = format!("{}/app/installations/{installation}/access_tokens", app.api);
    let granted: Granted = match ask(client.post(url), &claim).await? {
        Answer::Found(granted) => granted,
        Answer::NotFound => return Err(format!("the App has no installation {installation}")),
    };
    let seconds = granted.expires_at.as_second() - now.as_second() - MARGIN;
    let seconds = u64::try_from(seconds.clamp(0, LONGEST)).unwrap_or_default();
    Ok(Token {
        text: Confidential::of(granted.token),
        until: Instant::now() + Duration::from_secs(seconds),
    })
}

/// The installation of the App for `owner`, an organisation or else a user.
async fn installation(
    client: &Client,
    app: &GitHubApp,
    claim: &Confidential,
    owner: &str,
) -> Result<u64, String> {
    for kind in ["orgs", "users"] {
        let url = format!("{}/{kind}/{owner}/installation", app.api);
        if let Answer::Found(Installation { id }) = ask(client.get(url), claim).await? {
            return Ok(id);
        }
    }
    Err(format!("the App is not installed for {owner}"))
}

enum Answer<T> {
    Found(T),
    NotFound,
}

async fn ask<T: serde::de::DeserializeOwned>(
    request: reqwest::RequestBuilder,
    claim: &Confidential,
) -> Result<Answer<T>, String> {
    let request = request
        .bearer_auth(claim.expose())
        .header("Accept", "application/vnd.github+json")
        .timeout(TIMEOUT);
    let no_answer = |_| "its API can not be reached".to_owned();
    let mut response = request.send().await.map_err(no_answer)?;
    match response.status() {
        status if status.is_success() => {}
        StatusCode::NOT_FOUND => return Ok(Answer::NotFound),
        status => return Err(format!("its API answers with status {}", status.as_u16())),
    }
    let mut body = zeroize::Zeroizing::new(Vec::new());
    while let Some(part) = response.chunk().await.map_err(no_answer)? {
        if body.len() + part.len() > ANSWER_LIMIT {
            return Err("its API answers with too much".to_owned());
        }
        body.extend_from_slice(&part);
    }
    serde_json::from_slice(&body)
        .map(Answer::Found)
        .map_err(|_| "its API answers with something else".to_owned())
}

/// A JWT that says which App asks (RFC 7519), signed with RS256.
fn claim(app: &GitHubApp, now: Timestamp) -> Option<Confidential> {
    let now = now.as_second();
    let claims = serde_json::json!({
        "iat": now - BACKDATED,
        "exp": now + CLAIM_SECONDS,
        "iss": app.id.to_string(),
    });
    let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    let signed = format!(
        "{}.{}",
        encode(br#"{"alg":"RS256","typ":"JWT"}"#),
        encode(claims.to_string().as_bytes())
    );
    let signature = app.key.sign_rs256(signed.as_bytes())?;
    Some(Confidential::of(format!("{signed}.{}", encode(&signature))))
}
