//! Links that carry what they lead to, sealed so that nobody makes one up or reads it.

use crate::problem::Problem;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use store::secrets::SecretKey;

/// What a link ends with that says `link`, sealed under `label`.
pub(crate) fn seal(
    secret: &SecretKey,
    label: &str,
    link: &impl Serialize,
) -> Result<String, Problem> {
    let plain = serde_json::to_vec(link).map_err(store::Fault::from)?;
    let sealed = secret.seal(label, &plain).map_err(store::Fault::from)?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// What a link says that was sealed under `label`; nothing when nobody here has made it.
pub(crate) fn open<L: DeserializeOwned>(secret: &SecretKey, label: &str, token: &str) -> Option<L> {
    let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
    serde_json::from_slice(&secret.open(label, &sealed).ok()?).ok()
}
