//! What patctl is doing when a fault meets it, and what must hold afterwards.

use crate::process::{Home, PROGRAM, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::Output;

/// A command that changes something, ready to be run again and again on the same database.
pub struct Scene {
    /// What to call it.
    pub name: &'static str,
    home: Home,
    args: Vec<String>,
    secret: String,
    /// How many rows the deed changes.
    rows: i64,
}

/// What a database holds that the scenes change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State {
    tokens: i64,
    revoked: i64,
    used: i64,
    created_rows: i64,
    revoked_rows: i64,
    pruned_rows: i64,
    verified_rows: i64,
}

impl State {
    pub fn of(path: &Path) -> Result<Self, rusqlite::Error> {
        let db = rusqlite::Connection::open(path)?;
        let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
        let rows = |action: &str| one(&format!("SELECT count(*) FROM audit WHERE action = '{action}'"));
        Ok(Self {
            tokens: one("SELECT count(*) FROM token")?,
            revoked: one("SELECT count(*) FROM token WHERE revoked_at IS NOT NULL")?,
            used: one("SELECT count(*) FROM token WHERE last_used_at IS NOT NULL")?,
            created_rows: rows("create")?,
            revoked_rows: rows("revoke")?,
            pruned_rows: rows("prune")?,
            verified_rows: rows("verify")?,
        })
    }
}

fn ids(home: &Home, from: usize) -> Vec<String> {
    let output = home.run(&["list", "-o", "ids", "--sort", "created"]);
    stdout(&output).lines().map(str::to_owned).skip(from).collect()
}

impl Scene {
    /// The five deeds, each on a database of six tokens.
    pub fn all() -> Vec<Self> {
        let words = |args: &[&str]| args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>();
        let made = |name, users: &str, rows, args: &dyn Fn(&Home) -> Vec<String>| {
            let home = Home::new("atlassian.pats.pruning.delay.days = 0\n");
            let mut secret = String::new();
            for user in users.chars() {
                secret = home.create(&["-q", "--user", &user.to_string()]);
            }
            let args = args(&home);
            // What the checkpoint left behind would make the first point differ from the others.
            home.sql().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
            Self { name, home, args, secret, rows }
        };
        vec![
            made("create", "aaabbb", 1, &|_| words(&["create", "--user", "c", "new"])),
            made("revoke", "aaabbb", 1, &|home| vec!["revoke".to_owned(), ids(home, 2)[0].clone()]),
            made("bulk-revoke", "aaabbb", 3, &|_| words(&["bulk-revoke", "--yes", "--user", "b"])),
            made("prune", "aaabbb", 3, &|home| {
                assert!(home.run(&["bulk-revoke", "--yes", "--user", "a"]).status.success());
                words(&["prune"])
            }),
            made("verify", "aaabbb", 1, &|_| words(&["verify", "--token-file", "token"])),
        ]
    }

    /// The database as it is before the deed.
    pub fn template(&self) -> PathBuf {
        self.home.db()
    }

    /// A fresh copy of the database, in a directory of its own.
    pub fn stage(&self) -> Stage<'_> {
        let home = Home::new("atlassian.pats.pruning.delay.days = 0\n");
        std::fs::copy(self.template(), home.db()).expect("a copy");
        std::fs::write(home.dir.path().join("token"), &self.secret).expect("a file");
        Stage { scene: self, home }
    }

    /// Holds if `after` is what `before` was, or what the whole deed makes of it; says which.
    pub fn judge(&self, before: State, after: State) -> Result<bool, String> {
        let mut done = before;
        match self.name {
            "create" => (done.tokens, done.created_rows) = (before.tokens + 1, before.created_rows + 1),
            "verify" => (done.used, done.verified_rows) = (before.used + 1, before.verified_rows + 1),
            "prune" => {
                done.tokens -= self.rows;
                done.revoked -= self.rows;
                done.pruned_rows += self.rows;
            }
            _ => {
                done.revoked += self.rows;
                done.revoked_rows += self.rows;
            }
        }
        match after {
            same if same == before => Ok(false),
            whole if whole == done => Ok(true),
            torn => Err(format!("{}: neither before nor after: {before:?} became {torn:?}", self.name)),
        }
    }
}

/// One run of a scene.
pub struct Stage<'s> {
    /// Which.
    pub scene: &'s Scene,
    /// Where.
    pub home: Home,
}

impl Stage<'_> {
    /// The deed under `strace`, which injects what `inject` says.
    pub fn under_strace(&self, more: &[&str]) -> Output {
        let mut command = self.home.command_of("strace");
        command.args(["-qq", "-o", "/dev/null"]).args(more).arg(PROGRAM).args(&self.scene.args);
        command.output().expect("strace")
    }

    /// Looks at what a fault left: sound, old or new and nothing between, what was acknowledged is there, and
    /// patctl goes on.
    pub fn look(&self, output: &Output) {
        let what = format!("{} {:?}\n{}", self.scene.name, output.status, stderr(output));
        let before = State::of(&self.scene.template()).expect("the state before");
        let db = self.home.sql();
        let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a look");
        assert_eq!(sound, "ok", "{what}");
        drop(db);
        let after = State::of(&self.home.db()).expect("the state after");
        let done = self.scene.judge(before, after).unwrap_or_else(|torn| panic!("{torn}\n{what}"));
        if output.status.success() {
            assert!(done, "acknowledged and lost: {what}");
        }
        if self.scene.name == "create" && done {
            // It exists only if somebody has its secret.
            let secret = stdout(output);
            let verified = self.home.feed(&["verify"], secret.as_bytes());
            assert!(verified.status.success(), "a token that nobody holds: {secret:?}\n{what}");
        }
        let chain = self.home.run(&["audit", "verify"]);
        assert!(chain.status.success(), "{}{}{what}", stdout(&chain), stderr(&chain));
        assert!(!stderr(output).contains("internal error"), "{what}");
    }
}
