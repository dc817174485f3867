//! Every input that is kept for the fuzzers, whether written by hand or once a finding, holds.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

#[test]
fn every_kept_input_holds() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let mut fallen = Vec::new();
    for (target, property) in properties::ALL {
        let folder = seeds.join(target);
        let inputs: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!inputs.is_empty(), "{} is empty", folder.display());
        for path in inputs {
            let input = fs::read(&path).unwrap();
            if catch_unwind(AssertUnwindSafe(|| property(&input))).is_err() {
                fallen.push(path);
            }
        }
    }
    assert!(fallen.is_empty(), "what is said above does not hold of {fallen:#?}");
}

#[test]
fn every_fuzz_target_has_kept_inputs_that_are_replayed() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let names = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(fuzz.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<_> = entries.map(|path| path.file_stem().unwrap().display().to_string()).collect();
        names.sort();
        names
    };
    let mut replayed: Vec<_> = properties::ALL.iter().map(|(target, _)| (*target).to_owned()).collect();
    replayed.sort();
    assert_eq!(names("fuzz_targets"), replayed);
    assert_eq!(names("seeds"), replayed);
}
