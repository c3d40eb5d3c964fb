//! Who answers for complaints, as people leave, go on leave, and come back.

use crate::{
    Failure, Fault, Tenant,
    complaints::{complaint, open_states},
    table::word,
};
use domain::{
    complaints::{Complaint, ComplaintHands, ComplaintState, STAND_OFF_HOURS},
    identity::Role,
    ids::{ComplaintId, StaffId},
    time::Timestamp,
};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
};
use uuid::Uuid;

/// Complaints that are looked after in one go, at most.
const MOST_AT_ONCE: u32 = 200;

/// Minutes of an hour.
const MINUTES: u32 = 60;

/// Who may answer for complaints, whoever stands lowest first: what goes wrong with them has somewhere to go up to.
const OWNING: [Role; 6] = [
    Role::Clerk,
    Role::SupportAgent,
    Role::Manager,
    Role::Owner,
    Role::BrandSupport,
    Role::BrandAdmin,
];

/// Whether a person, as `p`, is on leave on the day `$2`.
const IS_AWAY: &str =
    "coalesce($2 BETWEEN p.on_leave ->> 'from_on' AND p.on_leave ->> 'to_on', false)";

impl Tenant {
    /// In whose hands a complaint is, and in whose it could be.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn hands_of(&self, complaint: &Complaint) -> Result<ComplaintHands, Fault> {
        let sql = format!(
            "WITH their AS (
                 SELECT p.id, p.deputy_id, p.status = 'left' OR p.dealer_id <> $1 AS is_gone, {IS_AWAY} AS is_away
                 FROM staff p WHERE p.tenant_id = ac.tenant() AND p.id IN ($3, $4)
             )
             SELECT coalesce((SELECT is_gone FROM their WHERE id = $3), $3 IS NULL) AS owner_is_gone,
                    coalesce((SELECT is_away FROM their WHERE id = $3), false) AS owner_is_away,
                    coalesce((SELECT is_gone FROM their WHERE id = $4), false) AS superior_is_gone,
                    (SELECT p.id FROM staff p
                     WHERE p.tenant_id = ac.tenant() AND p.status = 'active' AND p.id IS DISTINCT FROM $3
                       AND p.role = ANY ($7) AND (p.dealer_id = $1 OR p.dealer_id IS NULL)
                       AND NOT {IS_AWAY}
                     ORDER BY p.id IS DISTINCT FROM (SELECT deputy_id FROM their WHERE id = $3),
                              p.id IS DISTINCT FROM (SELECT c.relationship_owner_id FROM customer c
                                                     WHERE c.tenant_id = ac.tenant() AND c.id = $5),
                              array_position($7::text[], p.role),
                              (SELECT count(*) FROM complaint c WHERE c.tenant_id = p.tenant_id
                                   AND c.owner_id = p.id AND c.state = ANY ($6)),
                              p.id
                     LIMIT 1) AS heir"
        );
        let values = [
            complaint.details.dealer_id.map(Uuid::from).into(),
            self.now().date_in(complaint.tz).to_string().into(),
            complaint.owner_id.map(Uuid::from).into(),
            complaint.escalated_staff_id.map(Uuid::from).into(),
            Uuid::from(complaint.details.customer_id).into(),
            open_states().into(),
            OWNING.map(|role| word(&role)).to_vec().into(),
        ];
        let row = self.work().query_one_raw(self.statement(&sql, values)).await?;
        let row = row.ok_or(Fault::Stale)?;
        let is_nobodys =
            complaint.escalated_rank.is_some() && complaint.escalated_staff_id.is_none();
        let superior_is_gone = is_nobodys || row.try_get("", "superior_is_gone")?;
        let next_superior = match complaint.escalated_rank {
            Some(rank) if superior_is_gone => self.superiors_of(complaint).await?.at(rank),
            Some(_) | None => None,
        };
        Ok(ComplaintHands {
            owner_is_gone: row.try_get("", "owner_is_gone")?,
            owner_is_away: row.try_get("", "owner_is_away")?,
            superior_is_gone,
            heir: row.try_get::<Option<Uuid>>("", "heir")?.map(StaffId::from),
            next_superior,
        })
    }

    /// Complaints that are not in the hands of people who are there, after one and with what follows on them: those of
    /// one person, or everybody's.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn complaints_left_behind(
        &self,
        staff: Option<StaffId>,
        after: Option<ComplaintId>,
    ) -> Result<Vec<Complaint>, Fault> {
        let away = |who: &str| {
            format!(
                "coalesce(($4::timestamptz AT TIME ZONE c.tz)::date::text
                     BETWEEN {who}.on_leave ->> 'from_on' AND {who}.on_leave ->> 'to_on', false)"
            )
        };
        let gone = |who: &str| {
            format!("coalesce({who}.status = 'left' OR {who}.dealer_id <> c.dealer_id, false)")
        };
        let person = |who: &str, column: &str| {
            format!(
                "LEFT JOIN staff {who} ON {who}.tenant_id = c.tenant_id AND {who}.id = c.{column}"
            )
        };
        let sql = format!(
            "SELECT c.id FROM complaint c {owner} {cover} {superior}
             WHERE c.tenant_id = ac.tenant() AND c.state = ANY ($5)
               AND ($2::uuid IS NULL OR c.id > $2)
               AND ($1::uuid IS NULL OR $1 IN (c.owner_id, c.cover_id, c.escalated_staff_id))
               AND (c.owner_id IS NULL OR c.escalated_rank IS NOT NULL AND c.escalated_staff_id IS NULL
                    OR {owner_gone} OR {superior_gone} OR {cover_gone} OR {cover_away} OR {owner_away} <> (c.cover_id IS NOT NULL))
             ORDER BY c.id LIMIT $3",
            owner = person("o", "owner_id"),
            cover = person("v", "cover_id"),
            superior = person("u", "escalated_staff_id"),
            owner_gone = gone("o"),
            superior_gone = gone("u"),
            cover_gone = gone("v"),
            cover_away = away("v"),
            owner_away = away("o"),
        );
        let mut states = open_states();
        states.push(word(&ComplaintState::Resolved));
        let values = [
            staff.map(Uuid::from).into(),
            after.map(Uuid::from).into(),
            i64::from(MOST_AT_ONCE).into(),
            chrono::DateTime::<chrono::Utc>::from(self.now()).into(),
            states.into(),
        ];
        let rows = self.work().query_all_raw(self.statement(&sql, values)).await?;
        let ids = rows.iter().map(|row| row.try_get::<Uuid>("", "id"));
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        let found = complaint::Entity::find()
            .filter(complaint::Column::Id.is_in(ids))
            .order_by_asc(complaint::Column::Id);
        self.hold_all(found).await
    }

    /// When two sides have stood against each other for long enough, if they begin now: as the people of the complaint
    /// work; where nobody ever does, all hours count.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the database fails or the dealer is not there.
    pub async fn stand_off_until(&self, complaint: &Complaint) -> Result<Timestamp, Failure> {
        let calendar = self.calendar_of(complaint.details.dealer_id).await?;
        let (now, minutes) = (self.now(), STAND_OFF_HOURS.saturating_mul(MINUTES));
        let until = calendar.after(now, minutes);
        Ok(until.unwrap_or_else(|| now.plus_hours(i64::from(STAND_OFF_HOURS))))
    }
}
