//! Rows as values of the domain, and values as rows. A row that cannot be read is an error, not a
//! guess.

use super::{Result, failed};
use crate::domain::audit::Record;
use crate::domain::cache::Proved;
use crate::domain::moment::Moment;
use crate::domain::pat::{Life, Pat};
use crate::domain::verifier::Verifier;
use crate::store::{StoreError, Stored};
use rusqlite::Row;
use rusqlite::types::ValueRef;

/// The columns of [`pat`], in its order.
pub const PAT: &str = "id, name, user, email, auth, created_at, expires_at, revoked_at, disabled_at, \
                       last_used_at, revoke_reason, restricted, secure, note, notify_to, version, \
                       rotated_at, successor, predecessor, ends_predecessor, reused_at, notified, issued_by, \
                       last_used_from";
/// How many they are: the index of what a query selects behind them.
pub const PAT_WIDTH: usize = 24;

/// A row of [`PAT`].
pub fn pat(row: &Row<'_>) -> Result<Pat> {
    let owned = |index, column| Ok(optional(row, index, column)?.map(str::to_owned));
    Ok(Pat {
        id: parsed(row, 0, "id")?,
        name: text(row, 1, "name")?.to_owned(),
        user: owned(2, "user")?,
        email: owned(3, "email")?,
        auth: parsed(row, 4, "auth")?,
        life: Life {
            created_at: parsed(row, 5, "created_at")?,
            expires_at: moment(row, 6, "expires_at")?,
            revoked_at: moment(row, 7, "revoked_at")?,
            disabled_at: moment(row, 8, "disabled_at")?,
            rotated_at: moment(row, 16, "rotated_at")?,
            last_used_at: moment(row, 9, "last_used_at")?,
        },
        revoke_reason: owned(10, "revoke_reason")?,
        restricted: integer(row, 11, "restricted")? != 0,
        secure: integer(row, 12, "secure")? != 0,
        note: owned(13, "note")?,
        notify_to: owned(14, "notify_to")?,
        version: integer(row, 15, "version")?,
        successor: maybe(row, 17, "successor")?,
        predecessor: maybe(row, 18, "predecessor")?,
        ends_predecessor: integer(row, 19, "ends_predecessor")? != 0,
        reused_at: moment(row, 20, "reused_at")?,
        notified: parsed(row, 21, "notified")?,
        damaged: false,
        issued_by: owned(22, "issued_by")?,
        last_used_from: owned(23, "last_used_from")?,
    })
}

/// The columns of [`life`], in its order.
pub const LIFE: &str = "created_at, expires_at, revoked_at, disabled_at, rotated_at, last_used_at";
/// How many they are: the index of what a query selects behind them.
pub const LIFE_WIDTH: usize = 6;

/// A row of [`LIFE`].
pub fn life(row: &Row<'_>) -> Result<Life> {
    Ok(Life {
        created_at: parsed(row, 0, "created_at")?,
        expires_at: moment(row, 1, "expires_at")?,
        revoked_at: moment(row, 2, "revoked_at")?,
        disabled_at: moment(row, 3, "disabled_at")?,
        rotated_at: moment(row, 4, "rotated_at")?,
        last_used_at: moment(row, 5, "last_used_at")?,
    })
}

/// A row of [`PAT`] and the verifier behind it.
pub fn stored(row: &Row<'_>) -> Result<Stored> {
    let verifier = Verifier::parse(text(row, PAT_WIDTH, "verifier")?);
    Ok(Stored { pat: pat(row)?, verifier, proved: proved(row)? })
}

/// What the auth cache holds for the token. Of what cannot be read nothing is believed.
fn proved(row: &Row<'_>) -> Result<Option<Proved>> {
    let (digest, at) = (value(row, PAT_WIDTH + 1)?, value(row, PAT_WIDTH + 2)?);
    let digest = digest.as_blob().ok().and_then(|digest| digest.try_into().ok());
    let at = at.as_str().ok().and_then(|at| at.parse().ok());
    Ok(digest.zip(at).map(|(digest, at)| Proved { digest, at }))
}

/// The columns of [`record`], in its order.
pub const RECORD: &str = "seq, at, actor, actor_uid, login_uid, action, token_id, user, effective_user, \
                          outcome, reason, method, url, detail, changes, version, hash, actor_kind, client, \
                          request_id, node";

/// A row of [`RECORD`].
pub fn record(row: &Row<'_>) -> Result<Record> {
    let owned = |index, column| Ok(optional(row, index, column)?.map(str::to_owned));
    Ok(Record {
        seq: integer(row, 0, "seq")?,
        at: parsed(row, 1, "at")?,
        actor: text(row, 2, "actor")?.to_owned(),
        actor_uid: number(row, 3, "actor_uid")?,
        login_uid: value(row, 4)?.as_i64_or_null().map_err(|_| damaged("login_uid"))?,
        action: text(row, 5, "action")?.to_owned(),
        token_id: text(row, 6, "token_id")?.to_owned(),
        user: owned(7, "user")?,
        effective_user: owned(8, "effective_user")?,
        outcome: text(row, 9, "outcome")?.to_owned(),
        reason: owned(10, "reason")?,
        method: owned(11, "method")?,
        url: owned(12, "url")?,
        detail: owned(13, "detail")?,
        changes: owned(14, "changes")?,
        version: number(row, 15, "version")?,
        hash: owned(16, "hash")?,
        actor_kind: owned(17, "actor_kind")?,
        client: owned(18, "client")?,
        request_id: owned(19, "request_id")?,
        node: owned(20, "node")?,
    })
}

fn damaged(column: &str) -> StoreError {
    StoreError::BadRow(format!("a value in column '{column}' cannot be read"))
}

fn value<'r>(row: &'r Row<'_>, index: usize) -> Result<ValueRef<'r>> {
    row.get_ref(index).map_err(failed)
}

/// A text that must be there.
pub fn text<'r>(row: &'r Row<'_>, index: usize, column: &str) -> Result<&'r str> {
    value(row, index)?.as_str().map_err(|_| damaged(column))
}

/// A text that may be NULL.
pub fn optional<'r>(row: &'r Row<'_>, index: usize, column: &str) -> Result<Option<&'r str>> {
    value(row, index)?.as_str_or_null().map_err(|_| damaged(column))
}

/// Bytes that must be there.
pub fn bytes(row: &Row<'_>, index: usize, column: &str) -> Result<Vec<u8>> {
    value(row, index)?.as_blob().map(<[u8]>::to_vec).map_err(|_| damaged(column))
}

/// A whole number.
pub fn integer(row: &Row<'_>, index: usize, column: &str) -> Result<i64> {
    value(row, index)?.as_i64().map_err(|_| damaged(column))
}

/// A whole number that may be NULL.
pub fn number(row: &Row<'_>, index: usize, column: &str) -> Result<Option<i64>> {
    value(row, index)?.as_i64_or_null().map_err(|_| damaged(column))
}

/// A text that must be there and be of a type.
pub fn parsed<T: std::str::FromStr>(row: &Row<'_>, index: usize, column: &str) -> Result<T> {
    text(row, index, column)?.parse().map_err(|_| damaged(column))
}

/// A text that may be NULL, and otherwise must be of a type.
pub fn maybe<T: std::str::FromStr>(row: &Row<'_>, index: usize, column: &str) -> Result<Option<T>> {
    optional(row, index, column)?.map(|t| t.parse().map_err(|_| damaged(column))).transpose()
}

fn moment(row: &Row<'_>, index: usize, column: &str) -> Result<Option<Moment>> {
    maybe(row, index, column)
}
