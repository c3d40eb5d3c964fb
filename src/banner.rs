//! The first lines a person sees.

use crate::{Trouble, demo, ground::Ground, say, settings::Settings};

/// Makes the demo in a database of our own, and says where everything is.
pub(crate) async fn welcome(ground: &Ground, settings: &Settings) -> Result<(), Trouble> {
    let url = settings.public_url();
    let (version, database) = (env!("CARGO_PKG_VERSION"), &ground.says);
    let mut lines = format!(
        "Aftercare {version}, on {database}\n\n\
         \x20 documentation  {url}/docs\n\
         \x20 API            {url}/v1\n\
         \x20 problems       {url}/problems\n"
    );
    if ground.is_own {
        match demo::seed(&ground.store, &settings.data_dir, &format!("http://{}", settings.bind))
            .await
        {
            Ok(Some(file)) => lines.push_str(&first_steps(&url, &file.display().to_string())),
            Ok(None) => {}
            // The service runs without it.
            Err(trouble) => {
                tracing::warn!(error = %api::problem::chain(&trouble), "there is no demo");
            }
        }
    }
    say(&lines)
}

/// What to try first.
fn first_steps(url: &str, key: &str) -> String {
    format!(
        "\x20 demo brand     碧水 Clearwater; the key of its sandbox lies in {key}\n\
         \x20 test outbox    {url}/v1/test/outbox (what would have been sent)\n\n\
         Try it:\n\
         \x20 curl -H \"Authorization: Bearer $(cat {key})\" {url}/v1/customers\n"
    )
}
