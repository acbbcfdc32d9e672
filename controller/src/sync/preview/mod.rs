//! What a sync would change, for somebody who asks: the plan of that sync, with each object as it is and as it would be.
//! Nothing is written, and no value of a Secret is shown.

mod answer;
mod changes;
mod hidden;
mod requests;
mod secrets;

use std::fmt;

use serde_json::{Value, json};

use crate::sync::engine::Engine;
use crate::sync::observe;
use crate::sync::observe::applications::AppId;
use crate::sync::plan::plan;
use crate::web::Question;

pub(crate) use answer::Preview;
use changes::Seen;

/// An object as it is and as a sync would make it, as far as differences count.
#[derive(Clone, Default, PartialEq)]
pub(in crate::sync) struct Sides {
    /// What is there; `None` where nothing is, or it can't be shown.
    pub(in crate::sync) live: Option<Value>,
    /// What it would become.
    pub(in crate::sync) becomes: Option<Value>,
    /// When we last changed what is there.
    pub(in crate::sync) applied: Option<String>,
    /// Why the API server would not have it so, or does not show it.
    pub(in crate::sync) problem: Option<String>,
}

impl Sides {
    /// Of an object that can't be read.
    pub(in crate::sync) fn unread(problem: String) -> Self {
        Self {
            problem: Some(problem),
            ..Self::default()
        }
    }
}

/// Either side may be a Secret.
impl fmt::Debug for Sides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            live,
            becomes,
            applied,
            problem,
        } = self;
        f.debug_struct("Sides")
            .field("live", &live.is_some())
            .field("becomes", &becomes.is_some())
            .field("applied", applied)
            .field("problem", problem)
            .finish()
    }
}

impl Engine {
    /// What the sync in question would change.
    ///
    /// # Errors
    /// When the API server is away.
    async fn preview(&self, app: &AppId, question: Question) -> Result<Preview, observe::Error> {
        let mut object = question.application;
        object["operation"] = json!({ "sync": question.sync });
        let sent = question.files.as_ref();
        let observed = Box::pin(self.observe_preview(app, &object, sent));
        let (world, sides) = observed.await?;
        let seen = Seen {
            world: &world,
            plan: &plan(&world),
            sent: sent.is_some(),
        };
        let secrets = match &world.source {
            Ok(source) if question.secrets => Some(self.secrets(&source.desired, &sides).await),
            _ => None,
        };
        Ok(Preview {
            secrets,
            ..Preview::of(&seen, sides)
        })
    }
}
