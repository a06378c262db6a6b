//! `patctl audit --follow`: what is written, as long as somebody reads, in whichever file is the database by then.

use super::context::Context;
use super::stdout_failed;
use crate::config::Settings;
use crate::domain::audit::Selection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::log::Events;
use crate::service::audit;
use crate::store::sqlite::{Replaced, SqliteStore};
use std::thread::sleep;
use std::time::Duration;

/// How often the database is asked for news: one look at its name, and one look-up by number.
const POLL: Duration = Duration::from_millis(250);

/// How often it is looked whether the file follows its log, which is gone.
const LOOKS: u32 = 4;

/// Which file is followed, and how far it was shown.
pub struct Following {
    pub store: SqliteStore,
    /// The last row that was looked at.
    pub last: i64,
    /// Whether a row was printed, and so the names of the columns.
    pub begun: bool,
}

/// Shows what is written until nobody reads any more.
pub fn follow(
    cx: &mut Context<'_>,
    settings: &Settings,
    selection: &Selection,
    mut following: Following,
) -> Result<(), Failure> {
    while until_replaced(cx, selection, &mut following)? {
        let store = &following.store;
        store.wait_for_its_log_to_go()?;
        let new = cx.look(settings)?;
        let last = audit::last_in_common(store, &new, following.last)?;
        cx.screen.warn(&format!("the database was replaced by another file; its rows behind {last} follow"));
        following = Following { store: new, last, ..following };
    }
    Ok(())
}

/// Shows what is written to one file; true when another file has taken its place, false when nobody reads any more.
fn until_replaced(
    cx: &mut Context<'_>,
    selection: &Selection,
    following: &mut Following,
) -> Result<bool, Failure> {
    let Following { store, last, begun } = following;
    let mut events = Events::new(&mut cx.screen);
    if *begun {
        events.go_on();
    }
    while events.pause().map_err(stdout_failed)? {
        sleep(POLL);
        let replaced = settled(store)?;
        if replaced == Some(Replaced::Log) {
            return Err(without_log(*last));
        }
        *last = audit::news(store, selection, *last, &mut |record| events.push(record))?;
        *begun |= events.has_begun();
        if replaced.is_some() {
            return events.pause().map_err(stdout_failed);
        }
    }
    Ok(false)
}

/// What was replaced. Whoever replaces the file may remove the log first, so that is waited for.
fn settled(store: &SqliteStore) -> Result<Option<Replaced>, Failure> {
    let mut replaced = store.replaced()?;
    for _ in 0..LOOKS {
        if replaced != Some(Replaced::Log) {
            break;
        }
        sleep(POLL);
        replaced = store.replaced()?;
    }
    Ok(replaced)
}

/// Rows that were in the log alone are gone with it, and what others write is not seen from here.
fn without_log(last: i64) -> Failure {
    Failure::new(Exit::Io, "database", "the -wal or -shm file beside the database was replaced or removed")
        .hint(format!("start it again: patctl audit --follow --after {last}"))
}
