//! What is in the databases: brands with a dealer, a key and customers each, written set by set.
//!
//! Identifiers are numbers in the shape of UUIDs, sixteen digits of which are the number itself, so that our client
//! and pgbench find any row by arithmetic.

use crate::{http::Connection, numbers::Chance, program::Running, sql::Psql, trouble::Trouble};
use domain::{
    identity::Scope,
    ids::{ApiKeyId, CustomerId, DealerId, StaffId},
    tenancy::TenantMode,
};
use std::sync::Arc;
use store::key_text::KeyText;
use uuid::Uuid;

/// The half of every identifier that is the same.
pub(crate) const HALF: &str = "0190000000007000";
/// The first customer's number; the leading digit is the variant of the UUID.
pub(crate) const FIRST_CUSTOMER: u64 = 8_000_000_000_000_000;
/// The first brand's number. Keys and dealers of a brand have it, too.
pub(crate) const FIRST_TENANT: u64 = 9_000_000_000_000_000;
/// The most brands whose programs call at once: as many tokens as a busy server knows.
const MOST_CALLERS: u64 = 1_000;

/// How much is in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Amount {
    /// Brands.
    pub(crate) tenants: u64,
    /// Customers of each.
    pub(crate) customers_each: u64,
}

/// Somebody who calls: a brand's program with its token.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Which brand, from 0.
    pub(crate) tenant: u64,
    /// What it sends as `Authorization: Bearer`.
    pub(crate) token: String,
}

impl Amount {
    /// All customers.
    pub(crate) fn customers(&self) -> u64 {
        self.tenants.saturating_mul(self.customers_each)
    }

    /// How many brands' programs call.
    pub(crate) fn callers(&self) -> u64 {
        self.tenants.min(MOST_CALLERS)
    }

    /// How many brands lie between one that calls and the next.
    pub(crate) fn stride(&self) -> u64 {
        self.tenants.div_euclid(self.callers().max(1)).max(1)
    }

    /// The lines of a pgbench script that draw one of the brands that call as `t`, and one of its customers as `c`.
    pub(crate) fn draw(&self) -> String {
        let (last, each) = (self.callers().saturating_sub(1), self.customers_each);
        format!(
            "\\set b random(0, {last}) * {stride}\n\
             \\set t {FIRST_TENANT} + :b\n\
             \\set c {FIRST_CUSTOMER} + :b * {each} + random(0, {})\n",
            each.saturating_sub(1),
            stride = self.stride(),
        )
    }

    /// Writes all of it into an empty database.
    pub(crate) async fn load(&self, psql: &Psql, database: &str) -> Result<(), Trouble> {
        psql.run(database, &self.sql(&self.keys()?)).await?;
        psql.run(database, "VACUUM ANALYZE").await.map(drop)
    }

    /// The key of each brand's program. Whoever has them can open a database that is gone in five minutes.
    fn keys(&self) -> Result<Vec<KeyText>, Trouble> {
        let mut chance = Chance::of(1);
        let mut bits = [0; 32];
        (0..self.tenants)
            .map(|_| {
                for bytes in bits.chunks_exact_mut(8) {
                    bytes.copy_from_slice(&chance.next().to_be_bytes());
                }
                Ok(KeyText::of(TenantMode::Live, &bits))
            })
            .collect()
    }

    fn sql(&self, keys: &[KeyText]) -> String {
        let scopes = serde_json::to_string(Scope::ALL).unwrap_or_default();
        let (tenants, each) = (self.tenants, self.customers_each);
        let begin = format!(
            "BEGIN;
             CREATE TEMP TABLE t ON COMMIT DROP AS
                 SELECT n, ('{HALF}' || {FIRST_TENANT} + n)::uuid AS id FROM generate_series(0, {tenants} - 1) n;
             INSERT INTO tenant (id, slug, mode, live_id, name, status, tz, locale, currency, version, created_at)
                 SELECT id, 'brand-' || n, 'live', id, 'Brand ' || n, 'active', 'Asia/Shanghai', 'zh-CN', 'CNY', 1, now()
                 FROM t;
             INSERT INTO tenant_queue (tenant_id) SELECT id FROM t;
             INSERT INTO dealer (tenant_id, id, status, code, name, tz, version, created_at)
                 SELECT id, id, 'active', 'north', 'North', 'Asia/Shanghai', 1, now() FROM t;
             INSERT INTO customer (tenant_id, id, source, external_id, dealer_id, name, kind, locale, phone, email, tier,
                                   lifecycle, created_at, version)
                 SELECT t.id, ('{HALF}' || {FIRST_CUSTOMER} + t.n * {each} + i)::uuid, 'erp', 'C-' || i, t.id,
                        'Customer ' || i, 'person', 'zh-CN', '+86' || 13800000000 + i, 'c' || i || '@example.com',
                        'gold', 'buyer', now(), 1
                 FROM t CROSS JOIN generate_series(0, {each} - 1) i ORDER BY t.n, i;
             CREATE TEMP TABLE k (n bigint, prefix text, hash text) ON COMMIT DROP;
             COPY k FROM stdin;\n"
        );
        let line = |(number, key): (usize, &KeyText)| {
            let hash = key
                .fingerprint()
                .iter()
                .fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
            format!("{number}\t{}\t{hash}\n", key.prefix())
        };
        let lines: Vec<String> = keys.iter().enumerate().map(line).collect();
        format!(
            "{begin}{}\\.
             INSERT INTO api_key (tenant_id, id, prefix, mode, status, name, scopes, version, created_at)
                 SELECT t.id, t.id, k.prefix, 'live', 'active', 'ERP', '{scopes}', 1, now() FROM t JOIN k USING (n);
             INSERT INTO secret (tenant_id, hash, kind, subject_id, created_at)
                 SELECT t.id, decode(k.hash, 'hex'), 'api_key', t.id, now() FROM t JOIN k USING (n);
             COMMIT;",
            lines.concat()
        )
    }

    /// Fetches the token of each program that calls, as it would.
    pub(crate) async fn tokens(&self, api: &Running) -> Result<Arc<[Caller]>, Trouble> {
        let failed = || Trouble::during("a token cannot be fetched");
        let mut connection = Connection::open(api.place).await.map_err(failed())?;
        let stride = usize::try_from(self.stride()).unwrap_or(usize::MAX);
        let mut callers = Vec::new();
        for (tenant, key) in self.keys()?.iter().enumerate().step_by(stride) {
            let tenant = u64::try_from(tenant).unwrap_or(u64::MAX);
            let id = ApiKeyId::from(identifier(FIRST_TENANT.saturating_add(tenant))?);
            let form = format!(
                "grant_type=client_credentials&client_id={id}&client_secret={}",
                key.reveal()
            );
            let request = format!(
                "POST /oauth/token HTTP/1.1\r\nHost: bench\r\nContent-Length: {}\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
                form.len()
            );
            let answer = connection.ask(request.as_bytes()).await.map_err(failed())?;
            let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let token = body.get("access_token").and_then(|token| token.as_str());
            let token = token.ok_or_else(|| {
                let said = String::from_utf8_lossy(&answer.body).into_owned();
                Trouble::unexpected(format!("a token was refused: {} {said}", answer.status))
            })?;
            callers.push(Caller { tenant, token: token.to_owned() });
            if u64::try_from(callers.len()).unwrap_or(u64::MAX) >= self.callers() {
                break;
            }
        }
        Ok(callers.into())
    }

    /// A customer of a brand, by chance, as callers of the API name them.
    pub(crate) fn customer(&self, tenant: u64, chance: &mut Chance) -> String {
        let number = tenant
            .saturating_mul(self.customers_each)
            .saturating_add(chance.below(self.customers_each));
        customer(number)
    }
}

/// A customer by their number from 0, as callers of the API name them.
pub(crate) fn customer(number: u64) -> String {
    let id = identifier(FIRST_CUSTOMER.saturating_add(number)).unwrap_or_default();
    CustomerId::from(id).to_string()
}

/// The clerk of a brand, as callers of the API name them.
pub(crate) fn clerk(tenant: u64) -> String {
    let id = identifier(FIRST_TENANT.saturating_add(tenant)).unwrap_or_default();
    StaffId::from(id).to_string()
}

/// The dealer of a brand, as callers of the API name it.
pub(crate) fn dealer(tenant: u64) -> String {
    let id = identifier(FIRST_TENANT.saturating_add(tenant)).unwrap_or_default();
    DealerId::from(id).to_string()
}

/// The identifier of a number of sixteen digits.
fn identifier(number: u64) -> Result<Uuid, Trouble> {
    let text = format!("{HALF}{number:016}");
    Uuid::parse_str(&text).map_err(|error| Trouble::unexpected(format!("{text}: {error}")))
}
