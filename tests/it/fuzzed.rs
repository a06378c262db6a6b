//! The bodies of the fuzz targets, on the stable toolchain: what a fuzzer once found stays found.

#[path = "../../fuzz/bodies/mod.rs"]
mod bodies;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn fuzz(inside: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(inside)
}

fn names(inside: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(fuzz(inside)).expect("a directory");
    let name = |path: PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
    entries.map(|entry| name(entry.expect("an entry").path())).collect()
}

#[test]
fn every_kept_input_goes_through_the_body_of_its_target() {
    for (name, _) in bodies::ALL {
        let mut count = 0;
        for entry in fs::read_dir(fuzz("corpus").join(name)).expect("a corpus") {
            let path = entry.expect("an entry").path();
            let input = fs::read(&path).expect("an input");
            assert!(std::panic::catch_unwind(|| bodies::run(name, &input)).is_ok(), "{}", path.display());
            count += 1;
        }
        assert!(count > 0, "{name} has no input");
    }
}

#[test]
fn every_body_has_a_target_and_a_corpus_and_there_are_no_others() {
    let bodies: BTreeSet<String> = bodies::ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), bodies);
    assert_eq!(names("corpus"), bodies);
}
