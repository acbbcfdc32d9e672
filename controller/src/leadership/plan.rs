//! Decides what a candidate does about the Lease. It must not read a clock or compare clocks of two machines.

use std::time::Duration;

/// Everything that the plan depends on.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// The name under which this process stands.
    pub me: &'a str,
    /// The Lease, if there is one.
    pub lease: Option<Lease<'a>>,
    /// How often to look.
    pub period: Duration,
}

/// A Lease as this process knows it.
#[derive(Clone, Copy, Debug)]
pub struct Lease<'a> {
    /// Who has it; empty when it was given back.
    pub holder: &'a str,
    /// How long it counts after its holder was last heard of.
    pub duration: Duration,
    /// Since this process last saw a change of it, by its own clock.
    pub unchanged: Duration,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Create,
    /// It is ours: say that we live.
    Renew,
    /// Nobody has it, or who had it is silent for too long.
    Take,
    /// Another process has it: look again after this time.
    Wait(Duration),
}

pub fn plan(world: &World<'_>) -> Step {
    let Some(lease) = world.lease else {
        return Step::Create;
    };
    let left = lease.duration.saturating_sub(lease.unchanged);
    if lease.holder == world.me {
        Step::Renew
    } else if lease.holder.is_empty() || left.is_zero() {
        Step::Take
    } else {
        Step::Wait(left.min(world.period))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn step(holder: &str, unchanged: u64) -> Step {
        let lease = Lease {
            holder,
            duration: seconds(9),
            unchanged: seconds(unchanged),
        };
        plan(&World {
            me: "me",
            lease: Some(lease),
            period: seconds(3),
        })
    }

    #[test]
    fn a_lease_is_taken_when_it_is_absent_given_back_or_its_holder_silent() {
        let world = World {
            me: "me",
            lease: None,
            period: seconds(3),
        };
        assert_eq!(plan(&world), Step::Create);
        assert_eq!(step("", 0), Step::Take);
        assert_eq!(step("other", 9), Step::Take);
    }

    #[test]
    fn the_lease_of_another_is_waited_for_and_not_a_moment_longer() {
        assert_eq!(step("other", 0), Step::Wait(seconds(3)));
        assert_eq!(step("other", 8), Step::Wait(seconds(1)));
    }

    #[test]
    fn our_own_lease_is_renewed_however_old() {
        assert_eq!(step("me", 0), Step::Renew);
        assert_eq!(step("me", 100), Step::Renew);
    }
}
