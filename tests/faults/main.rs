//! What goes wrong around a controller, one file per fault: processes killed, servers away, watches that expired, others who write
//! the same objects, a full disk, a clock that jumps. Whatever it is: nothing is lost, nothing pruned wrongly, no hook run twice, and
//! nothing written outside of the project. The faults are those of one control plane, so that one test runs at a time.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "../cluster/sync/scene.rs"]
mod scene;

mod aftermath;
mod api_server;
mod clock;
mod conflicts;
mod disk;
mod etcd;
mod expired;
mod killed;
mod record;
mod shop;
mod version;
