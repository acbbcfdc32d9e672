//! Situations with more objects than a folder should hold.
//! What they prove besides their size is the business of the folders.

use std::sync::Arc;

use controller::render::Manifest;
use controller::sync::desired::{Inputs, desired};
use controller::sync::plan::plan;
use serde_json::{Value, json};

use crate::folder::folders;
use crate::kinds;
use crate::world::Case;

fn manifest(object: Value) -> Manifest {
    Manifest {
        file: "all.yaml".to_owned(),
        document: 1,
        line: Some(1),
        object,
    }
}

/// What is begun where so many objects have to be healed.
fn begun(missing: usize) -> String {
    let is_healed = |folder: &&std::path::PathBuf| folder.ends_with("a_deleted_object_comes_back");
    let folders = folders();
    let mut case = Case::read(folders.iter().find(is_healed).unwrap());
    let settings = (0..missing).map(|number| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("settings-{number}")}})
    });
    let there = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
    let manifests: Vec<_> = settings.chain([there]).map(manifest).collect();
    let wanted = desired(&Inputs {
        manifests: &manifests.iter().collect::<Vec<_>>(),
        kinds: &kinds::built_in(),
        application_id: "shop",
        namespace: "demo",
        defaults: Default::default(),
        scaled: &Default::default(),
        ignored: &Default::default(),
        predecessor: None,
    });
    case.world.source.as_mut().unwrap().desired = Arc::new(wanted);
    let plan = plan(&case.world).to_string();
    let begins = |line: &&str| line.starts_with("operation: ");
    plan.lines().find(begins).unwrap_or_default().to_owned()
}

#[test]
fn a_heal_of_more_than_two_hundred_objects_is_a_whole_sync() {
    let sync = "operation: start: the automated sync to c2, pruning";
    let listed = begun(200);
    assert!(listed.starts_with(&format!("{sync}, only ")), "{listed}");
    assert_eq!(begun(201), format!("{sync}, without hooks"));
}
