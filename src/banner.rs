//! The first lines a person sees.

use crate::{Trouble, ground::Ground, say, settings::Settings};

/// Says where everything is.
pub(crate) async fn welcome(ground: &Ground, settings: &Settings) -> Result<(), Trouble> {
    let url = settings.public_url();
    say(&format!(
        "Aftercare {version} on {database}\n  API      {url}/v1\n  docs     {url}/docs",
        version = env!("CARGO_PKG_VERSION"),
        database = ground.says,
    ))
}
