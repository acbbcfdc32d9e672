//! What our HTTP servers share: limits on how long, how large and how often.
//! It must not know a path or decide who may ask.

pub(crate) mod limit;
pub(crate) mod room;
pub(crate) mod timeouts;

use axum::http::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

/// The type of every text that is answered.
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

/// An answer that says no.
pub(crate) fn refusal(status: StatusCode, text: &'static str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(TEXT));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    (status, headers, text).into_response()
}

/// What is answered where there is nothing.
pub(crate) async fn not_found() -> Response {
    refusal(StatusCode::NOT_FOUND, "404 page not found\n")
}
