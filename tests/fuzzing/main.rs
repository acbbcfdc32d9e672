//! Runs one fuzz target, named by the environment, under libFuzzer. Built and started by `tests/fuzz`.
//! It must not hold a property: those are in the targets beside it, which are modules of the crates they look into.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod fuzzer {
    use std::sync::OnceLock;

    type Target = fn(&[u8]);

    /// Each has a folder of its name in `corpus/`.
    const TARGETS: &[(&str, Target)] = &[
        ("envelope", sealing::fuzz_envelope::target),
        ("templates", sealing::fuzz_templates::target),
        ("documents", cli::fuzz_documents::target),
        ("manifests", controller::render::fuzz_manifests::target),
        ("bodies", controller::sealing_api::fuzz_bodies::target),
        (
            "signatures",
            controller::git::signature::fuzz_signatures::target,
        ),
        ("charts", controller::charts::fuzz_charts::target),
        ("webhooks", controller::web::fuzz_webhooks::target),
    ];

    static CHOSEN: OnceLock<Target> = OnceLock::new();

    fn chosen() -> Target {
        let name = std::env::var("SIGNET_FUZZ_TARGET").unwrap_or_default();
        let found = TARGETS.iter().find(|(known, _)| *known == name);
        found.expect("SIGNET_FUZZ_TARGET names a target").1
    }

    libfuzzer_sys::fuzz_target!(|data: &[u8]| CHOSEN.get_or_init(chosen)(data));
}

#[cfg(not(fuzzing))]
fn main() -> Result<(), &'static str> {
    Err("this was built without a fuzzer: run tests/fuzz")
}
