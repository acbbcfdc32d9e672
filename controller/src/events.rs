//! Kubernetes Events on the objects we act on, repeated ones counted up instead of piled up.
//! It must not fail its caller, carry a secret value, or need more than create and patch on core Events.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Event as CoreEvent, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;

/// Whether an event is good news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    Normal,
    Warning,
}

/// Who reports. Sealed Secrets' dashboards and scripts look for its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Component {
    SealedSecrets,
    Signet,
}

impl Component {
    fn name(self) -> &'static str {
        match self {
            Self::SealedSecrets => "sealed-secrets",
            Self::Signet => "signet",
        }
    }
}

/// One thing to report on an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    pub type_: EventType,
    pub component: Component,
    /// From a closed set of the reporting room.
    pub reason: &'static str,
    pub message: String,
}

/// Repetitions later than this start a new Event: the API server keeps Events for an hour.
const AGGREGATE_FOR: Duration = Duration::from_secs(50 * 60);
/// Events whose repetition is recognised, so that memory stays bounded.
const REMEMBERED: usize = 4096;
/// Longest message that the API server accepts.
const LONGEST_MESSAGE: usize = 1024;

/// Writes Events.
pub struct Recorder {
    client: kube::Client,
    written: Mutex<HashMap<(String, Event), Written>>,
}

#[derive(Clone, Debug)]
struct Written {
    name: String,
    count: i32,
    first: Instant,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    pub fn new(client: kube::Client) -> Self {
        Self {
            client,
            written: Mutex::default(),
        }
    }

    /// Reports `event` on `regarding`; what goes wrong is logged only.
    pub async fn publish(&self, regarding: &ObjectReference, event: Event) {
        let namespace = regarding.namespace.as_deref().unwrap_or("default");
        let api = Api::namespaced(self.client.clone(), namespace);
        let id = (regarding.uid.clone().unwrap_or_default(), event);
        let result = match self.repetition(&id) {
            Some(written) => match count_up(&api, &written).await {
                Err(kube::Error::Api(status)) if status.code == 404 => {
                    self.create(&api, regarding, id).await
                }
                result => result,
            },
            None => self.create(&api, regarding, id).await,
        };
        if let Err(error) = result {
            tracing::warn!(object = regarding.name, %error, "can't write an event");
        }
    }

    fn repetition(&self, id: &(String, Event)) -> Option<Written> {
        let mut all = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let written = all
            .get_mut(id)
            .filter(|written| written.first.elapsed() < AGGREGATE_FOR)?;
        written.count = written.count.saturating_add(1);
        Some(written.clone())
    }

    async fn create(
        &self,
        api: &Api<CoreEvent>,
        regarding: &ObjectReference,
        id: (String, Event),
    ) -> Result<(), kube::Error> {
        let event = core_event(regarding, &id.1, Timestamp::now());
        let name = event.metadata.name.clone().unwrap_or_default();
        api.create(&PostParams::default(), &event).await?;
        if id.1.type_ == EventType::Warning {
            self.remember(
                id,
                Written {
                    name,
                    count: 1,
                    first: Instant::now(),
                },
            );
        }
        Ok(())
    }

    fn remember(&self, id: (String, Event), written: Written) {
        let mut all = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.retain(|_, written| written.first.elapsed() < AGGREGATE_FOR);
        }
        if all.len() < REMEMBERED {
            all.insert(id, written);
        }
    }
}

async fn count_up(api: &Api<CoreEvent>, written: &Written) -> Result<(), kube::Error> {
    let patch = json!({ "count": written.count, "lastTimestamp": Time(Timestamp::now()) });
    api.patch(&written.name, &PatchParams::default(), &Patch::Merge(patch))
        .await?;
    Ok(())
}

fn core_event(regarding: &ObjectReference, event: &Event, now: Timestamp) -> CoreEvent {
    let object = regarding.name.as_deref().unwrap_or("unknown");
    let type_ = match event.type_ {
        EventType::Normal => "Normal",
        EventType::Warning => "Warning",
    };
    CoreEvent {
        metadata: ObjectMeta {
            name: Some(format!("{object}.{:x}", now.as_nanosecond())),
            namespace: Some(
                regarding
                    .namespace
                    .clone()
                    .unwrap_or_else(|| "default".to_owned()),
            ),
            ..ObjectMeta::default()
        },
        involved_object: regarding.clone(),
        type_: Some(type_.to_owned()),
        reason: Some(event.reason.to_owned()),
        message: Some(shortened(&event.message)),
        source: Some(EventSource {
            component: Some(event.component.name().to_owned()),
            host: None,
        }),
        reporting_component: Some(event.component.name().to_owned()),
        event_time: None::<MicroTime>,
        first_timestamp: Some(Time(now)),
        last_timestamp: Some(Time(now)),
        count: Some(1),
        ..CoreEvent::default()
    }
}

fn shortened(message: &str) -> String {
    const ELLIPSIS: &str = "…";
    if message.len() <= LONGEST_MESSAGE {
        return message.to_owned();
    }
    let mut end = LONGEST_MESSAGE - ELLIPSIS.len();
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ELLIPSIS}", &message[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let cut = shortened(&"ä".repeat(2000));
        assert!(cut.len() <= LONGEST_MESSAGE && cut.ends_with('…'));
        assert_eq!(shortened("short"), "short");
    }

    #[test]
    fn an_event_names_the_component_that_scripts_look_for() {
        let regarding = ObjectReference {
            name: Some("a".to_owned()),
            namespace: Some("ns".to_owned()),
            ..ObjectReference::default()
        };
        let event = Event {
            type_: EventType::Warning,
            component: Component::SealedSecrets,
            reason: "ErrUnsealFailed",
            message: "m".to_owned(),
        };
        let core = core_event(&regarding, &event, Timestamp::UNIX_EPOCH);
        assert_eq!(
            core.source.unwrap().component.as_deref(),
            Some("sealed-secrets")
        );
        assert_eq!(core.reporting_component.as_deref(), Some("sealed-secrets"));
        assert_eq!(
            (core.metadata.namespace.as_deref(), core.type_.as_deref()),
            (Some("ns"), Some("Warning"))
        );
    }
}
