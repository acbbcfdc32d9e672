//! What an automatic sync could do, and when healing is due: at once after a quiet time, then slower and slower.
//! The number of tries is kept in the operation itself, so that a restart does not begin anew.

use std::collections::BTreeSet;
use std::time::Duration;

use crds::OperationState;
use k8s_openapi::jiff::SignedDuration;

use crate::sync::desired::secrets;
use crate::sync::key::ObjectKey;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::fights;
use crate::sync::plan::operation::{Decided, begin, is_waited_for, later};
use crate::sync::plan::{Comparison, Difference, Scope};
use crate::sync::world::World;

/// More objects than these are healed by a whole sync: their list would have to fit into the status.
const LISTED: usize = 200;
/// Waiting time before the second try, as Argo CD has it; the first comes at once.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// Each waiting time is the last one times this.
const FACTOR: u32 = 3;
/// Longest waiting time.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// After so long without a heal the count begins anew.
const COOL_DOWN: SignedDuration = SignedDuration::from_secs(330);

/// Objects that an automatic sync could bring nearer to what is wanted.
pub(in crate::sync) fn actionable(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
) -> BTreeSet<ObjectKey> {
    let prune = terms
        .intent
        .automated
        .is_some_and(|automated| automated.prune);
    let can_act = |key: &ObjectKey, difference: &Difference| match difference {
        Difference::Missing => secrets::blocked_by(world, terms, comparison, key).is_none(),
        Difference::Changed
        | Difference::Drift(_)
        | Difference::Immutable(_)
        | Difference::Deleting => true,
        Difference::AwaitsKind => true,
        Difference::Extra => prune,
        _ => false,
    };
    let objects = comparison.objects.iter();
    objects
        .filter(|(key, compared)| {
            let difference = compared.difference.as_ref().filter(|_| !compared.ignored);
            difference.is_some_and(|difference| can_act(key, difference))
        })
        .map(|(key, _)| key)
        .chain(&comparison.namespace)
        .cloned()
        .collect()
}

/// Heals the objects that are not as wanted, and only them, when it is time.
pub(in crate::sync) fn heal(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    state: &OperationState,
    mut objects: BTreeSet<ObjectKey>,
) -> Decided {
    if !terms
        .intent
        .automated
        .is_some_and(|automated| automated.self_heal)
    {
        return Decided::default();
    }
    let mut wake_at = None;
    objects.retain(|key| match fights::fight(world, key) {
        Some(fight) => {
            wake_at = wake_at.into_iter().chain([fight.until]).min();
            false
        }
        None => true,
    });
    if objects.is_empty() {
        return Decided {
            wake_at,
            ..Decided::default()
        };
    }
    let finished = state.finished_at.as_ref().map_or(world.now, |time| time.0);
    let quiet = world.now.duration_since(finished) >= COOL_DOWN;
    let tries = if quiet { 0 } else { tries(state) };
    let due = later(finished, wait(tries));
    if is_waited_for(world, finished, due) {
        return Decided {
            wake_at: Some(due),
            ..Decided::default()
        };
    }
    // What asks first may wait for long, and all else is to be healed meanwhile.
    let asks = objects.iter().any(|key| comparison.asks(key));
    let scope = match objects.len() <= LISTED && !asks {
        true => Scope::Objects(objects),
        false => Scope::Whole,
    };
    begin(world, terms, scope, tries + 1).into()
}

fn tries(state: &OperationState) -> u32 {
    let sync = state.operation.sync.as_ref();
    let count = sync
        .and_then(|sync| sync.auto_heal_attempts_count)
        .unwrap_or_default();
    u32::try_from(count).unwrap_or_default()
}

fn wait(tries: u32) -> Duration {
    match tries {
        0 => Duration::ZERO,
        tries => FACTOR
            .checked_pow(tries - 1)
            .and_then(|factor| FIRST_WAIT.checked_mul(factor))
            .map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_heal_comes_at_once_and_each_next_one_three_times_later_up_to_five_minutes() {
        let waits: Vec<u64> = [0, 1, 2, 3, 5, 6, 40]
            .map(|tries| wait(tries).as_secs())
            .to_vec();
        assert_eq!(waits, [0, 2, 6, 18, 162, 300, 300]);
    }
}
