//! Reading what other programs wrote, row by row, into the place where rows wait.

use crate::domain::atlassian::row::{Fields, Oddities, Row};
use crate::domain::atlassian::staged::Fate;
use crate::domain::atlassian::{Format, Place};
use crate::domain::schedule::Zone;
use crate::domain::text::{User, forms, nfc};
use crate::dump::{self, DumpError};
use crate::store::StoreError;
use crate::store::staging::Staging;
use std::collections::HashMap;
use std::io::Read;
use std::ops::ControlFlow;

/// How rows are understood.
#[derive(Debug)]
pub struct Terms<'t> {
    /// The format; `None`: the one it seems to be.
    pub format: Option<Format>,
    /// The zone in which the times were written.
    pub zone: &'t Zone,
    /// The names of users by their keys; `None`: the key is the name.
    pub names: Option<&'t HashMap<String, String>>,
    /// What every name begins with here.
    pub prefix: &'t str,
}

/// How many there were of something, and the first of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Few {
    /// How many.
    pub count: u64,
    /// The first, in words.
    pub first: Vec<String>,
}

impl Few {
    /// How many are named.
    const NAMED: usize = 5;

    fn add(&mut self, one: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < Self::NAMED {
            let one = one();
            if !self.first.contains(&one) {
                self.first.push(one);
            }
        }
    }
}

/// What was noticed on the way.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Noticed {
    /// Rows with a time that the zone's clocks showed twice.
    pub twice: Few,
    /// Rows with a time that they never showed.
    pub skipped: Few,
    /// Rows whose name held a token.
    pub masked: Few,
    /// Rows whose user is not in the map.
    pub unmapped: Few,
}

/// The input could not be read, or not be kept.
#[derive(Debug)]
pub enum IntakeError {
    /// The input.
    Dump(DumpError),
    /// The place where rows wait.
    Store(StoreError),
}

/// Reads all rows; those that are no tokens wait there, too, with why.
///
/// # Errors
/// [`IntakeError`]
pub fn read(
    input: &mut dyn Read,
    terms: &Terms<'_>,
    staging: &mut Staging,
) -> std::result::Result<(Format, Noticed), IntakeError> {
    let mut noticed = Noticed::default();
    let mut failed = None;
    let end = dump::read(input, terms.format, &mut |place, fields| {
        let row = fields.and_then(|fields| understand(&fields, terms));
        let kept = match row {
            Ok((row, name, user, odd)) => {
                notice(&mut noticed, place, &row, odd, terms);
                staging.push(place, &row, &name, &user)
            }
            Err(why) => staging.reject(place, Fate::Broken, &why),
        };
        match kept {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    match failed {
        Some(error) => Err(IntakeError::Store(error)),
        None => end.map(|format| (format, noticed)).map_err(IntakeError::Dump),
    }
}

/// A row with the name and the user that it will have here, and what is odd about it.
type Understood = (Row, String, String, Oddities);

fn understand(fields: &Fields<'_>, terms: &Terms<'_>) -> std::result::Result<Understood, String> {
    let (row, odd) = Row::read(fields, terms.zone).map_err(|fault| fault.to_string())?;
    let known = named(&row.user_key, terms);
    let user = match known {
        Some(name) => String::from(
            name.parse::<User>().map_err(|why| format!("the name of its user in the map: {why}"))?,
        ),
        None => nfc(&row.user_key).into_owned(),
    };
    let name = format!("{}{}", terms.prefix, row.name);
    Ok((row, name, user, odd))
}

/// The name that the map has for a key, in whichever form of Unicode either is written.
fn named<'t>(key: &str, terms: &Terms<'t>) -> Option<&'t String> {
    let names = terms.names?;
    names.get(key).or_else(|| forms(key).iter().find_map(|form| names.get(form)))
}

fn notice(noticed: &mut Noticed, place: Place, row: &Row, odd: Oddities, terms: &Terms<'_>) {
    for (is_so, few) in [
        (odd.twice, &mut noticed.twice),
        (odd.skipped, &mut noticed.skipped),
        (odd.masked, &mut noticed.masked),
    ] {
        if is_so {
            few.add(|| place.to_string());
        }
    }
    if terms.names.is_some() && named(&row.user_key, terms).is_none() {
        noticed.unmapped.add(|| row.user_key.clone());
    }
}
