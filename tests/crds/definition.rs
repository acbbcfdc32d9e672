//! Makes a custom resource definition from a Rust type: names, columns and a structural schema.
//! The names come from `crds::names`; everything about fields comes from the types.

use crds::{AppProject, Application, SealedSecret, names};
use kube_core::schema::{OptionalEnum, OptionalIntOrString, StructuralSchemaRewriter};
use schemars::{JsonSchema, generate::SchemaSettings, transform::AddNullable};
use serde_json::{Map, Value, json};

/// One custom resource definition.
pub(crate) struct Definition {
    /// `metadata.name`, which is the name of the file too.
    pub(crate) name: String,
    object: Value,
}

impl Definition {
    /// The file's content.
    pub(crate) fn yaml(&self) -> String {
        let head = "# Generated from the Rust types in crds/src. Refresh: TRYCMD=overwrite cargo test -p crds\n";
        let yaml = serde_saphyr::to_string(&self.object).expect("a definition is plain JSON");
        format!("{head}{yaml}")
    }
}

/// The definitions of every kind of ours.
pub(crate) fn all() -> Vec<Definition> {
    vec![sealed_secret(), application(), app_project()]
}

fn sealed_secret() -> Definition {
    use names::sealed_secret::{CRD, GROUP, KIND, LIST_KIND, PLURAL, SINGULAR};
    let columns = json!([
        { "name": "Status", "type": "string", "jsonPath": ".status.conditions[0].message" },
        { "name": "Synced", "type": "string", "jsonPath": ".status.conditions[0].status" },
        { "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp" },
    ]);
    let names =
        json!({ "kind": KIND, "listKind": LIST_KIND, "plural": PLURAL, "singular": SINGULAR });
    definition(
        CRD,
        GROUP,
        names,
        schema::<SealedSecret>(),
        columns,
        Some(json!({ "status": {} })),
    )
}

/// Without a status subresource: clients of Argo CD patch status on the object itself.
fn application() -> Definition {
    use names::application::{CRD, GROUP, KIND, LIST_KIND, PLURAL, SHORT, SINGULAR};
    let columns = json!([
        { "name": "Sync Status", "type": "string", "jsonPath": ".status.sync.status" },
        { "name": "Health Status", "type": "string", "jsonPath": ".status.health.status" },
        { "name": "Revision", "type": "string", "jsonPath": ".status.sync.revision", "priority": 10 },
        { "name": "Project", "type": "string", "jsonPath": ".spec.project", "priority": 10 },
    ]);
    let names = json!({ "kind": KIND, "listKind": LIST_KIND, "plural": PLURAL, "singular": SINGULAR, "shortNames": SHORT });
    definition(CRD, GROUP, names, schema::<Application>(), columns, None)
}

fn app_project() -> Definition {
    use names::app_project::{CRD, GROUP, KIND, LIST_KIND, PLURAL, SHORT, SINGULAR};
    let names = json!({ "kind": KIND, "listKind": LIST_KIND, "plural": PLURAL, "singular": SINGULAR, "shortNames": SHORT });
    definition(CRD, GROUP, names, schema::<AppProject>(), json!([]), None)
}

fn definition(
    name: &str,
    group: &str,
    names: Value,
    schema: Value,
    columns: Value,
    subresources: Option<Value>,
) -> Definition {
    let mut version = json!({ "name": "v1alpha1", "served": true, "storage": true });
    if columns
        .as_array()
        .is_some_and(|columns| !columns.is_empty())
    {
        version["additionalPrinterColumns"] = columns;
    }
    if let Some(subresources) = subresources {
        version["subresources"] = subresources;
    }
    version["schema"] = json!({ "openAPIV3Schema": schema });
    let object = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": name, "labels": { names::MANAGED_BY_LABEL: names::MANAGED_BY } },
        "spec": { "group": group, "scope": "Namespaced", "names": names, "versions": [version] },
    });
    Definition {
        name: name.to_owned(),
        object,
    }
}

fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let generator = settings
        .with_transform(AddNullable::default())
        .with_transform(StructuralSchemaRewriter)
        .with_transform(OptionalEnum)
        .with_transform(OptionalIntOrString)
        .into_generator();
    let generated = serde_json::to_value(generator.into_root_schema_for::<T>())
        .expect("a schema is plain JSON");
    let mut schema = tidy(generated, false);
    let of_type = schema["properties"].take();
    let mut properties = Map::from_iter([
        ("apiVersion".to_owned(), json!({ "type": "string" })),
        ("kind".to_owned(), json!({ "type": "string" })),
        ("metadata".to_owned(), json!({ "type": "object" })),
    ]);
    properties.extend(
        of_type
            .as_object()
            .cloned()
            .expect("an object has properties"),
    );
    schema["properties"] = Value::Object(properties);
    schema
}

/// What Kubernetes wants said, in one order. Titles and defaults are Rust's own: a default would be written into
/// users' objects. Only a map's values stay nullable: a null field is dropped by the API server, as it should be.
fn tidy(schema: Value, is_map_value: bool) -> Value {
    let Value::Object(mut schema) = schema else {
        return schema;
    };
    let mut tidied = Map::new();
    for keyword in [
        "description",
        "type",
        "format",
        "nullable",
        "enum",
        "required",
        "items",
        "additionalProperties",
    ] {
        let Some(value) = schema.remove(keyword) else {
            continue;
        };
        match keyword {
            "nullable" if !is_map_value => continue,
            "description" => {
                // kubectl breaks lines itself.
                let text = value.as_str().unwrap_or_default();
                let paragraphs: Vec<String> = text
                    .split("\n\n")
                    .map(|text| text.replace('\n', " "))
                    .collect();
                tidied.insert(keyword.into(), Value::String(paragraphs.join("\n\n")))
            }
            "additionalProperties" if value == Value::Bool(true) => tidied.insert(
                "x-kubernetes-preserve-unknown-fields".into(),
                Value::Bool(true),
            ),
            "items" => tidied.insert(keyword.into(), tidy(value, false)),
            "additionalProperties" => tidied.insert(keyword.into(), tidy(value, true)),
            _ => tidied.insert(keyword.into(), value),
        };
    }
    for (keyword, value) in std::mem::take(&mut schema) {
        match keyword.as_str() {
            "properties" => {
                let properties = value.as_object().cloned().unwrap_or_default();
                let properties = properties
                    .into_iter()
                    .map(|(name, value)| (name, tidy(value, false)));
                tidied.insert(keyword, Value::Object(properties.collect()));
            }
            "title" | "default" => {}
            _ => {
                tidied.insert(keyword, value);
            }
        }
    }
    Value::Object(tidied)
}
