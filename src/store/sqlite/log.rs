//! The audit log: appending to its chain, reading it, and cutting it at its beginning.

use super::integrity::Seals;
use super::query::Build;
use super::reads::{collect, each_row, execute};
use super::rows::{self, RECORD};
use super::{Result, failed, head};
use crate::domain::audit::{Action, Entry, MANY, Outcome, Record, Selection};
use crate::domain::chain::{self, COLUMNS, Head, Link, Row, Values};
use crate::domain::frame::Value;
use crate::domain::moment::{Moment, MomentText};
use crate::store::StoreError;
use crate::store::log::{Cut, EachPiece, Outdated, Page, Piece};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params, params_from_iter};
use std::ops::ControlFlow;
use std::sync::LazyLock;

/// So many rows are written by one statement, where there are many: what a statement costs beside its rows is
/// more than a row.
pub const TOGETHER: usize = 16;

/// The version that a token has after the change of it that an entry is about.
pub fn version(db: &Connection, entry: &Entry<'_>) -> Result<Option<i64>> {
    if entry.outcome != Outcome::Done || entry.token_id == MANY {
        return Ok(None);
    }
    match entry.action {
        // What is added begins with the first.
        Action::Create | Action::Import => Ok(Some(1)),
        Action::Edit
        | Action::Disable
        | Action::Enable
        | Action::Rotate
        | Action::UndoRotate
        | Action::Switch
        | Action::Revoke => {
            let sql = "SELECT version FROM token WHERE id = ?1";
            Ok(collect(db, sql, [entry.token_id], |row| rows::integer(row, 0, "version"))?.pop())
        }
        _ => Ok(None),
    }
}

/// Writes entries behind a head, which takes note of them and is written by the caller.
pub fn append(db: &Connection, head: &mut Head, entries: &[Entry<'_>]) -> Result<()> {
    let (many, few) = entries.as_chunks::<TOGETHER>();
    many.iter().try_for_each(|entries| append_some(db, head, entries))?;
    few.iter().try_for_each(|entry| append_some(db, head, std::slice::from_ref(entry)))
}

/// Writes one entry, or [`TOGETHER`].
fn append_some(db: &Connection, head: &mut Head, entries: &[Entry<'_>]) -> Result<()> {
    let full = || StoreError::Damaged("the audit log has no number left".to_owned());
    let times: Vec<MomentText> = entries.iter().map(|entry| entry.at.text()).collect();
    let first = head.last.seq.saturating_add(1);
    let mut rows = Vec::with_capacity(entries.len());
    for (entry, at) in entries.iter().zip(&times) {
        let seq = head.last.seq.checked_add(1).ok_or_else(full)?;
        let values = chain::values(entry, seq, at);
        head.last = Link { seq, hash: chain::hash(&head.last.hash, &values) };
        head.pass(entry);
        rows.push((values, head.last.hash.clone()));
    }
    let mut bound: Vec<&dyn ToSql> = Vec::with_capacity(rows.len() * (COLUMNS.len() + 1));
    for (values, hash) in &rows {
        bound.extend(values.iter().map(|value| value as &dyn ToSql));
        bound.push(hash);
    }
    let written = execute(db, if rows.len() == 1 { &APPEND } else { &APPEND_TOGETHER }, &bound);
    written.map(|_| ()).map_err(|error| strange_row(db, first, error))
}

/// Where a row could not be written because there is one of its number, or behind it: what it is.
fn strange_row(db: &Connection, first: i64, error: StoreError) -> StoreError {
    let sql = "SELECT seq FROM audit WHERE seq >= ?1 ORDER BY seq LIMIT 1";
    let there = collect(db, sql, [first], |row| rows::integer(row, 0, "seq")).unwrap_or_default();
    match (error, there.first()) {
        (StoreError::Damaged(_), Some(seq)) => StoreError::Damaged(format!(
            "row {seq} of the audit log was not written by patctl, and stands where the next row belongs; 'patctl \
             doctor' says what to do"
        )),
        (error, _) => error,
    }
}

/// Writes a row of [`COLUMNS`] and its hash.
static APPEND: LazyLock<String> = LazyLock::new(|| insertion(1));
static APPEND_TOGETHER: LazyLock<String> = LazyLock::new(|| insertion(TOGETHER));

fn insertion(rows: usize) -> String {
    let row = format!("({})", vec!["?"; COLUMNS.len() + 1].join(", "));
    format!("INSERT INTO audit ({}, hash) VALUES {}", COLUMNS.join(", "), vec![row; rows].join(", "))
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text),
        }))
    }
}

/// A row of `seq, hash`.
fn link(row: &rusqlite::Row<'_>) -> Result<Link> {
    let hash = rows::optional(row, 1, "hash")?.unwrap_or_default().to_owned();
    Ok(Link { seq: rows::integer(row, 0, "seq")?, hash })
}

pub fn chain(db: &Connection, seals: &Seals, each: EachPiece<'_>) -> Result<()> {
    // Head and rows must be of one instant; dropped, it ends.
    let _instant = db.unchecked_transaction().map_err(failed)?;
    if each(&Piece::Head(head::read(db, seals)?)).is_break() {
        return Ok(());
    }
    let sql = format!("SELECT {}, hash FROM audit ORDER BY seq", COLUMNS.join(", "));
    each_row(db, &sql, [], |row| Ok(each(&Piece::Row(&raw(row)?))))
}

/// A row of [`COLUMNS`] and the hash, as it is stored: whatever it holds is no reason to look away.
fn raw<'r>(row: &'r rusqlite::Row<'_>) -> Result<Row<'r>> {
    let mut values: Values<'r> = [const { Value::Null }; COLUMNS.len()];
    for (index, value) in values.iter_mut().enumerate() {
        *value = match row.get_ref(index).map_err(failed)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Text(text) | ValueRef::Blob(text) => Value::Text(text.into()),
            ValueRef::Real(_) => return Err(StoreError::Damaged("a row holds a fraction".to_owned())),
        };
    }
    let hash = match row.get_ref(COLUMNS.len()).map_err(failed)? {
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text)),
        _ => None,
    };
    Ok(Row { seq: rows::integer(row, 0, "seq")?, values, hash })
}

/// Gives every row its hash: for a database whose log had none.
pub fn fill(db: &Connection) -> Result<()> {
    const STEP: u32 = 1000;
    let columns = COLUMNS.join(", ");
    let sql = format!("SELECT {columns}, NULL FROM audit WHERE seq > ?1 ORDER BY seq LIMIT {STEP}");
    let (mut last, mut after) = (Link::start(), i64::MIN);
    loop {
        let rows = collect(db, &sql, [after], |row| Ok(raw(row)?.to_owned()))?;
        for row in &rows {
            last = Link { seq: row.seq, hash: chain::hash(&last.hash, &row.values) };
            execute(db, "UPDATE audit SET hash = ?2 WHERE seq = ?1", params![last.seq, last.hash])?;
        }
        match rows.last() {
            Some(row) => after = row.seq,
            None => return Ok(()),
        }
    }
}

pub fn records(db: &Connection, page: &Page<'_>) -> Result<Vec<Record>> {
    let mut build = select(page.selection);
    let (beyond, direction) = if page.newest_first { ('<', "DESC") } else { ('>', "ASC") };
    if let Some(seq) = page.beyond {
        build.all_of(format!("seq {beyond} {seq}"));
    }
    let sql = format!(
        "SELECT {RECORD} FROM audit WHERE {} ORDER BY seq {direction} LIMIT {}",
        build.condition(),
        page.limit
    );
    collect(db, &sql, params_from_iter(build.values), rows::record)
}

pub fn first_of(db: &Connection, selection: &Selection, most: u64) -> Result<Option<i64>> {
    let build = select(selection);
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let sql = format!(
        "SELECT min(seq) FROM (SELECT seq FROM audit WHERE {} ORDER BY seq DESC LIMIT {most})",
        build.condition()
    );
    let found = collect(db, &sql, params_from_iter(build.values), |row| {
        Ok(row.get_ref(0).map_err(failed)?.as_i64_or_null().unwrap_or(None))
    })?;
    Ok(found.into_iter().flatten().next())
}

/// A selection as SQL.
fn select(selection: &Selection) -> Build {
    let mut build = Build::default();
    if let Some(prefix) = &selection.token {
        // '{' follows 'z' in ASCII.
        let prefix = build.bind(prefix.as_str());
        build.all_of(format!("token_id >= {prefix} AND token_id < {prefix} || '{{'"));
    }
    let owned = |values: &[String]| values.to_vec();
    let actions = selection.actions.iter().map(|action| action.as_str().to_owned()).collect();
    for (column, values) in
        [("actor", owned(&selection.actors)), ("action", actions), ("outcome", owned(&selection.outcomes))]
    {
        build.one_of(&[column], &values);
    }
    build.one_of(&["user", "effective_user"], &selection.users);
    let clients: Vec<String> = selection.clients.iter().map(ToString::to_string).collect();
    build.one_of(&["client"], &clients);
    if !selection.reasons.is_empty() {
        let like = |glob: &crate::domain::filter::Glob| format!("reason GLOB {}", build.bind(glob.as_str()));
        let likes: Vec<String> = selection.reasons.iter().map(like).collect();
        build.all_of(format!("({})", likes.join(" OR ")));
    }
    build.range("at", selection.at);
    build
}

pub fn since_change(db: &Connection, each: &mut dyn FnMut(Moment)) -> Result<()> {
    let sql = "SELECT at FROM audit WHERE seq >= coalesce((SELECT seq FROM audit WHERE outcome = 'done' \
               AND action NOT IN ('notify', 'switch') ORDER BY seq DESC LIMIT 1), 0) ORDER BY seq";
    each_row(db, sql, [], |row| {
        each(rows::parsed(row, 0, "at")?);
        Ok(ControlFlow::Continue(()))
    })
}

pub fn outdated(db: &Connection, before: Moment, now: Moment) -> Result<Option<Outdated>> {
    let sql = "SELECT count(*), coalesce(max(seq), 0) FROM audit WHERE seq <= \
               (SELECT seq FROM audit WHERE at < ?1 AND seq < coalesce( \
               (SELECT seq FROM audit WHERE at >= ?1 AND at <= ?2 ORDER BY seq LIMIT 1), \
               9223372036854775807) ORDER BY seq DESC LIMIT 1)";
    let found = collect(db, sql, params![before.to_string(), now.to_string()], |row| {
        let count = rows::integer(row, 0, "count")?.unsigned_abs();
        Ok(Outdated { upto: rows::integer(row, 1, "seq")?, count })
    })?;
    Ok(found.into_iter().find(|outdated| outdated.count > 0))
}

pub fn trim(db: &Connection, head: &mut Head, (upto, most): (i64, u32), now: Moment) -> Result<Option<Cut>> {
    let sql = format!(
        "SELECT count(*), coalesce(max(seq), 0), max(at) FILTER (WHERE at <= ?2) FROM \
         (SELECT seq, at FROM audit WHERE seq <= ?1 ORDER BY seq LIMIT {most})"
    );
    let counted = |row: &rusqlite::Row<'_>| {
        let (count, seq) = (rows::integer(row, 0, "count")?.unsigned_abs(), rows::integer(row, 1, "seq")?);
        Ok((count, seq, rows::maybe::<Moment>(row, 2, "at")?))
    };
    let found = collect(db, &sql, params![upto, now.text().as_str()], counted)?.pop();
    let Some((count, seq, at)) = found.filter(|(count, ..)| *count > 0) else { return Ok(None) };
    let last = collect(db, "SELECT seq, hash FROM audit WHERE seq = ?1", [seq], link)?.pop();
    let Some(last) = last.filter(Link::is_whole) else {
        return Err(StoreError::Damaged(format!("row {seq} of the audit log has no hash")));
    };
    execute(db, "DELETE FROM audit WHERE seq <= ?1", params![seq])?;
    head.cut = last.clone();
    head.cut_at = head.cut_at.max(at);
    Ok(Some(Cut { count, last }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_the_log_is_part_of_its_hash() {
        let mut db = Connection::open_in_memory().expect("a database in memory");
        super::super::schema::migrate(&mut db).expect("the migrations run");
        let mut statement = db.prepare("SELECT name FROM pragma_table_info('audit')").expect("a statement");
        let names = statement.query_map([], |row| row.get(0)).expect("a query");
        let names: Vec<String> = names.collect::<rusqlite::Result<_>>().expect("names");
        let covered: Vec<&str> = COLUMNS.into_iter().chain(["hash"]).collect();
        let (mut names, mut covered) = (names, covered);
        names.sort();
        covered.sort_unstable();
        assert_eq!(names, covered);
    }
}
