//! `patctl list`: the tokens a filter chooses, streamed.

use super::{Context, stdout_failed};
use crate::cli::{Format, List};
use crate::domain::filter::Filter;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::rows::Rows;
use crate::store::{Query, Store};

pub fn run(args: &List, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json, Format::Ids])?;
    let settings = cx.settings()?;
    let policy = settings.policy();
    let store = cx.open(&settings)?;
    let filter = Filter { users: args.user.clone(), statuses: args.status.clone(), all: args.all };
    let now = (cx.clock)();
    let query = Query { filter: &filter, now, expiry_warning: policy.expiry_warning, limit: args.limit };
    let mut rows = Rows::new(&mut cx.screen, now, policy.expiry_warning);
    store.list(&query, &mut |pat| rows.push(pat))?;
    let count = rows.finish().map_err(stdout_failed)?;
    if count == 0 && cx.screen.format() == Format::Table {
        cx.screen.say("no tokens; 'patctl create' makes one, 'patctl list --all' shows revoked ones too");
    }
    Ok(Exit::Yes)
}
