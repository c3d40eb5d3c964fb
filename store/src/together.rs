//! Several statements in one flight.

use sea_orm::{DbBackend, Statement, Value, Values};

/// One statement that does what several do that write, in one flight. All of them see the rows as they were before
/// any of them, and their references and triggers are checked at the end of all.
pub(crate) fn together(statements: Vec<Statement>) -> Statement {
    let (mut sql, mut values) = (String::new(), Vec::<Value>::new());
    let last = statements.len().saturating_sub(1);
    for (number, statement) in statements.into_iter().enumerate() {
        let moved = moved(&statement.sql, values.len());
        let piece = match number {
            _ if number == last => moved,
            0 => format!("WITH w{number} AS ({moved}) "),
            _ => format!(", w{number} AS ({moved}) "),
        };
        sql.push_str(&piece);
        values.extend(statement.values.into_iter().flat_map(|Values(values)| values));
    }
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// The same for an UPDATE that has to find so many rows, and what goes with it. Nothing can be committed any more when
/// it does not: [`Fault::Stale`](crate::Fault::Stale).
pub(crate) fn upon(rows: usize, mut update: Statement, others: Vec<Statement>) -> Statement {
    update.sql.push_str(" RETURNING 1");
    let found = "SELECT ac.expect(count(*), $1) FROM w0";
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let found = Statement::from_sql_and_values(DbBackend::Postgres, found, [rows.into()]);
    together([vec![update], others, vec![found]].concat())
}

/// The statement with its parameters numbered from `before` + 1 on. Ours have no `$` but those of parameters.
fn moved(sql: &str, before: usize) -> String {
    let mut parts = sql.split('$');
    let mut moved = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let (number, rest) = part.split_at(end);
        let number = number.parse::<usize>().unwrap_or_default().saturating_add(before);
        moved.push('$');
        moved.push_str(&number.to_string());
        moved.push_str(rest);
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
    }

    #[test]
    fn parameters_keep_their_values() {
        let one = statement("INSERT INTO a VALUES ($1, $2)", [1.into(), 2.into()]);
        let two =
            statement("INSERT INTO b VALUES ($2, $1) ON CONFLICT DO NOTHING", [3.into(), 4.into()]);
        let three = statement("INSERT INTO c VALUES ($1)", [5.into()]);
        let all = together(vec![one, two, three]);
        assert_eq!(
            all.sql,
            "WITH w0 AS (INSERT INTO a VALUES ($1, $2)) , w1 AS (INSERT INTO b VALUES ($4, $3) ON CONFLICT DO NOTHING) \
             INSERT INTO c VALUES ($5)"
        );
        let values = all.values.map(|Values(values)| values);
        assert_eq!(values, Some((1..=5).map(Value::from).collect()));
    }

    #[test]
    fn an_update_has_to_find_its_rows() {
        let update = statement("UPDATE a SET b = $1 WHERE c = $2", [1.into(), 2.into()]);
        let insert = statement("INSERT INTO d VALUES ($1)", [3.into()]);
        assert_eq!(
            upon(1, update, vec![insert]).sql,
            "WITH w0 AS (UPDATE a SET b = $1 WHERE c = $2 RETURNING 1) , w1 AS (INSERT INTO d VALUES ($3)) \
             SELECT ac.expect(count(*), $4) FROM w0"
        );
    }

    #[test]
    fn one_alone_stays_as_it_is() {
        let alone = together(vec![statement("INSERT INTO a VALUES ($1)", [1.into()])]);
        assert_eq!(alone.sql, "INSERT INTO a VALUES ($1)");
    }
}
