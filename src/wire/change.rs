//! Changes of tokens that exist: `edit`, `disable`, `enable`, `rotate`.

use super::{Ambiguous, Created, Instant, Token};
use crate::domain::pat::Pat;
use crate::domain::token::mask;
use serde::Serialize;
use serde_json::Value;

/// What an edit changed: each field with what it was and what it became. The audit row keeps it as
/// text, with no secret in it.
#[derive(Serialize, Debug, Default)]
pub struct Changes<'a> {
    /// What its holder calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<[&'a str; 2]>,
    /// When it ends; null: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<[Option<Instant>; 2]>,
    /// What it may do, line by line; null: everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restrictions: Option<[Option<Vec<String>>; 2]>,
    /// How it may be presented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<[&'static str; 2]>,
    /// A remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<[Option<&'a str>; 2]>,
    /// Also accepted as the user name of Basic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<[Option<&'a str>; 2]>,
    /// Where mails about it go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_to: Option<[Option<&'a str>; 2]>,
}

/// A token, and its lines where it is restricted.
type Version<'a> = (&'a Pat, Option<&'a [String]>);

impl<'a> Changes<'a> {
    /// The fields in which two versions of a token differ.
    #[must_use]
    pub fn between(before: Version<'a>, after: Version<'a>) -> Self {
        fn pair<T: PartialEq>(before: T, after: T) -> Option<[T; 2]> {
            (before != after).then_some([before, after])
        }
        let ((old, old_rules), (new, new_rules)) = (before, after);
        // A line may hold what looks like a token, as a parameter; the log outlives the token.
        let masked = |rules: Option<&[String]>| rules.map(|rules| rules.iter().map(|r| mask(r)).collect());
        Self {
            name: pair(&*old.name, &*new.name),
            expires_at: pair(old.life.expires_at, new.life.expires_at)
                .map(|pair| pair.map(|at| at.map(Instant))),
            restrictions: pair(old_rules, new_rules).map(|pair| pair.map(masked)),
            auth: pair(old.auth.as_str(), new.auth.as_str()),
            note: pair(old.note.as_deref(), new.note.as_deref()),
            email: pair(old.email.as_deref(), new.email.as_deref()),
            notify_to: pair(old.notify_to.as_deref(), new.notify_to.as_deref()),
        }
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { name, expires_at, restrictions, auth, note, email, notify_to } = self;
        name.is_none()
            && expires_at.is_none()
            && restrictions.is_none()
            && auth.is_none()
            && [note, email, notify_to].iter().all(|pair| pair.is_none())
    }

    /// The object as text, for the audit row.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.as_value().to_string()
    }

    /// Each field with what it was and what it became, for people.
    #[must_use]
    pub fn told(&self) -> Vec<(String, String, String)> {
        told(&self.as_value())
    }

    fn as_value(&self) -> Value {
        // Texts and nothing else: this cannot fail.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// What [`Changes::to_text`] says, each field with what it was and what it became; `None` for a text of
/// somebody else.
#[must_use]
pub fn read_back(text: &str) -> Option<Vec<(String, String, String)>> {
    serde_json::from_str(text).ok().map(|value| told(&value)).filter(|told| !told.is_empty())
}

fn told(changes: &Value) -> Vec<(String, String, String)> {
    let Value::Object(fields) = changes else { return Vec::new() };
    let told = |pair: &Value, index| pair.get(index).map_or_else(String::new, plain);
    fields.iter().map(|(field, pair)| (field.clone(), told(pair, 0), told(pair, 1))).collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().map(plain).collect::<Vec<_>>().join("  "),
        other => other.to_string(),
    }
}

/// What `edit -o json` prints.
#[derive(Serialize, Debug)]
pub struct Edited<'a> {
    /// Whether this is only what would happen.
    pub dry_run: bool,
    /// What was changed; empty: nothing.
    pub changes: Changes<'a>,
    /// The token as it is now.
    #[serde(flatten)]
    pub token: Token<'a>,
    /// What it may do, line by line; empty where it is not restricted.
    pub restrictions: &'a [String],
}

/// What `disable -o json` and `enable -o json` print; the fields of the other one are absent.
#[derive(Serialize, Debug, Default)]
pub struct Powered<'a> {
    /// Whether this is only what would happen.
    pub dry_run: bool,
    /// Switched off by this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Vec<Token<'a>>>,
    /// Off before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub already_disabled: Option<Vec<Token<'a>>>,
    /// Switched on by this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<Vec<Token<'a>>>,
    /// On before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub already_enabled: Option<Vec<Token<'a>>>,
    /// Revoked for good, so that there is nothing to switch.
    pub revoked: Vec<Token<'a>>,
    /// Ids that no token has.
    pub unknown: Vec<&'a str>,
    /// Ids that several tokens could be.
    pub ambiguous: Vec<Ambiguous<'a>>,
    /// Of 'disable': tokens that still work because only the other token of their rotation was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub still_valid: Option<Vec<super::Twin<'a>>>,
}

/// What `rotate -o json` prints: the successor as `create` prints a token, and whose place it takes.
#[derive(Serialize)]
pub struct Rotated<'a> {
    /// The new token, and its secret; null in each field that only a deed can fill.
    #[serde(flatten)]
    pub created: NewToken<'a>,
    /// Whether this is only what would happen.
    pub dry_run: bool,
    /// The id of the token whose place it takes.
    pub predecessor: &'a str,
    /// When that one stops, at the latest.
    pub predecessor_ends_at: Instant,
    /// Whether the first use of the new one stops it earlier.
    pub until_first_use: bool,
}

/// The token that a rotation makes, or would make.
#[derive(Serialize)]
#[serde(untagged)]
pub enum NewToken<'a> {
    /// It was made.
    Made(Created<'a>),
    /// It would be made.
    Planned(Planned<'a>),
}

/// [`Created`] before there is anything secret, or any id.
#[derive(Serialize)]
pub struct Planned<'a> {
    /// Null.
    pub id: Option<&'a str>,
    /// Null.
    pub token: Option<&'a str>,
    /// What its holder calls it.
    pub name: &'a str,
    /// Whose it is; null: anybody's.
    pub user: Option<&'a str>,
    /// How it may be presented.
    pub auth: &'static str,
    /// When it would be issued.
    pub created_at: Instant,
    /// When it would end; null: never.
    pub expires_at: Option<Instant>,
}

/// What `rotate --undo -o json` prints.
#[derive(Serialize, Debug)]
pub struct Undone<'a> {
    /// Whether this is only what would happen.
    pub dry_run: bool,
    /// The token that goes on.
    pub reinstated: Token<'a>,
    /// The successor that was revoked; null where it was pruned before.
    pub revoked: Option<Token<'a>>,
}
