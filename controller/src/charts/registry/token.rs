//! A token for a registry, from where its challenge says, with the login or for anybody.
//! It keeps no token; whoever asked does, for as long as one chart is fetched.

use reqwest::{
    Url,
    header::{HeaderMap, HeaderValue},
};
use serde::Deserialize;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::{
    super::{
        ChartError,
        http::{Get, Http, Redirects},
        limits::TOKEN_BYTES,
    },
    challenge::TokenRequest,
};

#[derive(Deserialize, ZeroizeOnDrop)]
struct Issued {
    token: Option<String>,
    access_token: Option<String>,
}

/// Asks for a token. The login goes to the realm that the registry names, over TLS unless the registry itself has none.
pub(super) async fn token(
    http: &Http,
    request: &TokenRequest,
    scope: &str,
    at: &str,
) -> Result<HeaderValue, ChartError> {
    let problem = |problem: &str| ChartError::NotARegistry {
        at: at.to_owned(),
        problem: problem.to_owned(),
    };
    let realm = Url::parse(&request.realm)
        .ok()
        .filter(|realm| realm.scheme() == "https" || realm.scheme() == http.home().scheme());
    let mut url = realm.ok_or_else(|| problem("it wants a token from a URL that is not https"))?;
    if let Some(service) = &request.service {
        url.query_pairs_mut().append_pair("service", service);
    }
    let scope = request.scope.as_deref().unwrap_or(scope);
    url.query_pairs_mut().append_pair("scope", scope);
    let authorization = http.authorization();
    let get = Get {
        at,
        known_to: &[url.clone()],
        url,
        headers: HeaderMap::new(),
        authorization: authorization.as_ref(),
        redirects: Redirects::OwnHost,
    };
    let answer = http.get(get).await?;
    if !answer.status().is_success() {
        let status = answer.status();
        let refusal = http.refusal(at, status);
        return Err(refusal.unwrap_or_else(|| problem(&format!("no token: HTTP status {status}"))));
    }
    let body = Zeroizing::new(answer.body(TOKEN_BYTES, "token").await?);
    let issued: Option<Issued> = serde_json::from_slice(&body).ok();
    let header = issued.and_then(|issued| {
        let token = issued.token.as_ref().or(issued.access_token.as_ref())?;
        HeaderValue::from_str(&Zeroizing::new(format!("Bearer {token}"))).ok()
    });
    let mut header = header.ok_or_else(|| problem("its answer is no token"))?;
    header.set_sensitive(true);
    Ok(header)
}
