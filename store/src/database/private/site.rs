//! Where a private cluster lies, under which account it runs, and how it comes into being.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::geteuid;
use tokio::process::Command;
use tokio::time::timeout;

use super::{ClusterError, Programs, SUPERUSER, not_run, unusable};

/// Lies inside every cluster that we created, and so tells ours from anybody else's.
const MARKER: &str = "AFTERCARE";
/// How the name of a cluster begins while it is being created.
const UNFINISHED: &str = "unfinished-";
/// A socket's path may have 103 bytes on macOS and 107 on Linux.
const SOCKET_PATH_BYTES: usize = 100;
/// Creating takes a second or two; a slow disk under load may need a minute.
const CREATE_LIMIT: Duration = Duration::from_mins(2);

/// Where the cluster lies and who runs it.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) programs: Programs,
    pub(super) folder: PathBuf,
    pub(super) cluster: PathBuf,
    pub(super) socket: PathBuf,
    account: Option<Account>,
}

/// An account without privileges, for when we run as root.
#[derive(Debug, Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
}

impl Site {
    /// Settles on `data_dir`, or on a folder of ours that PostgreSQL's account can reach if it
    /// cannot reach that.
    pub(super) async fn choose(programs: &Programs, data_dir: &Path) -> Result<Site, ClusterError> {
        let wanted = Site::at(programs, data_dir)?;
        if wanted.account.is_none() || wanted.is_reachable().await? {
            return Ok(wanted);
        }
        let name = short_name(&wanted.folder);
        Site::at(programs, &Path::new("/var/lib").join(name))
    }

    /// Makes us the only owner, for as long as the returned file is open.
    pub(super) fn claim(&self) -> Result<File, ClusterError> {
        if self.folder.join("PG_VERSION").exists() {
            return Err(ClusterError::Foreign { path: self.folder.clone() });
        }
        let (path, file) = self.open_lock("owner.lock")?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(ClusterError::InUse { path: self.folder.clone() }),
            Err(TryLockError::Error(source)) => Err(ClusterError::Unusable { path, source }),
        }
    }

    /// Whether the cluster is there already; one that we did not create, or of another version, is
    /// refused.
    pub(super) fn is_created(&self) -> Result<bool, ClusterError> {
        if !self.cluster.try_exists().map_err(unusable(&self.cluster))? {
            return Ok(false);
        }
        let marker = self.cluster.join(MARKER);
        if !marker.try_exists().map_err(unusable(&marker))? {
            return Err(ClusterError::Foreign { path: self.cluster.clone() });
        }
        let path = self.cluster.join("PG_VERSION");
        let version = fs::read_to_string(&path).map_err(unusable(&path))?;
        if version.trim() == self.programs.version().to_string() {
            return Ok(true);
        }
        Err(ClusterError::OtherVersion {
            cluster: version.trim().to_owned(),
            programs: self.programs.version(),
            folder: self.programs.folder().to_path_buf(),
        })
    }

    /// Creates the cluster beside its place and moves it there when it is whole, so a half-made one
    /// is never met.
    pub(super) async fn create(&self) -> Result<(), ClusterError> {
        // An initdb whose program was killed lives on for a moment, and still fills the folder we
        // are about to remove.
        let lock = self.wait_for_end().await?;
        self.remove_unfinished()?;
        let unfinished = self.folder.join(format!("{UNFINISHED}{}", std::process::id()));
        self.private_folder(&unfinished)?;
        self.initdb(&unfinished, lock).await?;
        fs::write(unfinished.join(MARKER), "Created by Aftercare, which starts and ends it.\n")
            .and_then(|()| flush(&unfinished))
            .and_then(|()| fs::rename(&unfinished, &self.cluster))
            .and_then(|()| File::open(&self.folder)?.sync_all())
            .map_err(unusable(&self.cluster))
    }

    /// Keeps the log of the run before and no other, so that logs do not fill the disk over the
    /// years.
    pub(super) fn set_log_aside(&self) -> Result<(), ClusterError> {
        let log = self.log();
        match fs::rename(&log, self.folder.join("postgresql.before.log")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(&log)(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("postgresql.log")
    }

    pub(super) fn open_lock(&self, name: &str) -> Result<(PathBuf, File), ClusterError> {
        let path = self.folder.join(name);
        let mut options = File::options();
        match options.write(true).create(true).truncate(false).mode(0o600).open(&path) {
            Ok(file) => Ok((path, file)),
            Err(source) => Err(ClusterError::Unusable { path, source }),
        }
    }

    /// Makes a folder that only the cluster's user can enter, or makes sure that it is one.
    pub(super) fn private_folder(&self, path: &Path) -> Result<(), ClusterError> {
        let ours = geteuid().as_raw();
        let user = self.account.map_or(ours, |account| account.uid);
        let is_taken =
            |found: fs::Metadata| !found.is_dir() || ![ours, user].contains(&found.uid());
        let ready = match DirBuilder::new().mode(0o700).create(path) {
            // In /tmp anybody may have been there first, and may have left a link that leads
            // elsewhere.
            Err(error) if fs::symlink_metadata(path).map_or(true, is_taken) => Err(error),
            Ok(()) | Err(_) => fs::set_permissions(path, Permissions::from_mode(0o700)),
        };
        let given = ready.and_then(|()| match self.account {
            Some(account) => lchown(path, Some(account.uid), Some(account.gid)),
            None => Ok(()),
        });
        given.map_err(unusable(path))
    }

    /// A program that runs as the cluster's user and inherits nothing of us.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // Our environment holds secrets, which that user could read. Without LC_ALL, PostgreSQL
        // does not start on macOS.
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").env("TZ", "UTC");
        // A group of its own: Ctrl-C in the terminal is for us, and we end PostgreSQL when we have
        // finished.
        command.current_dir("/").stdin(Stdio::null()).process_group(0);
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        command
    }

    fn at(programs: &Programs, folder: &Path) -> Result<Site, ClusterError> {
        // Others may pass, not look, when we are root: PostgreSQL is then one of the others.
        let mode = if geteuid().is_root() { 0o711 } else { 0o700 };
        let created = DirBuilder::new().recursive(true).mode(mode).create(folder);
        let folder = created.and_then(|()| folder.canonicalize()).map_err(unusable(folder))?;
        let cluster = folder.join("cluster");
        let account = Account::choose(&cluster)?;
        let socket = socket_folder(&folder);
        Ok(Site { programs: programs.clone(), folder, cluster, socket, account })
    }

    /// Whether the account can go there; found out by going, which counts every kind of permission.
    async fn is_reachable(&self) -> Result<bool, ClusterError> {
        let shell = Path::new("/bin/sh");
        let mut command = self.command(shell);
        command.args(["-c", r#"cd "$1""#, "sh"]).arg(&self.folder).stderr(Stdio::null());
        Ok(command.status().await.map_err(not_run(shell))?.success())
    }

    fn remove_unfinished(&self) -> Result<(), ClusterError> {
        for entry in fs::read_dir(&self.folder).map_err(unusable(&self.folder))? {
            let entry = entry.map_err(unusable(&self.folder))?;
            if entry.file_name().as_bytes().starts_with(UNFINISHED.as_bytes()) {
                fs::remove_dir_all(entry.path()).map_err(unusable(&entry.path()))?;
            }
        }
        Ok(())
    }

    async fn initdb(&self, folder: &Path, lock: File) -> Result<(), ClusterError> {
        let initdb = self.programs.folder().join("initdb");
        let mut command = self.command(&initdb);
        command.stdin(lock).arg("-D").arg(folder).args(["-U", SUPERUSER]);
        // Whoever opens the socket is trusted, because its folder lets nobody pass but the
        // cluster's user and root.
        command.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]);
        if cfg!(target_os = "linux") {
            // `flush` does it at once; initdb goes through a thousand files and takes ten times as
            // long.
            command.arg("--no-sync");
        }
        let Ok(output) = timeout(CREATE_LIMIT, command.kill_on_drop(true).output()).await else {
            return Err(ClusterError::TooSlow { what: "initdb did not end", limit: CREATE_LIMIT });
        };
        let output = output.map_err(not_run(&initdb))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(ClusterError::NotCreated { said })
    }
}

impl Account {
    /// None if PostgreSQL can run as ourselves; as root, the account that has the cluster, else one
    /// that exists.
    fn choose(cluster: &Path) -> Result<Option<Account>, ClusterError> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        if let Ok(found) = fs::metadata(cluster)
            && found.uid() != 0
        {
            return Ok(Some(Account { uid: found.uid(), gid: found.gid() }));
        }
        let path = Path::new("/etc/passwd");
        let accounts = fs::read_to_string(path).map_err(unusable(path))?;
        let find = |name| accounts.lines().find_map(|line| Account::parse(line, name));
        find("postgres").or_else(|| find("nobody")).map(Some).ok_or(ClusterError::NoAccount)
    }

    fn parse(line: &str, name: &str) -> Option<Account> {
        let mut fields = line.split(':');
        fields.next().filter(|field| *field == name)?;
        let (uid, gid) = (fields.nth(1)?, fields.next()?);
        Some(Account { uid: uid.parse().ok()?, gid: gid.parse().ok()? })
    }
}

/// The folder of the socket: a short one elsewhere if the path is too long, or would read as two in
/// PostgreSQL's list.
fn socket_folder(folder: &Path) -> PathBuf {
    let inside = folder.join("socket");
    let bytes = inside.as_os_str().as_bytes();
    let is_long = bytes.len().saturating_add("/.s.PGSQL.5432".len()) > SOCKET_PATH_BYTES;
    if is_long || bytes.iter().any(|byte| b",\"".contains(byte)) {
        return Path::new("/tmp").join(short_name(folder));
    }
    inside
}

/// A short name for a path, the same with every release: FNV-1a.
fn short_name(path: &Path) -> String {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = path.as_os_str().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, mix);
    format!("aftercare-{hash:016x}")
}

/// Brings all to the disk: what initdb wrote is in no log, so PostgreSQL could not repair it after
/// a power cut.
#[cfg(target_os = "linux")]
fn flush(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

/// Has nothing to do, because initdb did it.
#[cfg(not(target_os = "linux"))]
fn flush(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Account, short_name, socket_folder};
    use std::path::Path;

    #[test]
    fn a_socket_lies_in_the_data_folder_while_its_path_is_short() {
        let at_the_limit = format!("/{}", "x".repeat(100 - "//socket/.s.PGSQL.5432".len()));
        let inside = socket_folder(Path::new(&at_the_limit));
        assert_eq!(inside, Path::new(&at_the_limit).join("socket"));
        let beyond = socket_folder(Path::new(&format!("{at_the_limit}x")));
        assert_eq!(beyond.parent(), Some(Path::new("/tmp")));
        let two_in_a_list = socket_folder(Path::new("/a,b"));
        assert_eq!(two_in_a_list.parent(), Some(Path::new("/tmp")));
    }

    #[test]
    fn a_short_name_stays_the_same() {
        assert_eq!(short_name(Path::new("a")), "aftercare-af63dc4c8601ec8c");
    }

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let line = "postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash";
        let account = Account::parse(line, "postgres").expect("the line is whole");
        assert_eq!((account.uid, account.gid), (101, 104));
        assert!(Account::parse(line, "post").is_none());
        assert!(Account::parse("postgres:x", "postgres").is_none());
    }
}
