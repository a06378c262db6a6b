//! `patctl create`: the secret on stdout or in a new file, all talk on stderr.

use super::Context;
use crate::cli::{Create, Format};
use crate::domain::audit::Actor;
use crate::domain::dice::Dice;
use crate::domain::text::User;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{hand_over, when};
use crate::service::issue::{self, Draft, Issued};
use crate::store::sqlite::SqliteStore;
use crate::wire::{self, Created, Instant};
use std::io;
use zeroize::Zeroizing;

pub fn run(
    args: &Create,
    cx: &mut Context<'_>,
    dice: &mut Dice,
    actor: &dyn Fn() -> Actor,
) -> Result<Exit, Failure> {
    cx.screen.only(&[Format::Table, Format::Json])?;
    if args.token_file.is_none() && cx.screen.out().is_closed() {
        return Err(Failure::new(Exit::Io, "undelivered", "stdout is closed: nobody would get the token")
            .hint("no token was made; keep stdout open, or use --token-file FILE"));
    }
    let settings = cx.settings()?;
    let policy = settings.policy();
    let actor = actor();
    let act = cx.act(&policy, &actor);
    let draft = draft(args, &actor)?;
    let path = cx.database(&settings)?;
    let mut store = cx.open_if_there(&path)?;
    issue::precheck(store.as_ref().map(|s| s as _), &act, &draft)?;
    let store = match &mut store {
        Some(store) => store,
        None => store.insert(make(cx, &path)?),
    };
    let format = cx.screen.format();
    let mut deliver = |issued: &Issued| -> io::Result<()> {
        let bytes = printed(issued, format)?;
        match &args.token_file {
            Some(path) => hand_over::to_file(path, &bytes),
            None => hand_over::to_stdout(cx.screen.out(), &bytes),
        }
    };
    let mut delivered = false;
    let issued = issue::issue(store, &act, dice, &draft, &mut |issued| {
        deliver(issued)?;
        delivered = true;
        Ok(())
    })
    .inspect_err(|_| {
        if let Some(path) = args.token_file.as_deref().filter(|_| delivered) {
            hand_over::take_back(path);
        }
    })?;
    tell(cx, &issued);
    Ok(Exit::Yes)
}

fn draft(args: &Create, actor: &Actor) -> Result<Draft, Failure> {
    let user = match &args.user {
        Some(user) => user.clone(),
        None => actor.name.parse::<User>().map_err(|why| {
            Failure::usage(format!("your user name cannot own a token: {why}")).hint("name one with --user")
        })?,
    };
    Ok(Draft {
        name: args.name.clone(),
        user,
        lifetime: args.expires,
        auth: args.auth,
        note: args.note.clone(),
    })
}

fn make(cx: &mut Context<'_>, path: &std::path::Path) -> Result<SqliteStore, Failure> {
    let (store, made) = SqliteStore::open_or_create(path)?;
    if made {
        cx.screen.say(&format!("made the database {}", store.path().display()));
    }
    Ok(store)
}

/// What the holder gets, wiped when it has left.
fn printed(issued: &Issued, format: Format) -> io::Result<Zeroizing<Vec<u8>>> {
    // Larger than either form, so that the secret is not left in an outgrown buffer.
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    if format.is_json() {
        let id = issued.token.id();
        let created = Created {
            id: id.as_str(),
            token: issued.token.reveal(),
            name: &issued.name,
            user: &issued.user,
            auth: issued.auth.as_str(),
            created_at: Instant(issued.created_at),
            expires_at: issued.expires_at.map(Instant),
        };
        wire::line(&mut *bytes, &created)?;
    } else {
        bytes.extend_from_slice(issued.token.reveal().as_bytes());
        bytes.push(b'\n');
    }
    Ok(bytes)
}

fn tell(cx: &mut Context<'_>, issued: &Issued) {
    if cx.screen.format().is_json() {
        return;
    }
    let now = issued.created_at;
    let ends = issued.expires_at.map_or_else(|| "never".to_owned(), |at| when::both(at, now));
    let id = issued.token.id();
    cx.screen.talk_of(&[
        ("id", id.as_str()),
        ("name", &issued.name),
        ("user", &issued.user),
        ("expires", &ends),
    ]);
}
