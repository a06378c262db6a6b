//! The remedy that `doctor` prints for each finding is carried out as it is printed, and ends in a silent `doctor`.

use crate::doctor::{FAULTS, chmod, lived_from, sql};
use crate::harness::{Patctl, id_of};
use crate::older::schema_5;
use crate::process::{PROGRAM, stderr, stdout};
use patctl::domain::moment::{Moment, Span};
use patctl::exit::Exit;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Output};
use std::time::SystemTime;

/// Remedies of as many findings, one after the other: each `doctor` looks anew.
const ROUNDS: usize = 8;

/// A fault and what it is called when its remedy fails.
type Plant = (&'static str, fn(&Patctl, &str));

/// Findings without a command that ends well, each with the reason.
const IN_WORDS: &[(&str, &str)] = &[
    ("newer-schema", "only a newer patctl can read it, and none of its commands is known here"),
    ("too-many", "which of the tokens of a user go, or that the limit rises, is decided by a person"),
    ("config", "what a misspelled property was meant to be is known to who wrote it"),
    ("unaddressed", "the address is known to a person only"),
];

/// Faults beside those of `doctor.rs`, which know more about the file, the log or the key.
const MORE: &[Plant] = &[
    ("clock", |patctl, _| {
        let now = patctl.now();
        patctl.set_now(now.plus(Span::days(90)).expect("in range"));
        patctl.create(&[]);
        patctl.set_now(now);
    }),
    ("text", |patctl, _| damage(patctl, |bytes| *bytes = b"not a database, but long enough ".repeat(99))),
    ("truncated", |patctl, _| damage(patctl, |bytes| bytes.truncate(bytes.len() - 2 * 4096))),
    ("first page", |patctl, _| damage(patctl, |bytes| bytes[..4096].fill(0xA5))),
    ("page of tokens", |patctl, _| {
        let root = patctl.count("SELECT rootpage FROM sqlite_schema WHERE name = 'token'");
        let at = usize::try_from(root - 1).expect("a page") * 4096;
        damage(patctl, |bytes| bytes[at..at + 4096].fill(0x5A));
    }),
    ("view", |patctl, _| sql(patctl, "CREATE VIEW \"a 'view\" AS SELECT 1")),
    ("altered table", |patctl, _| sql(patctl, "ALTER TABLE token ADD COLUMN extra TEXT")),
    ("table that refers", |patctl, _| sql(patctl, "CREATE TABLE child (of INTEGER REFERENCES token (seq))")),
    ("missing index", |patctl, _| sql(patctl, "DROP INDEX token_user")),
    ("missing table", |patctl, _| sql(patctl, "DROP TABLE cache")),
    ("no name", |patctl, _| sql(patctl, "DELETE FROM installation")),
    ("no head", |patctl, _| sql(patctl, "DELETE FROM head")),
    ("changed head", |patctl, _| sql(patctl, "UPDATE head SET clock_mark = '2020-01-01T00:00:00.000000Z'")),
    ("anchor", |patctl, _| sql(patctl, "UPDATE head SET cut_seq = 3, cut_hash = hash")),
    ("last rows gone", |patctl, _| sql(patctl, "DELETE FROM audit WHERE seq > 10")),
    ("row by hand", |patctl, _| {
        sql(
            patctl,
            "INSERT INTO audit SELECT max(seq) + 1, at, actor, actor_uid, login_uid, action, token_id, user, \
             effective_user, outcome, reason, method, url, detail, changes, hash, NULL, NULL, NULL, NULL, NULL FROM audit",
        );
    }),
    ("tombstone changed", |patctl, _| sql(patctl, "UPDATE tombstone SET day = '2020-01-01'")),
    ("tombstone planted", |patctl, _| {
        sql(patctl, "INSERT INTO tombstone VALUES ('zzzzzzzzzz', 'revoked', '2026-01-01', NULL)");
    }),
    ("tombstone gone", |patctl, _| sql(patctl, "DELETE FROM tombstone")),
    ("token gone", |patctl, token| {
        let gone = format!("PRAGMA foreign_keys = ON; DELETE FROM token WHERE id = '{}'", id_of(token));
        sql(patctl, &gone);
    }),
    ("token and its row gone", |patctl, _| {
        let late = patctl.create(&[]);
        sql(patctl, &format!("DELETE FROM token WHERE id = '{}'", id_of(&late)));
    }),
    ("older row", |patctl, token| {
        let kept = patctl.sql();
        kept.execute_batch("CREATE TEMP TABLE kept AS SELECT * FROM token").expect("a copy");
        assert_eq!(patctl.run(&["edit", id_of(token), "--note", "later"]).exit, Exit::Yes);
        put_back(&kept, "DELETE FROM token");
    }),
    ("pruned row", |patctl, token| {
        assert_eq!(patctl.run(&["revoke", id_of(token)]).exit, Exit::Yes);
        let kept = patctl.sql();
        kept.execute_batch("CREATE TEMP TABLE kept AS SELECT * FROM token").expect("a copy");
        patctl.pass(Span::days(40));
        assert_eq!(patctl.run(&["prune"]).exit, Exit::Yes);
        put_back(&kept, "DELETE FROM token");
    }),
    ("revoked by hand", |patctl, _| {
        sql(patctl, "UPDATE token SET revoked_at = '2026-01-01T00:00:00.000000Z'");
    }),
    ("older number", |patctl, _| sql(patctl, "PRAGMA user_version = 3")),
    ("dump", |patctl, _| sql(patctl, "PRAGMA user_version = 0; PRAGMA application_id = 0")),
    ("older schema", |patctl, _| schema_5(&patctl.sql())),
    ("space", |patctl, _| {
        sql(
            patctl,
            "CREATE TABLE big AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) \
             SELECT randomblob(4000) AS b FROM n; DROP TABLE big",
        );
    }),
    ("owner", |patctl, _| {
        // Only root can give a file away; others find a file that is too open.
        if std::os::unix::fs::chown(patctl.db(), Some(4242), None).is_err() {
            chmod(&patctl.db(), 0o666);
        }
    }),
    ("another database", |patctl, _| {
        let other = Patctl::new();
        other.create(&[]);
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(patctl.path(&format!("patctl.db{suffix}")));
        }
        other.sql().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
        fs::copy(other.db(), patctl.db()).expect("a copy");
    }),
    ("not pinned", |patctl, _| {
        let key = fs::read_to_string(patctl.path("integrity.key")).expect("the key");
        let first = key.lines().next().expect("a line");
        fs::write(patctl.path("integrity.key"), format!("{first}\n")).expect("the key");
    }),
    ("not a key", |patctl, _| {
        let key = patctl.path("integrity.key");
        fs::write(&key, fs::read(&key).unwrap_or_default()).expect("the key");
        chmod(&key, 0o644);
    }),
];

fn put_back(kept: &rusqlite::Connection, first: &str) {
    let all = "INSERT INTO token SELECT * FROM kept";
    kept.execute_batch(&format!("PRAGMA foreign_keys = OFF; {first}; {all}")).expect("by hand");
}

fn damage(patctl: &Patctl, change: impl FnOnce(&mut Vec<u8>)) {
    patctl.sql().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(patctl.path(&format!("patctl.db{suffix}")));
    }
    let mut bytes = fs::read(patctl.db()).expect("the database");
    change(&mut bytes);
    fs::write(patctl.db(), bytes).expect("the database");
}

/// An installation that lived until a moment ago by the clock of this machine, which the program has.
struct Ward {
    patctl: Patctl,
    token: String,
    /// Where the commands are typed.
    desk: tempfile::TempDir,
}

impl Ward {
    /// With a backup: one that the log names, or one that only a person knows, as `FILE`.
    #[expect(clippy::disallowed_methods, reason = "the commands have the clock of this machine")]
    fn new(keyed: bool, known: bool) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time").as_micros();
        let now = Moment::from_micros(i64::try_from(now).expect("a time")).expect("in range");
        let (patctl, token) = lived_from(now.saturating_minus(Span::days(90)));
        let ward = Self { patctl, token, desk: tempfile::tempdir().expect("a directory") };
        if keyed {
            ward.key();
        }
        let (there, here) = (ward.desk.path().join("b a'ckup"), ward.desk.path().join("FILE"));
        let made = ward.patctl.run(&["backup", there.to_str().expect("a path")]);
        assert_eq!(made.exit, Exit::Yes, "{made:?}");
        // Where nothing can be read of the database, nothing can be read of where its backup is.
        fs::copy(&there, here).expect("a copy");
        if !known {
            fs::remove_file(&there).expect("unlink");
        }
        ward
    }

    fn key(&self) {
        let key = self.patctl.path("integrity.key");
        self.patctl.configure(&format!(
            "atlassian.pats.max.tokens.per.user = 100\npatctl.integrity.key.file = {}",
            key.display()
        ));
        assert_eq!(self.patctl.run(&["audit", "head"]).exit, Exit::Yes);
    }

    fn command(&self, program: &str) -> Command {
        let bin = std::path::Path::new(PROGRAM).parent().expect("a directory");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new(program);
        command.env_clear().env("PATH", path).env("HOME", self.desk.path()).current_dir(self.desk.path());
        command
    }

    fn doctor(&self, more: &[&str]) -> Output {
        let mut command = self.command(PROGRAM);
        command.arg("--config").arg(self.patctl.path("patctl.properties"));
        command.arg("--db").arg(self.patctl.db()).arg("doctor").args(more).output().expect("patctl")
    }

    /// Carries out what `doctor` prints until it is silent; what remains without a command is answered.
    fn heal(&self) -> Result<Vec<String>, String> {
        let mut done = Vec::new();
        for _ in 0..ROUNDS {
            let run = self.doctor(&["-o", "json"]);
            let json: serde_json::Value =
                serde_json::from_str(&stdout(&run)).map_err(|e| format!("{e}: {run:?} after {done:?}"))?;
            let findings = json["findings"].as_array().expect("findings");
            let steps = |one: &serde_json::Value| one["steps"].as_array().expect("steps").clone();
            let Some(first) = findings.iter().find(|one| !steps(one).is_empty()) else {
                let left = findings.iter().map(|one| one["kind"].as_str().expect("a kind").to_owned());
                let left: Vec<String> = left.collect();
                let run = self.doctor(&[]);
                if left.is_empty() && (run.status.code(), stdout(&run), stderr(&run)) != silent() {
                    return Err(format!("{run:?} after {done:?}"));
                }
                return Ok(left);
            };
            let lines: Vec<String> =
                steps(first).iter().map(|step| step.as_str().expect("a line").to_owned()).collect();
            let shown = stdout(&self.doctor(&[]));
            for line in &lines {
                assert!(shown.lines().any(|shown| shown == format!("        {line}")), "{line:?} in {shown}");
            }
            let script = lines.join("\n");
            let run = self.command("sh").args(["-e", "-c", &script]).output().expect("sh");
            // 'doctor --fix' mends what it can, and status 1 says that there is more.
            let more = run.status.code() == Some(1) && script.ends_with(" doctor --fix");
            if !run.status.success() && !more {
                return Err(format!("{first}\n{run:?} after {done:?}"));
            }
            done.push(script);
        }
        Err(format!("doctor is not silent after {done:?}: {}", stdout(&self.doctor(&[]))))
    }
}

fn silent() -> (Option<i32>, String, String) {
    (Some(0), String::new(), String::new())
}

fn each(faults: impl Iterator<Item = (String, fn(&Patctl, &str))>, keyed: bool) {
    let mut failures = Vec::new();
    for (fault, plant) in faults {
        for known in [true, false] {
            let ward = Ward::new(keyed, known);
            plant(&ward.patctl, &ward.token);
            let found = ward.doctor(&[]);
            let name = format!("{fault}, keyed {keyed}, backup known {known}");
            if found.status.code() != Some(1) {
                failures.push(format!("{name}: not found: {found:?}"));
            }
            let in_words = |kind: &String| IN_WORDS.iter().any(|(word, _)| word == kind && fault == *word);
            match ward.heal() {
                Ok(left) if left.iter().all(in_words) => {}
                Ok(left) => failures.push(format!("{name}: no command for {left:?}")),
                Err(why) => failures.push(format!("{name}: {why}")),
            }
            chmod(ward.patctl.dir.path(), 0o700);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn the_remedy_of_each_planted_fault_leads_to_a_silent_doctor() {
    // The clock of the program is the machine's; that fault has a plant of its own below.
    let faults = FAULTS.iter().filter(|fault| fault.kind != "clock");
    each(faults.map(|fault| (fault.kind.to_owned(), fault.plant)), false);
}

#[test]
fn the_remedy_of_each_fault_of_file_log_and_rows_leads_to_a_silent_doctor() {
    let keyed = ["not a key", "another database", "not pinned"];
    let faults = || MORE.iter().filter(|(name, _)| !keyed.contains(name));
    each(faults().map(|(name, plant)| ((*name).to_owned(), *plant)), false);
}

#[test]
fn the_remedy_of_each_fault_leads_to_a_silent_doctor_with_an_integrity_key_too() {
    // Behind a seal that was made without the key nothing is what patctl wrote.
    let unkeyed = ["older schema"];
    let faults = MORE.iter().filter(|(name, _)| !unkeyed.contains(name));
    each(faults.map(|(name, plant)| ((*name).to_owned(), *plant)), true);
}

/// No command can find a key: it is said what is missing, and nothing that would make it worse.
#[test]
fn a_missing_integrity_key_is_said_and_nothing_is_advised_that_makes_it_worse() {
    let ward = Ward::new(true, true);
    let configured = fs::read_to_string(ward.patctl.path("patctl.properties")).expect("the configuration");
    ward.patctl.configure("atlassian.pats.max.tokens.per.user = 100");
    let left = ward.heal().expect("only words");
    assert!(!left.is_empty() && left.iter().all(|kind| kind == "row" || kind == "audit-chain"), "{left:?}");
    let run = ward.doctor(&[]);
    assert_eq!(stdout(&run).matches("set patctl.integrity.key.file").count(), left.len(), "{run:?}");
    fs::write(ward.patctl.path("patctl.properties"), configured).expect("the configuration");
    assert_eq!(ward.heal(), Ok(Vec::new()));
}

/// To whom a mail goes, no command can find out.
#[test]
fn a_token_without_an_address_is_left_to_a_person() {
    let ward = Ward::new(false, true);
    ward.patctl.configure(
        "atlassian.pats.max.tokens.per.user = 100\npatctl.mail.from = a@example.com\n\
         patctl.mail.transport = smtp://localhost:9\n",
    );
    ward.patctl.create(&["--user", "d e", "--expires", "90"]);
    let left = ward.heal().expect("only words");
    assert!(!left.is_empty() && left.iter().all(|kind| kind == "unaddressed"), "{left:?}");
    let run = ward.doctor(&[]);
    assert!(stdout(&run).contains("--notify-to ADDRESS"), "{run:?}");
}

/// Not to be allowed to read a database is no damage, and no reason to restore it.
#[test]
fn who_may_not_read_the_database_is_told_so() {
    let name = "who_may_not_read_the_database_is_told_so";
    if !crate::process::have("setpriv", name) {
        return;
    }
    let ward = Ward::new(false, true);
    let root = fs::metadata(ward.patctl.db()).expect("the database").uid() == 0;
    let doctor = || {
        let others = ["--reuid=4242", "--regid=4242", "--clear-groups", PROGRAM];
        let mut command = if root { ward.command("setpriv") } else { ward.command(PROGRAM) };
        command.args(others.iter().filter(|_| root)).args(["--config", "/dev/null", "--db"]);
        command.arg(ward.patctl.db()).args(["doctor", "-o", "json"]).output().expect("patctl")
    };
    // The directory of the database, then the file.
    for (directory, file) in [(if root { 0o700 } else { 0 }, 0o600), (0o755, if root { 0o600 } else { 0 })] {
        chmod(&ward.patctl.db(), file);
        chmod(ward.patctl.dir.path(), directory);
        let run = doctor();
        chmod(ward.patctl.dir.path(), 0o700);
        let json: serde_json::Value = serde_json::from_str(&stdout(&run)).expect("JSON");
        assert_eq!((run.status.code(), json["ok"].as_bool()), (Some(77), Some(false)), "{run:?}");
        let findings = json["findings"].as_array().expect("findings");
        let of = |kind: &str| findings.iter().filter(|one| one["kind"] == kind).count();
        assert_eq!((of("permission"), of("unreadable")), (1, 0), "{run:?}");
        assert!(stdout(&run).contains("Permission denied"), "{run:?}");
        assert!(stdout(&run).contains("run as its owner") && !stdout(&run).contains("restore"), "{run:?}");
    }
}

#[test]
fn a_row_of_the_log_that_stands_in_the_way_is_named() {
    let ward = Ward::new(false, true);
    let (_, plant) = MORE.iter().find(|(name, _)| *name == "row by hand").expect("a fault");
    plant(&ward.patctl, &ward.token);
    let seq = ward.patctl.count("SELECT max(seq) FROM audit");
    let run = ward.patctl.run(&["create"]);
    run.says(Exit::Io, &[&format!("row {seq} of the audit log was not written by patctl"), "patctl doctor"]);
    assert_eq!(ward.patctl.count("SELECT max(seq) FROM audit"), seq, "nothing was done");
}

#[test]
fn a_compaction_gives_the_space_back_and_says_how_much() {
    let ward = Ward::new(false, true);
    let (_, plant) = MORE.iter().find(|(name, _)| *name == "space").expect("a fault");
    plant(&ward.patctl, &ward.token);
    let run = ward.doctor(&["--compact"]);
    assert_eq!((run.status.code(), stdout(&run).as_str()), (Some(0), ""), "{run:?}");
    assert!(stderr(&run).contains(" KiB now, and was "), "{run:?}");
    let size = fs::metadata(ward.patctl.db()).expect("the database").len();
    assert!(size < 512 * 1024, "{size}");
    assert_eq!(ward.patctl.verify(&ward.token, &["--url", "/a"]).0, Exit::Yes);
}
