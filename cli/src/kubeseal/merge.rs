//! Sealing items into a SealedSecret file that is there already.
//! Must not touch the file before everything is sealed, nor seal for another scope than the file's.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use sealing::{Certificate, Scope, SecretValue};

use super::input::Opened;
use super::schema::SEALED_SECRET;
use super::seal::{self, Destination};
use super::sealed_object::{self, SealedObject, map_at};
use super::settings::Settings;
use super::sink::Format;
use super::texts::Error;
use super::typed::{self, Names};
use crate::output::{self, Readers};
use crate::report;

/// Parts of a SealedSecret that are united.
const UNITED: [&[&str]; 4] = [
    &["spec", "encryptedData"],
    &["spec", "template", "metadata", "annotations"],
    &["spec", "template", "metadata", "labels"],
    &["spec", "template", "data"],
];

pub(super) fn run(
    settings: &Settings,
    path: &Path,
    input: &Opened,
    certificate: &Certificate,
) -> Result<(), Error> {
    let SealedObject {
        value: mut target,
        has_more,
        ..
    } = sealed_object::decode(&read(path)?)?;
    let scope = scope_of(&target);
    let metadata = |field: &str| {
        let found = target
            .get("metadata")
            .and_then(|metadata| metadata.get(field));
        found
            .and_then(SecretValue::as_text)
            .unwrap_or_default()
            .to_owned()
    };
    let destination = Destination {
        name: metadata("name"),
        namespace: metadata("namespace"),
    };
    let format = Format::parse(&settings.format);
    let sealed = seal::seal(settings, input, certificate, scope, &destination)?;
    let count = sealed.len();
    let mut sealed = sealed.into_iter().collect::<Result<Vec<_>, _>>()?;
    let format = format?;
    if count > 1 && format == Format::Json {
        return Err(sealed_object::trailing('{'));
    }
    if count > 1 {
        report::warning(format_args!(
            "only the first of {count} Secrets is merged into {}",
            path.display()
        ));
    }
    let mut update = sealed.swap_remove(0);
    let wanted = match settings.scope {
        Scope::Strict => scope_of(&update),
        asked_for => asked_for,
    };
    if wanted != scope {
        return Err(Error::OtherScope {
            path: path.to_owned(),
            found: scope,
            wanted,
        });
    }
    unite(&mut target, &mut update);
    if has_more {
        report::warning(format_args!(
            "only the first document of {} is kept",
            path.display()
        ));
    }
    write(path, target, format)
}

/// The target, if it may be written too.
fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    let mut file = file.map_err(|error| Error::file("open", path, &error))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)
        .map_err(|error| Error::file("read", path, &error))?;
    Ok(text)
}

/// What the annotations of the SealedSecret itself say.
fn scope_of(sealed: &SecretValue) -> Scope {
    let annotations = sealed
        .get("metadata")
        .and_then(|metadata| metadata.get("annotations"));
    let Some(SecretValue::Map(annotations)) = annotations else {
        return Scope::Strict;
    };
    let texts = annotations
        .iter()
        .filter_map(|(key, value)| Some((key.clone(), value.as_text()?.to_owned())));
    Scope::of(Some(&texts.collect()))
}

fn unite(target: &mut SecretValue, update: &mut SecretValue) {
    for path in UNITED {
        let added = std::mem::take(map_at(update, path));
        if !added.is_empty() {
            map_at(target, path).extend(added);
        }
    }
}

fn write(path: &Path, target: SecretValue, format: Format) -> Result<(), Error> {
    let typed = typed::read(target, &SEALED_SECRET, Names::Exact)
        .map_err(|mismatch| Error::Mismatch(mismatch.to_string()))?;
    let mut text = Vec::new();
    format.write(&sealed_object::with_kind(typed.value), &mut |bytes| {
        text.extend_from_slice(bytes);
        Ok(())
    })?;
    output::replace(path, &text, Readers::Everybody)
        .or_else(|error| match is_fixed_in_place(&error) {
            true => output::write_through(path, &text),
            false => Err(error),
        })
        .map_err(|error| Error::file("write", path, &error))
}

/// A file can be written and still not be replaced: in a folder of somebody else, or where it is mounted by itself.
fn is_fixed_in_place(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::ResourceBusy
    )
}
