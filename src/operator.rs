//! What the operator does on the command line.

use crate::{Trouble, ground::Ground, reception, say, settings::Settings};
use clap::Subcommand;
use domain::{
    money::Currency,
    text::{Locale, Name, Slug},
    time::Zone,
};
use serde_json::json;
use std::net::Ipv4Addr;
use store::{Failure, Fault, platform::NewTenant};

/// What can be done with brands.
#[derive(Debug, Subcommand)]
pub(crate) enum Tenants {
    /// Creates a brand, its sandbox, and the first live and test key
    Create {
        /// Its name in addresses: lower-case letters, digits, hyphens
        #[arg(long)]
        slug: Slug,
        /// What people call it
        #[arg(long)]
        name: Name,
        /// The time zone in which its days begin
        #[arg(long, default_value = "Asia/Shanghai")]
        tz: Zone,
        /// The language it speaks when a customer has not chosen one
        #[arg(long, value_enum, default_value = "zh-cn")]
        locale: Language,
        /// The currency of its accounts
        #[arg(long, default_value = "CNY")]
        currency: Currency,
        /// Prints one JSON object: `tenant_id`, `live_key`, `test_key`
        #[arg(long)]
        json: bool,
    },
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
}

/// Carries out a command about brands.
pub(crate) async fn tenants(settings: &Settings, command: Tenants) -> Result<(), Trouble> {
    let Tenants::Create { slug, name, tz, locale, currency, json: as_json } = command;
    let ground = Ground::find(settings).await?;
    let new = NewTenant { slug, name, tz, locale: locale.into(), currency };
    let created = ground.store.create_tenant(&new).await;
    ground.leave().await;
    let founded = created.map_err(|failure| match failure {
        Failure::Fault(Fault::Taken { .. }) => {
            Trouble::Refused(format!("there is a brand {} already", new.slug))
        }
        other @ (Failure::Refused(_) | Failure::NotFound | Failure::Fault(_)) => {
            Trouble::during("the brand cannot be created")(other.into())
        }
    })?;
    let (id, live, test) =
        (founded.twins.live, founded.live_key.reveal(), founded.test_key.reveal());
    if as_json {
        say(&json!({"tenant_id": id, "live_key": live, "test_key": test}).to_string())
    } else {
        let slug = &new.slug;
        say(&format!(
            "brand {slug} is {id}\nlive key  {live}\ntest key  {test}\nThe keys are shown this once."
        ))
    }
}

/// Carries out a command about signing keys.
pub(crate) async fn keys(settings: &Settings, command: Keys) -> Result<(), Trouble> {
    let Keys::Rotate = command;
    let ground = Ground::find(settings).await?;
    let rotated = match reception::secret(&ground.store, settings) {
        Ok(secret) => ground
            .store
            .rotate_signing_keys(&secret)
            .await
            .map_err(|fault| Trouble::during("the keys cannot be rotated")(fault.into())),
        Err(trouble) => Err(trouble),
    };
    ground.leave().await;
    say(&format!("{} signs from now on", rotated?))
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

/// Looks for what could be wrong with this setup.
pub(crate) async fn doctor(settings: &Settings) -> Result<(), Trouble> {
    let ground = Ground::find(settings).await?;
    let says = format!("the database is {}, and its walls hold", ground.says);
    ground.leave().await;
    say(&says)
}
