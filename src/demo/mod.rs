//! The demo: a brand in Chinese and English that is made, once, in a database of our own.
//!
//! What it has is told in `brand.json`, step by step, and pushed through the API itself, into the
//! sandbox: so it is checked like anybody's input, and nothing of it leaves the house.

use crate::{Trouble, ground::Ground, settings::Settings};
use domain::{
    money::Currency,
    text::{Locale, Name, Slug},
    time::Zone,
};
use reqwest::Client;
use serde_json::Value;
use std::{
    collections::BTreeMap, fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf,
};
use store::{Failure, Fault, platform::NewTenant};

/// The steps: each posts a body to a path and remembers the answer's identifier under a name, by which
/// later steps refer to it in braces; `{today}` is the day on which the sandbox begins.
const STEPS: &str = include_str!("brand.json");

/// The file in the data folder in which the key of the demo's sandbox lies.
const KEY_FILE: &str = "demo.key";

/// Makes the demo brand, unless it is there; answers where its key lies.
///
/// # Errors
///
/// [`Trouble`] when the brand cannot be made; the next start does not try again.
pub(crate) async fn seed(ground: &Ground, settings: &Settings) -> Result<PathBuf, Trouble> {
    let file = settings.data_dir.join(KEY_FILE);
    let founded = match ground.store.create_tenant(&brand()?).await {
        Ok(founded) => founded,
        Err(Failure::Fault(Fault::Taken { .. })) => return Ok(file),
        Err(failure) => return Err(Trouble::during("the demo cannot be made")(failure.into())),
    };
    write_key(&file, founded.test_key.reveal())?;
    let today = ground.store.clock().now().date_in(brand()?.tz);
    let names = BTreeMap::from([("today".to_owned(), today.to_string())]);
    play(&format!("http://{}", settings.bind), founded.test_key.reveal(), names).await?;
    Ok(file)
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

fn write_key(file: &PathBuf, key: &str) -> Result<(), Trouble> {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(file)?;
    writeln!(file, "{key}")?;
    Ok(())
}

/// Pushes the steps, one after the other.
async fn play(url: &str, key: &str, mut names: BTreeMap<String, String>) -> Result<(), Trouble> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        Trouble::during("the demo cannot be made")(error)
    };
    let steps: Vec<Value> = serde_json::from_str(STEPS).map_err(|error| failed(error.into()))?;
    let web = Client::new();
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
        let answer = request.send().await.map_err(|error| failed(error.into()))?;
        let status = answer.status();
        let answer: Value = answer.json().await.map_err(|error| failed(error.into()))?;
        if !status.is_success() {
            return Err(failed(format!("POST {path}: {answer}").into()));
        }
        let id = answer.get("id").and_then(Value::as_str).unwrap_or_default();
        names.insert(text("as").to_owned(), id.to_owned());
    }
    Ok(())
}

/// The text with `{name}` replaced by what the name stands for.
fn with_names(text: &str, names: &BTreeMap<String, String>) -> String {
    names.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
}
