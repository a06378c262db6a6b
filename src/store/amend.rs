//! What changes a token that exists: its fields, its switch, and which token takes its place.

use super::contract::Result;
use crate::domain::moment::Moment;
use crate::domain::pat::AuthMethods;
use crate::domain::token::TokenId;

/// The fields of a token as an edit leaves them.
#[derive(Clone, Copy, Debug)]
pub struct Amended<'a> {
    /// What its holder calls it.
    pub name: &'a str,
    /// Also accepted as the user name of Basic.
    pub email: Option<&'a str>,
    /// How it may be presented.
    pub auth: AuthMethods,
    /// When it ends; `None` is never.
    pub expires_at: Option<Moment>,
    /// A remark.
    pub note: Option<&'a str>,
    /// Where mails about it go.
    pub notify_to: Option<&'a str>,
    /// What it may do, line by line; `None`: everything.
    pub rules: Option<&'a [String]>,
    /// Whether the mails about its end have to be sent anew, because it has another end.
    pub forgets_mails: bool,
}

/// Who takes whose place, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Succession {
    /// Whose place is taken.
    pub old: TokenId,
    /// Who takes it.
    pub new: TokenId,
    /// From when the old one stops, at the latest.
    pub at: Moment,
    /// Whether the first use of the new one stops the old one earlier.
    pub on_first_use: bool,
}

/// The part of a transaction that changes tokens which exist. Each change lets `version` grow, so that
/// whoever decided on the row as it was decides again; a mere use does not.
pub trait Amend {
    /// Switches a token off; false when it was off already, was revoked, or is not there.
    ///
    /// # Errors
    /// [`crate::store::StoreError`], as for every call here.
    fn disable(&mut self, id: TokenId, at: Moment) -> Result<bool>;

    /// Switches a token on again; false when it was not off, was revoked, or is not there.
    ///
    /// # Errors
    /// [`crate::store::StoreError`]
    fn enable(&mut self, id: TokenId) -> Result<bool>;

    /// Gives a token other fields and other lines; false when it is not there.
    ///
    /// # Errors
    /// [`crate::store::StoreError`]
    fn amend(&mut self, id: TokenId, to: &Amended<'_>) -> Result<bool>;

    /// Links two tokens; false when the old one has a successor already, was revoked, or either is not
    /// there.
    ///
    /// # Errors
    /// [`crate::store::StoreError`]
    fn succeed(&mut self, succession: &Succession) -> Result<bool>;

    /// Undoes [`Amend::succeed`] for the old one, while `at` lies before the switch; false otherwise.
    ///
    /// # Errors
    /// [`crate::store::StoreError`]
    fn reinstate(&mut self, old: TokenId, new: TokenId, at: Moment) -> Result<bool>;

    /// The first use of `new` at `at`: ends its predecessor, unless that ended before, and is not asked
    /// again. Answers the predecessor if this ended it.
    ///
    /// # Errors
    /// [`crate::store::StoreError`]
    fn switch(&mut self, new: TokenId, at: Moment) -> Result<Option<TokenId>>;

    /// Notes that a token was presented although its successor had taken its place.
    ///
    /// # Errors
    /// [`crate::store::StoreError`]
    fn reused(&mut self, id: TokenId, at: Moment) -> Result<()>;
}
