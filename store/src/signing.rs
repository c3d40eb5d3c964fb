//! Table `ac.signing_key`: the keys that sign tokens. They belong to no brand.

use crate::{
    Failure, Fault, Store, secrets::SecretKey, table::read_word, transaction::Transaction,
};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use domain::{
    identity::{SigningKeyState, SigningStep, SigningTurn, next_step},
    ids::SigningKeyId,
    time::Timestamp,
};
use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, FromQueryResult, Statement, Value};
use uuid::Uuid;

/// Names the lock under which keys take turns: "signkeys" in ASCII.
const LOCK: i64 = 0x7369_676e_6b65_7973;

/// More steps than can ever be due at once.
const MOST_STEPS: usize = 16;

/// A key that is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Its place in the row.
    pub turn: SigningTurn,
    /// The half that everybody may see.
    pub public: Vec<u8>,
    sealed: Vec<u8>,
}

impl SigningKey {
    /// The half that nobody may see, as PKCS #8.
    ///
    /// # Errors
    ///
    /// [`Fault::Secret`] when it was sealed under another secret of the service.
    pub fn private(&self, secret: &SecretKey) -> Result<Vec<u8>, Fault> {
        Ok(secret.open(&label(self.turn.id), &self.sealed)?)
    }
}

/// Under which name a private key is sealed.
fn label(id: SigningKeyId) -> String {
    format!("signing-key/{id}")
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    state: String,
    public: Vec<u8>,
    sealed: Option<Vec<u8>>,
    since: chrono::DateTime<chrono::Utc>,
}

impl Row {
    fn key(self) -> Result<SigningKey, Fault> {
        let unknown = |what: String| Fault::from(DbErr::Type(what));
        let state = read_word(self.state).map_err(unknown)?;
        let turn = SigningTurn { id: self.id.into(), state, since: self.since.into() };
        Ok(SigningKey { turn, public: self.public, sealed: self.sealed.unwrap_or_default() })
    }
}

impl Store {
    /// The keys that are published, after every step that is due was taken.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a key cannot be sealed.
    pub async fn signing_keys(&self, secret: &SecretKey) -> Result<Vec<SigningKey>, Fault> {
        let now = self.clock().now();
        let auth = self.auth("").await?;
        let keys = published(&auth).await?;
        if next_step(&turns(&keys), now).is_none() {
            return Ok(keys);
        }
        lock(&auth).await?;
        let keys = self.take_turns(&auth, secret, now).await?;
        auth.commit().await?;
        Ok(keys)
    }

    /// The keys that are published, as they are; no step is taken.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn published_signing_keys(&self) -> Result<Vec<SigningKey>, Fault> {
        published(&self.auth("READ ONLY").await?).await
    }

    /// Takes every step that is due; answers the keys as they are then.
    async fn take_turns(
        &self,
        auth: &Transaction,
        secret: &SecretKey,
        now: Timestamp,
    ) -> Result<Vec<SigningKey>, Fault> {
        for _ in 0..MOST_STEPS {
            let turns = turns(&published(auth).await?);
            let Some(step) = next_step(&turns, now) else { break };
            self.take(auth, secret, step, now).await?;
        }
        published(auth).await
    }

    /// Takes a key out at once, because somebody else may have it: what it signed is worth nothing from now on.
    /// Answers which key signs now.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFound`] when no such key is published, [`Fault`] when the database fails or a key cannot
    /// be sealed.
    pub async fn withdraw_signing_key(
        &self,
        secret: &SecretKey,
        id: SigningKeyId,
    ) -> Result<SigningKeyId, Failure> {
        let now = self.clock().now();
        let auth = self.auth("").await?;
        lock(&auth).await?;
        if !published(&auth).await?.iter().any(|key| key.turn.id == id) {
            return Err(Failure::NotFound);
        }
        self.take(&auth, secret, SigningStep::Retire(id), now).await?;
        let keys = self.take_turns(&auth, secret, now).await?;
        auth.commit().await?;
        let active = keys.iter().find(|key| key.turn.state == SigningKeyState::Active);
        Ok(active.ok_or(Fault::Secret("no key signs"))?.turn.id)
    }

    /// Puts the next key to work at once; the one before still verifies what it signed. Answers which key
    /// signs now.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails or a key cannot be sealed.
    pub async fn rotate_signing_keys(&self, secret: &SecretKey) -> Result<SigningKeyId, Fault> {
        let now = self.clock().now();
        let auth = self.auth("").await?;
        lock(&auth).await?;
        let waiting = |keys: &[SigningKey]| {
            let next = keys.iter().find(|key| key.turn.state == SigningKeyState::Next);
            next.map(|key| key.turn.id)
        };
        let mut next = waiting(&published(&auth).await?);
        if next.is_none() {
            self.take(&auth, secret, SigningStep::MakeNext, now).await?;
            next = waiting(&published(&auth).await?);
        }
        let next = next.ok_or(Fault::Secret("no key was made"))?;
        self.take(&auth, secret, SigningStep::Activate(next), now).await?;
        auth.commit().await?;
        Ok(next)
    }

    async fn take(
        &self,
        auth: &Transaction,
        secret: &SecretKey,
        step: SigningStep,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let at: Value = chrono::DateTime::from(now).into();
        let (sql, values) = match step {
            SigningStep::MakeActive => {
                return self.make(auth, secret, SigningKeyState::Active).await;
            }
            SigningStep::MakeNext => return self.make(auth, secret, SigningKeyState::Next).await,
            SigningStep::Activate(id) => {
                let retire = "UPDATE ac.signing_key SET state = 'retiring', since = $1 WHERE state = 'active'";
                auth.execute_raw(statement(retire, [at.clone()])).await?;
                let sql = "UPDATE ac.signing_key SET state = 'active', since = $1 WHERE id = $2";
                (sql, [at, Uuid::from(id).into()])
            }
            SigningStep::Retire(id) => {
                let sql = "UPDATE ac.signing_key SET state = 'retired', since = $1, sealed = NULL
                           WHERE id = $2";
                (sql, [at, Uuid::from(id).into()])
            }
        };
        auth.execute_raw(statement(sql, values)).await?;
        Ok(())
    }

    async fn make(
        &self,
        auth: &Transaction,
        secret: &SecretKey,
        state: SigningKeyState,
    ) -> Result<(), Fault> {
        let id: SigningKeyId = self.chance().id();
        let failed = |_| Fault::Secret("no key can be made");
        let private = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(failed)?;
        let pair = Ed25519KeyPair::from_pkcs8(private.as_ref());
        let pair = pair.map_err(|_| Fault::Secret("a new key cannot be read"))?;
        let sealed = secret.seal(&label(id), private.as_ref())?;
        let at: Value = chrono::DateTime::from(self.clock().now()).into();
        let sql = "INSERT INTO ac.signing_key (id, state, public, sealed, since, created_at)
                   VALUES ($1, $2, $3, $4, $5, $5)";
        let public = pair.public_key().as_ref().to_vec();
        let values =
            [Uuid::from(id).into(), state.as_str().into(), public.into(), sealed.into(), at];
        auth.execute_raw(statement(sql, values)).await?;
        Ok(())
    }
}

fn turns(keys: &[SigningKey]) -> Vec<SigningTurn> {
    keys.iter().map(|key| key.turn).collect()
}

async fn published(auth: &Transaction) -> Result<Vec<SigningKey>, Fault> {
    let sql = "SELECT id, state, public, sealed, since FROM ac.signing_key
               WHERE state <> 'retired' ORDER BY id";
    let rows = Row::find_by_statement(statement(sql, [])).all(auth).await?;
    rows.into_iter().map(Row::key).collect()
}

async fn lock(auth: &Transaction) -> Result<(), Fault> {
    auth.execute_raw(statement("SELECT pg_advisory_xact_lock($1)", [LOCK.into()])).await?;
    Ok(())
}

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
