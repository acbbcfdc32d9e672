//! CustomResourceDefinitions as they come and go: what was an unknown kind may be known from now on.
//! It watches metadata only and reads no schema.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, Client, ResourceExt, api::PartialObjectMeta, runtime::watcher};

use crate::sync::observe::follow::{Change, follow};

/// What happened to the kinds of a group.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Some are new, or served otherwise.
    Changed(String),
    /// Some are no longer served.
    Gone(String),
}

/// Follows all definitions for ever.
pub(crate) async fn follow_definitions(client: Client, mut tell: impl FnMut(Told)) {
    let mut listed_before = false;
    let api = Api::<PartialObjectMeta<CustomResourceDefinition>>::all(client);
    follow(api, watcher::Config::default(), |change| match change {
        Change::Changed(definition) => tell(Told::Changed(group(&definition.name_any()))),
        // What the first listing shows is no news; after an interruption anything may have changed.
        Change::Listed(definition) if listed_before => {
            tell(Told::Changed(group(&definition.name_any())))
        }
        Change::Listed(_) => {}
        Change::Gone { name, .. } => tell(Told::Gone(group(&name))),
        Change::Whole => listed_before = true,
    })
    .await;
}

/// A definition is named `plural.group`.
fn group(name: &str) -> String {
    name.split_once('.')
        .map_or_else(String::new, |(_, group)| group.to_owned())
}
