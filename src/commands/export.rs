//! `patctl export`: imported tokens as the table they came from.

use super::context::Context;
use super::{carry, stdout_failed, zone};
use crate::cli::{Export, ExportAtlassian, Format};
use crate::domain::schedule::Zone;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::bring::Dump;
use crate::store::intake::Export as _;
use crate::store::{Evidence, Read as _};
use std::ops::ControlFlow;

pub fn run(args: &Export, cx: &mut Context<'_>) -> Result<Exit, Failure> {
    let Export::Atlassian(ExportAtlassian { source_tz, prefix_name }) = args else {
        return carry::export(cx);
    };
    cx.screen.only(&[Format::Table, Format::Csv])?;
    let settings = cx.settings()?;
    let zone = source_tz.as_deref().map_or(Ok(Zone::utc()), |name| zone::named(name, cx))?;
    let store = cx.look(&settings)?;
    let mut dump = Dump::new(&mut cx.screen).map_err(stdout_failed)?;
    let (mut renewed, mut failed, mut damaged, mut trouble) = (0_u64, None, Vec::new(), None);
    store.exported(&mut |token| {
        let id = token.number.id();
        match store.evidence(id) {
            Ok(Some(Evidence { seal: Ok(()), .. })) => {}
            Ok(_) => {
                damaged.push(id.to_string());
                return ControlFlow::Continue(());
            }
            Err(error) => {
                trouble = Some(error);
                return ControlFlow::Break(());
            }
        }
        renewed += u64::from(token.hash.is_none());
        let mut cells = token.cells(&zone);
        let name = cells[NAME].strip_prefix(prefix_name.as_str()).map(str::to_owned);
        if let Some(name) = name {
            cells[NAME] = name;
        }
        match dump.push(&cells) {
            Ok(true) => ControlFlow::Continue(()),
            Ok(false) => ControlFlow::Break(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(error) = trouble {
        return Err(error.into());
    }
    failed.map_or(Ok(()), Err).and_then(|()| dump.finish()).map_err(stdout_failed)?;
    if renewed > 0 {
        let tokens = super::tokens(renewed);
        cx.screen.say(&format!("HASHED_TOKEN is empty for {tokens}, hashed anew since"));
    }
    carry::left_out(&damaged)
}

/// The place of the column `NAME`.
const NAME: usize = 5;
