//! Sealing one value as it is. Must not look into the value.

use std::path::Path;

use rand::rngs::SysRng;
use sealing::{Certificate, Scope, SealError};

use super::client_config;
use super::input::Opened;
use super::settings::Settings;
use super::sink::Sink;
use super::texts::Error;
use crate::documents::read_secret_file;
use crate::report;

pub(super) fn run(
    settings: &Settings,
    certificate: &Certificate,
    sink: &mut Sink,
) -> Result<(), Error> {
    let scope = settings.scope;
    let namespace = match scope {
        Scope::ClusterWide => String::new(),
        _ => client_config::namespace(&settings.cluster)?.name,
    };
    if scope == Scope::Strict && settings.name.is_empty() {
        return Err(Error::RawWithoutName(scope));
    }
    let value = match &settings.from_file[..] {
        [] => {
            let stdin = Opened::Stdin;
            if stdin.name().is_terminal() {
                report::note("(tty detected: expecting a secret to encrypt in stdin)");
            }
            stdin.bytes()?
        }
        [source] => {
            let path = Path::new(
                source
                    .split_once('=')
                    .map_or(source.as_str(), |(_, path)| path),
            );
            let operation = if path.is_dir() { "read" } else { "open" };
            read_secret_file(path).map_err(|error| Error::file(operation, path, &error))?
        }
        _ => return Err(Error::SeveralFiles),
    };
    let label = scope.label(&namespace, &settings.name);
    let sealed = sealing::seal_value(certificate.public_key(), &label, &value, &mut SysRng);
    let sealed = sealed.map_err(|source| {
        Error::Seal(SealError::Item {
            item: settings.name.clone(),
            source,
        })
    })?;
    sink.write(sealed.as_bytes())
}
