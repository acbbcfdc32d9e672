//! A status that etcd can hold: results give way to the list of objects, since they only tell.
//! What the next pass decides by goes last, and of hooks nothing does.

use crds::{ApplicationStatus, SyncOperationResult};
use serde::Serialize;

/// What a status may take. etcd refuses an object of more than 1.5 MiB.
const LARGEST: usize = 1024 * 1024;

/// Leaves out the last results of objects, as many as do not fit, and counts them.
pub(super) fn fit(status: &mut ApplicationStatus) {
    let mut over = size(status).saturating_sub(LARGEST);
    let states = [
        status.operation_state.as_mut(),
        status.last_sync.as_deref_mut(),
    ];
    for state in states.into_iter().flatten() {
        if let Some(result) = &mut state.sync_result {
            over = cut(result, over);
        }
    }
}

/// Takes so many bytes away; returns how many are left to take.
fn cut(result: &mut SyncOperationResult, mut over: usize) -> usize {
    while over > 0
        && let Some(last) = result.resources.pop_if(|last| last.hook_type.is_empty())
    {
        over = over.saturating_sub(size(&last));
        result.omitted_resources += 1;
    }
    over
}

/// Bytes of its JSON.
fn size(value: &impl Serialize) -> usize {
    let mut counted = Counted(0);
    // Maps with text keys and plain values: there is nothing in a status that could fail to serialise.
    drop(serde_json::to_writer(&mut counted, value));
    counted.0
}

struct Counted(usize);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crds::{OperationState, ResourceResult, ResourceStatus};

    fn status(objects: usize) -> ApplicationStatus {
        let name = |number: usize| format!("{number:0100}");
        let resources = (0..objects).map(|number| ResourceStatus {
            name: name(number),
            ..ResourceStatus::default()
        });
        let results = ["PreSync", "", "", ""].into_iter().enumerate();
        let results = results.map(|(number, hook)| ResourceResult {
            name: name(number),
            hook_type: hook.into(),
            ..ResourceResult::default()
        });
        let result = SyncOperationResult {
            resources: results.collect(),
            ..SyncOperationResult::default()
        };
        ApplicationStatus {
            resources: resources.collect(),
            operation_state: Some(OperationState {
                sync_result: Some(result),
                ..OperationState::default()
            }),
            ..ApplicationStatus::default()
        }
    }

    fn results(status: &ApplicationStatus) -> &SyncOperationResult {
        let state = status.operation_state.as_ref().unwrap();
        state.sync_result.as_ref().unwrap()
    }

    #[test]
    fn results_that_do_not_fit_are_left_out_from_the_end_and_counted() {
        let (one, two) = (size(&status(1)), size(&status(2)));
        let objects = (LARGEST - one) / (two - one) + 2;
        let mut status = status(objects);
        fit(&mut status);
        assert!(size(&status) <= LARGEST);
        assert_eq!(status.resources.len(), objects);
        assert_eq!(results(&status).resources.len(), 3);
        assert_eq!(results(&status).omitted_resources, 1);
    }

    #[test]
    fn where_those_are_not_enough_results_of_the_last_sync_give_way() {
        let (one, two) = (size(&status(1)), size(&status(2)));
        let mut status = status((LARGEST - one) / (two - one) + 2);
        status.last_sync = status.operation_state.take().map(Box::new);
        fit(&mut status);
        assert!(size(&status) <= LARGEST);
        let last = status.last_sync.unwrap().sync_result.unwrap();
        assert!(last.resources.len() < 4);
        assert!(last.omitted_resources > 0);
    }

    #[test]
    fn no_result_of_a_hook_gives_way() {
        let mut status = status(2 * LARGEST / 100);
        fit(&mut status);
        let hooks = results(&status).resources.iter();
        assert!(hooks.map(|hook| &*hook.hook_type).eq(["PreSync"]));
    }

    #[test]
    fn where_there_is_room_everything_stays() {
        let mut fits = status(10);
        fit(&mut fits);
        assert_eq!(fits, status(10));
    }
}
