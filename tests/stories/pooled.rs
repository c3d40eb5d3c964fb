//! Behind PgBouncer, in transaction mode and with one connection for everybody: nobody is given another's answer.

use crate::{
    house::{Client, House, LOGIN, Manner, server_url},
    installation::free_port,
    patience::until,
};
use domain::ids::TenantId;
use futures::future::join_all;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use store::{
    Store,
    database::{Address, Statements, check},
    jobs::{Errand, Queue},
};
use uuid::Uuid;
use worker::{Outcome, Runner, Surroundings};

/// Brands that share the connection.
const BRANDS: usize = 6;
/// What each of them does, again and again.
const ROUNDS: usize = 12;

/// A PgBouncer of the story's own, before the server of the tests.
struct Pooler {
    process: Child,
    folder: PathBuf,
    port: u16,
}

impl Pooler {
    async fn starts() -> Self {
        let server: reqwest::Url = server_url().parse().unwrap();
        let (host, to_port) = (server.host_str().unwrap(), server.port().unwrap_or(5432));
        let port = free_port();
        let folder = std::env::temp_dir().join(format!("aftercare-pooler-{}", Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        let users = folder.join("users");
        fs::write(&users, format!("\"{LOGIN}\" \"\"\n")).unwrap();
        let settings = format!(
            "[databases]\n* = host={host} port={to_port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\n\
             pool_mode = transaction\ndefault_pool_size = 1\nmax_client_conn = 100\n\
             ignore_startup_parameters = extra_float_digits\napplication_name_add_host = 1\n",
            users.display()
        );
        let file = folder.join("settings");
        fs::write(&file, settings).unwrap();
        let log = folder.join("log");
        let process = program()
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .expect("pgbouncer is missing: install it (Debian: apt-get install pgbouncer)");
        let pooler = Self { process, folder, port };
        let listens = async || std::net::TcpStream::connect(("127.0.0.1", port)).ok().map(drop);
        until("the pooler listens", listens, || fs::read_to_string(&log).unwrap()).await;
        pooler
    }

    fn address(&self) -> Address {
        Address::parse(&format!("postgres://{LOGIN}@127.0.0.1:{}/postgres", self.port)).unwrap()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

/// PgBouncer, which Debian puts where only root's PATH leads, and which does not run as root.
fn program() -> Command {
    let places = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/usr/local/sbin";
    let mut found = std::env::split_paths(&places).map(|place| place.join("pgbouncer"));
    let found = found.find(|path| path.is_file());
    let mut program = Command::new(found.unwrap_or_else(|| "pgbouncer".into()));
    if rustix::process::geteuid().is_root() {
        program.args(["-u", "nobody"]);
    }
    program
}

/// A brand with a dealer, as its own programs call it.
struct Brand {
    slug: String,
    tenant: TenantId,
    dealer: String,
    key: Client,
    dealer_key: Client,
}

impl Brand {
    async fn opens(house: &House, urls: &[String], slug: String) -> Self {
        let founded = house.founds(&slug).await;
        let key = Client::at(urls).bearer(founded.live_key.reveal());
        let dealer = json!({"code": "hangzhou-01", "name": slug});
        let dealer = key.post("/v1/dealers", dealer).await.expect(201).id();
        let scopes = ["customers:read", "customers:write"];
        let made = json!({"name": "POS", "scopes": scopes, "dealer_id": dealer});
        let made = key.post("/v1/api-keys", made).await.expect(201);
        let dealer_key = key.bearer(made["secret"].as_str().unwrap());
        Self { slug, tenant: founded.twins.live, dealer, key, dealer_key }
    }

    /// Enters customers and looks at what there is; answers one of them.
    async fn lives(&self, round: usize, stranger: Option<&str>) -> String {
        let named = |what: &str| json!({"name": format!("{} {what} {round}", self.slug)});
        let own = self.key.post("/v1/customers", named("brand")).await.expect(201).id();
        let mut body = named("dealer");
        body["dealer_id"] = json!(self.dealer);
        self.dealer_key.post("/v1/customers", body).await.expect(201);

        let of_dealer = self.dealer_key.get("/v1/customers?limit=200").await.expect(200);
        let is_dealers = |one: &&Value| one["dealer_id"] != json!(self.dealer);
        assert_eq!(of_dealer.data().iter().find(is_dealers), None, "{}", self.slug);
        assert_eq!(of_dealer.data().len(), round + 1, "{}", self.slug);
        let of_brand = self.key.get("/v1/customers?limit=200").await.expect(200);
        let is_strange = |one: &&Value| !one["name"].as_str().unwrap().starts_with(&self.slug);
        assert_eq!(of_brand.data().iter().find(is_strange), None, "{}", self.slug);
        assert_eq!(of_brand.data().len(), 2 * (round + 1), "{}", self.slug);
        assert_eq!(self.key.get("/v1/brand").await.expect(200)["slug"], json!(self.slug));
        if let Some(stranger) = stranger {
            let path = format!("/v1/customers/{stranger}");
            self.key.get(&path).await.refused(404, "not_found");
        }
        let complaint = json!({
            "customer_id": own, "source": "phone", "kind": "quality", "severity": 3,
            "description": self.slug,
        });
        self.key.post("/v1/complaints", complaint).await.expect(201);
        own
    }
}

/// Does all that is due through the pooler; answers how much it was.
async fn settles(store: &Store, url: &str) -> usize {
    let queue = Queue::new(store.clone());
    let runner = Runner::new(queue.clone(), Surroundings::without_outside(url));
    let mut done = 0;
    loop {
        let leases = queue.fetch(8).await.unwrap();
        if leases.is_empty() {
            return done;
        }
        let errands = Errand::all(leases);
        let outcomes = join_all(errands.iter().map(|errand| runner.run(errand))).await.concat();
        assert!(outcomes.iter().all(|one| *one == Outcome::Done), "{outcomes:?}: {errands:?}");
        done += outcomes.len();
    }
}

#[tokio::test]
async fn tenants_who_share_one_connection_see_their_own() {
    let house = House::opens().await;
    let pooler = Pooler::starts().await;
    let manner = Manner {
        connections: 6,
        through: Some((pooler.address(), Statements::Forgotten)),
        ..Manner::default()
    };
    let replicas = [house.replica_in(&manner).await, house.replica_in(&manner).await];
    let urls: Vec<_> = replicas.iter().map(|replica| replica.url.clone()).collect();
    let brands = (0..BRANDS).map(|brand| Brand::opens(&house, &urls, format!("brand-{brand}")));
    let brands = join_all(brands).await;

    let mut strangers: Vec<Option<String>> = vec![None; BRANDS];
    for round in 0..ROUNDS {
        let lives = brands.iter().zip(&strangers);
        let lives = lives.map(|(brand, stranger)| brand.lives(round, stranger.as_deref()));
        let mut made: Vec<_> = join_all(lives).await.into_iter().map(Some).collect();
        // Each reaches for what its neighbour has.
        made.rotate_left(1);
        strangers = made;
    }
    assert!(settles(&replicas[0].store, &house.url).await >= BRANDS * ROUNDS);

    // Every start asks whether the walls hold, also through the pooler.
    let names = migrations::names();
    let database = Address::parse(&house.database_url()).unwrap();
    for _ in 0..2 {
        let address = pooler.address().in_database(database.database());
        check(&address, &names).await.unwrap();
    }
    let owner = house.owner().await;
    let count = async |sql: &str| -> i64 {
        let asked = Statement::from_string(DbBackend::Postgres, sql);
        owner.query_one_raw(asked).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    };
    let connections = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                       AND application_name LIKE 'aftercare - %'";
    assert_eq!(count(connections).await, 1, "everybody shared one connection");
    for Brand { tenant, slug, .. } in &brands {
        let mixed = format!(
            "SELECT count(*) FROM complaint WHERE tenant_id = '{}' AND description <> '{slug}'",
            Uuid::from(*tenant)
        );
        assert_eq!(count(&mixed).await, 0, "{slug}");
    }
}
