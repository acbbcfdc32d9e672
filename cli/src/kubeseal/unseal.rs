//! Unsealing without a cluster, with the private keys in files.
//! Must not talk to a cluster; the result is plain text and only ever goes to the sink.

use base64::Engine as _;
use crds::SealedSecret;
use indexmap::IndexMap;
use k8s_openapi::jiff::Timestamp;
use rand::rngs::SysRng;
use sealing::{Keyring, SecretValue, Surroundings, UnsealError, UnsealedSecret};
use zeroize::Zeroizing;

use super::input::Opened;
use super::schema::OBJECT_META;
use super::sealed_object::{self, SealedObject};
use super::settings::Settings;
use super::sink::Sink;
use super::texts::Error;
use super::typed::{self, Names};
use crate::documents::{self, Input};
use crate::key_files;
use crate::report;

pub(super) fn run(settings: &Settings, input: &Opened, sink: &mut Sink) -> Result<(), Error> {
    let keyring = keyring(settings)?;
    let SealedObject {
        value,
        has_legacy_data,
        has_more,
    } = sealed_object::decode(&input.bytes()?)?;
    if has_more {
        report::warning(format_args!(
            "only the first document of {} is opened",
            input.name()
        ));
    }
    if has_legacy_data {
        return Err(Error::Unseal(UnsealError::LegacyRefused));
    }
    let field = |name: &str| {
        value
            .get(name)
            .and_then(SecretValue::as_text)
            .unwrap_or_default()
            .to_owned()
    };
    let owner = (field("apiVersion"), field("kind"));
    let sealed: SealedSecret = serde_json::from_value(value.into_public())
        .map_err(|error| Error::Mismatch(error.to_string()))?;
    let mut random = SysRng;
    let surroundings = Surroundings::new(Timestamp::now(), &mut random);
    let mut secret = sealing::unseal(&sealed, &keyring, &surroundings)
        .map_err(Error::Unseal)?
        .secret;
    for reference in secret.metadata.owner_references.iter_mut().flatten() {
        // What the input left out stays out.
        (reference.api_version, reference.kind) = owner.clone();
    }
    sink.write_object(&object(&secret)?, &settings.format)
}

/// All keys of the files. A file that gives none is told of, and takes nothing from the others.
fn keyring(settings: &Settings) -> Result<Keyring, Error> {
    let files: Vec<Input> = settings
        .private_keys
        .iter()
        .cloned()
        .map(Input::File)
        .collect();
    let (keyring, problems) = key_files::read(&files);
    for problem in problems {
        match problem {
            key_files::Error::Documents(documents::Error::Read {
                input: Input::File(path),
                source,
            }) => {
                let operation = if path.is_dir() { "read" } else { "open" };
                return Err(Error::file(operation, &path, &source));
            }
            key_files::Error::Secret {
                source: sealing::KeyError::MissingItem { .. },
                ..
            } => {
                return Err(Error::NoKeyItem);
            }
            problem => report::warning(problem.in_one_line()),
        }
    }
    Ok(keyring)
}

/// The Secret with its fields in Go's order.
fn object(secret: &UnsealedSecret) -> Result<SecretValue, Error> {
    let unexpected = |reason: String| Error::Mismatch(reason);
    let metadata =
        serde_json::to_value(&secret.metadata).map_err(|error| unexpected(error.to_string()))?;
    let metadata = typed::read(metadata.into(), &OBJECT_META, Names::Exact)
        .map_err(|mismatch| unexpected(mismatch.to_string()))?;
    let encode = |bytes: &[u8]| match bytes {
        // Go has no bytes at all for an empty value, and writes that as null.
        [] => SecretValue::Null,
        bytes => SecretValue::Text(Zeroizing::new(
            base64::engine::general_purpose::STANDARD.encode(bytes),
        )),
    };
    let data: IndexMap<String, SecretValue> = secret
        .data
        .iter()
        .map(|(key, value)| (key.clone(), encode(value.expose())))
        .collect();
    let mut object = IndexMap::from([
        ("kind".to_owned(), SecretValue::from("Secret")),
        ("apiVersion".to_owned(), SecretValue::from("v1")),
        ("metadata".to_owned(), metadata.value),
    ]);
    let immutable = secret.immutable.map(SecretValue::Bool);
    object.extend(immutable.map(|immutable| ("immutable".to_owned(), immutable)));
    if !data.is_empty() {
        object.insert("data".to_owned(), SecretValue::Map(data));
    }
    let type_ = secret.type_.as_deref().filter(|type_| !type_.is_empty());
    object.extend(type_.map(|type_| ("type".to_owned(), SecretValue::from(type_))));
    Ok(SecretValue::Map(object))
}
