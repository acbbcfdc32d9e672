//! Wires the sync engine: the watches that feed it, the queue that orders its passes, and its orderly end.
//! It must not look into an Application beyond what tells whom to wake.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use kube::Client;
use serde_json::Value;
use tokio::{
    sync::{
        broadcast::error::RecvError,
        mpsc::{self, UnboundedSender},
    },
    task::JoinSet,
};

use crate::sync::{
    engine::Engine,
    observe::applications::{self, AppId},
    observe::clock::follow_clock,
    observe::definitions::{self, follow_definitions},
    observe::neighbours,
    observe::projects,
    queue::Lane,
};
use crate::{
    charts,
    context::Context,
    git::{self, MirrorOptions, Mirrors, RepositoryUrl},
    leadership::Role,
    run::Error,
    settings,
    web::FromWeb,
};

/// Takes one message for each first listing that is whole; nobody listens once all are.
type Whole = UnboundedSender<()>;

/// How often kinds and repositories that nobody uses any more are looked for.
const TIDY: Duration = Duration::from_secs(30);

/// What made a pass panic is likely still there: look again, but not at once.
const AFTER_PANIC: Duration = Duration::from_secs(300);

/// Syncs Applications until shutdown, at once where the web server tells of a new commit, and answers what it asks. `discovery`
/// is a client that fails at once where an API is away.
///
/// # Errors
/// When the folder for Git mirrors can't be written. Everything else that fails is waited out.
pub async fn run(context: Arc<Context>, discovery: Client, from_web: FromWeb) -> Result<(), Error> {
    let mirrors = mirrors(&context.settings.sync)?;
    let engine = Engine::new(context, discovery, mirrors);
    let mut watches = JoinSet::new();
    let ready = engine.feed(&mut watches);
    let FromWeb {
        pushes,
        callers,
        questions,
    } = from_web;
    let told = engine.clone();
    watches.spawn(async move { told.follow_pushes(pushes).await });
    tokio::select! {
        () = ready => {}
        () = engine.context.shutdown.cancelled() => return Ok(()),
    }
    // What a sync would do depends on projects and on all Applications.
    watches.spawn(engine.clone().follow_callers(callers));
    watches.spawn(engine.clone().follow_questions(questions));
    let names = engine.applications.tracking_names();
    engine.context.synced.send_replace(Some(names));
    engine.work().await;
    Ok(())
}

fn mirrors(settings: &settings::Sync) -> Result<Arc<Mirrors>, Error> {
    let directory = settings
        .data_dir
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join("signet"));
    let options = MirrorOptions {
        poll_interval: settings.git_poll_interval,
        poll_jitter: settings.git_poll_jitter,
        allow_file: settings.allow_file_repositories,
        submodules: settings.git_submodules,
        ..MirrorOptions::default()
    };
    let mirrors = Mirrors::new(&directory, options)
        .map_err(|source| Error::OpenDataDirectory { directory, source })?;
    Ok(Arc::new(mirrors))
}

impl Engine {
    /// Starts all watches. The answer completes once every first listing is whole: before that, absence means nothing.
    fn feed(self: &Arc<Self>, watches: &mut JoinSet<()>) -> impl Future<Output = ()> + use<> {
        let (whole, mut wholes) = mpsc::unbounded_channel();
        let namespaces = self.namespaces();
        // Applications once, the two kinds of a neighbour; the projects, and Argo CD's settings.
        let awaited = namespaces.len() * 3 + 2;
        for namespace in namespaces {
            let (engine, done, of) = (self.clone(), whole.clone(), namespace.clone());
            watches.spawn(async move { engine.follow_applications(&of, done).await });
            let (engine, done) = (self.clone(), whole.clone());
            watches.spawn(async move { engine.follow_neighbours(&namespace, done).await });
        }
        let (engine, done) = (self.clone(), whole.clone());
        watches.spawn(async move { engine.follow_projects(done).await });
        let engine = self.clone();
        watches.spawn(async move { engine.follow_settings(whole).await });
        let engine = self.clone();
        watches.spawn(async move { engine.follow_definitions().await });
        let engine = self.clone();
        watches.spawn(async move { engine.follow_repositories().await });
        let engine = self.clone();
        watches.spawn(async move { engine.follow_charts().await });
        let charts = self.charts.clone();
        watches.spawn(async move { charts::poll(&charts).await });
        let engine = self.clone();
        watches.spawn(async move { engine.follow_keys().await });
        let engine = self.clone();
        watches.spawn(async move { engine.follow_changed_secrets().await });
        let engine = self.clone();
        watches.spawn(async move { engine.follow_signatures().await });
        let engine = self.clone();
        watches.spawn(async move { follow_clock(|| engine.wake_those(|_| true)).await });
        let engine = self.clone();
        watches.spawn(async move { engine.tidy().await });
        let (mirrors, context) = (self.mirrors.clone(), self.context.clone());
        watches.spawn(async move {
            git::run(
                mirrors,
                context.client.clone(),
                &context.namespace,
                context.shutdown.clone(),
            )
            .await;
        });
        async move {
            for _ in 0..awaited {
                if wholes.recv().await.is_none() {
                    return;
                }
            }
        }
    }

    /// Namespaces with Applications.
    pub(in crate::sync) fn namespaces(&self) -> BTreeSet<String> {
        let also = self.context.settings.sync.application_namespaces();
        also.into_iter()
            .chain([self.context.namespace.clone()])
            .collect()
    }

    /// Hands out passes while this process leads, until shutdown; then lets those under way finish their step.
    async fn work(self: &Arc<Self>) {
        let mut passes = JoinSet::new();
        let mut role = self.context.leadership.role();
        loop {
            let leads = *role.borrow_and_update() == Role::Leading;
            let app = tokio::select! {
                app = self.queue.next(), if leads => app,
                Ok(()) = role.changed() => continue,
                () = self.context.shutdown.cancelled() => break,
            };
            while passes.try_join_next().is_some() {}
            passes.spawn(self.clone().turn(app));
        }
        while passes.join_next().await.is_some() {}
    }

    /// One pass, given back to the queue also when it panics: that is a defect, and one Application's only. Of an Application
    /// that has gone meanwhile nothing is left after it.
    async fn turn(self: Arc<Self>, app: AppId) {
        let (engine, of) = (self.clone(), app.clone());
        let pass = tokio::spawn(async move { engine.pass(&of).await });
        if pass.await.is_err() {
            tracing::error!(application = %app, "a pass panicked, the next one is in {AFTER_PANIC:?}");
            self.queue.wake_at(&app, Instant::now() + AFTER_PANIC);
        }
        self.forget_if_gone(&app);
        self.queue.done(&app);
    }

    async fn follow_applications(&self, namespace: &str, whole: Whole) {
        let mut settled = false;
        let tell = |told| {
            match told {
                applications::Told::Found(app) => self
                    .queue
                    .wake(&app, if settled { Lane::Prompt } else { Lane::Calm }),
                applications::Told::Changed(app) => {
                    self.queue.wake(&app, Lane::Prompt);
                    self.wake_dependants(&app);
                }
                applications::Told::Gone(app) => self.forget(&app),
                applications::Told::Whole => {
                    if !std::mem::replace(&mut settled, true) {
                        let _ = whole.send(());
                    }
                }
            }
            self.tell_names();
        };
        self.applications
            .follow(self.context.client.clone(), namespace, tell)
            .await;
    }

    /// Which Applications there are has changed, and other rooms have been told before.
    fn tell_names(&self) {
        let names = self.applications.tracking_names();
        self.context.synced.send_if_modified(|told| {
            let is_news = told.as_ref().is_some_and(|told| *told != names);
            if is_news {
                *told = Some(names);
            }
            is_news
        });
    }

    async fn follow_projects(&self, whole: Whole) {
        let mut settled = false;
        let tell = |told| match told {
            projects::Told::Changed(name) => self.wake_those(|object| project(object) == name),
            projects::Told::Whole => {
                if !std::mem::replace(&mut settled, true) {
                    let _ = whole.send(());
                }
            }
        };
        self.projects
            .follow(self.context.client.clone(), &self.context.namespace, tell)
            .await;
    }

    async fn follow_neighbours(&self, namespace: &str, whole: Whole) {
        let settled = std::sync::atomic::AtomicUsize::new(0);
        let tell = |news| match news {
            neighbours::News::Nothing => {}
            neighbours::News::Changed => self.wake_those(|object| {
                object.pointer("/metadata/namespace") == Some(&namespace.into())
            }),
            neighbours::News::Whole => {
                if settled.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 2 {
                    let _ = whole.send(());
                }
            }
        };
        self.neighbours
            .follow(self.context.client.clone(), namespace, tell)
            .await;
    }

    async fn follow_definitions(&self) {
        follow_definitions(self.context.client.clone(), |told| match told {
            definitions::Told::Changed(group) => {
                self.discovery.changed(&group);
                self.facts.changed();
                let apps = self.applications.ids().into_iter();
                self.wake_apps(apps.filter(|app| self.misses(app, &group)));
            }
            definitions::Told::Gone(group) => {
                self.discovery.changed(&group);
                self.facts.changed();
                let concerned = self.live.index().concerned_with(&group);
                self.live.end(&group);
                self.wake_apps(concerned);
            }
        })
        .await;
    }

    /// A repository moved: Applications of it look again. When news were missed, all do.
    async fn follow_repositories(&self) {
        let mut changes = self.mirrors.changed();
        loop {
            match changes.recv().await {
                Ok(changed) => {
                    let readers = self.mirrors.readers(&changed);
                    let concerned = |url: RepositoryUrl| {
                        changed.concerns(&url)
                            || readers.iter().any(|reader| reader.same_repository(&url))
                    };
                    self.wake_those(|object| repositories(object).any(concerned));
                }
                Err(RecvError::Lagged(_)) => self.wake_those(|_| true),
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// The versions in a chart repository moved, likewise.
    async fn follow_charts(&self) {
        let mut changes = self.charts.changed();
        loop {
            match changes.recv().await {
                Ok(changed) => self
                    .wake_those(|object| chart_repositories(object).any(|url| url == changed.url)),
                Err(RecvError::Lagged(_)) => self.wake_those(|_| true),
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Keys for signatures came or went: what was refused may be good, and what was good refused.
    async fn follow_signatures(&self) {
        let tell = || {
            let apps = self.applications.ids().into_iter();
            self.wake_apps(apps.filter(|app| self.memories.get(app).signed));
        };
        let (client, namespace) = (self.context.client.clone(), &self.context.namespace);
        self.signatures.follow(client, namespace, tell).await;
    }

    async fn tidy(&self) {
        let mut tick = tokio::time::interval(TIDY);
        loop {
            tick.tick().await;
            let used: BTreeSet<RepositoryUrl> = self
                .applications
                .all()
                .iter()
                .flat_map(|object| repositories(object).collect::<Vec<_>>())
                .collect();
            self.mirrors.retain(|url| used.contains(url));
            let used: BTreeSet<String> = self
                .applications
                .all()
                .iter()
                .flat_map(|object| chart_repositories(object).collect::<Vec<_>>())
                .collect();
            self.charts.retain(|url| used.contains(url));
            self.live.retire();
        }
    }

    pub(super) fn wake_those(&self, is: impl Fn(&Value) -> bool) {
        self.wake_apps(self.applications.select(is));
    }

    pub(crate) fn wake_apps(&self, apps: impl IntoIterator<Item = AppId>) {
        for app in apps {
            self.queue.wake(&app, Lane::Prompt);
        }
    }
}

pub(crate) fn project(object: &Value) -> &str {
    match object.pointer("/spec/project").and_then(Value::as_str) {
        None | Some("") => "default",
        Some(name) => name,
    }
}

/// Of each source that has a repository of Git.
fn repositories(object: &Value) -> impl Iterator<Item = RepositoryUrl> {
    git_sources(object).map(|(url, _)| url)
}

/// Sources that have a repository of Git, with its URL.
pub(crate) fn git_sources(object: &Value) -> impl Iterator<Item = (RepositoryUrl, &Value)> {
    let of_git =
        sources(object).filter(|source| source["chart"].as_str().is_none_or(str::is_empty));
    of_git.filter_map(|source| {
        let url = RepositoryUrl::parse(source["repoURL"].as_str()?).ok()?;
        Some((url, source))
    })
}

/// Of each source that is a chart, as the room of charts knows it.
fn chart_repositories(object: &Value) -> impl Iterator<Item = String> {
    let charts = sources(object).filter_map(|source| {
        let chart = source["chart"].as_str().filter(|chart| !chart.is_empty())?;
        Some((source["repoURL"].as_str()?, chart))
    });
    charts.filter_map(|(url, chart)| charts::repository_url(url, chart).ok())
}

fn sources(object: &Value) -> impl Iterator<Item = &Value> {
    let several = object.pointer("/spec/sources").and_then(Value::as_array);
    let one = object.pointer("/spec/source");
    one.into_iter().chain(several.into_iter().flatten())
}

#[cfg(test)]
mod tests;
