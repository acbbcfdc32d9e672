//! Row "render of a chart": 200 objects by the controller's confined helm, beside plain `helm template` of the same chart.

use std::path::Path;

use super::cluster::Cluster;
use super::fleet::{self, Member};
use super::harness::{Controller, GitRepository};
use super::measure;
use super::table::{Row, Table, median};

const TEMPLATES: usize = 50;
const REPEATS: usize = 20;

/// Four objects with what charts do most: values, a named template, and quoting.
const TEMPLATE: &str = r#"apiVersion: v1
kind: ServiceAccount
metadata:
  name: part-NUMBER
  labels: {{- include "labels" . | nindent 4 }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: part-NUMBER
  labels: {{- include "labels" . | nindent 4 }}
data: {value: {{ .Values.value | quote }}, part: "NUMBER"}
---
apiVersion: v1
kind: Service
metadata:
  name: part-NUMBER
  labels: {{- include "labels" . | nindent 4 }}
spec: {selector: {part: "NUMBER"}, ports: [{port: {{ .Values.port }}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: part-NUMBER
  labels: {{- include "labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {part: "NUMBER"}}
  template:
    metadata: {labels: {part: "NUMBER"}}
    spec:
      serviceAccountName: part-NUMBER
      containers:
        - name: main
          image: {{ printf "%s:%s" .Values.image.name .Values.image.tag | quote }}
          ports: [{containerPort: {{ .Values.port }}}]
          {{- with .Values.resources }}
          resources: {{- toYaml . | nindent 12 }}
          {{- end }}
"#;

const HELPERS: &str = r#"{{- define "labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
"#;

pub(crate) fn rows(cluster: &Cluster, table: &mut Table) {
    let namespace = cluster.testbed.namespace("chart");
    let repository = GitRepository::create("chart");
    let mut files: Vec<(String, String)> = (0..TEMPLATES)
        .map(|number| {
            let text = TEMPLATE.replace("NUMBER", &number.to_string());
            (format!("app/templates/part-{number}.yaml"), text)
        })
        .collect();
    let chart = "apiVersion: v2\nname: bench\nversion: 1.0.0\n";
    files.push(("app/Chart.yaml".to_owned(), chart.to_owned()));
    files.push(("app/templates/_helpers.tpl".to_owned(), HELPERS.to_owned()));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    repository.commit(&files, "a chart of two hundred objects");
    let first = commit(&repository, 0);
    let controller = cluster.controller(&["--git-poll-interval=0s"]).ready();
    fleet::create(
        cluster,
        [Member {
            name: "chart".to_owned(),
            url: repository.url().to_owned(),
            path: "app".to_owned(),
            namespace,
            automated: false,
        }],
    );
    await_compared(cluster, &first);
    let times: Vec<f64> = (1..=REPEATS)
        .map(|number| render(cluster, &repository, &controller, number))
        .collect();
    let memory = measure::peak_memory(controller.pid());
    controller.stop();
    fleet::delete_all(cluster);
    let chart = repository.work_tree().join("app").display().to_string();
    let command = ["helm", "template", "chart", &chart];
    let helm = measure::runs(REPEATS, Path::new("/dev/null"), &command);
    let slowest = times.iter().copied().fold(0.0, f64::max);
    table.push(Row {
        work: "render of a chart, 200 objects",
        ours: median(times),
        floor: Some(helm.wall),
        notes: format!(
            "slowest of {REPEATS}: {:.0} ms, {memory:.0} MiB without helm; `helm template` {:.0} CPU-ms, {:.0} MiB",
            slowest * 1e3,
            helm.cpu * 1e3,
            helm.memory
        ),
        ..Row::default()
    });
}

/// Seconds of the one render that another value makes, as the controller's own metric has it.
fn render(
    cluster: &Cluster,
    repository: &GitRepository,
    controller: &Controller,
    number: usize,
) -> f64 {
    let renders = || {
        ["count", "sum"].map(|part| {
            let series = format!("signet_render_seconds_{part}{{source_type=\"Helm\"}}");
            measure::metric(controller, &series)
        })
    };
    let before = renders();
    let commit = commit(repository, number);
    cluster.runtime.block_on(fleet::refresh(cluster, "chart"));
    await_compared(cluster, &commit);
    let after = renders();
    assert!(
        (after[0] - before[0] - 1.0).abs() < f64::EPSILON,
        "one render"
    );
    after[1] - before[1]
}

fn await_compared(cluster: &Cluster, commit: &str) {
    fleet::await_status(cluster, 1, |status| status["sync"]["revision"] == commit);
}

fn commit(repository: &GitRepository, number: usize) -> String {
    let values = format!(
        "value: number {number}\nport: 8080\nreplicas: 2\nimage: {{name: nginx, tag: \"1.29\"}}\n\
         resources: {{limits: {{memory: 64Mi}}, requests: {{cpu: 10m}}}}\n"
    );
    repository.commit(&[("app/values.yaml", &values)], "another value")
}
