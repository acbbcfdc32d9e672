//! The API server is away for a minute in the middle of a sync, and somebody commits meanwhile.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::shop::Shop;
use crate::version::Hook;

/// As long as the upgrade of a control plane takes.
const AWAY: Duration = Duration::from_secs(60);
/// A controller has some twenty watches, each of which tries again after a second at first, and half a minute at last.
const ATTEMPTS: usize = 1000;
/// By this address the controller alone looks for the API server.
const DOOR: &str = "127.0.0.1";

#[test]
fn an_api_server_that_is_away_for_a_minute_takes_nothing_but_time() {
    let mut shop = Shop::new("away");
    shop.find_the_api_server_at(DOOR);
    let controller = shop.controller(&[]);
    shop.begin(&controller);
    let before = shop.uids();
    let second = shop.version(&controller, 2, Hook::Held);
    let third = shop.version(&controller, 3, Hook::Runs);
    shop.commit(&second);
    let running = shop.hook_runs();

    let testbed = shop.scene.testbed.clone();
    testbed.stop("kube-apiserver");
    let door = Door::open();
    let commit = shop.push(&third);
    std::thread::sleep(AWAY);
    let attempts = door.close();
    assert!(
        (1..ATTEMPTS).contains(&attempts),
        "{attempts} attempts to connect"
    );
    testbed.start("kube-apiserver");

    let controller = controller.ready();
    assert_eq!(shop.hook_runs(), running, "the hook was run again");
    shop.has_written_its_own(2, 1);
    // The new commit takes the place of the one whose hook is held.
    shop.scene.refresh();
    shop.holds(&third, &commit);
    shop.has_kept(&before);
    shop.has_written_its_own(3, 2);
    drop(controller);
}

/// Stands where the API server was, and counts who comes.
struct Door {
    closes: Arc<AtomicBool>,
    counter: JoinHandle<usize>,
}

impl Door {
    fn open() -> Self {
        let listener = TcpListener::bind((DOOR, 6443)).expect("the API server is gone");
        let closes = Arc::new(AtomicBool::new(false));
        let closed = closes.clone();
        let count = move || {
            let mut count = 0;
            for _ in listener.incoming() {
                if closed.load(Ordering::Relaxed) {
                    break;
                }
                count += 1;
            }
            count
        };
        Self {
            closes,
            counter: std::thread::spawn(count),
        }
    }

    fn close(self) -> usize {
        self.closes.store(true, Ordering::Relaxed);
        drop(std::net::TcpStream::connect((DOOR, 6443)));
        self.counter.join().expect("the counter never panics")
    }
}
