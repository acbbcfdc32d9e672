//! `urlParse` and `urlJoin`: URLs as dicts.
//! The grammar is in `url`.

use super::Param::{Dict as Map, Text as Str};
use super::{Call, CallError, Function, NIL_DEREFERENCE, Value, failed, function, text};
use crate::template::text::Text;
use crate::template::url::{Url, User};

pub(super) const FUNCTIONS: &[Function] = &[
    function("urlJoin", &[Map], join),
    function("urlParse", &[Str], parse),
];

fn parse(call: &Call<'_>) -> Result<Value, CallError> {
    let url = Url::parse(call.text(0)).ok_or(failed("unable to parse url"))?;
    let user = url.user.as_ref().map(User::text).unwrap_or_default();
    let hostname = url.hostname().to_vec();
    let parts = [
        ("fragment", url.fragment),
        ("host", url.host),
        ("hostname", hostname),
        ("opaque", url.opaque),
        ("path", url.path),
        ("query", url.query),
        ("scheme", url.scheme.into_bytes()),
        ("userinfo", user),
    ];
    let entries = parts
        .into_iter()
        .map(|(key, part)| (Text::from(key), Value::text(part)));
    Ok(call.run.dict(entries.collect()))
}

fn part(call: &Call<'_>, key: &'static str) -> Result<Vec<u8>, CallError> {
    let found = call
        .dict(0)
        .and_then(|dict| dict.borrow().get(key.as_bytes()).cloned());
    match found {
        None => Ok(Vec::new()),
        Some(Value::Text(text)) => Ok(text.to_vec()),
        Some(Value::Nil) => Err(NIL_DEREFERENCE),
        Some(other) => {
            let kind = other.kind();
            let message =
                format!("unable to parse {key} key, must be of type string, but {kind} found");
            Err(CallError::Failed(message.into()))
        }
    }
}

fn join(call: &Call<'_>) -> Result<Value, CallError> {
    let user = part(call, "userinfo")?;
    let user = match user.is_empty() {
        true => None,
        false => {
            let url = Url::parse(&[b"proto://", &*user, b"@host"].concat());
            url.ok_or(failed("unable to parse userinfo in dict"))?.user
        }
    };
    let url = Url {
        scheme: String::from_utf8_lossy(&part(call, "scheme")?).into_owned(),
        opaque: part(call, "opaque")?,
        user,
        host: part(call, "host")?,
        path: part(call, "path")?,
        query: part(call, "query")?,
        fragment: part(call, "fragment")?,
    };
    text(url.text())
}
