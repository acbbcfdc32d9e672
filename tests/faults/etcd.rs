//! etcd is restarted while a sync writes and while a hook runs, and then the API server, whose watches can't go on where they were.

use std::time::Duration;

use crate::harness::Proxy;
use crate::shop::Shop;
use crate::version::Hook;

/// Long enough for requests to find nobody.
const AWAY: Duration = Duration::from_secs(5);

#[test]
fn a_restart_of_etcd_in_the_middle_of_a_sync_is_no_failure() {
    let shop = Shop::new("etcd");
    let testbed = shop.scene.testbed.clone();
    // Each write is slow, so that there are some to come when etcd goes.
    let proxy = Proxy::slow(200, Some(&testbed.token(&shop.scene.own, "controller")));
    let controller = shop.controller_at(&proxy.kubeconfig(), &[]);
    shop.begin(&controller);
    let before = shop.uids();

    let second = shop.version(&controller, 2, Hook::Runs);
    let commit = shop.commit(&second);
    shop.scene
        .becomes("configmap", "settings", "/data/value", "2");
    testbed.stop("etcd");
    std::thread::sleep(AWAY);
    testbed.start("etcd");
    shop.holds(&second, &commit);
    shop.has_kept(&before);
    shop.has_written_its_own(2, 2);

    let third = shop.version(&controller, 3, Hook::Held);
    let commit = shop.commit(&third);
    let running = shop.hook_runs();
    testbed.stop("etcd");
    std::thread::sleep(AWAY);
    testbed.start("etcd");
    testbed.stop("kube-apiserver");
    testbed.start("kube-apiserver");
    assert_eq!(shop.hook_runs(), running, "the hook was run again");
    shop.open();
    shop.holds(&third, &commit);
    shop.has_kept(&before);
    shop.has_written_its_own(3, 3);
}
