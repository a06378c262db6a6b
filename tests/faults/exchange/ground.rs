//! A directory of another user's, and a tree of root's that looks like it, to which its links lead.

use crate::harness::id_of;
use crate::process::Home;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The user whose directory it is.
pub const OTHER: u32 = 4242;

/// Names in the directory, for each of which there is a link: what is there, and what commands make. What is below
/// another one comes before it.
const NAMES: [&str; 16] = [
    "a/b/patctl.db",
    "a/b/patctl.db-wal",
    "a/b/patctl.db-shm",
    "a/b/patctl.db-cache-key-0",
    "a/b/new.db",
    "a/b/back.db",
    "a/b/in.jsonl",
    "a/b/dump.csv",
    "a/b/token",
    "a/b/rules",
    "a/b/setenv.sh",
    "a/b/out",
    "a/b/units",
    "a/b/run",
    "a/b/tree/leak",
    "a/b/tree",
];

/// What the database is like when a command begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// As patctl leaves it: mode 0600.
    Whole,
    /// Whoever exchanges it may have made it wide open, too, and hopes for a set-id bit.
    Wide,
    /// Half of it is gone.
    Damaged,
    /// Root's, in a directory that a group shares.
    Shared,
    /// The same, and open to everybody by mistake.
    Open,
}

/// What is exchanged for a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scene {
    /// The directory of the files.
    Directory,
    /// The one above it.
    Upper,
    /// Each of the files.
    Files,
    /// Everything.
    All,
}

/// All of them.
pub const SCENES: [Scene; 4] = [Scene::Directory, Scene::Upper, Scene::Files, Scene::All];

/// Names, and the links they are exchanged for.
pub type Pairs = Vec<(PathBuf, PathBuf)>;

/// Names, owners, modes and contents of a tree.
pub type State = Vec<(PathBuf, u32, u32, Vec<u8>)>;

pub struct Ground {
    home: Home,
    pub theirs: PathBuf,
    /// Of a token of theirs.
    id: String,
    /// Of one that only a file of root's has.
    kept: String,
    ours: PathBuf,
    /// Their files as they are when a command begins.
    files: Vec<(PathBuf, Vec<u8>)>,
    before: State,
}

impl Ground {
    pub fn new() -> Self {
        let home = Home::new(
            "atlassian.pats.max.tokens.per.user = 100000\natlassian.pats.pruning.delay.days = 0\n\
             patctl.mail.transport = sendmail\npatctl.mail.from = patctl@example.com\n",
        );
        let top = home.dir.path().canonicalize().expect("it");
        chmod(&top, 0o755);
        fs::create_dir(top.join("bin")).expect("a directory");
        fs::write(top.join("bin/sendmail"), "#!/bin/sh\nexec cat > /dev/null\n").expect("a program");
        chmod(&top.join("bin/sendmail"), 0o755);
        let secret = home.create(&["-q", "--user", "c", "--expires", "3", "--notify-to", "c@example.com"]);
        let [leaked, kept, gone] = [(); 3].map(|()| home.create(&["-q", "--user", "d"]));
        assert!(home.run(&["revoke", id_of(&gone)]).status.success());
        assert!(home.run(&["backup", "back.db"]).status.success());
        home.sql().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
        let read = |name: &str| fs::read(top.join(name)).expect("a file");
        let line = |text: &str| format!("{text}\n").into_bytes();
        let dump = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/atlassian/psql-copy.csv");
        let files = [
            ("patctl.db", read("patctl.db")),
            ("back.db", read("back.db")),
            ("in.jsonl", home.run(&["export", "jsonl"]).stdout),
            ("dump.csv", fs::read(dump).expect("a dump")),
            ("token", line(&secret)),
            ("rules", line("[get]/a.*")),
            ("setenv.sh", line("JAVA_OPTS='-Datlassian.pats.max.tokens.per.user=7'")),
            ("tree/leak", line(&leaked)),
        ]
        .map(|(name, bytes)| (PathBuf::from(name), bytes));
        let (theirs, ours) = (top.join("theirs"), top.join("ours"));
        let id = id_of(&secret).to_owned();
        let kept_id = id_of(&kept).to_owned();
        let mut ground =
            Self { home, theirs, id, kept: kept_id, ours, files: files.to_vec(), before: vec![] };
        ground.lay_ours(&kept);
        ground
    }

    /// Programs of root's, as a set-user-id bit would make them dangerous, and files that only root may read. What
    /// commands are to make is not there: a file would stand in their way.
    fn lay_ours(&mut self, kept: &str) {
        let _ = fs::remove_dir_all(&self.ours);
        let inner = self.ours.join("a/b");
        for directory in ["tree", "run"] {
            fs::create_dir_all(inner.join(directory)).expect("a directory");
        }
        chmod(&inner.join("run"), 0o700);
        for name in ["patctl.db", "patctl.db-wal", "patctl.db-shm"] {
            fs::copy("/bin/true", inner.join(name)).expect("a program");
            chmod(&inner.join(name), 0o755);
        }
        for name in ["token", "tree/leak"] {
            fs::write(inner.join(name), kept).expect("a file");
            chmod(&inner.join(name), 0o600);
        }
        for name in ["in.jsonl", "dump.csv", "rules", "setenv.sh", "back.db"] {
            let found = self.files.iter().find(|(theirs, _)| theirs == Path::new(name)).expect(name);
            fs::write(inner.join(name), &found.1).expect("a file");
            chmod(&inner.join(name), 0o600);
        }
        self.before = state(&self.ours);
    }

    /// Makes their directory anew, without what a command has left in it.
    pub fn lay(&self, database: Database) {
        if self.theirs.exists() {
            fs::remove_dir_all(&self.theirs).expect("their directory");
        }
        let inner = self.theirs.join("a/b");
        for directory in ["tree", "run"] {
            fs::create_dir_all(inner.join(directory)).expect("a directory");
        }
        for (name, bytes) in &self.files {
            let whole = name != Path::new("patctl.db") || database != Database::Damaged;
            let bytes = if whole { &bytes[..] } else { &bytes[..bytes.len() / 2] };
            fs::write(inner.join(name), bytes).expect("a file");
            chmod(&inner.join(name), 0o600);
        }
        for (name, link) in self.pairs(Scene::All) {
            let path = name.strip_prefix(&self.theirs).expect("theirs");
            symlink(self.ours.join(path), link).expect("a link");
        }
        for (path, ..) in state(&self.theirs) {
            lchown(path, Some(OTHER), Some(OTHER)).expect("chown");
        }
        // A runtime directory is of use to the one it belongs to.
        lchown(inner.join("run"), Some(0), Some(0)).expect("chown");
        chmod(&inner.join("run"), 0o700);
        match database {
            Database::Wide => chmod(&inner.join("patctl.db"), 0o6777),
            Database::Shared | Database::Open => {
                for path in [&self.theirs, &self.theirs.join("a"), &inner] {
                    lchown(path, Some(0), None).expect("chown");
                }
                chmod(&inner, 0o2770);
                lchown(inner.join("patctl.db"), Some(0), None).expect("chown");
                chmod(&inner.join("patctl.db"), if database == Database::Open { 0o666 } else { 0o660 });
            }
            Database::Whole | Database::Damaged => {}
        }
    }

    /// The link is beside the name: who owns the directory cannot move what is not theirs to another one.
    pub fn pairs(&self, scene: Scene) -> Pairs {
        let names: &[&str] = match scene {
            Scene::Directory => &["a/b"],
            Scene::Upper => &["a"],
            Scene::Files => &NAMES,
            Scene::All => &[&NAMES[..], &["a/b", "a"]].concat(),
        };
        let beside = |path: &Path| {
            let name = path.file_name().expect("a name").to_str().expect("a name");
            path.with_file_name(format!("link-{name}"))
        };
        names.iter().map(|name| self.theirs.join(name)).map(|name| (name.clone(), beside(&name))).collect()
    }

    /// A program in their directory; of `{…}` in its words is made what only this ground knows.
    pub fn command(&self, program: &str, words: &[&str]) -> Command {
        let theirs = self.theirs.to_str().expect("a path");
        let mut command = self.home.command_of(program);
        let bin = self.home.dir.path().join("bin");
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", bin.display())).env("THEIRS", theirs);
        command.current_dir(&self.theirs).env("PATCTL_DB", self.theirs.join("a/b/patctl.db"));
        if words.contains(&"a/b/token") {
            command.env("XDG_RUNTIME_DIR", self.theirs.join("a/b/run"));
        }
        command.args(words.iter().map(|word| word.replace("{id}", &self.id).replace("{theirs}", theirs)));
        command
    }

    /// What changed outside, if anything did.
    pub fn changed(&self) -> Option<String> {
        let after = state(&self.ours);
        if after == self.before {
            return None;
        }
        let unlike = after
            .iter()
            .find(|entry| !self.before.contains(entry))
            .or_else(|| self.before.iter().find(|entry| !after.contains(entry)));
        Some(unlike.map_or_else(String::new, |(path, uid, mode, _)| {
            format!("{} (uid {uid}, mode {mode:o})", path.display())
        }))
    }

    /// Puts back what a control changed outside.
    pub fn mend(&mut self) {
        let kept = fs::read_to_string(self.ours.join("a/b/tree/leak"));
        self.lay_ours(&kept.expect("a file that no control writes"));
    }

    /// A set-id bit on what is theirs, or a secret outside that was found out.
    pub fn found(&self, database: Database, words: &[&str], said: &str) -> Option<String> {
        let was = |uid, mode| database == Database::Wide && uid == OTHER && mode & 0o6777 == 0o6777;
        let bit = |(_, uid, mode, _): &&(PathBuf, u32, u32, Vec<u8>)| {
            mode & 0o170_000 == 0o100_000 && mode & 0o6000 != 0 && !was(*uid, *mode)
        };
        if let Some((path, uid, mode, _)) = state(&self.theirs).iter().find(bit) {
            return Some(format!("{} (uid {uid}, mode {mode:o})", path.display()));
        }
        if words[0] != "scan" {
            return None;
        }
        let db = rusqlite::Connection::open(self.theirs.join("a/b/patctl.db")).expect("a database");
        let sql = "SELECT count(*) FROM token WHERE id = ?1 AND revoked_at IS NULL";
        let lives = db.query_row(sql, [&self.kept], |row| row.get::<_, i64>(0));
        let found = said.contains(&self.kept) || lives != Ok(1);
        found.then(|| format!("a token in a file of root's was found: {lives:?}, {said}"))
    }

    /// Where a command's words go.
    pub fn said(&self) -> PathBuf {
        self.home.dir.path().join("said")
    }
}

pub fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
}

fn state(of: &Path) -> State {
    let mut found = Vec::new();
    let mut ahead = vec![of.to_owned()];
    while let Some(path) = ahead.pop() {
        let meta = fs::symlink_metadata(&path).expect("it");
        if meta.is_dir() {
            let entries = fs::read_dir(&path).expect("a directory");
            ahead.extend(entries.map(|entry| entry.expect("an entry").path()));
        }
        let bytes = if meta.is_file() { fs::read(&path).expect("a file") } else { Vec::new() };
        found.push((path, meta.uid(), meta.mode(), bytes));
    }
    found.sort();
    found
}
