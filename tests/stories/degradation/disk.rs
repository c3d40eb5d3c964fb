//! A disk that is full. The server of this story keeps its data on a small disk of its own, in the machine's memory.

use crate::{
    house::{Client, House, LOGIN, Manner},
    installation::free_port,
    patience::until,
};
use domain::{
    money::Currency,
    text::{Locale, Name, Slug},
};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use serde_json::json;
use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use store::{
    database::{Address, Statements, private::find_programs},
    platform::NewTenant,
};
use uuid::Uuid;

/// Whoever starts it has a disk that nobody else sees, and is nobody in particular on it. The log of what was
/// committed lies elsewhere, as it should.
const SERVER: &str = r#"
    mount -t tmpfs -o size=96m none "$1/disk" && mkdir "$1/disk/data" || exit
    exec unshare --user --map-user=1000 --map-group=1000 sh -c '
        "$2/initdb" -D "$1/disk/data" -X "$1/wal" -U postgres -A trust -E UTF8 --locale=C --no-sync || exit
        exec "$2/postgres" -D "$1/disk/data" -p "$3" -k "$1" -c listen_addresses=127.0.0.1 -c shared_buffers=32MB -c fsync=off
    ' server "$@"
"#;
/// More customers than the gaps have room for that are left on a full disk.
const MOST: usize = 20_000;

/// A server on a small disk.
struct Small {
    process: Child,
    folder: PathBuf,
    address: Address,
}

impl Small {
    async fn starts() -> Self {
        let port = free_port();
        let folder = std::env::temp_dir().join(format!("aftercare-disk-{}", Uuid::new_v4()));
        fs::create_dir_all(folder.join("disk")).unwrap();
        let path = std::env::var_os("PATH");
        let programs = find_programs(path.as_deref(), None).expect("there is no PostgreSQL");
        let log = folder.join("log");
        let output = fs::File::create(&log).unwrap();
        let process = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", SERVER, "server"])
            .arg(&folder)
            .arg(programs.folder())
            .arg(port.to_string())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let small = Self { process, folder, address: Address::parse(&url).unwrap() };
        let answers = async || small.address.has_database("postgres").await.ok();
        until("the server answers", answers, || fs::read_to_string(&log).unwrap()).await;
        small
    }

    /// The service's database on it.
    async fn migrates(&self, database: &str) -> DatabaseConnection {
        let admin = self.address.owner().await.unwrap();
        admin.execute_unprepared(&format!("CREATE DATABASE {database}")).await.unwrap();
        let owner = self.address.in_database(database).owner().await.unwrap();
        migrations::migrate(&owner).await.unwrap();
        migrations::admit(&owner, LOGIN, None).await.unwrap();
        owner
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

/// Fills the disk to the last page, in smaller and smaller pieces.
async fn fills(owner: &DatabaseConnection) {
    let make =
        "CREATE TABLE ballast (filler text); ALTER TABLE ballast ALTER filler SET STORAGE PLAIN";
    owner.execute_unprepared(make).await.unwrap();
    for rows in [1_000, 50, 1] {
        let more =
            format!("INSERT INTO ballast SELECT repeat('x', 7000) FROM generate_series(1, {rows})");
        let refused = loop {
            if let Err(refused) = owner.execute_unprepared(&more).await {
                break refused.to_string();
            }
        };
        assert!(refused.contains("No space left on device"), "{refused}");
    }
}

async fn count(owner: &DatabaseConnection, sql: &str) -> i64 {
    let asked = Statement::from_string(DbBackend::Postgres, sql);
    owner.query_one_raw(asked).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
#[ignore = "mounts a small disk; ./check asks whether the machine allows it"]
async fn a_full_disk_refuses_changes_and_nothing_is_half_done() {
    let small = Small::starts().await;
    let house = House::opens().await;
    let here = Address::parse(&house.database_url()).unwrap();
    let owner = small.migrates(here.database()).await;
    let through = Some((small.address.clone(), Statements::Prepared));
    let replica = house.replica_in(&Manner { through, ..Manner::default() }).await;
    let new = NewTenant {
        slug: Slug::new("clearwater").unwrap(),
        name: Name::new("clearwater").unwrap(),
        tz: "Asia/Shanghai".parse().unwrap(),
        locale: Locale::Chinese,
        currency: Currency::CNY,
    };
    let founded = replica.store.create_tenant(&new).await.unwrap();
    let key: Client = replica.bearer(founded.live_key.reveal());
    let enters = async |number: usize| {
        key.post("/v1/customers", json!({"name": format!("customer {number}")})).await
    };
    enters(0).await.expect(201);

    fills(&owner).await;
    let mut made = 1;
    let refused = loop {
        let reply = enters(made).await;
        if reply.status != 201 {
            break reply;
        }
        made += 1;
        assert!(made < MOST, "the disk is not full");
    };
    assert_eq!(refused.refused(503, "unavailable").header("retry-after"), "1");
    key.get("/v1/customers").await.expect(200);
    key.get("/readyz").await.expect(200);
    let customers = "SELECT count(*) FROM customer";
    let lines = "SELECT count(*) FROM audit_entry WHERE subject LIKE 'cus_%' AND action = 'create'";
    let made = i64::try_from(made).unwrap();
    assert_eq!((count(&owner, customers).await, count(&owner, lines).await), (made, made));

    owner.execute_unprepared("DROP TABLE ballast").await.unwrap();
    let enters_again = async || (enters(0).await.status == 201).then_some(());
    until("there is room again", enters_again, String::new).await;
    assert_eq!((count(&owner, customers).await, count(&owner, lines).await), (made + 1, made + 1));
}
