//! What the operator does on the command line.

use crate::{Trouble, ground::Ground, reception, say, settings::Settings};
use clap::Subcommand;
use domain::{
    ids::SigningKeyId,
    invalid::Invalid,
    money::Currency,
    text::{Locale, Name, Slug},
    time::Zone,
};
use serde_json::json;
use std::{net::Ipv4Addr, str::FromStr};
use store::{Failure, Fault, Store, operator::BrandSeen, platform::NewTenant, signing::SigningKey};

/// What can be done with brands.
#[derive(Debug, Subcommand)]
pub(crate) enum Tenants {
    /// Creates a brand, its sandbox, and the first live and test key
    Create {
        /// Its name in addresses: lower-case letters, digits, hyphens
        #[arg(long, value_parser = read::<Slug>)]
        slug: Slug,
        /// What people call it
        #[arg(long, value_parser = read::<Name>)]
        name: Name,
        /// The time zone in which its days begin
        #[arg(long, default_value = "Asia/Shanghai", value_parser = read::<Zone>)]
        tz: Zone,
        /// The language it speaks when a customer has not chosen one
        #[arg(long, value_enum, default_value = "zh-cn")]
        locale: Language,
        /// The currency of its accounts
        #[arg(long, default_value = "CNY", value_parser = read::<Currency>)]
        currency: Currency,
        /// Prints one JSON object: `tenant_id`, `live_key`, `test_key`
        #[arg(long)]
        json: bool,
    },
    /// Lists the brands
    List {
        /// Prints one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Stops every change of a brand and its sandbox, and their jobs; nothing is lost
    Suspend {
        /// Its name in addresses
        #[arg(value_parser = read::<Slug>)]
        slug: Slug,
    },
    /// Lets a suspended brand go on
    Resume {
        /// Its name in addresses
        #[arg(value_parser = read::<Slug>)]
        slug: Slug,
    },
}

/// Reads a value, and says in a sentence what is wrong with it.
pub(crate) fn read<T: FromStr<Err = Invalid>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|mistake: Invalid| mistake.message)
}

/// The languages of the service, as flags.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Language {
    /// Simplified Chinese
    ZhCn,
    /// English
    En,
}

impl From<Language> for Locale {
    fn from(language: Language) -> Self {
        match language {
            Language::ZhCn => Self::Chinese,
            Language::En => Self::English,
        }
    }
}

/// What can be done with the keys that sign tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Puts the next key to work; the one before still verifies what it signed
    Rotate,
    /// Lists the keys that are published
    List,
    /// Takes a key out at once, because somebody else may have it: its tokens open nothing any more
    Withdraw {
        /// The key, as `keys list` and the head of its tokens (`kid`) name it
        #[arg(value_parser = read::<SigningKeyId>)]
        key: SigningKeyId,
    },
}

/// Carries out a command about brands.
pub(crate) async fn tenants(settings: &Settings, command: Tenants) -> Result<(), Trouble> {
    let ground = Ground::find(settings).await?;
    let said = with_tenants(&ground.store, command).await;
    ground.leave().await;
    say(&said?)
}

async fn with_tenants(store: &Store, command: Tenants) -> Result<String, Trouble> {
    match command {
        Tenants::Create { slug, name, tz, locale, currency, json } => {
            let new = NewTenant { slug, name, tz, locale: locale.into(), currency };
            create(store, &new, json).await
        }
        Tenants::List { json } => {
            let brands = store.brands().await;
            let brands =
                brands.map_err(|fault| failed("the brands cannot be listed")(fault.into()))?;
            Ok(brands.iter().map(|brand| line(brand, json)).collect::<Vec<_>>().join("\n"))
        }
        Tenants::Suspend { slug } => {
            let turned = store.suspend_tenant(&slug).await;
            turned.map_err(unturned(&slug, "suspended"))?;
            Ok(format!(
                "{slug} is suspended: within 5 seconds its API only reads, and its jobs wait from now on"
            ))
        }
        Tenants::Resume { slug } => {
            store.resume_tenant(&slug).await.map_err(unturned(&slug, "active"))?;
            Ok(format!("{slug} goes on: its jobs now, its API within 5 seconds"))
        }
    }
}

fn failed(what: &'static str) -> impl FnOnce(Failure) -> Trouble {
    move |failure| Trouble::during(what)(failure.into())
}

/// Why a brand was not suspended or resumed.
fn unturned(slug: &Slug, already: &'static str) -> impl FnOnce(Failure) -> Trouble {
    move |failure| match failure {
        Failure::NotFound => Trouble::Refused(format!(
            "there is no brand {slug}; `aftercare tenants list` names those there are"
        )),
        Failure::Refused(_) => Trouble::Refused(format!("{slug} is {already} already")),
        Failure::Fault(_) => failed("the brand cannot be changed")(failure),
    }
}

fn line(brand: &BrandSeen, as_json: bool) -> String {
    let BrandSeen { id, sandbox, slug, name, status, created_at } = brand;
    if as_json {
        return json!({"slug": slug, "name": name, "status": status, "tenant_id": id,
            "sandbox_id": sandbox, "created_at": created_at})
        .to_string();
    }
    format!("{slug}  {status}  {id}  {name}")
}

async fn create(store: &Store, new: &NewTenant, as_json: bool) -> Result<String, Trouble> {
    let founded = store.create_tenant(new).await.map_err(|failure| match failure {
        Failure::Fault(Fault::Taken { .. }) => {
            Trouble::Refused(format!("there is a brand {} already", new.slug))
        }
        other @ (Failure::Refused(_) | Failure::NotFound | Failure::Fault(_)) => {
            failed("the brand cannot be created")(other)
        }
    })?;
    let (id, live, test) =
        (founded.twins.live, founded.live_key.reveal(), founded.test_key.reveal());
    if as_json {
        return Ok(json!({"tenant_id": id, "live_key": live, "test_key": test}).to_string());
    }
    let slug = &new.slug;
    Ok(format!(
        "brand {slug} is {id}\nlive key  {live}\ntest key  {test}\nThe keys are shown this once."
    ))
}

/// Carries out a command about signing keys.
pub(crate) async fn keys(settings: &Settings, command: Keys) -> Result<(), Trouble> {
    let ground = Ground::find(settings).await?;
    let said = with_keys(&ground.store, settings, command).await;
    ground.leave().await;
    say(&said?)
}

async fn with_keys(store: &Store, settings: &Settings, command: Keys) -> Result<String, Trouble> {
    match command {
        Keys::List => {
            let keys = store.published_signing_keys().await;
            let keys = keys.map_err(|fault| failed("the keys cannot be listed")(fault.into()))?;
            let line = |key: &SigningKey| {
                format!("{}  {}  since {}", key.turn.id, key.turn.state.as_str(), key.turn.since)
            };
            Ok(keys.iter().map(line).collect::<Vec<_>>().join("\n"))
        }
        Keys::Rotate => {
            let rotated = store.rotate_signing_keys(&reception::secret(store, settings)?).await;
            let key =
                rotated.map_err(|fault| failed("the keys cannot be rotated")(fault.into()))?;
            Ok(format!(
                "{key} is the key that signs; every API process signs with it within 5 seconds"
            ))
        }
        Keys::Withdraw { key } => {
            let secret = reception::secret(store, settings)?;
            let withdrawn = store.withdraw_signing_key(&secret, key).await;
            let next = withdrawn.map_err(|failure| match failure {
                Failure::NotFound => Trouble::Refused(format!(
                    "{key} is not published; `aftercare keys list` names those that are"
                )),
                Failure::Refused(_) | Failure::Fault(_) => {
                    failed("the key cannot be withdrawn")(failure)
                }
            })?;
            Ok(format!(
                "{key} is withdrawn: within 5 seconds every API process refuses what it signed\n{next} is the key that signs"
            ))
        }
    }
}

/// Asks the service at the admin address whether it can serve.
pub(crate) async fn healthcheck(settings: &Settings) -> Result<(), Trouble> {
    let mut place = settings.admin_bind;
    if place.ip().is_unspecified() {
        place.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let url = format!("http://{place}/readyz");
    let asked = reqwest::get(&url).await.and_then(reqwest::Response::error_for_status);
    asked.map_err(|error| Trouble::during("the service is not ready")(error.into()))?;
    say("ready")
}
