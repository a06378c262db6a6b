//! Opening files whose names somebody else may exchange.
//!
//! A name that was looked at and is used again may lead to another file by then. So a file is opened once, without
//! following a link in its last component, and what is asked and changed is asked of, and changed on, the open
//! descriptor. Where a name must be handed on (to `SQLite`), the process either trusts every directory that leads to
//! it ([`Route::weak`]) or takes the rights of the user who can exchange it ([`Rights`]).

mod group;
mod listing;
mod named;
mod new_file;
mod output;
mod read;
mod rights;
mod route;
mod said;

pub use listing::{Kind, Listing, most_open};
pub use named::{Named, as_its_owner, named};
pub use new_file::{NewFile, rename};
pub use output::Directory;
pub use read::{ReadError, anybodys, look, me, mine_alone, mode_now, own, plain, private, secret, tighten};
pub use rights::Rights;
pub use route::{Doubt, Route, Weak, trusted};
pub use said::{and_left, is_exhaustion, said_of};
