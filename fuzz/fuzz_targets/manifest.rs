//! A manifest's text. Every problem can be shown, and what loads is the same after it was written out.
#![no_main]

// The loader's own source, without the AWS SDK that the rest of the controller needs.
#[path = "../../controller/src"]
mod controller {
    #[allow(dead_code, unused_imports)]
    pub mod app;
    #[allow(dead_code, unused_imports)]
    pub mod manifest;
}
use controller::{app, manifest};

use manifest::load::load_str;

libfuzzer_sys::fuzz_target!(|text: &str| {
    match load_str("fuzz.yaml", text) {
        Ok(loaded) => {
            for one in loaded {
                let json = serde_json::to_string(&one.manifest).expect("a manifest is JSON");
                let again = load_str("again.yaml", &json);
                let same = again.as_ref().is_ok_and(|again| again.len() == 1 && again[0].manifest == one.manifest);
                assert!(same, "{json}\n{again:?}");
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            // Each is shown in the same way; a few stand for all.
            for problem in problems.iter().take(3) {
                assert!(problem.line > 0 && problem.column > 0 && !problem.remedy.is_empty(), "{problem}");
                assert!(!problem.render(false, 80).is_empty());
            }
        }
    }
});
