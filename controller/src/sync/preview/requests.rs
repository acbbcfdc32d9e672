//! Who may ask for a preview: whoever wrote a digest of a secret of theirs on the Application, and so may ask for its sync. The
//! digest is taken off before anything is looked at, so that nobody can ask with it again.

use std::sync::Arc;

use crds::names::{DIFF, FIELD_MANAGER};
use futures::{StreamExt, stream};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::sync::engine::Engine;
use crate::sync::observe::applications::{self, AppId};
use crate::web::{Answer, NoAnswer, Question};

/// Previews at once: each reads every object of its Application.
const AT_ONCE: usize = 2;
/// Attempts to take the digest off while others write the same Application.
const ATTEMPTS: usize = 5;

impl Engine {
    /// Answers questions for ever.
    pub(in crate::sync) async fn follow_questions(
        self: Arc<Self>,
        questions: mpsc::Receiver<Question>,
    ) {
        let questions = stream::unfold(questions, |mut questions| async {
            let question = questions.recv().await?;
            Some((question, questions))
        });
        let answer = async |question: Question| {
            if !question.is_abandoned() {
                let answer = self.answer(&question).await;
                question.answer(answer);
            }
        };
        questions.for_each_concurrent(AT_ONCE, answer).await;
    }

    async fn answer(&self, question: &Question) -> Answer {
        let app = AppId::new(&question.namespace, &question.name);
        let preview = async {
            let Some(mut object) = self.proven(&app, &question.proof).await? else {
                return Ok(None);
            };
            object["operation"] = json!({ "sync": question.sync });
            let preview = self.preview(&app, &object, question).await;
            preview.map(Some)
        };
        match Box::pin(preview).await {
            Ok(Some(preview)) => {
                let answer = serde_json::to_vec(&preview);
                answer.map_err(|_| NoAnswer::Unavailable)
            }
            Ok(None) => Err(NoAnswer::NotAsked),
            Err(error) => {
                tracing::warn!(application = %app, %error, "a diff can't be made");
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
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// As it stands on the Application.
fn digest(proof: &str) -> String {
    let digest = Sha256::digest(proof);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
