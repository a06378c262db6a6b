//! Where tokens are kept: a contract, and SQLite behind it.

pub mod amend;
pub mod backup;
pub mod carry;
pub mod census;
pub mod contract;
mod error;
pub mod examine;
pub mod intake;
pub mod integrity;
pub mod log;
pub mod outbox;
pub mod space;
pub mod spool;
pub mod sqlite;
pub mod staging;
pub mod survey;
mod uses;

pub use amend::{Amend, Amended, Succession};
pub use contract::{Durability, Evidence, NewPat, Query, Read, Row, Store, Stored, Transaction};
pub use error::{SchemaFault, StoreError};
pub use uses::{Basis, RowVersion, Use, Written};
