//! One source: which of its fields say where objects come from, and which may hold values.
//! Each field is named, so that a new one is decided on; what is unknown is left out.

use crds::{
    ApplicationSource, DirectorySource, HelmFileParameter, HelmParameter, HelmSource, Info,
    JsonnetOptions, JsonnetVariable, KustomizePatch, KustomizeReplica, KustomizeSource,
    PluginSource,
};
use serde_json::{Map, Value};

use super::{Redaction, is_digest};
use crate::repositories::{RepositoryUrl, redacted, without_query};

/// In the place of an object there is an object with this field.
const REDACTED: &str = "redacted";
/// What a patch selects objects by, and what may hold values of their labels and annotations.
const NAMES: [&str; 5] = ["group", "version", "kind", "name", "namespace"];
const SELECTORS: [&str; 2] = ["labelSelector", "annotationSelector"];

impl Redaction<'_> {
    pub(super) fn source(&self, source: &mut ApplicationSource) {
        let ApplicationSource {
            repo_url,
            target_revision: _,
            path: _,
            chart: _,
            ref_: _,
            name: _,
            tag_prefix: _,
            helm,
            kustomize,
            directory,
            plugin,
            extra,
        } = source;
        self.url(repo_url);
        helm.iter_mut().for_each(|helm| self.helm(helm));
        let kustomize = kustomize.iter_mut();
        kustomize.for_each(|kustomize| self.kustomize(kustomize));
        let directory = directory.iter_mut();
        directory.for_each(|directory| self.directory(directory));
        plugin.iter_mut().for_each(|plugin| self.plugin(plugin));
        extra.clear();
    }

    fn helm(&self, helm: &mut HelmSource) {
        let HelmSource {
            value_files,
            parameters,
            release_name: _,
            values,
            values_object,
            file_parameters,
            version: _,
            pass_credentials: _,
            ignore_missing_value_files: _,
            skip_crds: _,
            skip_tests: _,
            skip_schema_validation: _,
            namespace: _,
            kube_version: _,
            api_versions: _,
            extra,
        } = helm;
        value_files.iter_mut().for_each(|file| self.place(file));
        for HelmParameter {
            name,
            value,
            force_string: _,
            extra,
        } in parameters
        {
            self.text(&["helm.parameters", name], value);
            self.path_of_value(name);
            extra.clear();
        }
        self.text(&["helm.values"], values);
        if let Some(values) = values_object {
            self.object(&["helm.valuesObject"], REDACTED, values);
        }
        for HelmFileParameter { name, path, extra } in file_parameters {
            self.path_of_value(name);
            self.place(path);
            extra.clear();
        }
        extra.clear();
    }

    fn kustomize(&self, kustomize: &mut KustomizeSource) {
        let KustomizeSource {
            name_prefix: _,
            name_suffix: _,
            images: _,
            replicas,
            common_labels,
            common_annotations,
            common_annotations_envsubst: _,
            force_common_labels: _,
            force_common_annotations: _,
            label_without_selector: _,
            label_include_templates: _,
            namespace: _,
            patches,
            components,
            ignore_missing_components: _,
            version: _,
            kube_version: _,
            api_versions: _,
            extra,
        } = kustomize;
        for KustomizeReplica {
            name: _,
            count,
            extra,
        } in replicas
        {
            self.count(count);
            extra.clear();
        }
        self.texts("kustomize.commonLabels", common_labels);
        self.texts("kustomize.commonAnnotations", common_annotations);
        for KustomizePatch {
            path,
            patch,
            target,
            options: _,
            extra,
        } in patches
        {
            self.place(path);
            self.text(&["kustomize.patches"], patch);
            let target = target.iter_mut();
            target.for_each(|target| self.target(target));
            extra.clear();
        }
        // A remote one needs no scheme.
        components
            .iter_mut()
            .for_each(|component| self.url(component));
        extra.clear();
    }

    fn directory(&self, directory: &mut DirectorySource) {
        let DirectorySource {
            recurse: _,
            include: _,
            exclude: _,
            disable_extension_filter: _,
            jsonnet,
            extra,
        } = directory;
        if let Some(JsonnetOptions {
            ext_vars,
            tlas,
            libs,
            extra,
        }) = jsonnet
        {
            for (place, variables) in [("jsonnet.extVars", ext_vars), ("jsonnet.tlas", tlas)] {
                for JsonnetVariable {
                    name,
                    value,
                    code: _,
                    extra,
                } in variables
                {
                    self.text(&[place, name], value);
                    extra.clear();
                }
            }
            libs.iter_mut().for_each(|lib| self.place(lib));
            extra.clear();
        }
        extra.clear();
    }

    fn plugin(&self, plugin: &mut PluginSource) {
        let PluginSource {
            name: _,
            env,
            parameters,
            extra,
        } = plugin;
        for Info { name, value, extra } in env {
            self.text(&["plugin.env", name], value);
            extra.clear();
        }
        for parameter in parameters {
            let name = parameter.remove("name");
            let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
            self.object(&["plugin.parameters", name], "string", parameter);
            parameter.insert("name".to_owned(), name.into());
        }
        extra.clear();
    }

    /// A number may be written as text.
    fn count(&self, count: &mut Value) {
        let is_number = match &*count {
            Value::String(text) => is_digest(text) || text.parse::<i64>().is_ok(),
            count => count.is_number(),
        };
        if !is_number {
            *count = self
                .digest(&["kustomize.replicas"], &count.to_string())
                .into();
        }
    }

    /// `helm --set` reads a value in a name, too.
    fn path_of_value(&self, name: &mut String) {
        if name.contains(['=', ',']) {
            self.text(&["helm.parameters"], name);
        }
    }

    /// Which objects a patch is for: their names stay, and no status keeps a null.
    fn target(&self, target: &mut Map<String, Value>) {
        target.retain(|name, value| {
            value.is_string()
                && (NAMES.contains(&name.as_str()) || SELECTORS.contains(&name.as_str()))
        });
        for selector in SELECTORS {
            if let Some(Value::String(text)) = target.get_mut(selector) {
                self.text(&["kustomize.patches.target", selector], text);
            }
        }
    }

    /// One digest for all that an object holds, in whichever order.
    fn object(&self, place: &[&str], field: &str, object: &mut Map<String, Value>) {
        let stands_for_it = |value: &Value| value.as_str().is_some_and(is_digest);
        let is_redacted = object.len() == 1 && object.get(field).is_some_and(stands_for_it);
        if object.is_empty() || is_redacted {
            return;
        }
        let mut value = Value::Object(std::mem::take(object));
        value.sort_all_objects();
        let digest = self.digest(place, &value.to_string());
        object.insert(field.to_owned(), digest.into());
    }

    /// A file or folder of the repository, or the URL of one.
    fn place(&self, place: &mut String) {
        if place.contains("://") {
            self.url(place);
        }
    }

    /// A digest for the login in a URL, and for its query. The user of ssh is a name, and stays.
    pub(super) fn url(&self, url: &mut String) {
        let bare = redacted(url);
        let over_ssh = || RepositoryUrl::parse(url).is_ok_and(|url| url.ssh().is_some());
        if bare == *url || has_digest(url) || over_ssh() {
            return;
        }
        let start = bare.find("://").map_or(0, |at| at + 3);
        let (scheme, rest) = bare.split_at(start);
        *url = format!("{scheme}{}@{rest}", self.digest(&["url"], url));
    }
}

/// A digest stands where the login was, and nothing else is left to hide.
fn has_digest(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let login = authority.rsplit_once('@').map(|(login, _)| login);
    login.is_some_and(is_digest) && without_query(url) == url
}
