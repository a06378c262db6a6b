//! What the commands read, and the commands.

use crate::harness::id_of;
use crate::process::{Home, PROGRAM, stdout};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// More than any command has open.
pub const ENOUGH: u32 = 64;

/// A command, and what it is fed.
pub struct Deed {
    pub args: String,
    pub input: String,
    /// The status with descriptors enough.
    pub status: i32,
    /// The status that says that there are too few.
    pub lack: i32,
    /// Whether its whole answer is the same each time.
    pub same: bool,
}

pub fn deed(args: &str) -> Deed {
    Deed { args: args.to_owned(), input: String::new(), status: 0, lack: 75, same: false }
}

impl Deed {
    fn fed(self, input: &str) -> Self {
        Self { input: input.to_owned(), ..self }
    }

    fn ends(self, status: i32) -> Self {
        Self { status, ..self }
    }

    fn same(self) -> Self {
        Self { same: true, ..self }
    }
}

/// Everything that the commands read, made anew for each run from a copy that nobody changes.
pub struct Bench {
    pub home: Home,
    pub token: String,
}

const USERS: &str = "user_key,lower_user_name\nJIRAUSER10000,alice\n";

impl Bench {
    pub fn new() -> Self {
        let home = Home::new("atlassian.pats.max.tokens.per.user = 100\n");
        let at = home.dir.path().to_owned();
        let token = home.create(&["-q", "--user", "alice", "--expires", "90"]);
        let write = |name: &str, text: &str, mode: u32| {
            fs::write(at.join(name), text).expect("a file");
            fs::set_permissions(at.join(name), fs::Permissions::from_mode(mode)).expect("chmod");
        };
        let shown = at.display();
        let base = fs::read_to_string(at.join("patctl.properties")).expect("a configuration");
        let mail = format!(
            "{base}patctl.mail.transport = smtp://127.0.0.1:9\npatctl.mail.from = a@example.com\n\
             patctl.mail.credentials.file = {shown}/credentials\n"
        );
        write("mail.properties", &mail, 0o600);
        write("seal.properties", &format!("{mail}patctl.integrity.key.file = {shown}/new.key\n"), 0o600);
        write("shared.properties", &base, 0o660);
        write("credentials", "user:password\n", 0o600);
        write("leaky", &format!("x\n{token}\n"), 0o600);
        fs::create_dir(at.join("tree")).expect("a directory");
        fs::create_dir(at.join("tree/below")).expect("a directory");
        write("tree/below/plain", "nothing\n", 0o600);
        write("tree/.gitignore", "target\n", 0o600);
        write("map", USERS, 0o600);
        write("rules", "[get]/a.*\n", 0o600);
        write("setenv.sh", "JVM_SUPPORT_RECOMMENDED_ARGS=\"-Datlassian.pats.enabled=true\"\n", 0o600);
        let run = |args: &[&str]| {
            let output = home.run(args);
            assert!(output.status.success(), "{args:?}: {output:?}");
            stdout(&output)
        };
        let csv = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/atlassian/psql-copy.csv");
        fs::copy(csv, at.join("dump.csv")).expect("a copy");
        run(&["backup", "copy"]);
        // A mail that waits.
        run(&[
            "--config",
            "mail.properties",
            "create",
            "-q",
            "--user",
            "bob",
            "--email",
            "bob@example.com",
            "other",
        ]);
        write("sendmail", "#!/bin/bash\nwhile read -r _; do :; done\n", 0o700);
        write("ids", &format!("{}\n", id_of(&token)), 0o600);
        // A use, which is in the log beside the file and nowhere else.
        assert!(home.feed(&["verify"], token.as_bytes()).status.success());
        write("dump.jsonl", &run(&["export", "jsonl"]), 0o600);
        for end in ["", "-wal"] {
            fs::copy(at.join(format!("patctl.db{end}")), at.join(format!("kept.db{end}"))).expect("a copy");
        }
        assert!(fs::metadata(at.join("kept.db-wal")).expect("a log").len() > 0);
        Self { home, token }
    }

    pub fn deeds(&self) -> Vec<Deed> {
        let (token, id) = (self.token.as_str(), id_of(&self.token));
        let sealed = |args: &str| deed(&format!("--config seal.properties {args}"));
        let mut deeds = vec![
            deed("create -q another"),
            deed("create -q --restrict-file rules another"),
            deed("create -q --token-file new.token another"),
            sealed("create -q another"),
            sealed("list").same(),
            sealed("doctor").same().ends(1),
            deed(&format!("edit {id} --restrict-file rules")),
            deed(&format!("rotate --yes --token-file new.token {id}")),
            deed(&format!("rotate --yes --undo {id}")).ends(1),
            deed("verify").fed(token),
            deed("verify --token-file leaky").ends(1),
            deed("verify --batch").fed(&format!("{{\"token\":\"{token}\"}}\n")),
            deed("whoami").fed(token),
            deed("check --restrict-file rules --method GET --url /a/b").same(),
            deed("list").same(),
            deed(&format!("show {id}")),
            deed("stats -o json"),
            deed("audit"),
            deed("audit verify"),
            deed("audit head").same(),
            deed("prune"),
            deed("scan tree").same(),
            deed("scan --offline tree").same(),
            deed("scan --offline leaky").ends(1),
            deed("scan --revoke --yes leaky").ends(1),
            deed("schedule --crontab").same(),
            deed("schedule --systemd").same(),
            deed("schedule --systemd units"),
            deed("backup new.copy"),
            deed("backup -"),
            deed("restore --yes copy"),
            deed("restore --dry-run copy"),
            deed("restore --yes --revoked-since ids copy"),
            // There is something to find: a token that nobody is told of.
            deed("--config mail.properties doctor").same().ends(1),
            deed("--config mail.properties doctor --fix").same().ends(1),
            deed("--config mail.properties notify --dry-run").same(),
            // Nothing listens at this port.
            deed("--config mail.properties notify").ends(74),
            deed("--config mail.properties -D patctl.mail.transport=sendmail notify"),
            deed(&format!("revoke --yes {id}")),
            deed(&format!("disable {id}")),
            deed("bulk-revoke --yes --user alice"),
            deed(&format!("snippet {id} --url https://example.com/a")),
            deed("export atlassian"),
            deed("doctor --compact"),
            deed("schedule --timezone UTC --crontab").same(),
            deed("export jsonl"),
            deed("--db other.db import jsonl dump.jsonl"),
            deed("import jsonl dump.jsonl"),
            deed("import atlassian --dry-run --skip-bad --user-map map dump.csv").same(),
            deed("import atlassian --skip-bad --source-tz UTC dump.csv"),
            deed("config check").same(),
            deed("config show").same(),
            deed("config import setenv.sh").same(),
            deed("expiring --warning 1d --critical 1d"),
        ];
        if Path::new("/usr/share/zoneinfo/Europe/Berlin").exists() {
            deeds.push(deed("schedule --timezone Europe/Berlin --systemd").same());
        }
        // Whose group it is can be told by no umask, and is looked up.
        let shared = deed("--config shared.properties list").same();
        if self.run(&shared, ENOUGH).status.success() {
            deeds.push(shared);
        }
        if let Some(expiring) = deeds.iter_mut().find(|deed| deed.args.starts_with("expiring")) {
            // A check has numbers of its own, and says UNKNOWN.
            expiring.lack = 3;
        }
        deeds
    }

    /// As it was before any of them.
    pub fn again(&self) {
        let at = self.home.dir.path();
        for name in ["patctl.db-wal", "patctl.db-shm", "other.db", "new.key", "new.token", "new.copy"] {
            let _ = fs::remove_file(at.join(name));
        }
        let _ = fs::remove_dir_all(at.join("units"));
        for name in self.names() {
            // What a restore kept, and the key of a cache.
            if name.starts_with("patctl.db") || name.starts_with("other.db") {
                let _ = fs::remove_file(at.join(name));
            }
        }
        for end in ["", "-wal"] {
            fs::copy(at.join(format!("kept.db{end}")), at.join(format!("patctl.db{end}"))).expect("a copy");
        }
    }

    /// How many rows of the audit log are in the name of somebody else than whoever laid the bench.
    pub fn strangers(&self) -> i64 {
        self.home
            .count("SELECT count(*) FROM audit WHERE actor <> (SELECT actor FROM audit ORDER BY seq LIMIT 1)")
    }

    pub fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.home.dir.path()).expect("a directory");
        entries.map(|entry| entry.expect("one").file_name().to_string_lossy().into_owned()).collect()
    }

    pub fn run(&self, deed: &Deed, limit: u32) -> Output {
        let mut command = self.home.command_of("bash");
        command.args(["-c", &format!("ulimit -n {limit}; exec {PROGRAM} {}", deed.args)]);
        self.fed(command, deed)
    }

    /// With one file that the system refuses to open, the nth. Answers which, if it came to that, too.
    pub fn refused_once(&self, deed: &Deed, number: usize) -> (Output, Option<String>) {
        let log = self.home.dir.path().join("calls");
        let mut command = self.home.command_of("strace");
        command.args(["-f", "-qq", "-o"]).arg(&log).args(["-e", "trace=openat"]);
        command.args(["-e", &format!("inject=openat:error=EMFILE:when={number}")]);
        command.arg(PROGRAM).args(deed.args.split(' '));
        let output = self.fed(command, deed);
        let calls = String::from_utf8_lossy(&fs::read(&log).expect("a log")).into_owned();
        let refused = calls.lines().find(|line| line.contains("(INJECTED)")).map(str::to_owned);
        (output, refused)
    }

    fn fed(&self, mut command: Command, deed: &Deed) -> Output {
        // Where the program is that takes the mails.
        let path =
            format!("{}:{}", self.home.dir.path().display(), std::env::var("PATH").unwrap_or_default());
        command.env("PATH", path).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a program");
        let _ = child.stdin.take().expect("a pipe").write_all(deed.input.as_bytes());
        child.wait_with_output().expect("patctl")
    }
}
