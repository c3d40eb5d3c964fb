//! What surrounds the program keeps its word: crates, containers, settings, documents.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Reads a file of the repository.
pub(crate) fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names in the `[dependencies]` of a crate.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let manifest = read(manifest);
    let lines = manifest.lines().skip_while(|line| line.trim() != "[dependencies]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split(['.', '=', ' ']).next());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

const CRATES: [&str; 7] = ["api", "bench", "domain", "guarded", "migrations", "store", "worker"];

#[test]
fn arrows_between_crates_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("domain", [].as_slice()),
        ("migrations", &[]),
        ("store", &["domain"]),
        ("guarded", &["domain"]),
        ("api", &["domain", "guarded", "store"]),
        ("worker", &["domain", "guarded", "store"]),
        ("bench", &["domain", "store"]),
    ]);
    for (name, allowed) in allowed {
        let named = dependencies(&format!("{name}/Cargo.toml"));
        let ours: Vec<_> = named.iter().filter(|other| CRATES.contains(&other.as_str())).collect();
        assert!(
            ours.iter().all(|other| allowed.contains(&other.as_str())),
            "{name} knows {ours:?}"
        );
    }
}

#[test]
fn each_outside_crate_has_one_home() {
    let homes: [(&str, &[&str]); 23] = [
        ("cel", &["domain"]),
        ("sea-orm", &["store"]),
        ("sqlx", &["store"]),
        ("sea-orm-migration", &["migrations"]),
        ("axum", &["api", "aftercare"]),
        ("utoipa-axum", &["api"]),
        ("jsonwebtoken", &["api"]),
        ("apalis", &["worker"]),
        ("lettre", &["worker"]),
        ("redis", &["api", "store"]),
        // The program calls itself and its collector; what a brand names is called by the guarded client alone.
        ("reqwest", &["guarded", "aftercare"]),
        ("minijinja", &["api"]),
        ("clap", &["aftercare", "bench"]),
        // Procedures are kept as YAML, and so is the document for those who like it.
        ("serde_norway", &["domain", "api"]),
        ("object_store", &["store"]),
        ("infer", &["domain"]),
        ("sha2", &["domain"]),
        ("rust_xlsxwriter", &["api"]),
        ("opentelemetry", &["aftercare"]),
        ("opentelemetry-http", &["aftercare"]),
        ("opentelemetry-otlp", &["aftercare"]),
        ("opentelemetry_sdk", &["aftercare"]),
        ("tracing-opentelemetry", &["aftercare"]),
    ];
    let manifests = CRATES.map(|name| (name, format!("{name}/Cargo.toml")));
    for (name, manifest) in manifests.into_iter().chain([("aftercare", "Cargo.toml".to_owned())]) {
        let named = dependencies(&manifest);
        for (outside, homes) in homes {
            assert!(!named.contains(outside) || homes.contains(&name), "{name} uses {outside}");
        }
    }
}

#[test]
fn traces_are_an_option_and_one_file_knows_them() {
    let manifest: Vec<_> = read("Cargo.toml").lines().map(str::to_owned).collect();
    let (_, package) =
        manifest.split_at(manifest.iter().position(|line| line == "[package]").unwrap());
    let named: Vec<_> = package
        .iter()
        .filter(|line| line.contains("opentelemetry") && line.contains('{'))
        .collect();
    assert_eq!(named.len(), 5, "{named:?}");
    assert!(named.iter().all(|line| line.contains("optional = true")), "{named:?}");
    assert!(!package.iter().any(|line| line.starts_with("default =")), "off unless asked for");
    let mut homes = BTreeSet::new();
    find_files("src", &mut homes);
    homes.retain(|path| read(path).contains("opentelemetry"));
    assert_eq!(homes, BTreeSet::from(["src/telemetry/otlp.rs".to_owned()]));
}

/// The files in a folder and in the folders in it.
fn find_files(folder: &str, files: &mut BTreeSet<String>) {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    for entry in entries.map(Result::unwrap) {
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            find_files(&path, files);
        } else {
            files.insert(path);
        }
    }
}

#[test]
fn the_domain_reads_no_clock_and_touches_nothing_outside() {
    let forbidden = ["tokio", "sea-orm", "sqlx", "axum", "reqwest", "redis", "rand", "aws-lc-rs"];
    let named = dependencies("domain/Cargo.toml");
    assert!(forbidden.iter().all(|outside| !named.contains(*outside)), "{named:?}");
}

fn compose() -> Value {
    let mut compose: serde_norway::Value =
        serde_norway::from_str(&read("docker-compose.yml")).unwrap();
    compose.apply_merge().unwrap();
    serde_json::to_value(compose).unwrap()
}

#[test]
fn the_compose_file_starts_everything_in_order() {
    let compose = compose();
    let services = compose["services"].as_object().unwrap();
    let names: Vec<_> = services.keys().map(String::as_str).collect();
    assert_eq!(names, ["api", "migrate", "postgres", "redis", "worker"]);
    for replica in ["api", "worker"] {
        assert_eq!(services[replica]["deploy"]["replicas"], 2, "{replica}");
        let waits = &services[replica]["depends_on"];
        assert_eq!(waits["migrate"]["condition"], "service_completed_successfully", "{replica}");
        assert_eq!(waits["postgres"]["condition"], "service_healthy", "{replica}");
        assert_eq!(services[replica]["command"], serde_json::json!([replica]));
    }
    for server in ["postgres", "redis"] {
        assert!(services[server]["healthcheck"]["test"].is_array(), "{server}");
        assert!(services[server]["ports"].is_null(), "{server} is not for the world");
    }
    let ports = services["api"]["ports"].as_array().unwrap();
    assert!(ports.iter().all(|port| port.as_str().unwrap().starts_with("127.0.0.1:")), "{ports:?}");
}

#[test]
fn the_compose_file_uses_settings_that_exist_and_no_secret_of_its_own() {
    let known = aftercare::settings::known();
    for (name, service) in compose()["services"].as_object().unwrap() {
        let Some(environment) = service["environment"].as_object() else { continue };
        for (variable, value) in environment {
            if variable.starts_with("AFTERCARE_") {
                assert!(known.contains(variable), "{name} sets {variable}");
            }
            let value = value.as_str().unwrap_or_default();
            if variable.ends_with("DATABASE_URL") || variable.ends_with("PASSWORD") {
                assert!(value.contains(":?"), "{name} has a default for {variable}");
            }
            let owner = variable == "AFTERCARE_MIGRATION_DATABASE_URL";
            assert!(!owner || name == "migrate", "{name} knows the owner of the schema");
        }
    }
}

#[test]
fn the_image_runs_as_nobody_in_particular_and_says_how_it_is() {
    let text = read("Dockerfile").replace("\\\n", " ");
    let steps: Vec<(&str, &str)> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect();
    let last =
        |word: &str| steps.iter().rev().find(|step| step.0 == word).map(|step| step.1.trim());
    assert_eq!(
        steps.iter().filter(|step| step.0 == "FROM").count(),
        2,
        "built in one, run in another"
    );
    assert!(last("USER").is_some_and(|user| user != "root" && !user.starts_with('0')));
    assert!(
        last("HEALTHCHECK").is_some_and(|check| check.contains("\"aftercare\", \"healthcheck\""))
    );
    assert_eq!(last("ENTRYPOINT"), Some("[\"aftercare\"]"));
    let known = aftercare::settings::known();
    let environment = last("ENV").unwrap();
    for assignment in environment.split_whitespace() {
        let (variable, _) = assignment.split_once('=').unwrap();
        assert!(known.iter().any(|name| name == variable), "{variable}");
    }
    for (_, files) in steps.iter().filter(|step| step.0 == "COPY" && !step.1.starts_with("--from"))
    {
        let mut files: Vec<_> = files.split_whitespace().collect();
        files.pop();
        for file in files {
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(file).exists(), "{file}");
        }
    }
}

#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let served = aftercare::openapi().unwrap();
    let committed = read("openapi/aftercare.json");
    assert!(
        served.trim() == committed.trim(),
        "the document has changed: cargo run -- openapi > openapi/aftercare.json, and look at the difference"
    );
}

#[test]
fn operations_that_need_a_key_say_so() {
    let mut files = BTreeSet::new();
    find_files("api/src", &mut files);
    let mut needed = 0;
    for file in files {
        let text = read(&file);
        let needs = text.matches(".write_once()").count();
        let marks = text.matches("extensions((\"x-idempotency-key-required\"").count();
        assert_eq!(needs, marks, "{file}");
        needed += needs;
    }
    let document: Value = serde_json::from_str(&read("openapi/aftercare.json")).unwrap();
    let operations = document["paths"].as_object().unwrap().values();
    let parameters = operations.filter_map(|path| path["post"]["parameters"].as_array()).flatten();
    let says = parameters.filter(|one| one["name"] == "Idempotency-Key" && one["required"] == true);
    assert_eq!(says.count(), needed);
    assert!(needed > 0);
}

#[test]
fn every_problem_has_a_name_of_its_own() {
    let mut codes: Vec<_> = api::service::all_problems().map(|rule| rule.code).collect();
    let all = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all);
}
