//! Finding PostgreSQL's programs on this machine.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest major version our migrations run on.
const OLDEST_VERSION: u32 = 15;
/// Folders in which systems keep PostgreSQL's versions, and how the name of a version begins there.
const USUAL_FOLDERS: [(&str, &str); 7] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/usr/libexec", "postgresql"),
    ("/usr/local/opt", "postgresql@"),
    ("/opt/homebrew/opt", "postgresql@"),
    ("/Library/PostgreSQL", ""),
    ("/Applications/Postgres.app/Contents/Versions", ""),
];

/// PostgreSQL's programs, as they were found on this machine.
#[derive(Debug, Clone)]
pub struct Programs {
    folder: PathBuf,
    version: u32,
}

/// Where PostgreSQL's programs are: in `preferred`, else on the `search_path`, else in the usual
/// folders, newest first.
///
/// Versions before 15 are passed over. None when nothing is left.
pub fn find_programs(search_path: Option<&OsStr>, preferred: Option<&Path>) -> Option<Programs> {
    let searched = search_path.into_iter().flat_map(std::env::split_paths);
    let named = preferred.map(Path::to_path_buf).into_iter().chain(searched);
    named.chain(usual_folders()).find_map(|folder| Programs::within(&folder))
}

impl Programs {
    /// The folder they lie in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Their major version, 15 or more.
    pub fn version(&self) -> u32 {
        self.version
    }

    fn within(folder: &Path) -> Option<Programs> {
        let folder = std::path::absolute(folder).ok()?;
        if !folder.join("initdb").is_file() {
            return None;
        }
        let said = Command::new(folder.join("postgres")).arg("--version").output().ok()?.stdout;
        let version = first_number(&String::from_utf8_lossy(&said))?;
        (version >= OLDEST_VERSION).then_some(Programs { folder, version })
    }
}

fn usual_folders() -> impl Iterator<Item = PathBuf> {
    let mut found: Vec<(Option<u32>, PathBuf)> = Vec::new();
    for (parent, prefix) in USUAL_FOLDERS {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(version) = name.strip_prefix(prefix) {
                found.push((first_number(version), entry.path().join("bin")));
            }
        }
    }
    found.sort_unstable();
    found.into_iter().rev().map(|(_, folder)| folder)
}

fn first_number(text: &str) -> Option<u32> {
    text.split(|letter: char| !letter.is_ascii_digit()).find(|part| !part.is_empty())?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::first_number;

    #[test]
    fn a_version_is_the_first_number() {
        assert_eq!(
            first_number("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(first_number("18beta2"), Some(18));
        assert_eq!(first_number("9.6"), Some(9));
        assert_eq!(first_number("common"), None);
    }
}
