//! The demo: a brand in Chinese and English that is made, once, in an empty database of our own.
//!
//! What it has is told in `brand.json`, step by step, and pushed through the API itself, into the
//! sandbox: so it is checked like anybody's input, and nothing of it leaves the house.

use crate::Trouble;
use domain::{
    ids::TenantId,
    money::Currency,
    text::{Locale, Name, Slug},
    time::{Timestamp, Zone},
};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};
use store::{Store, key_text::KeyText, operator::BrandSeen, platform::NewTenant};

/// The steps: each posts a body to a path and remembers the answer's identifier under a name, by which
/// later steps refer to it in braces; `{today}` is the day on which the sandbox begins.
const STEPS: &str = include_str!("brand.json");

/// The file in the data folder in which the key of the demo's sandbox lies.
const KEY_FILE: &str = "demo.key";

/// The file in the data folder that says for which brand all steps were done.
const DONE_FILE: &str = "demo.done";

/// Makes the demo brand in a database that has no brand, and goes on with one whose steps were not all done;
/// answers where its key lies, or nothing when the database is somebody else's.
///
/// The key is written before the brand is committed, so a brand of ours is known by its key. Each step has an
/// Idempotency-Key, so steps that were done are not done twice.
///
/// # Errors
///
/// [`Trouble`] when the brand cannot be made or a step fails; the next start tries again.
pub async fn seed(store: &Store, folder: &Path, url: &str) -> Result<Option<PathBuf>, Trouble> {
    let (file, done) = (folder.join(KEY_FILE), folder.join(DONE_FILE));
    let brands = store.brands().await.map_err(failed)?;
    let brand = match brands.first() {
        None => found(store, &file).await?,
        Some(_) => match ours(store, &file, &brands).await? {
            Some(brand) => brand,
            None => return Ok(None),
        },
    };
    let name = brand.to_string();
    if fs::read_to_string(&done).is_ok_and(|text| text.trim() == name) {
        return Ok(Some(file));
    }
    play(url, read_key(&file)?.reveal()).await?;
    fs::write(&done, name)?;
    Ok(Some(file))
}

/// Founds the brand; answers which its sandbox is.
async fn found(store: &Store, file: &Path) -> Result<TenantId, Trouble> {
    let founding = store.found_tenant(&brand()?).await.map_err(failed)?;
    write_key(file, founding.founded().test_key.reveal())?;
    Ok(founding.commit().await.map_err(failed)?.twins.test)
}

/// The sandbox that the key in the file opens, if it is one of these brands'.
async fn ours(
    store: &Store,
    file: &Path,
    brands: &[BrandSeen],
) -> Result<Option<TenantId>, Trouble> {
    let Ok(key) = read_key(file) else { return Ok(None) };
    let found = store.find_secret(key.fingerprint().to_vec()).await.map_err(failed)?;
    let tenant = found.map(|found| found.tenant());
    Ok(tenant.filter(|tenant| brands.iter().any(|brand| brand.sandbox == *tenant)))
}

fn failed<E: std::error::Error + Send + Sync + 'static>(error: E) -> Trouble {
    Trouble::during("the demo cannot be made")(error.into())
}

fn brand() -> Result<NewTenant, Trouble> {
    let invalid = |mistake: domain::invalid::Invalid| Trouble::Refused(mistake.message);
    Ok(NewTenant {
        slug: Slug::new("clearwater").map_err(invalid)?,
        name: Name::new("碧水 Clearwater").map_err(invalid)?,
        tz: "Asia/Shanghai".parse::<Zone>().map_err(invalid)?,
        locale: Locale::Chinese,
        currency: Currency::CNY,
    })
}

fn write_key(file: &Path, key: &str) -> Result<(), Trouble> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(file)?;
    writeln!(file, "{key}")?;
    // On disk before the brand is: a brand whose key is lost would never be gone on with.
    Ok(file.sync_all()?)
}

fn read_key(file: &Path) -> Result<KeyText, Trouble> {
    let text = fs::read_to_string(file)?;
    let unreadable = || Trouble::Refused(format!("there is no key in {}", file.display()));
    KeyText::read(text.trim()).ok_or_else(unreadable)
}

/// Pushes the steps, one after the other.
async fn play(url: &str, key: &str) -> Result<(), Trouble> {
    let steps: Vec<Value> = serde_json::from_str(STEPS).map_err(failed)?;
    let web = Client::new();
    let mut names = BTreeMap::from([("today".to_owned(), beginning(&web, url, key).await?)]);
    for (number, step) in steps.iter().enumerate() {
        let text = |member: &str| step.get(member).and_then(Value::as_str).unwrap_or_default();
        let path = with_names(text("post"), &names);
        let body = step.get("body").map_or_else(|| "{}".to_owned(), Value::to_string);
        let request = web
            .post(format!("{url}{path}"))
            .bearer_auth(key)
            .header("idempotency-key", format!("demo-{number}"))
            .header("content-type", "application/json")
            .body(with_names(&body, &names));
        let answer = answered(request, text("post")).await?;
        let id = answer.get("id").and_then(Value::as_str).unwrap_or_default();
        names.insert(text("as").to_owned(), id.to_owned());
    }
    Ok(())
}

/// The day on which the sandbox stands, which is that of its beginning until somebody moves it. Not today's:
/// a step that is done again tomorrow must say the same as today.
async fn beginning(web: &Client, url: &str, key: &str) -> Result<String, Trouble> {
    let path = "/v1/test/clocks";
    let clocks = answered(web.get(format!("{url}{path}")).bearer_auth(key), path).await?;
    let now = clocks.pointer("/data/0/now_at").and_then(Value::as_str).unwrap_or_default();
    let unreadable = |mistake: domain::invalid::Invalid| Trouble::Refused(mistake.message);
    let now: Timestamp = now.parse().map_err(unreadable)?;
    Ok(now.date_in(brand()?.tz).to_string())
}

async fn answered(request: RequestBuilder, path: &str) -> Result<Value, Trouble> {
    let answer = request.send().await.map_err(failed)?;
    let status = answer.status();
    let body: Value = answer.json().await.map_err(failed)?;
    if status.is_success() {
        return Ok(body);
    }
    let code = body.get("code").and_then(Value::as_str).unwrap_or_default();
    Err(Trouble::Refused(format!("the demo cannot be made: {path} answers {status} {code}")))
}

/// The text with `{name}` replaced by what the name stands for.
fn with_names(text: &str, names: &BTreeMap<String, String>) -> String {
    names.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
}
