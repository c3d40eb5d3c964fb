//! The keys with which this service signs its tokens, as this process knows them.

use super::jwt::{PublicKey, PublicKeys, Signer};
use domain::{
    identity::{Claims, STANDING_SECONDS, SigningKeyState},
    time::Timestamp,
};
use std::sync::Arc;
use store::{Fault, Store, secrets::SecretKey};
use tokio::sync::Mutex;

/// For how long the keys are believed before the database is asked again whose turn it is: as long as any
/// standing, so that a key that was withdrawn opens nothing within five seconds on every server.
const KNOWN_SECONDS: i64 = STANDING_SECONDS;

/// For how long the database is not asked again, whatever unknown keys the tokens name.
const REST_SECONDS: i64 = 1;

/// The keys, kept for a while.
pub(super) struct KeyRing {
    store: Store,
    secret: SecretKey,
    held: Mutex<Option<Arc<Ring>>>,
}

/// The keys at one moment.
pub(super) struct Ring {
    /// What everybody may see.
    pub(super) public: PublicKeys,
    signer: Option<Signer>,
    read_at: Timestamp,
}

impl KeyRing {
    /// The secret under which they are sealed.
    pub(super) fn secret(&self) -> &SecretKey {
        &self.secret
    }

    /// A ring of the keys in `store`, sealed with `secret`.
    pub(super) fn new(store: Store, secret: SecretKey) -> Self {
        Self { store, secret, held: Mutex::default() }
    }

    /// The keys.
    pub(super) async fn keys(&self) -> Result<Arc<Ring>, Fault> {
        self.younger_than(KNOWN_SECONDS, |_| true).await
    }

    /// The keys, read again when the one named `kid` is not among them: another server may have begun to
    /// sign with it just now.
    pub(super) async fn with(&self, kid: &str) -> Result<Arc<Ring>, Fault> {
        let ring = self.keys().await?;
        if ring.public.has(kid) {
            return Ok(ring);
        }
        self.younger_than(REST_SECONDS, |ring| ring.public.has(kid)).await
    }

    async fn younger_than(
        &self,
        seconds: i64,
        is_enough: impl Fn(&Ring) -> bool,
    ) -> Result<Arc<Ring>, Fault> {
        let now = self.store.clock().now();
        let mut held = self.held.lock().await;
        let known = held.as_ref().filter(|ring| {
            let age = now.seconds_since(ring.read_at);
            age < seconds || (age < KNOWN_SECONDS && is_enough(ring))
        });
        if let Some(ring) = known {
            return Ok(Arc::clone(ring));
        }
        let ring = Arc::new(self.read(now).await?);
        *held = Some(Arc::clone(&ring));
        Ok(ring)
    }

    async fn read(&self, now: Timestamp) -> Result<Ring, Fault> {
        let keys = self.store.signing_keys(&self.secret).await?;
        let active = keys.iter().find(|key| key.turn.state == SigningKeyState::Active);
        let signer = active.and_then(|key| match key.private(&self.secret) {
            Ok(private) => Some(Signer::new(key.turn.id, &private)),
            Err(fault) => {
                tracing::error!(
                    key.id = %key.turn.id, error = %fault,
                    "the key that signs cannot be opened; `aftercare keys rotate` makes a new one"
                );
                None
            }
        });
        let public = keys.iter().map(|key| PublicKey::new(key.turn.id, &key.public)).collect();
        Ok(Ring { public: PublicKeys { keys: public }, signer, read_at: now })
    }
}

impl Ring {
    /// Signs a token.
    pub(super) fn sign(&self, claims: &Claims) -> Result<String, Fault> {
        let signer = self.signer.as_ref().ok_or(Fault::Secret("no key signs"))?;
        signer.sign(claims).map_err(|_| Fault::Secret("the key that signs is broken"))
    }
}
