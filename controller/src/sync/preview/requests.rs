//! Who may ask for a preview: whoever wrote a digest of a secret of theirs on the Application, and so may ask for its sync. The
//! digest is taken off before anything is looked at, so that nobody can ask with it again.

use std::sync::Arc;
use std::time::Duration;

use crds::names::{DIFF, FIELD_MANAGER};
use futures::{Stream, StreamExt, stream};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::refusal;
use crate::run;
use crate::sync::engine::Engine;
use crate::sync::observe::applications::{self, AppId};
use crate::web::{Answer, Caller, NoAnswer, Question};

/// Proofs looked at at once: each is a read and a write of an Application.
const PROOFS: usize = 8;
/// Previews at once: each reads every object of its Application.
const PREVIEWS: usize = 2;
/// Longest preview; a render may take ninety seconds of it.
const LONGEST: Duration = Duration::from_secs(150);
/// Attempts to take the digest off while others write the same Application.
const ATTEMPTS: usize = 5;

impl Engine {
    /// Lets those who may ask for ever.
    pub(in crate::sync) async fn follow_callers(self: Arc<Self>, callers: mpsc::Receiver<Caller>) {
        let prove = async |caller: Caller| {
            let app = AppId::new(&caller.namespace, &caller.name);
            let proven = match self.proven(&app, &caller.proof).await {
                Ok(Some(object)) => Ok(object),
                Ok(None) => Err(NoAnswer::NotAsked),
                Err(error) => {
                    tracing::warn!(application = %app, %error, "nobody knows who may ask for a diff");
                    Err(NoAnswer::Unavailable)
                }
            };
            // The caller may have gone.
            let _ = caller.answer.send(proven);
        };
        each_of(callers).for_each_concurrent(PROOFS, prove).await;
    }

    /// Answers questions for ever, each in a task of its own, so that no defect ends more than one.
    pub(in crate::sync) async fn follow_questions(
        self: Arc<Self>,
        questions: mpsc::Receiver<Question>,
    ) {
        let answer = async |question: Question| {
            let answered = tokio::spawn(self.clone().answer(question));
            if answered.await.is_err() {
                tracing::error!("a diff panicked");
            }
        };
        each_of(questions)
            .for_each_concurrent(PREVIEWS, answer)
            .await;
    }

    /// Answers as long as somebody waits for it.
    async fn answer(self: Arc<Self>, mut question: Question) {
        let (answer, _) = oneshot::channel();
        let mut asker = std::mem::replace(&mut question.answer, answer);
        let answer = tokio::select! {
            answer = timeout(LONGEST, self.answered(question)) => answer,
            () = asker.closed() => return,
        };
        let _ = asker.send(answer.unwrap_or(Err(NoAnswer::TooLong)));
    }

    async fn answered(&self, question: Question) -> Answer {
        let text = |field: &str| question.application["metadata"][field].as_str();
        let [namespace, name] = ["namespace", "name"].map(|field| text(field).unwrap_or_default());
        let app = AppId::new(namespace, name);
        match Box::pin(self.preview(&app, question)).await {
            Ok(preview) => serde_json::to_vec(&preview).map_err(|_| NoAnswer::Unavailable),
            Err(error) => {
                let error = run::chain(&error);
                tracing::warn!(application = %app, error, "a diff can't be made");
                Err(NoAnswer::Unavailable)
            }
        }
    }

    /// The Application, where it carries the digest of the proof; which it does not any more.
    async fn proven(&self, app: &AppId, proof: &str) -> Result<Option<Value>, kube::Error> {
        if !self.namespaces().contains(&app.namespace) {
            return Ok(None);
        }
        let api = applications::api(self.context.client.clone(), &app.namespace);
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        for _ in 0..ATTEMPTS {
            let Some(object) = api.get_opt(&app.name).await? else {
                return Ok(None);
            };
            let annotations = object.metadata.annotations.as_ref();
            let written = annotations.and_then(|annotations| annotations.get(DIFF));
            if written.map(String::as_str) != Some(&*digest(proof)) {
                return Ok(None);
            }
            let version = object.metadata.resource_version.as_deref();
            let patch = json!({ "metadata": {
                "resourceVersion": version.unwrap_or_default(), "annotations": { DIFF: null },
            }});
            match api.patch(&app.name, &params, &Patch::Merge(&patch)).await {
                Ok(object) => {
                    let names = (
                        crds::names::application::API_VERSION,
                        crds::names::application::KIND,
                    );
                    return Ok(Some(applications::whole(object, names.0, names.1)));
                }
                Err(kube::Error::Api(status)) if status.is_conflict() => {}
                Err(kube::Error::Api(status)) if status.code == 404 => return Ok(None),
                // A webhook may quote what it refuses.
                Err(error) => return Err(refusal::error_without_values(app, error)),
            }
        }
        Ok(None)
    }
}

/// What arrives, one after the other.
fn each_of<T>(receiver: mpsc::Receiver<T>) -> impl Stream<Item = T> {
    stream::unfold(receiver, |mut receiver| async {
        let next = receiver.recv().await?;
        Some((next, receiver))
    })
}

/// As it stands on the Application.
fn digest(proof: &str) -> String {
    let digest = Sha256::digest(proof);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
