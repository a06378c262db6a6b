//! Few descriptors: whatever a command does, it does all of it, or says that the system has too little left. A lack
//! that passes is no answer, no matter of rights, no damage and no wrong configuration.

use crate::figure;
use crate::harness::id_of;
use crate::process::{Home, PROGRAM, have, stderr, stdout};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

/// More than any command has open.
const ENOUGH: u32 = 64;
/// What the loader of a program says that could not open its libraries.
const LOADER: i32 = 127;

/// A command, and what it is fed.
struct Deed {
    args: String,
    input: String,
    /// The status with descriptors enough.
    status: i32,
    /// The status that says that there are too few.
    lack: i32,
    /// Whether its whole answer is the same each time.
    same: bool,
}

fn deed(args: &str) -> Deed {
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
struct Bench {
    home: Home,
    token: String,
}

const USERS: &str = "user_key,lower_user_name\nJIRAUSER10000,alice\n";

impl Bench {
    fn new() -> Self {
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

    fn deeds(&self) -> Vec<Deed> {
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
    fn again(&self) {
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

    fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.home.dir.path()).expect("a directory");
        entries.map(|entry| entry.expect("one").file_name().to_string_lossy().into_owned()).collect()
    }

    fn run(&self, deed: &Deed, limit: u32) -> Output {
        let mut command = self.home.command_of("bash");
        command.args(["-c", &format!("ulimit -n {limit}; exec {PROGRAM} {}", deed.args)]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("bash");
        let _ = child.stdin.take().expect("a pipe").write_all(deed.input.as_bytes());
        child.wait_with_output().expect("patctl")
    }
}

/// What is told, but of drafts of processes that were killed on this machine meanwhile.
fn told_of(output: &Output) -> Vec<String> {
    let foreign = |line: &&str| line.contains("patctl.new-") || line.contains("left it behind");
    stdout(output).lines().filter(|line| !foreign(line)).map(str::to_owned).collect()
}

/// Files that come and go with a database.
fn is_passing(name: &str) -> bool {
    ["-wal", "-shm"].iter().any(|end| name.ends_with(end)) || name.contains("-cache-key-")
}

#[test]
fn with_few_descriptors_every_command_does_it_all_or_says_that_there_are_too_few() {
    if !have("bash", "few descriptors") {
        return;
    }
    let bench = Bench::new();
    let (mut runs, mut lacks, mut wrong) = (0, 0, Vec::new());
    for deed in bench.deeds() {
        bench.again();
        let whole = bench.run(&deed, ENOUGH);
        if whole.status.code() != Some(deed.status) {
            wrong.push(format!("{} with enough: {whole:?}", deed.args));
            continue;
        }
        let mut done = 0;
        for limit in 3..ENOUGH {
            bench.again();
            let before = bench.names();
            let output = bench.run(&deed, limit);
            let told = stderr(&output);
            runs += 1;
            let mut complain = |what: &str| wrong.push(format!("{limit} {}: {what}: {output:?}", deed.args));
            match output.status.code() {
                Some(LOADER) if told.contains("loading shared libraries") => continue,
                Some(code) if code == deed.status => {
                    done += 1;
                    if deed.same && told_of(&output) != told_of(&whole) {
                        complain("another answer");
                    }
                }
                Some(code) if code == deed.lack => {
                    lacks += 1;
                    done = 0;
                    let left: Vec<String> = bench
                        .names()
                        .into_iter()
                        .filter(|name| !before.contains(name) && !is_passing(name))
                        .collect();
                    if !left.is_empty() {
                        complain(&format!("it left {left:?}"));
                    }
                }
                _ => complain("another status"),
            }
            if done > 2 {
                break;
            }
        }
        if done <= 2 {
            wrong.push(format!("{} never succeeds", deed.args));
        }
    }
    assert!(wrong.is_empty(), "{} of {runs} runs:\n{}", wrong.len(), wrong.join("\n"));
    assert!(lacks > 0, "nothing lacked");
    figure(
        "few descriptors, every command",
        &format!("{runs} runs, {lacks} told as a lack (75), none otherwise"),
    );
}

/// What was ended in a database that was moved aside stays ended: where that cannot be looked at, nothing is restored.
#[test]
fn with_few_descriptors_nothing_that_was_ended_lives_again() {
    if !have("bash", "few descriptors and a restore") {
        return;
    }
    let bench = Bench::new();
    let at = bench.home.dir.path();
    bench.again();
    let revoked = bench.home.run(&["revoke", "--yes", id_of(&bench.token)]);
    assert!(revoked.status.success(), "{revoked:?}");
    fs::rename(bench.home.db(), at.join("aside")).expect("a rename");
    let (mut done, mut lacks) = (0, 0);
    for limit in 3..ENOUGH {
        bench.again();
        for name in bench.names().iter().filter(|name| name.starts_with("patctl.db")) {
            fs::remove_file(at.join(name)).expect("gone");
        }
        fs::copy(at.join("aside"), at.join("patctl.db.damaged-20260101")).expect("a copy");
        let output = bench.run(&deed("restore --yes copy"), limit);
        if output.status.success() {
            let live = "SELECT count(*) FROM token WHERE revoked_at IS NULL";
            assert_eq!(bench.home.count(live), 0, "{limit}: a revoked token lives: {output:?}");
            done += 1;
        } else {
            lacks += usize::from(output.status.code() == Some(75));
            assert!(!bench.home.db().exists(), "{limit}: {output:?}");
        }
    }
    assert!(done > 0 && lacks > 0, "{done} {lacks}");
    figure(
        "few descriptors and a database that was moved aside",
        &format!("{lacks} refused, {done} done, 0 alive"),
    );
}
