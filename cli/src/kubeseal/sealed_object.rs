//! One SealedSecret out of a file, as Kubernetes' own decoder takes it: fields by their exact names, nothing coerced.
//! Must not open or seal anything.

use crds::names::sealed_secret::{API_VERSION, KIND};
use indexmap::IndexMap;
use sealing::SecretValue;
use zeroize::Zeroizing;

use super::coerce;
use super::go_text::{quote_char, unregistered};
use super::json_value::{self, Json};
use super::schema::SEALED_SECRET;
use super::texts::Error;
use super::typed::{self, Names, noun};
use crate::documents::without_content;
use crate::node::Builder;

/// A SealedSecret with its fields in order.
pub(super) struct SealedObject {
    pub(super) value: SecretValue,
    /// It has the deprecated `spec.data`, if only an empty one.
    pub(super) has_legacy_data: bool,
    /// Something stands behind it, which is not read.
    pub(super) has_more: bool,
}

/// The first document of `text`.
pub(super) fn decode(text: &[u8]) -> Result<SealedObject, Error> {
    let text = as_utf8(text).ok_or_else(|| Error::Mismatch("yaml: invalid UTF-8".to_owned()))?;
    let text = text.as_str();
    let (value, has_more) = match text.trim_start().starts_with('{') {
        true => (from_json(text)?, false),
        false => from_yaml(text)?,
    };
    check_kind(&value)?;
    let data = value.get("spec").and_then(|spec| spec.get("data"));
    let has_legacy_data = data.is_some_and(|data| !data.is_null());
    let typed = typed::read(value, &SEALED_SECRET, Names::Exact)
        .map_err(|mismatch| Error::Mismatch(mismatch.to_string()))?;
    Ok(SealedObject {
        value: typed.value,
        has_legacy_data,
        has_more,
    })
}

/// UTF-8, or UTF-16 that says so by its mark.
fn as_utf8(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let from_pairs = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units)
            .collect::<Result<String, _>>()
            .ok()
    };
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => from_pairs(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => from_pairs(rest, u16::from_be_bytes),
        bytes => str::from_utf8(bytes).ok().map(str::to_owned),
    };
    text.map(Zeroizing::new)
}

fn unknown_kind(problem: &str) -> Error {
    Error::Mismatch(format!(
        "couldn't get version/kind; json parse error: {problem}"
    ))
}

fn from_json(text: &str) -> Result<SecretValue, Error> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Json>();
    match values.next() {
        Some(Ok(Json(value))) => {
            let rest = text[values.byte_offset()..].trim_start();
            match rest.chars().next() {
                None => Ok(value),
                Some(character) => Err(trailing(character)),
            }
        }
        Some(Err(error)) => Err(unknown_kind(&json_value::problem(text, &error))),
        None => Err(Error::Nothing),
    }
}

/// More than one JSON object where one is wanted.
pub(super) fn trailing(character: char) -> Error {
    let character = quote_char(character);
    unknown_kind(&format!(
        "invalid character {character} after top-level value"
    ))
}

/// The first document, and whether more than nothing is behind it.
fn from_yaml(text: &str) -> Result<(SecretValue, bool), Error> {
    let mut builder = Builder::new(text, 0, 1);
    let first = builder.next_root().map_err(|error| {
        let line = builder.line(error.marker());
        yaml_error(line, &without_content(&error))
    })?;
    let first = first
        .filter(|node| !node.is_nothing())
        .ok_or(Error::Nothing)?;
    let value = coerce::untyped(&first);
    let value = value.map_err(|problem| yaml_error(problem.line, &problem.fault.to_string()))?;
    Ok((value, has_more(&mut builder)))
}

fn has_more(builder: &mut Builder<'_>) -> bool {
    loop {
        match builder.next_root() {
            Ok(None) => return false,
            Ok(Some(node)) if node.is_nothing() => {}
            Ok(Some(_)) | Err(_) => return true,
        }
    }
}

fn yaml_error(line: usize, problem: &str) -> Error {
    Error::Mismatch(format!("yaml: line {line}: {problem}"))
}

/// Both may be left out.
fn check_kind(value: &SecretValue) -> Result<(), Error> {
    if !matches!(value, SecretValue::Map(_)) {
        return Err(unknown_kind(&format!(
            "json: cannot unmarshal {} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}",
            noun(value)
        )));
    }
    let text = |field: &str, default: &str| match value.get(field) {
        None | Some(SecretValue::Null) => Ok(default.to_owned()),
        Some(SecretValue::Text(text)) if text.is_empty() => Ok(default.to_owned()),
        Some(SecretValue::Text(text)) => Ok(text.to_string()),
        Some(other) => Err(unknown_kind(&format!(
            "json: cannot unmarshal {} into Go struct field .{field} of type string",
            noun(other)
        ))),
    };
    let (version, kind) = (text("apiVersion", API_VERSION)?, text("kind", KIND)?);
    match (version.as_str(), kind.as_str()) {
        (API_VERSION, KIND) => Ok(()),
        _ if is_known(&version, &kind) => {
            let version = version.rsplit('/').next().unwrap_or_default();
            Err(Error::Mismatch(format!(
                "converting ({version}.{kind}) to (v1alpha1.SealedSecret): unknown conversion"
            )))
        }
        _ => Err(Error::Mismatch(unregistered(&kind, &version))),
    }
}

/// Kinds that client-go has a type for, as far as they are likely to be met.
fn is_known(version: &str, kind: &str) -> bool {
    const CORE: [&str; 13] = [
        "ConfigMap",
        "Endpoints",
        "Event",
        "List",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "Pod",
        "Secret",
        "SecretList",
        "Service",
        "ServiceAccount",
    ];
    match version.split_once('/') {
        None => version == "v1" && CORE.contains(&kind),
        Some(("bitnami.com", "v1alpha1")) => kind == "SealedSecretList",
        Some((group, "v1")) => {
            matches!(group, "apps" | "batch" | "policy" | "autoscaling")
                || group.ends_with(".k8s.io")
        }
        Some(_) => false,
    }
}

/// The map under a path of fields; what is no map there is replaced by an empty one.
pub(super) fn map_at<'value>(
    value: &'value mut SecretValue,
    path: &[&str],
) -> &'value mut IndexMap<String, SecretValue> {
    if !matches!(value, SecretValue::Map(_)) {
        *value = SecretValue::Map(IndexMap::new());
    }
    let SecretValue::Map(map) = value else {
        unreachable!("invariant: it was made a map")
    };
    match path {
        [] => map,
        [field, rest @ ..] => map_at(map.entry((*field).to_owned()).or_default(), rest),
    }
}

/// The object with its kind and version in front, whatever it said itself.
pub(super) fn with_kind(object: SecretValue) -> SecretValue {
    let mut whole = IndexMap::from([
        ("kind".to_owned(), SecretValue::from(KIND)),
        ("apiVersion".to_owned(), SecretValue::from(API_VERSION)),
    ]);
    if let SecretValue::Map(fields) = object {
        let rest = fields
            .into_iter()
            .filter(|(field, _)| field != "kind" && field != "apiVersion");
        whole.extend(rest);
    }
    SecretValue::Map(whole)
}
