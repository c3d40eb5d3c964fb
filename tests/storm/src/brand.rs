//! The brand of a cycle: set up in calm weather, through the API.

use crate::{
    Trouble,
    caller::{Caller, Intention},
    chance::Chance,
    installation::Installation,
    report::Report,
};
use serde_json::{Value, json};
use sqlx::PgPool;

/// Enough for every visit that a cycle asks for: nobody is told that there is no time.
const TECHNICIANS: u32 = 4;
/// Days within which visits are asked for, today included.
const DAYS: i32 = 60;
/// What an order earns, in minor units: a quarter of its margin.
pub(crate) const EARNED_MINOR: i64 = 1_000;
/// The margin of an order, and what it costs besides.
const MARGIN_MINOR: i64 = 4_000;
const COST_MINOR: i64 = 6_000;

/// A brand, and where its letters can be read.
#[derive(Debug, Clone)]
pub(crate) struct Brand {
    pub(crate) caller: Caller,
    /// Its name in addresses.
    pub(crate) slug: String,
    pub(crate) dealer: String,
    pub(crate) site: String,
    /// Who asks for gestures.
    pub(crate) clerk: String,
    /// Days from today on, such as `2026-11-22`.
    pub(crate) days: Vec<String>,
    /// The letter boxes of its customers, who have no mail server here.
    pub(crate) letters: PgPool,
}

impl Brand {
    /// Founds a brand with a dealer, a site, its people, a policy of allowances and a survey.
    pub(crate) async fn found(
        installation: &Installation,
        slug: String,
        report: Report,
    ) -> Result<Self, Trouble> {
        let key = installation.create_brand(&slug).await?;
        let caller = Caller::new(installation.doors(), key, report)?;
        let mut setup = Setup { caller: &caller, slug: &slug, chance: Chance::of(&[0]), sent: 0 };
        let dealer =
            setup.creates("/v1/dealers", json!({"code": "west", "name": "西湖店"})).await?;
        let site = json!({"code": "lake", "name": "湖滨", "tz": "Asia/Shanghai"});
        let site = setup.creates(&format!("/v1/dealers/{dealer}/sites"), site).await?;
        let person = |role: &str| json!({"name": role, "role": role, "dealer_id": dealer});
        let clerk = setup.creates("/v1/staff", person("clerk")).await?;
        for _ in 0..TECHNICIANS {
            setup.creates("/v1/staff", person("technician")).await?;
        }
        let limit = json!({"role": "clerk", "currency": "CNY", "per_request_minor": 5_000});
        setup.creates("/v1/authority-limits", limit).await?;
        let policy = json!({"currency": "CNY", "base": "margin", "fallback_price_bp": 200,
            "expiry_days": 30, "tiers": [{"from_minor": 0, "rate_bp": 2_500}]});
        setup.puts_in_force("/v1/allowance-policies", policy).await?;
        let survey = json!({"code": "after", "name": "回访", "trigger": "complaint_resolved",
            "question": {"zh": "您满意吗？", "en": "Are you satisfied?"}, "delay_hours": 0});
        setup.puts_in_force("/v1/surveys", survey).await?;
        let letters = installation.sql.clone();
        let days = "SELECT ((now() AT TIME ZONE 'Asia/Shanghai')::date + day)::text
            FROM generate_series(0, $1) day ORDER BY day";
        let days = sqlx::query_scalar(days).bind(DAYS).fetch_all(&letters).await?;
        Ok(Self { caller, slug, dealer, site, clerk, days, letters })
    }

    /// A day, so many from today.
    pub(crate) fn day(&self, number: u64) -> &str {
        let day = usize::try_from(number).ok().and_then(|number| self.days.get(number));
        day.map(String::as_str).unwrap_or_default()
    }

    /// What a customer buys today, on which [`EARNED_MINOR`] is earned.
    pub(crate) fn order(&self, customer: &str) -> Value {
        let price = MARGIN_MINOR.saturating_add(COST_MINOR);
        json!({"customer_id": customer, "dealer_id": self.dealer, "currency": "CNY",
            "paid_on": self.day(0),
            "lines": [{"quantity": 1, "price_minor": price, "cost_minor": COST_MINOR}]})
    }
}

/// Sets a brand up, one step after the other.
struct Setup<'a> {
    caller: &'a Caller,
    slug: &'a str,
    chance: Chance,
    sent: u32,
}

impl Setup<'_> {
    /// Creates a record; answers its identifier.
    async fn creates(&mut self, path: &str, body: Value) -> Result<String, Trouble> {
        self.sent = self.sent.saturating_add(1);
        let key = format!("{}-setup-{}", self.slug, self.sent);
        let intention = Intention { key, path: path.to_owned(), body };
        let reply = self.caller.intends(&mut self.chance, intention).await;
        if reply.is_done() {
            Ok(reply.text("id"))
        } else {
            Err(format!("{path}: {reply:?}").into())
        }
    }

    async fn puts_in_force(&mut self, path: &str, body: Value) -> Result<(), Trouble> {
        let id = self.creates(path, body).await?;
        self.creates(&format!("{path}/{id}/activate"), json!({})).await?;
        Ok(())
    }
}
