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
        &names,
        &schema::<SealedSecret>(),
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
    definition(CRD, GROUP, &names, &schema::<Application>(), columns, None)
}

fn app_project() -> Definition {
    use names::app_project::{CRD, GROUP, KIND, LIST_KIND, PLURAL, SHORT, SINGULAR};
    let names = json!({ "kind": KIND, "listKind": LIST_KIND, "plural": PLURAL, "singular": SINGULAR, "shortNames": SHORT });
    definition(CRD, GROUP, &names, &schema::<AppProject>(), json!([]), None)
}

fn definition(
    name: &str,
    group: &str,
    names: &Value,
    schema: &Value,
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
    let mut schema = tidy(generated);
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
/// users' objects. Whatever is optional may be null too, because server-side apply refuses a null elsewhere, and
/// files made by templates are full of them.
fn tidy(schema: Value) -> Value {
    let Value::Object(mut schema) = schema else {
        return schema;
    };
    let required: Vec<Value> = schema
        .get("required")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let mut tidied = Map::new();
    for keyword in [
        "description",
        "type",
        "format",
        "nullable",
        "enum",
        "required",
    ] {
        tidied.extend(
            schema
                .remove(keyword)
                .map(|value| (keyword.to_owned(), value)),
        );
    }
    if let Some(Value::String(text)) = tidied.get_mut("description") {
        *text = unwrap(text);
    }
    for (keyword, value) in schema {
        match (keyword.as_str(), value) {
            ("title" | "default", _) => {}
            ("additionalProperties", Value::Bool(true)) => {
                tidied.insert(
                    "x-kubernetes-preserve-unknown-fields".into(),
                    Value::Bool(true),
                );
            }
            ("properties", Value::Object(properties)) => {
                let properties = properties.into_iter().map(|(name, property)| {
                    let optional = !required.contains(&Value::String(name.clone()));
                    (name, nullable(tidy(property), optional))
                });
                tidied.insert(keyword, Value::Object(properties.collect()));
            }
            (_, value) => {
                tidied.insert(keyword, tidy(value));
            }
        }
    }
    Value::Object(tidied)
}

fn nullable(mut schema: Value, yes: bool) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        match yes {
            true => schema.insert("nullable".into(), Value::Bool(true)),
            false => schema.remove("nullable"),
        };
    }
    schema
}

/// kubectl breaks the lines of a description itself; empty lines part paragraphs.
fn unwrap(text: &str) -> String {
    let paragraphs: Vec<String> = text
        .split("\n\n")
        .map(|text| text.replace('\n', " "))
        .collect();
    paragraphs.join("\n\n")
}
