//! The volume of `--data-dir` is full, also when the controller starts. What fills it in an ordinary life is in `cluster/sync/disk.rs`.

use crate::harness::{Controller, Volume, eventually};
use crate::shop::Shop;
use crate::version::Hook;

#[test]
fn a_full_disk_plans_nothing_and_the_sync_goes_on_once_there_is_room() {
    let shop = Shop::new("full");
    let volume = Volume::of("4m");
    let data = volume.path().join("data");
    let argument = format!("--data-dir={}", data.display());
    let controller = shop.controller(&[&argument]);
    shop.begin(&controller);
    let before = shop.uids();
    let second = shop.version(&controller, 2, Hook::Runs);
    // It needs more room than there is once the mirror of the first commit is given up.
    let noise = shop.scene.repository.work_tree().join("noise");
    std::fs::write(noise, self::noise()).expect("the work tree is writable");
    volume.fill();
    let commit = shop.commit(&second);
    says_why(&shop, &controller);
    shop.has_written_its_own(1, 1);

    // As where a Pod is started anew on a machine whose disk is full.
    controller.kill();
    std::fs::remove_dir_all(data).expect("nobody uses it any more");
    volume.fill();
    let controller = shop.controller(&[&argument]);
    shop.scene.refresh();
    says_why(&shop, &controller);
    assert_eq!(shop.uids(), before, "something was pruned or made");
    shop.has_written_its_own(1, 1);

    volume.make_room();
    shop.holds(&second, &commit);
    shop.has_kept(&before);
    shop.has_written_its_own(2, 2);
}

/// A megabyte that does not get much smaller in a pack.
fn noise() -> String {
    let words = (0..250_000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    words
        .map(|word| format!("{word:016x}\n").split_off(11))
        .collect()
}

fn says_why(shop: &Shop, controller: &Controller) {
    eventually("the Application says what is full and what to do", || {
        let status = &shop.scene.app()["status"];
        let conditions = status["conditions"].to_string();
        let said = [
            "no storage space",
            "check the volume of --data-dir: free space",
        ];
        let said = said.iter().all(|part| conditions.contains(part))
            && status["sync"]["status"] == "Unknown";
        said.then_some(())
            .ok_or_else(|| format!("{status:#}\n{}", controller.log()))
    });
}
