//! The options of Helm: which fields are accepted, and what they ask for.
//! It must not look at a chart.

use crds::HelmSource;

use crate::dialect::refusal::Refusal;
use crate::render::{HelmOptions, HelmParameter};

/// The one that renders, as Argo CD's field spells it.
const VERSION: &str = "v3";

/// What the source asks of Helm; `field` is where it stands.
pub(super) fn options(field: &str, source: &HelmSource) -> Result<HelmOptions, Refusal> {
    if !matches!(source.version.as_str(), "" | VERSION) {
        return Err(Refusal::invalid(
            format!("{field}.version"),
            format!("found \"{}\", expected {VERSION}", source.version),
        ));
    }
    Ok(HelmOptions {
        release_name: source.release_name.clone(),
        namespace: source.namespace.clone(),
        value_files: source.value_files.clone(),
        ignore_missing_value_files: source.ignore_missing_value_files,
        values: values(source),
        parameters: parameters(field, source)?,
        file_parameters: file_parameters(field, source)?,
        skip_crds: source.skip_crds,
        skip_tests: source.skip_tests,
        skip_schema_validation: source.skip_schema_validation,
        pass_credentials: source.pass_credentials,
        kube_version: source.kube_version.clone(),
        api_versions: source.api_versions.clone(),
    })
}

/// The object wins over the text, which is not looked at then.
fn values(source: &HelmSource) -> String {
    match &source.values_object {
        Some(object) => serde_json::Value::Object(object.clone()).to_string(),
        None => source.values.clone(),
    }
}

fn parameters(field: &str, source: &HelmSource) -> Result<Vec<HelmParameter>, Refusal> {
    let parameter = |(index, parameter): (usize, &crds::HelmParameter)| {
        Ok(HelmParameter {
            name: name(&parameter.name, || {
                format!("{field}.parameters[{index}].name")
            })?,
            value: parameter.value.clone(),
            force_string: parameter.force_string,
        })
    };
    source
        .parameters
        .iter()
        .enumerate()
        .map(parameter)
        .collect()
}

fn file_parameters(field: &str, source: &HelmSource) -> Result<Vec<(String, String)>, Refusal> {
    let parameter = |(index, parameter): (usize, &crds::HelmFileParameter)| {
        let field = || format!("{field}.fileParameters[{index}].name");
        let name = name(&parameter.name, field)?;
        // Helm would take what follows for the path of another file, which nobody has looked at.
        if name.contains(['=', ',']) {
            return Err(Refusal::invalid(
                field(),
                "found = or , in it, expected the path of one value",
            ));
        }
        Ok((name, parameter.path.clone()))
    };
    source
        .file_parameters
        .iter()
        .enumerate()
        .map(parameter)
        .collect()
}

fn name(name: &str, field: impl Fn() -> String) -> Result<String, Refusal> {
    match name {
        "" => Err(Refusal::invalid(
            field(),
            "found none, expected the path of a value such as image.tag",
        )),
        name => Ok(name.to_owned()),
    }
}
