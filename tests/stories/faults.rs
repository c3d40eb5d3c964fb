//! The faults that are planted to see whether the tests bite: each still fits, and names a test that is there.
//!
//! Planting them takes hours, so that is not done here: `./check --faults`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Fewer would leave walls, fences and limits that nobody has tried to tear down.
const FEWEST: usize = 25;

/// A fault as it is kept.
struct Fault {
    path: PathBuf,
    text: String,
}

impl Fault {
    fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap()
    }

    /// What the head says after `label`.
    fn says(&self, label: &str) -> &str {
        let head = self.text.split("diff --git").next().unwrap();
        let line = head.lines().find_map(|line| line.strip_prefix(label)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("{} does not say {label}", self.name()))
    }

    /// The target and the name of the test that catches it.
    fn caught_by(&self) -> (&str, &str) {
        let caught = self.says("Caught-by");
        caught.split_once(' ').unwrap_or_else(|| panic!("{}: {caught}", self.name()))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn faults() -> Vec<Fault> {
    let files = fs::read_dir(root().join("tests/faults")).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
    paths.sort();
    let read = |path: PathBuf| Fault { text: fs::read_to_string(&path).unwrap(), path };
    paths.into_iter().map(read).collect()
}

#[test]
fn every_fault_still_fits_and_changes_one_place() {
    let faults = faults();
    assert!(faults.len() >= FEWEST, "only {} faults are planted", faults.len());
    let mut numbers = BTreeSet::new();
    for fault in &faults {
        let number = fault.name().split('-').next().unwrap();
        assert!(number.parse::<u32>().is_ok() && numbers.insert(number), "{}", fault.name());
        assert!(!fault.says("Fault").is_empty());
        let places = fault.text.lines().filter(|line| line.starts_with("@@ ")).count();
        assert_eq!(places, 1, "{}", fault.name());
        let mut apply = Command::new("git");
        let apply = apply.args(["apply", "--check"]).arg(&fault.path).current_dir(root());
        let fits = apply.output().expect("git is missing");
        assert!(fits.status.success(), "{}", String::from_utf8_lossy(&fits.stderr));
    }
}

#[test]
fn every_fault_names_a_test_that_is_there() {
    let listed = Command::new(std::env::current_exe().unwrap()).arg("--list").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let stories: BTreeSet<_> =
        listed.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    for fault in faults() {
        let (target, test) = fault.caught_by();
        // Another target is a crate, whose tests stand beside what they test.
        let is_there =
            if target == "stories" { stories.contains(test) } else { is_in_crate(target, test) };
        assert!(is_there, "{}: there is no test {target} {test}", fault.name());
    }
}

/// Whether a crate has this test, in the file of its module or in `tests.rs` beside it.
fn is_in_crate(name: &str, test: &str) -> bool {
    let (modules, function) = test.rsplit_once("::").unwrap();
    let module = modules.strip_suffix("::tests").unwrap_or(modules).replace("::", "/");
    let source = root().join(name).join("src").join(&module);
    let files = [source.with_extension("rs"), source.join("mod.rs"), source.join("tests.rs")];
    let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    let wanted = format!("fn {function}()");
    texts.into_iter().any(|text| text.contains(&wanted))
}
