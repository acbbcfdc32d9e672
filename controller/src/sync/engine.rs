//! The sync engine at work: what all passes share, and one pass, the four verbs in a row until nothing is due any more.
//! It decides nothing itself: the plan says what is done, the report what is told.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::jiff::Timestamp;
use kube::Client;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::sync::{
    apply::Executor,
    metrics::SyncMetrics,
    observe,
    observe::applications::{AppId, Applications},
    observe::discovery::Discovery,
    observe::facts::Facts,
    observe::live::Live,
    observe::memory::Memories,
    observe::neighbours::Neighbours,
    observe::projects::Projects,
    observe::settings::Settings,
    observe::signatures::Signatures,
    observe::sources::Sources,
    observe::variables::VariablesFromObjects,
    outcome::{Done, Outcome},
    plan::{Plan, PlannedStep, Step, plan},
    queue::{Lane, Queue},
    redaction_key::RedactionKey,
    report,
    status::Written,
    world::{Asked, World},
};
use crate::{
    charts::{ChartOptions, Charts},
    context::Context,
    git::Mirrors,
    render::{Renderer, RendererOptions, child::Runner},
    run,
};

/// Comparisons that nobody waits for, at once: after a start they take their time.
const UNHURRIED: usize = 4;
/// Looks of one pass. Each look but the last did something; more than this is a loop, and then others come first.
const LOOKS: usize = 100;
/// A step of a deletion that failed is tried again after this.
const FAILED_AGAIN: Duration = Duration::from_secs(30);
/// When a kind could not be listed yet, look again after this.
const UNLISTED_AGAIN: Duration = Duration::from_secs(2);

/// What all passes share.
pub(crate) struct Engine {
    pub(crate) context: Arc<Context>,
    pub(crate) queue: Arc<Queue<AppId>>,
    pub(crate) applications: Applications,
    pub(crate) projects: Projects,
    pub(crate) neighbours: Neighbours,
    pub(crate) mirrors: Arc<Mirrors>,
    pub(crate) charts: Arc<Charts>,
    pub(crate) sources: Sources,
    pub(crate) signatures: Signatures,
    pub(crate) variables: VariablesFromObjects,
    pub(crate) discovery: Discovery,
    pub(crate) facts: Facts,
    pub(crate) live: Arc<Live>,
    pub(crate) settings: Settings,
    pub(crate) memories: Memories,
    pub(crate) metrics: SyncMetrics,
    pub(crate) redaction_key: RedactionKey,
    /// Comparisons that nobody waits for take turns.
    pub(crate) pace: Semaphore,
}

/// How a look at an Application ended.
enum After {
    /// Something was done: look again.
    Look,
    /// Nothing is due.
    Rest,
}

impl Engine {
    /// `discovery` is the client that finds out which kinds there are.
    pub(crate) fn new(
        context: Arc<Context>,
        discovery: Client,
        mirrors: Arc<Mirrors>,
    ) -> Arc<Self> {
        let charts = Arc::new(Charts::new(chart_options(&context)));
        let queue = Arc::new(Queue::new());
        let client = &context.client;
        let metrics = SyncMetrics::default();
        context
            .metrics
            .register(|registry| metrics.add_to(registry));
        context
            .metrics
            .register(|registry| mirrors.metrics().add_to(registry));
        Arc::new(Engine {
            applications: Applications::new(&context.namespace),
            projects: Projects::default(),
            neighbours: Neighbours::default(),
            sources: Sources::new(
                mirrors.clone(),
                charts.clone(),
                renderer(&context, &mirrors),
                metrics.clone(),
            ),
            signatures: Signatures::new(),
            variables: VariablesFromObjects::new(client.clone(), queue.clone()),
            discovery: Discovery::new(discovery),
            facts: Facts::new(client.clone()),
            live: Live::new(&context, queue.clone()),
            settings: Settings::default(),
            memories: Memories::default(),
            mirrors,
            charts,
            metrics,
            redaction_key: RedactionKey::default(),
            pace: Semaphore::new(UNHURRIED),
            queue,
            context,
        })
    }

    /// One pass over one Application. What goes wrong is waited out: the next pass starts from the cluster again.
    pub(crate) async fn pass(&self, app: &AppId) {
        self.metrics.passes.inc();
        // A pass holds a World and its steps; on the heap they are there only while it runs.
        match Box::pin(self.looks(app)).await {
            Ok(()) => self.memories.succeeded(app),
            Err(error) => {
                let pause = self.memories.failed(app);
                let error = run::chain(&error);
                tracing::warn!(application = %app, error, ?pause, "a pass broke off");
                self.queue.wake_at(app, Instant::now() + pause);
            }
        }
    }

    async fn looks(&self, app: &AppId) -> Result<(), observe::Error> {
        // A request to look that comes while the pass is at work is as good as one that began it.
        let mut before = Asked::default();
        for _ in 0..LOOKS {
            let Some(object) = self.applications.get(app) else {
                return Ok(());
            };
            if self.context.shutdown.is_cancelled() {
                return Ok(());
            }
            if !self.context.leadership.leads() {
                self.queue.wake_at(app, Instant::now());
                return Ok(());
            }
            let world = self.observe(app, &object, before).await?;
            before = Asked::of(&world.application, &world.request);
            let plan = plan(&world);
            self.say_left_alone(app, plan.hands_off.as_deref());
            if plan.hands_off.is_some() {
                self.metrics.forget(app);
                return Ok(());
            }
            if let Some(held_back) = plan.held_back {
                self.memories
                    .with(app, |memory| memory.held_back = Some(held_back));
                continue;
            }
            let after = self.carry_out(app, object, &world, &plan).await?;
            self.wake_again(app, &world, &plan);
            if let After::Rest = after {
                return Ok(());
            }
        }
        tracing::warn!(application = %app, "a pass finds no end, others come first");
        self.queue.wake_at(app, Instant::now() + UNLISTED_AGAIN);
        Ok(())
    }

    /// Nothing may be written to an Application that is left alone, so the log says why, once.
    fn say_left_alone(&self, app: &AppId, reason: Option<&str>) {
        let before = self.memories.with(app, |memory| {
            std::mem::replace(&mut memory.left_alone, reason.map(str::to_owned))
        });
        if let Some(reason) = reason
            && before.as_deref() != Some(reason)
        {
            tracing::warn!(application = %app, reason, "this Application is left alone");
        }
    }

    /// Executes a plan and tells what became of it.
    async fn carry_out(
        &self,
        app: &AppId,
        object: Arc<Value>,
        world: &World,
        plan: &Plan,
    ) -> Result<After, kube::Error> {
        let mut base = object;
        if has(&plan.steps, |step| matches!(step, Step::ClaimInventory)) {
            let claim = report::claim(world, plan);
            match self.tell(app, &base, &claim).await? {
                Written::Done(now) => base = now,
                Written::Nothing => {}
                Written::Later(due) => {
                    self.queue.wake_at(app, due);
                    return Ok(After::Rest);
                }
                Written::Behind => {
                    self.queue.wake(app, Lane::Calm);
                    return Ok(After::Rest);
                }
                Written::Superseded => return Ok(After::Look),
            }
        }
        let outcomes = Executor {
            engine: self,
            world,
        }
        .execute(&plan.steps)
        .await?;
        if has(&plan.steps, is_comparison) {
            let now = Some(Instant::now());
            self.memories.with(app, |memory| memory.tried_again = now);
        }
        let restarts = report::restarts(world, &outcomes);
        self.tell_restarts(app, &base, &restarts).await;
        if has(&plan.steps, is_comparison)
            && !has(&plan.steps, |step| is_deed(step) && !is_comparison(step))
        {
            return Ok(After::Look);
        }
        self.conclude(app, base, world, plan, &outcomes).await
    }

    async fn conclude(
        &self,
        app: &AppId,
        base: Arc<Value>,
        world: &World,
        plan: &Plan,
        outcomes: &[Outcome],
    ) -> Result<After, kube::Error> {
        let report = report::report(world, plan, outcomes);
        match self.tell(app, &base, &report).await? {
            Written::Done(_) if report.takes_refresh() => self.list_again(&base),
            Written::Done(_) | Written::Nothing => {}
            Written::Later(due) => self.queue.wake_at(app, due),
            Written::Behind => self.queue.wake(app, Lane::Calm),
            Written::Superseded => return Ok(After::Look),
        }
        let deleting = world.application.deletion_timestamp.is_some();
        if deleting && outcomes.iter().any(|outcome| outcome.result.is_err()) {
            self.queue.wake_at(app, Instant::now() + FAILED_AGAIN);
            return Ok(After::Rest);
        }
        let goes_on = deleting && report.still_keeps();
        Ok(
            if has(&plan.steps, is_deed) || outcomes.iter().any(has_moved) || goes_on {
                After::Look
            } else {
                After::Rest
            },
        )
    }

    /// When to look again though nothing happens.
    fn wake_again(&self, app: &AppId, world: &World, plan: &Plan) {
        let now = Instant::now();
        if let Some(at) = plan.wake_at {
            let wait = at.duration_since(Timestamp::now());
            self.queue
                .wake_at(app, now + Duration::try_from(wait).unwrap_or_default());
        }
        if !world.unlisted.is_empty() {
            self.queue.wake_at(app, now + UNLISTED_AGAIN);
        }
        if let Some(wait) = self.discovery.ask_again(&self.memories.get(app).unknown) {
            self.queue.wake_at(app, now + wait);
        }
    }

    /// The Application is gone: nothing of it is kept, and those that depend on it or want what it leaves behind hear of it.
    pub(crate) fn forget(&self, app: &AppId) {
        self.wake_dependants(app);
        self.queue.forget(app);
        self.drop_notes(app);
        let name = app.tracking_name(&self.context.namespace);
        let sharing = self.live.index().sharing_with(&name);
        self.wake_apps(sharing);
    }

    /// A pass is over. Where it outlived its Application, what it noted after that was forgotten goes as well. Wakes stay: they
    /// may be for a new Application of that name.
    pub(crate) fn forget_if_gone(&self, app: &AppId) {
        if self.applications.get(app).is_none() {
            self.drop_notes(app);
        }
    }

    /// All that passes keep of an Application: what it wants, what they remember, the objects that they follow for it.
    fn drop_notes(&self, app: &AppId) {
        self.live.index().forget(app);
        self.memories.forget(app);
        self.variables.forget(app);
        self.metrics.forget(app);
    }

    /// Groups that an Application has kinds of which the cluster does not know.
    pub(crate) fn misses(&self, app: &AppId, group: &str) -> bool {
        self.memories.get(app).unknown.contains(group)
    }
}

fn chart_options(context: &Context) -> ChartOptions {
    let settings = &context.settings.sync;
    ChartOptions {
        poll_interval: settings.git_poll_interval,
        poll_jitter: settings.git_poll_jitter,
        ..ChartOptions::default()
    }
}

fn renderer(context: &Context, mirrors: &Mirrors) -> Renderer {
    let settings = &context.settings.render;
    Renderer::new(RendererOptions {
        kustomize: settings.kustomize_program.clone(),
        helm: settings.helm_program.clone(),
        kustomize_charts: settings.kustomize_enable_helm,
        kustomize_remote_bases: settings.kustomize_enable_remote_bases,
        directory: mirrors.directory().to_owned(),
        runner: Runner::default(),
    })
}

fn has(steps: &[PlannedStep], is: impl Fn(&Step) -> bool) -> bool {
    steps.iter().any(|planned| is(&planned.step))
}

fn is_comparison(step: &Step) -> bool {
    matches!(step, Step::Verify { .. })
}

/// Something was changed beside the operation: what a hook made was let go, or a workload restarted or noted on.
fn has_moved(outcome: &Outcome) -> bool {
    is_aside(&outcome.step.step)
        && matches!(outcome.result, Ok(Done::Configured(_) | Done::Deleted))
}

/// It may be due without an operation that would fail of it: what it could not do is no reason to look again.
fn is_aside(step: &Step) -> bool {
    matches!(
        step,
        Step::ReleaseHook { .. }
            | Step::DeleteHook { .. }
            | Step::NoteSecrets(_)
            | Step::Restart { .. }
    )
}

/// Steps that do something, so that the next look finds another World.
fn is_deed(step: &Step) -> bool {
    match step {
        Step::ClaimInventory
        | Step::CreateNamespace(_)
        | Step::ApplyNamespace(_)
        | Step::Verify { .. }
        | Step::Apply(_)
        | Step::Merge(_)
        | Step::Replace(_)
        | Step::Unseal(_)
        | Step::Delete { .. }
        | Step::DryRun { .. }
        | Step::RunHook(_) => true,
        Step::ReleaseHook { .. }
        | Step::DeleteHook { .. }
        | Step::NoteSecrets(_)
        | Step::Restart { .. } => false,
        Step::Await(_)
        | Step::WaitHealthy(_)
        | Step::WaitGone(_)
        | Step::WaitApproval(_)
        | Step::WaitHooks(_) => false,
    }
}
