//! The desk at which callers of the API say who they are, set up as the settings say.

use crate::{
    Trouble,
    settings::{Environment, Settings},
};
use api::identity::{Desk, RateLimits, RateQuota, Setup, SharedPlace};
use domain::web::Loopback;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    num::NonZeroU32,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};
use store::{Store, secrets::SecretKey};

/// How many requests may come at once, in seconds' worth: enough for a page that asks for everything.
const BURST_SECONDS: u32 = 4;

/// The file in which a development server keeps its secret.
pub(crate) const SECRET_FILE: &str = "secret.key";

/// Opens the desk.
pub(crate) fn desk(store: &Store, settings: &Settings) -> Result<Desk, Trouble> {
    let setup = Setup {
        address: settings.public_url(),
        secret: secret(store, settings)?,
        loopback: match settings.env {
            Environment::Development => Loopback::Allowed,
            Environment::Production => Loopback::Refused,
        },
        limits: RateLimits {
            caller: quota(settings.caller_rate),
            tenant: quota(settings.tenant_rate),
        },
        shared: settings.redis_url.as_ref().map(|url| SharedPlace::at(url.reveal())),
    };
    Desk::open(store.clone(), setup)
        .map_err(|closed| Trouble::during("callers cannot be recognised")(closed.into()))
}

fn quota(per_second: NonZeroU32) -> RateQuota {
    let burst = NonZeroU32::MIN.saturating_mul(per_second);
    let burst = burst.saturating_mul(NonZeroU32::new(BURST_SECONDS).unwrap_or(NonZeroU32::MIN));
    RateQuota { burst, per_second }
}

/// The secret of this service: what the operator says or, on a development server, one that is made the
/// first time and kept in the data folder, readable by its owner.
pub(crate) fn secret(store: &Store, settings: &Settings) -> Result<SecretKey, Trouble> {
    let text = match &settings.secret_key {
        Some(secret) => secret.reveal().to_owned(),
        None => kept_secret(store, &settings.data_dir.join(SECRET_FILE))
            .map_err(|error| Trouble::during("no secret can be kept")(error.into()))?,
    };
    SecretKey::from_text(&text)
        .map_err(|fault| Trouble::during("AFTERCARE_SECRET_KEY cannot be used")(fault.into()))
}

fn kept_secret(store: &Store, file: &Path) -> io::Result<String> {
    match fs::read_to_string(file) {
        Ok(text) => return Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let half = || store.chance().bytes().map(u128::from_be_bytes).map_err(io::Error::other);
    let text = format!("{:032x}{:032x}", half()?, half()?);
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(mut made) => made.write_all(text.as_bytes()).map(|()| text),
        // Another process was faster; its secret is the one.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs::read_to_string(file),
        Err(error) => Err(error),
    }
}
