//! Asking the controller whether it can open SealedSecrets. Must not say why one can't be opened.

use super::go_json;
use super::input::{self, Opened};
use super::schema::SEALED_SECRET;
use super::service::Service;
use super::settings::Settings;
use super::texts::Error;

pub(super) fn run(settings: &Settings, input: &Opened) -> Result<(), Error> {
    let service = Service::find(settings)?;
    let objects =
        input::read(input, &SEALED_SECRET).map_err(|error| Error::NotValidated(Box::new(error)))?;
    for object in objects {
        let name = object
            .value
            .get("metadata")
            .and_then(|metadata| metadata.get("name"));
        let name = name.and_then(|name| name.as_text()).unwrap_or_default();
        service.verify(name, &go_json::compact(&object.value))?;
    }
    Ok(())
}
