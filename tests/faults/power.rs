//! The power fails. What was written and not yet synchronised is kept, lost, or torn at sectors of 512 bytes; what
//! was, is there. Images of the disk at every moment are built from what `strace` saw, and looked at.
//!
//! The same log, read as if synchronising did nothing, must show damage: otherwise the test could not see any.

use crate::disk::{Disk, Op, parse};
use crate::figure;
use crate::process::{Home, PROGRAM, have, scaled, stdout};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

/// Runs a command, which must end with success, and adds what it did to the disk.
fn watch(home: &Home, words: &[String], ops: &mut Vec<Op>) -> Output {
    let log = home.dir.path().join("strace.log");
    let mut command = home.command_of("strace");
    command.args(["-qq", "-y", "-xx", "-s", "70000", "-o"]).arg(&log).args(["-e", "signal=none", "-e"]);
    command.arg(
        "trace=openat,pwrite64,write,ftruncate,fsync,fdatasync,unlink,unlinkat,rename,renameat,renameat2",
    );
    let output = command.arg(PROGRAM).args(words).output().expect("strace");
    assert!(output.status.success(), "{words:?} {output:?}");
    let text = std::fs::read_to_string(&log).expect("a log");
    ops.extend(text.lines().filter_map(parse));
    output
}

/// What patctl did, as the disk saw it: tokens made, revoked, switched off, and pruned.
fn record(home: &Home) -> Vec<Op> {
    let mut ops = Vec::new();
    let mut truth: BTreeMap<String, String> = BTreeMap::new();
    let mut ids: Vec<String> = Vec::new();
    let mut reader = None;
    for step in 0..12 {
        // Somebody who reads keeps what is done meanwhile in the log: for some steps that alone has to last.
        match step {
            3 => reader = Some(Reader::of(home)),
            9 => reader = None,
            _ => {}
        }
        let words: Vec<String> = match step {
            0..=5 => vec!["create".into(), "--user".into(), format!("u{}", step / 2)],
            6 => vec!["revoke".into(), ids[0].clone()],
            7 => vec!["bulk-revoke".into(), "--yes".into(), "--user".into(), "u1".into()],
            8 => vec!["disable".into(), ids[1].clone()],
            9 => vec!["prune".into()],
            10 => vec!["edit".into(), ids[4].clone(), "--name".into(), "renamed".into()],
            _ => vec!["revoke".into(), ids[5].clone()],
        };
        let output = watch(home, &words, &mut ops);
        let revoked = "revoked_at IS NOT NULL";
        let mut holds = |id: &str, what: &str| {
            truth.insert(id.to_owned(), format!("EXISTS (SELECT 1 FROM token WHERE id = '{id}' AND {what})"))
        };
        match step {
            0..=5 => {
                let secret = stdout(&output);
                let id = secret.split('_').nth(1).expect("an id").to_owned();
                holds(&id, "revoked_at IS NULL");
                ids.push(id);
            }
            6 => _ = holds(&ids[0], revoked),
            7 => ids[2..4].iter().for_each(|id| _ = holds(id, revoked)),
            8 => _ = holds(&ids[1], "disabled_at IS NOT NULL"),
            9 => ids.iter().take(4).enumerate().filter(|(at, _)| *at != 1).for_each(|(_, id)| {
                truth.insert(id.clone(), format!("NOT EXISTS (SELECT 1 FROM token WHERE id = '{id}')"));
            }),
            10 => _ = holds(&ids[4], "name = 'renamed'"),
            _ => _ = holds(&ids[5], revoked),
        }
        ops.push(Op::Done(truth.clone()));
    }
    drop(reader);
    ops
}

/// A process that looks at the database as it is now, and goes on looking.
struct Reader {
    _db: rusqlite::Connection,
}

impl Reader {
    fn of(home: &Home) -> Self {
        let db = home.sql();
        // What it did when it closes would be missing from the log of system calls.
        db.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .expect("an option");
        db.execute_batch("BEGIN; SELECT count(*) FROM token").expect("a look");
        Self { _db: db }
    }
}

/// What must hold of an image, what holds once the command under way has ended, and whether to look long.
type Look<'l> = &'l dyn Fn(&Home, [&BTreeMap<String, String>; 2], bool) -> Result<(), String>;

/// What an image shows: damage, loss, or nothing.
fn look(image: &Home, truths: [&BTreeMap<String, String>; 2], deep: bool) -> Result<(), String> {
    let [held, coming] = truths;
    if !image.db().exists() {
        return if held.is_empty() { Ok(()) } else { Err("the database is gone".to_owned()) };
    }
    let db = image.sql();
    let sound: String = db
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .map_err(|error| format!("corrupt: {error}"))?;
    if sound != "ok" {
        return Err(format!("corrupt: {sound}"));
    }
    for (id, sql) in held {
        let either = coming.get(id).map_or_else(|| sql.clone(), |new| format!("{sql} OR {new}"));
        let holds: bool = db
            .query_row(&format!("SELECT {either}"), [], |row| row.get(0))
            .map_err(|error| format!("corrupt: {error}"))?;
        if !holds {
            return Err(format!("lost, though acknowledged: {sql}"));
        }
    }
    drop(db);
    if deep && !held.is_empty() {
        for args in [&["list", "--all"][..], &["audit", "verify"], &["create", "-q", "--user", "after"]] {
            let output = image.run(args);
            if !output.status.success() {
                return Err(format!("{args:?}: {output:?}"));
            }
        }
    }
    Ok(())
}

/// Cuts the power before each operation; says how many images there were, and what was wrong.
fn cut(
    ops: &[Op],
    (root, look): (&Path, Look<'_>),
    honest: bool,
    each: usize,
    dice: &mut StdRng,
) -> (usize, Vec<String>) {
    let mut disk = Disk::new(honest);
    let (mut images, mut wrong) = (0, Vec::new());
    let none = BTreeMap::new();
    let mut held = &none;
    for (at, op) in ops.iter().enumerate() {
        let coming =
            ops[at..].iter().find_map(|op| if let Op::Done(truth) = op { Some(truth) } else { None });
        let shm = |op: &Op| matches!(op, Op::Write(name, ..) | Op::Length(name, _) if name.ends_with("-shm"));
        if !shm(op) {
            for _ in 0..each {
                let image = Home::new("atlassian.pats.pruning.delay.days = 0\n");
                for (name, content) in disk.survive(dice) {
                    // What lies in memory alone is gone.
                    if let Ok(inside) = Path::new(&name).strip_prefix(root)
                        && !name.ends_with("-shm")
                    {
                        let file = image.dir.path().join(inside);
                        // A draft lies in a directory of its own.
                        std::fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
                        std::fs::write(&file, content).expect("a file");
                        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))
                            .expect("a mode");
                    }
                }
                images += 1;
                if let Err(what) = look(&image, [held, coming.unwrap_or(held)], images % 7 == 0) {
                    wrong.push(what);
                }
            }
        }
        disk.apply(op);
        if let Op::Done(truth) = op {
            held = truth;
        }
    }
    (images, wrong)
}

#[test]
fn a_power_cut_at_any_moment_corrupts_nothing_and_loses_nothing_acknowledged() {
    if !have("strace", "power loss") {
        return;
    }
    let home = Home::new("atlassian.pats.pruning.delay.days = 0\n");
    let ops = record(&home);
    let each = scaled(1, 6);
    let seed = scaled(1, usize::try_from(std::process::id()).expect("a number")) as u64;
    let mut dice = StdRng::seed_from_u64(seed);
    let (images, wrong) = cut(&ops, (home.dir.path(), &look), true, each, &mut dice);
    figure("power loss", &format!("{images} images (seed {seed}), {} corrupt or with a loss", wrong.len()));
    assert_eq!(wrong, Vec::<String>::new());
    assert!(images >= scaled(100, 500), "only {images} images of {} operations", ops.len());
    let (images, wrong) = cut(&ops, (home.dir.path(), &look), false, 1, &mut dice);
    figure("power loss, control that ignores fsync", &format!("{images} images, {} damaged", wrong.len()));
    assert!(wrong.len() * 20 > images, "the control shows no damage: {} of {images}", wrong.len());
}

/// What stands beside the database when the power comes back: a token file with its secret, a backup that is whole,
/// and of a restore the old database or the new one, with nothing revoked that came back to life.
#[test]
fn a_power_cut_takes_no_token_file_no_backup_and_no_restored_database() {
    if !have("strace", "power loss of files") {
        return;
    }
    let home = Home::new("");
    let id = |secret: &str| secret.split('_').nth(1).expect("an id").to_owned();
    let revoked = id(&home.create(&["-q", "--user", "a"]));
    home.create(&["-q", "--user", "b"]);
    let place = |name: &str| home.dir.path().join(name).to_string_lossy().into_owned();
    // What was there before is on the disk.
    let db = place("patctl.db");
    let content = std::fs::read(&db).expect("the database");
    let mut ops = vec![Op::Create(db.clone()), Op::Write(db.clone(), 0, content), Op::Sync(db)];
    let mut truth = BTreeMap::from([("tokens".to_owned(), "2".to_owned())]);
    ops.push(Op::Done(truth.clone()));
    let (token, copy) = (place("token"), place("copy.db"));
    for (words, what) in [
        (vec!["create", "-q", "--user", "c", "--token-file", &token], "token"),
        (vec!["backup", &copy], "copy.db"),
        (vec!["revoke", &revoked], "revoked"),
        (vec!["restore", "--yes", &copy], "restored"),
    ] {
        let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        watch(&home, &words, &mut ops);
        if what == "token" {
            truth.insert("tokens".to_owned(), "3".to_owned());
        }
        let held =
            if what == "token" { std::fs::read_to_string(&token).expect("a token") } else { revoked.clone() };
        truth.insert(what.to_owned(), held);
        ops.push(Op::Done(truth.clone()));
    }
    let beside = |image: &Home, [held, _]: [&BTreeMap<String, String>; 2], _: bool| {
        let of = |file: &str, sql: &str| -> Result<String, String> {
            let path = image.dir.path().join(file);
            let db =
                rusqlite::Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE);
            let answer = db.and_then(|db| db.query_row(sql, [], |row| row.get(0)));
            answer.map_err(|error| format!("{file}: {error}"))
        };
        let must = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
        let Some(tokens) = held.get("tokens") else { return Ok(()) };
        must(of("patctl.db", "PRAGMA integrity_check")? == "ok", "the database is corrupt")?;
        let count = "SELECT CAST(count(*) AS TEXT) FROM token";
        must(of("patctl.db", count)? >= *tokens, "a token is lost")?;
        if let Some(secret) = held.get("token") {
            let found = std::fs::read_to_string(image.dir.path().join("token")).unwrap_or_default();
            must(found == *secret, "a token exists, and its file does not have it")?;
        }
        // A backup has its name once it is whole, and keeps it.
        if held.contains_key("copy.db") || image.dir.path().join("copy.db").exists() {
            must(of("copy.db", "PRAGMA integrity_check")? == "ok", "the backup is corrupt")?;
            must(of("copy.db", count)? == "3", "the backup is not whole")?;
        }
        if let Some(id) = held.get("revoked") {
            let sql = format!("SELECT CAST(revoked_at IS NOT NULL AS TEXT) FROM token WHERE id = '{id}'");
            must(of("patctl.db", &sql)? == "1", "a revocation is lost")?;
        }
        if held.contains_key("restored") {
            let sql = "SELECT CAST(count(*) AS TEXT) FROM audit WHERE action = 'restore'";
            must(of("patctl.db", sql)? != "0", "a restore is lost, though acknowledged")?;
        }
        Ok(())
    };
    let seed = scaled(2, usize::try_from(std::process::id()).expect("a number")) as u64;
    let mut dice = StdRng::seed_from_u64(seed);
    let (images, wrong) = cut(&ops, (home.dir.path(), &beside), true, scaled(2, 12), &mut dice);
    figure("power loss of files", &format!("{images} images (seed {seed}), {} wrong", wrong.len()));
    assert_eq!(wrong, Vec::<String>::new());
    let (images, wrong) = cut(&ops, (home.dir.path(), &beside), false, 1, &mut dice);
    figure(
        "power loss of files, control that ignores fsync",
        &format!("{images} images, {} damaged", wrong.len()),
    );
    assert!(wrong.len() * 20 > images, "the control shows no damage: {} of {images}", wrong.len());
}
