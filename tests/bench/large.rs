//! Rows "one Application of 5,000 objects": created, one file of it changed, one object deleted, and the controller restarted.

use std::time::{Duration, Instant};

use super::cluster::{Cluster, account};
use super::fleet::{self, Member};
use super::flood;
use super::harness::GitRepository;
use super::kubectl;
use super::measure;
use super::single::{self, Single};
use super::table::{Row, Table, median};
use super::unit_costs::UnitCosts;
use super::unseal::{quiet, writes};

const NAME: &str = "large";
/// Files of ten objects each.
const FILES: usize = 500;
const REPEATS: usize = 10;
/// So long until the next commit: refs are listed once more after a request was obeyed, and a commit that comes by then is synced before
/// anybody asks for it.
const PAUSE: Duration = Duration::from_secs(1);

pub(crate) fn rows(cluster: &Cluster, costs: &UnitCosts, table: &mut Table) {
    let applied = flood::apply(cluster, "flood-large", files);
    let peer = kubectl::apply(cluster, "kubectl-large", files);
    let namespace = cluster.testbed.namespace(NAME);
    let repository = GitRepository::create(NAME);
    let files = files(&namespace);
    fleet::commit(&repository, &files);
    let controller = cluster.controller(&[]).ready();
    let (before, audited) = (measure::cpu(controller.pid()), cluster.testbed.audit_end());
    let start = Instant::now();
    fleet::create(cluster, [member(&repository, &namespace)]);
    fleet::await_status(cluster, 1, |status| status["sync"]["status"] == "Synced");
    let wall = start.elapsed().as_secs_f64();
    let requests = cluster.requests(&account(), audited);
    let own = requests
        .iter()
        .filter(|request| request.is_write() && request.resource == "applications");
    let created = Row {
        work: "1 Application × 5,000 objects",
        ours: wall,
        peer: Some(peer),
        notes: format!(
            "{:.2} CPU-s, {:.0} MiB; status of {} objects, {:.0} kB, written {} times",
            measure::cpu(controller.pid()) - before,
            measure::peak_memory(controller.pid()),
            listed(cluster),
            size(cluster) / 1e3,
            own.count(),
        ),
        ..Row::default()
    };
    let singles = || (0..REPEATS).map(|number| number * FILES / REPEATS);
    let single = |number: usize| Single {
        cluster,
        repository: &repository,
        application: NAME.to_owned(),
        namespace: &namespace,
        name: format!("map-{number}-0"),
    };
    let commits = singles().map(|number| {
        let text = manifests(&namespace, number, "second");
        let time = single(number).commit(&file(number), &text);
        settled(cluster, &repository);
        time
    });
    let commits = commits.collect();
    // Once: what is healed again within minutes has to wait.
    let deletion = vec![single(0).delete()];
    quiet(cluster, &account(), Instant::now());
    controller.stop();
    let write = write(cluster);
    table.push(Row {
        floor: Some(applied + 2.0 * write),
        ..created
    });
    let floor = |writes: f64| Some(writes * write + costs.small_apply);
    table.push(Row {
        floor: floor(2.0),
        ..single::row("one file of 5,000 objects → applied", commits)
    });
    table.push(Row {
        floor: floor(1.0),
        ..single::row("one of 5,000 objects deleted → back", deletion)
    });
    table.push(restart(cluster));
    fleet::delete_all(cluster);
    let delete = ["delete", "namespace", &namespace, "--timeout=600s"];
    cluster.testbed.kubectl(&delete);
}

/// Another request to look would be taken for the one that is being obeyed.
fn settled(cluster: &Cluster, repository: &GitRepository) {
    let commit = repository.git(&["rev-parse", "HEAD"]);
    fleet::await_status(cluster, 1, |status| {
        let state = &status["operationState"];
        state["phase"] == "Succeeded" && state["syncResult"]["revision"] == commit.as_str()
    });
    std::thread::sleep(PAUSE);
}

fn restart(cluster: &Cluster) -> Row {
    let (audited, start) = (cluster.testbed.audit_end(), Instant::now());
    let controller = cluster.controller(&[]).ready();
    let wall = quiet(cluster, &account(), start);
    let pid = controller.pid();
    let row = Row {
        work: "restart with 5,000 objects, nothing changed",
        ours: wall,
        notes: format!(
            "{:.2} CPU-s, {:.0} MiB, {} writes",
            measure::cpu(pid),
            measure::peak_memory(pid),
            writes(cluster, &account(), audited)
        ),
        ..Row::default()
    };
    controller.stop();
    row
}

/// Seconds that the API server takes to write an Application of this size, median of several.
fn write(cluster: &Cluster) -> f64 {
    let times = (0..REPEATS).map(|_| {
        let start = Instant::now();
        cluster.runtime.block_on(fleet::refresh(cluster, NAME));
        let time = start.elapsed().as_secs_f64();
        cluster
            .runtime
            .block_on(fleet::forget_refresh(cluster, NAME));
        time
    });
    median(times.collect())
}

/// Objects in the Application's status.
fn listed(cluster: &Cluster) -> usize {
    let status = fleet::application(cluster, NAME).data["status"].clone();
    status["resources"].as_array().map_or(0, Vec::len)
}

/// What the Application's status takes, bytes.
fn size(cluster: &Cluster) -> f64 {
    fleet::application(cluster, NAME).data["status"]
        .to_string()
        .len() as f64
}

fn member(repository: &GitRepository, namespace: &str) -> Member {
    Member {
        name: NAME.to_owned(),
        url: repository.url().to_owned(),
        path: "objects".to_owned(),
        namespace: namespace.to_owned(),
        automated: true,
    }
}

fn files(namespace: &str) -> Vec<(String, String)> {
    let file = |number| (file(number), manifests(namespace, number, "first"));
    (0..FILES).map(file).collect()
}

fn file(number: usize) -> String {
    format!("objects/{number}.yaml")
}

/// Six ConfigMaps, and a ServiceAccount, a Service, a Role and a RoleBinding.
fn manifests(namespace: &str, number: usize, value: &str) -> String {
    let config_map = |index| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map-{number}-{index}, namespace: {namespace}}}\n\
             data: {{value: {value}, index: \"{index}\"}}\n"
        )
    };
    let config_maps: String = (0..6).map(config_map).collect();
    let metadata = format!("metadata: {{name: part-{number}, namespace: {namespace}}}");
    let (rbac, group) = ("rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io");
    format!(
        "{config_maps}---\napiVersion: v1\nkind: ServiceAccount\n{metadata}\n---\n\
         apiVersion: v1\nkind: Service\n{metadata}\nspec: {{selector: {{part: part-{number}}}, ports: [{{port: 80}}]}}\n---\n\
         apiVersion: {rbac}\nkind: Role\n{metadata}\nrules: [{{apiGroups: [\"\"], resources: [configmaps], verbs: [get]}}]\n---\n\
         apiVersion: {rbac}\nkind: RoleBinding\n{metadata}\nroleRef: {{apiGroup: {group}, kind: Role, name: part-{number}}}\n\
         subjects: [{{kind: ServiceAccount, name: part-{number}, namespace: {namespace}}}]\n"
    )
}
