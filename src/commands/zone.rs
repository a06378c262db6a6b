//! Which time zone is meant: the one that was named, else that of the machine.

use super::context::Context;
use crate::domain::schedule::Zone;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

/// The zone of `--timezone`, by its file.
pub fn named(name: &str, cx: &Context<'_>) -> Result<Zone, Failure> {
    if name == "UTC" {
        return Ok(Zone::utc());
    }
    let piece = |piece: &str| {
        piece.starts_with(|c: char| c.is_ascii_alphanumeric())
            && piece.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c))
    };
    let unknown = |why: &dyn std::fmt::Display| {
        Failure::usage(format!("there is no time zone '{name}' in {}: {why}", cx.zoneinfo.display()))
            .hint("names are like Europe/Berlin, or UTC; 'timedatectl list-timezones' has them all")
    };
    if !name.split('/').all(piece) {
        return Err(unknown(&"it is no name of a zone"));
    }
    let file = contents(&cx.zoneinfo.join(name)).map_err(|e| unknown(&e).because_of(&e))?;
    Zone::parse(name, &file).map_err(|e| unknown(&e))
}

/// The zone of the machine, which is what cron and systemd go by: UTC where none is set.
pub fn of_the_system(cx: &Context<'_>) -> Result<Zone, Failure> {
    let path = cx.localtime;
    let unreadable = |why: &dyn std::fmt::Display| {
        Failure::new(Exit::Io, "io", format!("the time zone {}: {why}", path.display()))
            .hint("name the zone with --timezone")
    };
    let file = match contents(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Zone::utc()),
        Err(e) => return Err(unreadable(&e).because_of(&e)),
    };
    let link = fs::read_link(path).unwrap_or_default();
    let name = link.to_str().and_then(|link| link.split_once("zoneinfo/")).map_or("local time", |(_, n)| n);
    Zone::parse(name, &file).map_err(|e| unreadable(&e))
}

fn contents(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    files::named(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
