//! Imports: the rows of a file, taken over a chunk at a time.
//!
//! Each chunk commits its records, its errors and the operation's progress together and then asks for
//! the next, so a worker that is lost repeats nothing and skips nothing.
//!
//! A chunk sees no more than whoever handed the file in. A dealer's file may name what another dealer has;
//! only a try shows it, and such a row is left out like any whose place is taken.

mod assets;
mod customers;
mod orders;
mod people;

use domain::{
    customers::Customer,
    ids::ImportId,
    imports::{Import, ImportKind, RowError, RowMistake, columns::Cells},
    operations::{Operation, Tally},
    pushes::{PushOutcome, Pushed},
    record::Record,
};
use std::collections::BTreeSet;
use store::{Failure, Tenant, table::Table};
use uuid::Uuid;

/// Takes over the rows of a file from `from_row` on, which is where a chunk begins.
pub(crate) async fn take_over(
    tenant: &Tenant,
    import: ImportId,
    from_row: u32,
) -> Result<(), Failure> {
    let import: Import = tenant.get(import).await?;
    // A chunk that is gone was taken over before.
    let Some(rows) = tenant.take_rows(import.id, from_row).await? else { return Ok(()) };
    let rows = (from_row.saturating_add(1)..).zip(rows).collect();
    let findings = match import.options.kind {
        ImportKind::Orders => orders::take_over(tenant, &import, rows).await?,
        ImportKind::Customers => customers::take_over(tenant, &import, rows).await?,
        ImportKind::Assets => assets::take_over(tenant, &import, rows).await?,
    };
    report(tenant, &import, from_row, findings).await
}

/// Tells the operation what came of a chunk.
async fn report(
    tenant: &Tenant,
    import: &Import,
    from_row: u32,
    findings: Findings,
) -> Result<(), Failure> {
    let Findings { tally, failed, mistakes } = findings;
    let error =
        |mistake| RowError { id: tenant.new_id(), mistake, operation_id: import.operation_id };
    let errors: Vec<_> = mistakes.into_iter().map(error).collect();
    tenant.add_all(&errors).await?;
    let operation: Operation = tenant.hold(import.operation_id).await?;
    let change = operation.advance(tally, failed, tenant.now())?;
    let change = match import.next_chunk(from_row, tenant.reach()) {
        Some(next) => change.emits(next),
        None => change,
    };
    tenant.record(change).await?;
    Ok(())
}

/// Decisions about rows, each with the number of its row.
type Decided<R> = Vec<(u32, Pushed<R>)>;

/// Which of these records have no place, because one that this import does not see has their key.
/// `before` are new customers that they refer to.
async fn without_place<T: Table>(
    tenant: &Tenant,
    before: &[Customer],
    records: impl Iterator<Item = (PushOutcome, T)>,
) -> Result<BTreeSet<Uuid>, Failure> {
    if tenant.reach().dealer.is_none() {
        return Ok(BTreeSet::new());
    }
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for (outcome, record) in records {
        match outcome {
            PushOutcome::Created => new.push(record),
            PushOutcome::Changed => changed.push(record),
            PushOutcome::Unchanged => {}
        }
    }
    Ok(tenant.without_place(before, &new, &changed).await?)
}

/// Rows with their numbers in the file, from 1.
type Numbered<T> = Vec<(u32, T)>;

/// What came of the rows of a chunk.
#[derive(Debug, Default)]
struct Findings {
    tally: Tally,
    failed: u32,
    mistakes: Vec<RowMistake>,
}

impl Findings {
    /// Reads rows; those that cannot be read are noted and left out.
    fn read<T>(
        &mut self,
        rows: Numbered<Cells>,
        read: impl Fn(u32, &Cells) -> Result<T, Vec<RowMistake>>,
    ) -> Numbered<T> {
        let mut readable = Vec::with_capacity(rows.len());
        for (number, cells) in rows {
            match read(number, &cells) {
                Ok(row) => readable.push((number, row)),
                Err(mistakes) => self.refuse(mistakes),
            }
        }
        readable
    }

    /// Counts a row that was taken over.
    fn count(&mut self, outcome: PushOutcome) {
        let one = match outcome {
            PushOutcome::Created => Tally { created: 1, ..Tally::default() },
            PushOutcome::Changed => Tally { changed: 1, ..Tally::default() },
            PushOutcome::Unchanged => Tally { unchanged: 1, ..Tally::default() },
        };
        self.tally = self.tally.plus(one);
    }

    /// Keeps the decisions that have a place; of the others, the row is left out.
    fn keep<R: Record>(
        &mut self,
        decided: Decided<R>,
        without_place: &BTreeSet<Uuid>,
        column: Option<&str>,
    ) -> Vec<Pushed<R>> {
        let mut kept = Vec::with_capacity(decided.len());
        for (number, pushed) in decided {
            if without_place.contains(&pushed.record().id().into()) {
                self.refuse(vec![RowMistake::taken(number, column)]);
            } else {
                self.count(pushed.outcome());
                kept.push(pushed);
            }
        }
        kept
    }

    /// Counts a row that was left out, with everything that is wrong with it.
    fn refuse(&mut self, mistakes: Vec<RowMistake>) {
        self.failed = self.failed.saturating_add(1);
        self.mistakes.extend(mistakes);
    }
}
