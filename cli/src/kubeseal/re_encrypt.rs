//! Having the controller bring SealedSecrets to its newest key. Must not change what it answers, except for what only
//! a live object has.

use super::go_json;
use super::input::{self, Opened};
use super::json_value::Json;
use super::schema::SEALED_SECRET;
use super::sealed_object::{map_at, with_kind};
use super::service::Service;
use super::settings::Settings;
use super::sink::Sink;
use super::texts::Error;
use super::typed::{self, Names};

/// Fields of metadata that say something of a live object only.
const LIVE: [&str; 3] = ["creationTimestamp", "deletionTimestamp", "generation"];

pub(super) fn run(settings: &Settings, input: &Opened, sink: &mut Sink) -> Result<(), Error> {
    let service = Service::find(settings)?;
    for object in input::read(input, &SEALED_SECRET)? {
        let answer = service.rotate(&go_json::compact(&object.value))?;
        let Json(answer) =
            serde_json::from_slice(&answer).map_err(|error| Error::Mismatch(error.to_string()))?;
        let mut rotated = typed::read(answer, &SEALED_SECRET, Names::AnyCase)
            .map_err(|mismatch| Error::Mismatch(mismatch.to_string()))?
            .value;
        map_at(&mut rotated, &["metadata"]).retain(|field, _| !LIVE.contains(&field.as_str()));
        sink.write_object(&with_kind(rotated), &settings.format)?;
    }
    Ok(())
}
