//! What patctl is doing when a fault meets it, and what must hold afterwards.

use crate::process::{Home, PROGRAM, stderr, stdout};
use std::path::Path;
use std::process::Output;

/// A command that changes something, ready to be run again and again on copies of the same database.
pub struct Scene {
    /// What to call it.
    pub name: &'static str,
    /// Whether it prints the secret of a token that it makes.
    issues: bool,
    home: Home,
    args: Vec<String>,
    secret: String,
    before: State,
    /// What the whole deed makes of it.
    done: State,
}

/// What a database holds that the scenes change: tokens and audit rows without what differs from run to run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct State {
    tokens: Vec<String>,
    audit: Vec<String>,
}

impl State {
    /// A database that is not there holds nothing.
    fn of(path: &Path) -> Self {
        if !path.exists() {
            return Self::default();
        }
        let db = rusqlite::Connection::open(path).expect("a database");
        let all = |sql: &str| {
            let mut statement = db.prepare(sql).expect("a statement");
            let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
            rows.map(|row| row.expect("a row")).collect::<Vec<_>>()
        };
        Self {
            tokens: all(
                "SELECT concat_ws(' ', name, user, expires_at IS NULL, 'revoked', revoked_at IS NULL, 'disabled', \
                 disabled_at IS NULL, 'rotated', rotated_at IS NULL, 'used', last_used_at IS NULL, version, \
                 (SELECT count(*) FROM restriction r WHERE r.token = t.seq), \
                 (SELECT count(*) FROM cache c WHERE c.token = t.seq)) FROM token t ORDER BY seq",
            ),
            audit: all(
                "SELECT concat_ws(' ', action, user, outcome, reason, token_id = '') FROM audit ORDER BY seq",
            ),
        }
    }
}

/// Words of a command line; `{id}` is the third token's, `{all}` those of the first three.
fn words(home: &Home, line: &str) -> Vec<String> {
    let listed = home.run(&["list", "-o", "ids", "--sort", "created"]);
    let listed = stdout(&listed);
    let ids: Vec<&str> = listed.lines().collect();
    let mut words = Vec::new();
    for word in line.split(' ') {
        match word {
            "{id}" => words.push(ids[2].to_owned()),
            "{all}" => words.extend(ids[..3].iter().map(|id| (*id).to_owned())),
            plain => words.push(plain.to_owned()),
        }
    }
    words
}

/// Each deed: its name, whose tokens there are, what is done before it, and its command line.
const DEEDS: [(&str, &str, &str, &str); 14] = [
    ("first create", "", "", "create --user c new"),
    ("create", "aaabbb", "", "create --user c new"),
    ("create restricted", "aaabbb", "", "create --user c --expires 9 --restrict [get]/a.* --restrict /b new"),
    ("edit", "aaabbb", "", "edit {id} --name other --restrict /c"),
    ("rotate", "aaabbb", "", "rotate --yes {id}"),
    ("rotate with a grace", "aaabbb", "", "rotate --yes --grace 24h {id}"),
    ("disable", "aaabbb", "", "disable {all}"),
    ("enable", "aaabbb", "disable {all}", "enable {all}"),
    ("revoke", "aaabbb", "", "revoke {id}"),
    ("revoke several", "aaabbb", "", "revoke --reason leaked {all}"),
    ("bulk-revoke", "aaabbb", "", "bulk-revoke --yes --user b"),
    ("bulk-revoke of many", "aaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "", "bulk-revoke --yes --user b"),
    ("prune", "aaabbb", "bulk-revoke --yes --user a", "prune"),
    ("verify", "aaabbb", "", "verify --token-file token"),
];

const SETTINGS: &str = "atlassian.pats.pruning.delay.days = 0\natlassian.pats.max.tokens.per.user = 100\n";

impl Scene {
    /// Every deed, on a database of some tokens; the first of them makes it.
    pub fn all() -> Vec<Self> {
        DEEDS.iter().map(|(name, users, first, line)| Self::set(name, users, first, line)).collect()
    }

    fn set(name: &'static str, users: &str, first: &str, line: &str) -> Self {
        let home = Home::new(SETTINGS);
        let mut secret = String::new();
        for user in users.chars() {
            secret = home.create(&["-q", "--user", &user.to_string(), "token"]);
        }
        let run = |home: &Home, args: &[String]| {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let output = home.run(&args);
            assert!(output.status.success(), "{name}: {}", stderr(&output));
        };
        if !first.is_empty() {
            run(&home, &words(&home, first));
        }
        if home.db().exists() {
            // What the checkpoint left behind would make the first point differ from the others.
            home.sql().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
        }
        let issues = line.starts_with("create") || line.starts_with("rotate");
        let before = State::of(&home.db());
        let args = words(&home, line);
        let mut scene = Self { name, issues, home, args, secret, done: before.clone(), before };
        let rehearsal = scene.stage().home;
        run(&rehearsal, &scene.args);
        scene.done = State::of(&rehearsal.db());
        assert_ne!(scene.before, scene.done, "{name} changes nothing");
        scene
    }

    /// A fresh copy of the database, in a directory of its own.
    pub fn stage(&self) -> Stage<'_> {
        let home = Home::new(SETTINGS);
        if self.home.db().exists() {
            std::fs::copy(self.home.db(), home.db()).expect("a copy");
        }
        std::fs::write(home.dir.path().join("token"), &self.secret).expect("a file");
        Stage { scene: self, home }
    }

    /// Holds if `after` is what was before, or what the whole deed makes of it; says which.
    fn judge(&self, after: &State) -> Result<bool, String> {
        match after {
            same if *same == self.before => Ok(false),
            whole if *whole == self.done => Ok(true),
            torn => Err(format!("{}: neither {:?} nor {:?}: {torn:?}", self.name, self.before, self.done)),
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
        assert!(!stderr(output).contains("internal error"), "{what}");
        if self.home.db().exists() {
            let sound =
                self.home.sql().query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
            assert_eq!(sound.as_deref(), Ok("ok"), "{what}");
        }
        let done =
            self.scene.judge(&State::of(&self.home.db())).unwrap_or_else(|torn| panic!("{torn}\n{what}"));
        if output.status.success() {
            assert!(done, "acknowledged and lost: {what}");
        }
        if self.scene.issues && done {
            // It exists only if somebody has its secret.
            let secret = stdout(output);
            let verified = self.home.feed(&["verify", "--method", "GET", "--url", "/a"], secret.as_bytes());
            assert!(verified.status.success(), "a token that nobody holds: {secret:?}\n{what}");
        }
        if self.home.db().exists() {
            let chain = self.home.run(&["audit", "verify"]);
            assert!(chain.status.success(), "{}{}{what}", stdout(&chain), stderr(&chain));
        }
    }
}
