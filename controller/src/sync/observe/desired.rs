//! What is wanted, made of the render and of what the cluster and its settings say, or remembered.
//! It reads nothing anew.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::autoscalers;
use super::memory::{DesiredKey, Render};
use super::no_source;
use super::subject::Subject;
use crate::dialect::Intent;
use crate::ignore::Rules;
use crate::sync::{
    desired::{Desired, Inputs, Wanted, desired},
    engine::Engine,
    key::ObjectKey,
    kinds::Kinds,
    observe::applications::AppId,
    plan::recorded,
    world::{LiveState, Source, SourceProblem},
};

impl Engine {
    pub(super) async fn source(
        &self,
        app: &AppId,
        subject: &Subject,
        render: Result<Render, SourceProblem>,
        kinds: &Arc<Kinds>,
    ) -> Result<Source, SourceProblem> {
        let render = render?;
        let intent = subject.intent.as_ref().map_err(|_| no_source())?;
        let wanted = autoscalers::targets(&render, &intent.destination.namespace);
        let scaled = self.scaled(app, &wanted).await;
        let key = self.desired_key(intent, &render, kinds, scaled);
        let known = self.memories.get(app).desired;
        let desired = match &known {
            Some((known, desired)) if *known == key && !desired.overran => desired.clone(),
            _ => {
                let known = known.as_ref().map(|(_, desired)| &**desired);
                self.desire(app, subject, &render, key, known)
            }
        };
        let mut source = source_of(&render, desired);
        // A commit that changes nothing here is no reason to begin anew.
        let running = recorded::running_at(&subject.facts);
        if let Some(running) = running.filter(|running| render.like.as_ref() == Some(running)) {
            source.revisions = running;
        }
        Ok(source)
    }

    fn desired_key(
        &self,
        intent: &Intent,
        render: &Render,
        kinds: &Arc<Kinds>,
        scaled: BTreeSet<ObjectKey>,
    ) -> DesiredKey {
        DesiredKey {
            renders: render.keys(),
            namespace: intent.destination.namespace.clone(),
            defaults: intent.options.defaults,
            kinds: kinds.clone(),
            scaled,
            ignored: self.ignored(intent),
            predecessor: intent.predecessor.clone(),
        }
    }

    /// The same as [`Engine::source`] for what an autoscaler has taken over, made anew and not remembered.
    pub(super) fn source_aside(
        &self,
        subject: &Subject,
        render: &Result<Render, SourceProblem>,
        kinds: &Arc<Kinds>,
        scaled: BTreeSet<ObjectKey>,
    ) -> Result<Source, SourceProblem> {
        let render = render.as_ref().map_err(Clone::clone)?;
        let intent = subject.intent.as_ref().map_err(|_| no_source())?;
        let key = self.desired_key(intent, render, kinds, scaled);
        Ok(source_of(render, desired_of(subject, render, &key)))
    }

    fn desire(
        &self,
        app: &AppId,
        subject: &Subject,
        render: &Render,
        key: DesiredKey,
        known: Option<&Desired>,
    ) -> Arc<Desired> {
        let new = desired_of(subject, render, &key);
        self.compare_anew(known, &new);
        let desired = new.clone();
        self.memories
            .with(app, |memory| memory.desired = Some((key, desired)));
        new
    }

    /// How an object compared says nothing of it where other differences counted then.
    fn compare_anew(&self, known: Option<&Desired>, new: &Desired) {
        for (key, wanted) in &new.objects {
            let before = known.and_then(|known| known.objects.get(key));
            let counts_otherwise = |before: &Wanted| {
                before.ignored != wanted.ignored || before.predecessor != wanted.predecessor
            };
            if before.is_none_or(counts_otherwise) {
                let mut index = self.live.index();
                index.undecided(key, LiveState::Unverified);
            }
        }
    }

    /// The Application's rules, and those for all.
    fn ignored(&self, intent: &Intent) -> Rules {
        let mut rules = intent.ignored.clone();
        rules.rules.extend(self.settings.ignored());
        rules
    }
}

fn source_of(render: &Render, desired: Arc<Desired>) -> Source {
    Source {
        revisions: render.revisions.clone(),
        desired,
        source_types: render.rendered.iter().map(|one| one.source_type).collect(),
    }
}

fn desired_of(subject: &Subject, render: &Render, key: &DesiredKey) -> Arc<Desired> {
    Arc::new(desired(&Inputs {
        manifests: &render.manifests().collect::<Vec<_>>(),
        kinds: &key.kinds,
        application_id: &subject.facts.tracking_name,
        namespace: &key.namespace,
        defaults: key.defaults,
        scaled: &key.scaled,
        ignored: &key.ignored,
        predecessor: key.predecessor.as_ref(),
    }))
}
