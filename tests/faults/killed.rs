//! A controller that is killed after each write of a sync that has everything: hooks around it, waves, a Secret that changes, objects
//! that come and go. That each step is done once is shown in `cluster/interrupted.rs` and `cluster/hooks.rs`, of syncs without prunes.

use crate::harness::{Proxy, eventually};
use crate::shop::Shop;
use crate::version::Hook;

/// Claim, two hooks that are made anew, judged and let go, three ConfigMaps, SealedSecret and Secret, Deployment, one that is pruned.
const KILLS: u32 = 14;

#[test]
fn a_sync_killed_after_any_write_loses_nothing_and_prunes_what_left_git_alone() {
    let shop = Shop::new("killed");
    let token = shop.scene.testbed.token(&shop.scene.own, "controller");
    let proxy = Proxy::start(Some(&token));
    let start = || shop.controller_at(&proxy.kubeconfig(), &["--leader-election=false"]);
    let mut controller = start();
    shop.begin(&controller);
    let before = shop.uids();
    let mut kills = 0;
    loop {
        let number = 2 + kills;
        let version = shop.version(&controller, number, Hook::Runs);
        let commit = shop.push(&version);
        proxy.kill_after(&controller, 1 + kills as usize);
        shop.scene.refresh();
        let was_killed = is_killed(&shop, &proxy, &commit);
        if was_killed {
            controller.wait();
            controller = start();
            shop.scene.refresh();
        }
        shop.holds(&version, &commit);
        shop.has_kept(&before);
        let runs = number as usize;
        shop.has_written_its_own(runs, runs);
        if !was_killed {
            break;
        }
        kills += 1;
    }
    assert!(
        kills >= KILLS,
        "only {kills} of its writes were the last of a process"
    );
}

/// Waits until the kill happened; false when the sync was over before.
fn is_killed(shop: &Shop, proxy: &Proxy, commit: &str) -> bool {
    eventually(
        "the controller is killed, or has nothing left to write",
        || {
            let status = &shop.scene.app()["status"];
            let state = &status["operationState"];
            let is_over = state["phase"] == "Succeeded"
                && state["syncResult"]["revision"] == commit
                && status["health"]["status"] == "Healthy";
            match (proxy.has_killed(), is_over) {
                (true, _) => Ok(true),
                (false, true) => Ok(false),
                (false, false) => Err(format!("{status:#}")),
            }
        },
    )
}
