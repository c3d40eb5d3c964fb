//! What complaints have come to: questions over many of them, behind the walls of the complaints themselves.

use crate::{
    Failure, Fault, Tenant,
    reports::MOST_LINES,
    table::{Col, word},
};
use domain::{
    complaints::{
        ComplaintKind,
        reports::{
            ComparisonRow, ComplaintCounts, ComplaintGroup, ComplaintTimes, ComplaintsBy,
            ComplaintsRow, MOST_TIMED, RepeatRow, check_timed,
        },
    },
    ids::{DealerId, ProductId},
    text::Code,
    time::Timestamp,
    working_time::WorkingCalendar,
};
use sea_orm::{ConnectionTrait as _, DbErr, QueryResult, Value};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Range,
};
use uuid::Uuid;

/// Which complaints a report is about: those that were received within the span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportWanted {
    /// When they were received.
    pub span: Range<Timestamp>,
    /// Those that this dealer's people answer.
    pub dealer_id: Option<DealerId>,
    /// Those about this.
    pub kind: Option<ComplaintKind>,
    /// Those about things of this product.
    pub product_id: Option<ProductId>,
}

/// The complaints of a report, each with its first resolution. What only repeats another, or is none, does not count.
const WANTED: &str = "
    SELECT c.id, c.cause_code, c.dealer_id, c.kind, c.asset_id, a.product_id, c.first_answer, c.customer_satisfied, c.resolution_no,
           c.created_at, c.decision, coalesce(l.resolved_at, c.resolved_at) AS resolved_at
    FROM complaint c
    LEFT JOIN asset a ON a.tenant_id = c.tenant_id AND a.id = c.asset_id
    LEFT JOIN resolution l ON l.tenant_id = c.tenant_id AND l.complaint_id = c.id AND l.resolution_no = 1
    WHERE c.tenant_id = ac.tenant() AND c.created_at >= $1 AND c.created_at < $2
      AND c.state NOT IN ('duplicate', 'not_a_complaint')
      AND ($3::uuid IS NULL OR c.dealer_id = $3) AND ($4::text IS NULL OR c.kind = $4)
      AND ($5::uuid IS NULL OR a.product_id = $5)";

/// What came of them.
const COUNTS: &str = "count(*)::integer AS received,
    (count(*) FILTER (WHERE first_answer <> 'due'))::integer AS first_answers,
    (count(*) FILTER (WHERE first_answer = 'kept'))::integer AS first_answers_kept,
    (count(*) FILTER (WHERE resolved_at IS NOT NULL))::integer AS resolved,
    (count(*) FILTER (WHERE resolved_at IS NOT NULL AND customer_satisfied))::integer AS amicable,
    (count(*) FILTER (WHERE resolution_no > 1))::integer AS reopened";

impl Tenant {
    /// What complaints have come to, a line for each group, those with the most at the front, at most [`MOST_LINES`]; and
    /// whether there are more.
    ///
    /// # Errors
    ///
    /// `report_too_large`; [`Failure`] when the database fails.
    pub async fn complaints_report(
        &self,
        by: ComplaintsBy,
        wanted: &ReportWanted,
    ) -> Result<(Vec<ComplaintsRow>, bool), Failure> {
        let of = |group: ComplaintGroup| match by {
            ComplaintsBy::Dealer => {
                ComplaintGroup { dealer_id: group.dealer_id, ..ComplaintGroup::default() }
            }
            ComplaintsBy::Kind => ComplaintGroup { kind: group.kind, ..ComplaintGroup::default() },
            ComplaintsBy::Brand => ComplaintGroup::default(),
        };
        let keys = match by {
            ComplaintsBy::Dealer => "dealer_id, NULL::text AS kind",
            ComplaintsBy::Kind => "NULL::uuid AS dealer_id, kind",
            ComplaintsBy::Brand => "NULL::uuid AS dealer_id, NULL::text AS kind",
        };
        let sql = format!(
            "WITH wanted AS ({WANTED}) SELECT {keys}, NULL::uuid AS product_id, {COUNTS} FROM wanted
             GROUP BY 1, 2 ORDER BY received DESC, 1, 2 LIMIT {MOST_LINES} + 1"
        );
        let (groups, more) = self.complaint_counts(&sql, wanted).await?;
        let times = by_group(self.complaint_times(wanted).await?, of);
        let none = ComplaintTimes::default();
        let row = |(group, counts): (ComplaintGroup, ComplaintCounts)| {
            ComplaintsRow::of(group, counts, times.get(&group).unwrap_or(&none))
        };
        Ok((groups.into_iter().map(row).collect(), more))
    }

    /// The same kind of complaints about the same product, a line for each dealer; what is complained about most stands at
    /// the front; at most [`MOST_LINES`], and whether there are more.
    ///
    /// # Errors
    ///
    /// `report_too_large`; [`Failure`] when the database fails.
    pub async fn complaints_comparison(
        &self,
        wanted: &ReportWanted,
    ) -> Result<(Vec<ComparisonRow>, bool), Failure> {
        let sql = format!(
            "WITH wanted AS ({WANTED}) SELECT kind, product_id, dealer_id, {COUNTS} FROM wanted
             GROUP BY 1, 2, 3
             ORDER BY sum(count(*)) OVER (PARTITION BY kind, product_id) DESC, 1, 2, received DESC, 3
             LIMIT {MOST_LINES} + 1"
        );
        let (groups, more) = self.complaint_counts(&sql, wanted).await?;
        let found = self.complaint_times(wanted).await?;
        let anywhere = |group: ComplaintGroup| ComplaintGroup { dealer_id: None, ..group };
        let all = by_group(found.clone(), anywhere);
        let times = by_group(found, |group| group);
        let median = |times: &BTreeMap<_, ComplaintTimes>, group| {
            times.get(&group).and_then(ComplaintTimes::median)
        };
        let row = |(group, counts): (ComplaintGroup, ComplaintCounts)| {
            Some(ComparisonRow {
                kind: group.kind?,
                product_id: group.product_id,
                dealer_id: group.dealer_id,
                received: counts.received,
                resolved: counts.resolved,
                amicable: counts.amicable,
                reopened: counts.reopened,
                resolution_median_seconds: median(&times, group),
                all_median_seconds: median(&all, anywhere(group)),
            })
        };
        Ok((groups.into_iter().filter_map(row).collect(), more))
    }

    /// What is complained about again and again, by kind, product and cause, the most at the front; at most [`MOST_LINES`], and
    /// whether there is more.
    ///
    /// # Errors
    ///
    /// [`Fault`] when the database fails.
    pub async fn complaint_repeats(
        &self,
        wanted: &ReportWanted,
    ) -> Result<(Vec<RepeatRow>, bool), Fault> {
        let sql = format!(
            "WITH wanted AS ({WANTED}),
                  things AS (SELECT kind, product_id, cause_code, count(*) AS times FROM wanted
                             WHERE asset_id IS NOT NULL GROUP BY kind, product_id, cause_code, asset_id),
                  repeated AS (SELECT kind, product_id, cause_code, count(*) AS things,
                                      count(*) FILTER (WHERE times > 1) AS things_repeated
                               FROM things GROUP BY 1, 2, 3)
             SELECT w.kind, w.product_id, w.cause_code, count(*)::integer AS complaints,
                 (count(*) FILTER (WHERE coalesce((w.decision ->> 'confirmed_defect')::boolean, false) OR EXISTS (
                      SELECT FROM resolution r WHERE r.tenant_id = ac.tenant() AND r.complaint_id = w.id
                        AND (r.decision ->> 'confirmed_defect')::boolean)))::integer AS confirmed_defects,
                 coalesce(max(r.things), 0)::integer AS things,
                 coalesce(max(r.things_repeated), 0)::integer AS things_repeated
             FROM wanted w
             LEFT JOIN repeated r ON r.kind = w.kind AND r.product_id IS NOT DISTINCT FROM w.product_id
                                 AND r.cause_code IS NOT DISTINCT FROM w.cause_code
             GROUP BY 1, 2, 3 ORDER BY complaints DESC, 1, 2, 3 LIMIT {MOST_LINES} + 1"
        );
        let rows = self.report(&sql, wanted).await?;
        let line = |row: &QueryResult| {
            Ok(RepeatRow {
                kind: row.try_get::<Col<ComplaintKind>>("", "kind")?.0,
                product_id: row.try_get::<Option<Uuid>>("", "product_id")?.map(Into::into),
                cause_code: row.try_get::<Col<Option<Code>>>("", "cause_code")?.0,
                complaints: counted(row, "complaints")?,
                confirmed_defects: counted(row, "confirmed_defects")?,
                things: counted(row, "things")?,
                things_repeated: counted(row, "things_repeated")?,
            })
        };
        Ok(cut(rows.iter().map(line).collect::<Result<_, DbErr>>()?))
    }

    async fn complaint_counts(
        &self,
        sql: &str,
        wanted: &ReportWanted,
    ) -> Result<(Vec<(ComplaintGroup, ComplaintCounts)>, bool), Fault> {
        let rows = self.report(sql, wanted).await?;
        let line = |row: &QueryResult| {
            let counts = ComplaintCounts {
                received: counted(row, "received")?,
                first_answers: counted(row, "first_answers")?,
                first_answers_kept: counted(row, "first_answers_kept")?,
                resolved: counted(row, "resolved")?,
                amicable: counted(row, "amicable")?,
                reopened: counted(row, "reopened")?,
            };
            Ok((group_in(row)?, counts))
        };
        Ok(cut(rows.iter().map(line).collect::<Result<_, DbErr>>()?))
    }

    /// How many seconds of working time it took until the first resolution, for each complaint that had one: as its clock
    /// has counted, which leaves waits for the customer out where its target does; and by the calendar of its dealer where
    /// it has none.
    async fn complaint_times(
        &self,
        wanted: &ReportWanted,
    ) -> Result<Vec<(ComplaintGroup, i64)>, Failure> {
        let clock = |name: &str, metric: &str| {
            format!(
                "LEFT JOIN sla_clock {name} ON {name}.tenant_id = ac.tenant() AND {name}.complaint_id = w.id
                     AND {name}.metric = '{metric}' AND ({name}.target ->> 'working_time')::boolean"
            )
        };
        let (first, total) = (clock("f", "first_resolution"), clock("t", "total_resolution"));
        let sql = format!(
            "WITH wanted AS ({WANTED})
             SELECT w.dealer_id, w.kind, w.product_id, w.created_at, w.resolved_at,
                    coalesce(f.elapsed_seconds, CASE WHEN w.resolution_no = 1 THEN t.elapsed_seconds END) AS seconds
             FROM wanted w {first} {total} WHERE w.resolved_at IS NOT NULL LIMIT {MOST_TIMED} + 1"
        );
        let rows = self.report(&sql, wanted).await?;
        check_timed(rows.len())?;
        let mut calendars: BTreeMap<Option<DealerId>, WorkingCalendar> = BTreeMap::new();
        let mut times = Vec::with_capacity(rows.len());
        for row in &rows {
            let group = group_in(row)?;
            if let Some(seconds) = row.try_get::<Option<i64>>("", "seconds")? {
                times.push((group, seconds));
                continue;
            }
            let calendar = match calendars.entry(group.dealer_id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(self.calendar_of(group.dealer_id).await?),
            };
            let at = |name: &str| row.try_get::<chrono::DateTime<chrono::Utc>>("", name);
            let (from, to) = (at("created_at")?.into(), at("resolved_at")?.into());
            times.push((group, calendar.seconds_between(from, to)));
        }
        Ok(times)
    }

    async fn report(&self, sql: &str, wanted: &ReportWanted) -> Result<Vec<QueryResult>, Fault> {
        let ReportWanted { span, dealer_id, kind, product_id } = wanted;
        let values: [Value; 5] = [
            chrono::DateTime::from(span.start).into(),
            chrono::DateTime::from(span.end).into(),
            dealer_id.map(Uuid::from).into(),
            kind.as_ref().map(word).into(),
            product_id.map(Uuid::from).into(),
        ];
        Ok(self.work().query_all_raw(self.statement(sql, values)).await?)
    }
}

fn by_group(
    found: Vec<(ComplaintGroup, i64)>,
    of: impl Fn(ComplaintGroup) -> ComplaintGroup,
) -> BTreeMap<ComplaintGroup, ComplaintTimes> {
    let mut seconds: BTreeMap<ComplaintGroup, Vec<i64>> = BTreeMap::new();
    for (group, one) in found {
        seconds.entry(of(group)).or_default().push(one);
    }
    seconds.into_iter().map(|(group, all)| (group, ComplaintTimes::of(all))).collect()
}

fn group_in(row: &QueryResult) -> Result<ComplaintGroup, DbErr> {
    Ok(ComplaintGroup {
        dealer_id: row.try_get::<Option<Uuid>>("", "dealer_id")?.map(Into::into),
        kind: row.try_get::<Col<Option<ComplaintKind>>>("", "kind")?.0,
        product_id: row.try_get::<Option<Uuid>>("", "product_id")?.map(Into::into),
    })
}

fn counted(row: &QueryResult, name: &str) -> Result<u32, DbErr> {
    Ok(u32::try_from(row.try_get::<i32>("", name)?).unwrap_or_default())
}

/// What is shown of lines, and whether there are more.
fn cut<T>(mut lines: Vec<T>) -> (Vec<T>, bool) {
    let more = lines.len() > MOST_LINES;
    lines.truncate(MOST_LINES);
    (lines, more)
}
