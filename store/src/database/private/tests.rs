//! What a private PostgreSQL promises, tried on a real one.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{Cluster, ClusterError, Programs, find_programs};

const FOLDER: &str = "AFTERCARE_TEST_FOLDER";

/// A folder of this test alone, which ends with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = PathBuf::from(format!("/tmp/cluster-test-{}-{name}", std::process::id()));
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn programs() -> Programs {
    find_programs(std::env::var_os("PATH").as_deref(), None).expect("PostgreSQL is on this machine")
}

async fn starts(folder: &Path) -> Cluster {
    Cluster::start(&programs(), folder).await.expect("the cluster starts")
}

async fn is_refused(folder: &Path) -> ClusterError {
    Cluster::start(&programs(), folder).await.expect_err("the cluster is refused")
}

/// What PostgreSQL answers, or nothing if it does not.
fn asks(socket: &Path, statement: &str) -> Option<String> {
    let mut psql = Command::new("psql");
    psql.arg("-h").arg(socket).args(["-U", "aftercare_cluster", "-XAtc", statement, "postgres"]);
    let output = psql.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn postmaster(data_dir: &Path) -> Pid {
    let written = fs::read_to_string(data_dir.join("cluster/postmaster.pid")).expect("it runs");
    let pid = written.lines().next().and_then(|line| line.parse().ok()).expect("a number");
    Pid::from_raw(pid).expect("not zero")
}

async fn within_seconds(seconds: u64, happens: impl Fn() -> bool + Sync + Send) {
    let waiting = async {
        while !happens() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(seconds), waiting).await.expect("it happens in time");
}

#[tokio::test]
async fn it_answers_and_keeps_what_it_was_told() {
    let folder = Folder::new("keeps");
    let first = starts(&folder.0).await;
    assert_eq!(first.superuser(), "aftercare_cluster");
    asks(first.socket_dir(), "create table kept (n int)").expect("a table is created");
    asks(first.socket_dir(), "insert into kept values (1)").expect("a row is kept");
    let pid = postmaster(first.data_dir());
    first.stop().await;
    assert!(test_kill_process(pid).is_err(), "nothing runs after stop");

    let second = starts(&folder.0).await;
    assert_eq!(asks(second.socket_dir(), "select n from kept"), Some("1".to_owned()));
    let settings = "select string_agg(setting, ' ' order by name) from pg_settings where name in
        ('fsync', 'synchronous_commit', 'listen_addresses', 'server_encoding', 'lc_collate')";
    assert_eq!(asks(second.socket_dir(), settings), Some("on C  UTF8 on".to_owned()));
    second.stop().await;
}

#[tokio::test]
async fn its_socket_is_for_its_user_alone() {
    let folder = Folder::new("socket");
    let cluster = starts(&folder.0).await;
    let socket = fs::metadata(cluster.socket_dir()).expect("the folder is there");
    let data = fs::metadata(cluster.data_dir().join("cluster")).expect("the cluster is there");
    assert_eq!(socket.mode() & 0o777, 0o700);
    assert_eq!(socket.uid(), data.uid());
    cluster.stop().await;
}

#[tokio::test]
async fn a_long_path_gets_a_short_socket() {
    let folder = Folder::new("long");
    let cluster = starts(&folder.0.join("x".repeat(120))).await;
    let socket = cluster.socket_dir().to_path_buf();
    assert!(socket.starts_with("/tmp"), "{}", socket.display());
    assert_eq!(asks(&socket, "select 1"), Some("1".to_owned()));
    cluster.stop().await;
    fs::remove_dir_all(socket).expect("the socket's folder is ours");
}

#[tokio::test]
async fn a_second_owner_is_refused() {
    let folder = Folder::new("second");
    let cluster = starts(&folder.0).await;
    let refusal = is_refused(&folder.0).await;
    assert_eq!(
        refusal.to_string(),
        format!(
            "another program uses the data folder {}: end it, or name another folder",
            folder.0.display()
        )
    );
    cluster.stop().await;
    starts(&folder.0).await.stop().await;
}

#[tokio::test]
async fn a_foreign_cluster_is_left_alone() {
    let folder = Folder::new("foreign");
    fs::create_dir(&folder.0).expect("a folder");
    fs::write(folder.0.join("PG_VERSION"), "15\n").expect("a file");
    assert!(matches!(is_refused(&folder.0).await, ClusterError::Foreign { .. }));
    assert_eq!(fs::read_dir(&folder.0).expect("the folder").count(), 1);

    fs::remove_file(folder.0.join("PG_VERSION")).expect("the file");
    fs::create_dir(folder.0.join("cluster")).expect("a folder");
    assert!(matches!(is_refused(&folder.0).await, ClusterError::Foreign { .. }));
}

#[tokio::test]
async fn a_cluster_of_another_version_is_refused() {
    let folder = Folder::new("version");
    fs::create_dir_all(folder.0.join("cluster")).expect("a folder");
    fs::write(folder.0.join("cluster/AFTERCARE"), "").expect("a file");
    fs::write(folder.0.join("cluster/PG_VERSION"), "99\n").expect("a file");
    assert!(matches!(is_refused(&folder.0).await, ClusterError::OtherVersion { .. }));
}

#[tokio::test]
async fn a_half_made_cluster_is_made_again() {
    let folder = Folder::new("half");
    fs::create_dir_all(folder.0.join("unfinished-1/base")).expect("a folder");
    fs::write(folder.0.join("unfinished-1/PG_VERSION"), "15\n").expect("a file");
    let cluster = starts(&folder.0).await;
    assert_eq!(asks(cluster.socket_dir(), "select 1"), Some("1".to_owned()));
    assert!(!folder.0.join("unfinished-1").exists());
    cluster.stop().await;
}

#[tokio::test]
async fn a_killed_postgres_comes_back() {
    let folder = Folder::new("back");
    let cluster = starts(&folder.0).await;
    let first = postmaster(cluster.data_dir());
    kill_process(first, Signal::KILL).expect("it is ours");
    let socket = cluster.socket_dir();
    within_seconds(20, || asks(socket, "select 1").is_some()).await;
    assert_ne!(postmaster(cluster.data_dir()), first);
    cluster.stop().await;
}

#[tokio::test]
async fn stopping_wins_over_starting_again() {
    let folder = Folder::new("race");
    for pause in [0, 20, 110, 130, 160] {
        let cluster = starts(&folder.0).await;
        let data_dir = cluster.data_dir().to_path_buf();
        kill_process(postmaster(&data_dir), Signal::KILL).expect("it is ours");
        tokio::time::sleep(Duration::from_millis(pause)).await;
        cluster.stop().await;
        let lock = fs::File::open(data_dir.join("postgres.lock")).expect("the lock is there");
        lock.try_lock().expect("nothing of PostgreSQL is left");
    }
}

#[tokio::test]
async fn a_dropped_cluster_ends() {
    let folder = Folder::new("dropped");
    let cluster = starts(&folder.0).await;
    let pid = postmaster(cluster.data_dir());
    let owner = fs::File::open(folder.0.join("owner.lock")).expect("the lock is there");
    drop(cluster);
    within_seconds(20, || owner.try_lock().is_ok()).await;
    assert!(test_kill_process(pid).is_err(), "the folder is free when nothing runs");
    drop(owner);
    starts(&folder.0).await.stop().await;
}

/// Holds a cluster until the process is killed.
async fn holds_a_cluster(folder: &Path) {
    let cluster = starts(folder).await;
    println!("holds {}", postmaster(cluster.data_dir()).as_raw_nonzero());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn it_ends_with_a_program_that_is_killed() {
    // The program that is killed is this test once more, with a folder to hold a cluster in.
    if let Some(folder) = std::env::var_os(FOLDER) {
        return holds_a_cluster(Path::new(&folder)).await;
    }
    let folder = Folder::new("killed");
    let mut holder = Command::new(std::env::current_exe().expect("this test"))
        .args(["it_ends_with_a_program_that_is_killed", "--nocapture"])
        .env(FOLDER, &folder.0)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a second program");
    let lines = BufReader::new(holder.stdout.take().expect("its words")).lines();
    let pid = lines
        .map_while(Result::ok)
        .find_map(|line| line.split_once("holds ")?.1.parse().ok())
        .and_then(Pid::from_raw)
        .expect("it holds a cluster");
    test_kill_process(pid).expect("PostgreSQL runs");

    holder.kill().expect("it is ours");
    holder.wait().expect("it is gone");
    // The next owner need not wait for the end of the last one's PostgreSQL.
    let next = starts(&folder.0).await;
    assert_ne!(postmaster(next.data_dir()), pid);
    assert!(test_kill_process(pid).is_err(), "PostgreSQL went with its program");
    next.stop().await;
    let log = fs::read_to_string(folder.0.join("postgresql.before.log")).expect("a log");
    assert!(log.contains("database system is shut down"), "{log}");
}

#[tokio::test]
async fn a_number_given_to_a_stranger_does_not_stop_it() {
    let folder = Folder::new("stranger");
    let cluster = starts(&folder.0).await;
    let data_dir = cluster.data_dir().to_path_buf();
    cluster.stop().await;
    // As after a power cut: the file names a process that lives, is of the same user, and is
    // somebody else.
    let user = fs::metadata(data_dir.join("cluster")).expect("the cluster").uid();
    let mut command = Command::new("sleep");
    std::os::unix::process::CommandExt::uid(&mut command, user);
    let mut stranger = command.arg("100").spawn().expect("sleep runs");
    let written = format!("{}\n{}\n1\n5432\n", stranger.id(), data_dir.join("cluster").display());
    fs::write(data_dir.join("cluster/postmaster.pid"), written).expect("the file");
    let cluster = starts(&folder.0).await;
    assert!(stranger.try_wait().expect("it is ours").is_none(), "the stranger lives");
    cluster.stop().await;
    stranger.kill().expect("it is ours");
    stranger.wait().expect("it is gone");
}

#[tokio::test]
async fn root_gives_the_data_to_an_account_that_can_reach_it() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = Folder::new("unreachable");
    fs::DirBuilder::new().mode(0o700).create(&folder.0).expect("a folder");
    let cluster = starts(&folder.0.join("data")).await;
    let data_dir = Folder(cluster.data_dir().to_path_buf());
    assert_eq!(data_dir.0.parent(), Some(Path::new("/var/lib")));
    assert_eq!(asks(cluster.socket_dir(), "select 1"), Some("1".to_owned()));
    cluster.stop().await;
}
