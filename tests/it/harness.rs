//! patctl in process, with a clock in hand and seeded dice.
//!
//! Every harness remembers the secrets that it saw on stdout; when it is dropped, none of them may
//! be found in the database, in any error text or in any other answer.

use patctl::domain::actor::{Actor, RequestMeta};
use patctl::domain::dice::Dice;
use patctl::domain::frame::Value;
use patctl::domain::integrity;
use patctl::domain::moment::{Moment, Span};
use patctl::domain::presented::Presented;
use patctl::domain::restriction::{Given, Request};
use patctl::exit::Exit;
use patctl::service::verify::{Purpose, VerifyItem};
use patctl::world::{Ask, Input, Output, World};
use rand::SeedableRng;
use rusqlite::types::ValueRef;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use zeroize::Zeroizing;

/// Cheap hashes: what is tested here is not Argon2.
pub const CHEAP: &str = "patctl.argon2.memory.kib = 1024\npatctl.argon2.iterations = 1\n";

pub struct Patctl {
    pub dir: TempDir,
    now: Cell<Moment>,
    runs: Cell<u64>,
    pub env: BTreeMap<String, OsString>,
    secrets: RefCell<Vec<String>>,
    said: RefCell<String>,
}

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    pub exit: Exit,
    pub stdout: String,
    pub stderr: String,
}

/// How a run is set up beyond its arguments.
#[derive(Default)]
pub struct Setup<'s> {
    pub stdin: &'s [u8],
    /// A person sits at all three streams, gives these answers, and types this where text is asked for.
    pub terminal: Option<(&'s [bool], &'s str)>,
    pub stdout: Sink,
    pub columns: Option<usize>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub enum Sink {
    #[default]
    Works,
    Full,
    Gone,
    Closed,
    Asleep,
}

pub fn moment(text: &str) -> Moment {
    Moment::from_date(text).or_else(|| Moment::from_rfc3339(text)).expect("an instant")
}

impl Patctl {
    /// An empty directory, noon of 2026-11-21, cheap hashes, nothing else set.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let patctl = Self {
            dir,
            now: Cell::new(moment("2026-11-21T12:00:00Z")),
            runs: Cell::new(0),
            env: BTreeMap::new(),
            secrets: RefCell::default(),
            said: RefCell::default(),
        };
        patctl.configure("");
        patctl
    }

    /// A token that another installation issued.
    pub fn foreign_token() -> String {
        let other = Self::new();
        other.runs.set(1000);
        other.create(&[])
    }

    /// Replaces the configuration.
    pub fn configure(&self, text: &str) {
        std::fs::write(self.path("patctl.properties"), format!("{CHEAP}{text}")).expect("a file");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn db(&self) -> PathBuf {
        self.path("patctl.db")
    }

    /// A look into the database from outside the program.
    pub fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.db()).expect("the database")
    }

    pub fn count(&self, sql: &str) -> i64 {
        self.sql().query_row(sql, [], |row| row.get(0)).expect("a number")
    }

    /// Seals every row as it is now: for tests of what lies behind the seal.
    pub fn reseal(&self) {
        let sql = self.sql();
        let database: String =
            sql.query_row("SELECT name FROM installation", [], |row| row.get(0)).expect("a name");
        let all = format!("SELECT {}, seq FROM token", integrity::COLUMNS.join(", "));
        let mut statement = sql.prepare(&all).expect("a query");
        let mut rows = statement.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            let seq: i64 = row.get(integrity::COLUMNS.len()).expect("a number");
            let values = std::array::from_fn(|at| match row.get_ref(at).expect("a value") {
                ValueRef::Text(text) => Value::Text(text.to_vec().into()),
                ValueRef::Integer(number) => Value::Integer(number),
                _ => Value::Null,
            });
            let lines = "SELECT rule FROM restriction WHERE token = ?1 ORDER BY position";
            let mut lines = sql.prepare(lines).expect("a query");
            let lines = lines.query_map([seq], |row| row.get(0)).expect("lines");
            let restricted = values[11] == Value::Integer(1);
            let lines: Vec<String> = lines.map(|line| line.expect("a line")).filter(|_| restricted).collect();
            let seal = integrity::Sealer::default().seal(&database, &values, &lines);
            sql.execute("UPDATE token SET integrity = ?2 WHERE seq = ?1", (seq, seal)).expect("a seal");
        }
    }

    pub fn now(&self) -> Moment {
        self.now.get()
    }

    pub fn set_now(&self, now: Moment) {
        self.now.set(now);
    }

    pub fn pass(&self, span: Span) {
        self.now.set(self.now.get().plus(span).expect("in range"));
    }

    pub fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, &Setup::default())
    }

    pub fn run_with(&self, args: &[&str], setup: &Setup<'_>) -> Run {
        let config = self.path("patctl.properties");
        let mut all: Vec<OsString> = vec!["patctl".into(), "--config".into(), config.into(), "--db".into()];
        all.push(self.db().into());
        all.extend(args.iter().map(OsString::from));
        self.run_exactly(&all, setup)
    }

    /// Runs a command line as it is, without `--db` and `--config`.
    pub fn run_exactly(&self, args: &[OsString], setup: &Setup<'_>) -> Run {
        let terminal = setup.terminal.is_some();
        let (answers, typed) = setup.terminal.unwrap_or((&[], ""));
        let mut stdout =
            Capture { sink: setup.stdout, terminal, columns: setup.columns, ..Capture::default() };
        let mut stderr = Capture { terminal, columns: setup.columns, ..Capture::default() };
        self.runs.set(self.runs.get() + 1);
        let exit = patctl::run(
            args,
            &mut World {
                clock: &|| self.now.get(),
                dice: &mut Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(self.runs.get()))),
                // What is given there came through a pipe.
                stdin: &mut Typed {
                    bytes: Cursor::new(setup.stdin),
                    terminal: terminal && setup.stdin.is_empty(),
                },
                stdout: &mut stdout,
                stderr: &mut stderr,
                ask: &mut Person { answers: answers.to_vec(), typed: typed.to_owned() },
                env: &|name| self.env.get(name).cloned(),
                actor: &|| Ok(Actor::Local { uid: 1000, name: "operator".to_owned(), login_uid: Some(1001) }),
                euid: nix_euid(),
                system_config: self.path("etc/patctl.properties"),
                program: &|| Some("/usr/local/bin/patctl".into()),
                localtime: self.path("localtime"),
                zoneinfo: self.path("zoneinfo"),
                leave: &drop,
            },
        );
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8 on every stream");
        let run = Run { exit, stdout: text(stdout.bytes), stderr: text(stderr.bytes) };
        self.remember(&run);
        run
    }

    fn remember(&self, run: &Run) {
        let mut said = self.said.borrow_mut();
        said.push_str(&run.stderr);
        match run.stdout.split(['"', '\'', ' ', '\n']).find(|word| is_token(word)) {
            Some(token) => self.secrets.borrow_mut().push(token[token.len() - 38..].to_owned()),
            None => said.push_str(&run.stdout),
        }
    }

    /// Issues a token and answers it.
    pub fn create(&self, args: &[&str]) -> String {
        let mut all = vec!["create"];
        all.extend(args);
        let run = self.run(&all);
        assert_eq!(run.exit, Exit::Yes, "{run:?}");
        run.stdout.trim_end().to_owned()
    }

    /// Presents something to `verify` and answers its status and its reason.
    pub fn verify(&self, presented: impl AsRef<[u8]>, args: &[&str]) -> (Exit, String) {
        let mut all = vec!["verify", "-o", "json"];
        all.extend(args);
        let run = self.run_with(&all, &Setup { stdin: presented.as_ref(), ..Setup::default() });
        // Of trouble there is no answer, and its kind stands in the place of a reason.
        let said = if run.exit == Exit::Io { &run.stderr } else { &run.stdout };
        let json: serde_json::Value =
            serde_json::from_str(said).unwrap_or_else(|_| panic!("JSON, not {run:?}"));
        if run.exit == Exit::Io {
            return (run.exit, json["error"]["kind"].as_str().unwrap_or("").to_owned());
        }
        assert_eq!(json["allowed"], run.exit == Exit::Yes, "{run:?}");
        (run.exit, json["reason"].as_str().unwrap_or("").to_owned())
    }
}

pub fn id_of(token: &str) -> &str {
    let end = token.len() - 39;
    &token[end - 10..end]
}

fn is_token(word: &str) -> bool {
    word.parse::<patctl::domain::token::PlainToken>().is_ok()
}

/// The real one: it owns the temporary files.
fn nix_euid() -> u32 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").expect("procfs").uid()
}

impl Run {
    pub fn is(&self, exit: Exit, stdout: &str) -> &Self {
        assert_eq!((self.exit, self.stdout.as_str()), (exit, stdout), "{self:?}");
        self
    }

    /// Ended so, with nothing on stdout, and stderr holds each of these.
    pub fn says(&self, exit: Exit, words: &[&str]) {
        self.is(exit, "");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} in {self:?}");
        }
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

/// Fails when eight characters in a row of `secret` occur in `haystack`.
pub fn assert_no_secret(secret: &str, haystack: &[u8], place: &str) {
    assert_no_secrets(&pieces([secret]), haystack, place);
}

/// Every eight characters in a row of some secrets.
fn pieces<'s>(secrets: impl IntoIterator<Item = &'s str>) -> HashSet<&'s [u8]> {
    secrets.into_iter().flat_map(|secret| secret.as_bytes().windows(8)).collect()
}

fn assert_no_secrets(pieces: &HashSet<&[u8]>, haystack: &[u8], place: &str) {
    assert!(!haystack.windows(8).any(|there| pieces.contains(there)), "part of a secret is in {place}");
}

impl Drop for Patctl {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let secrets = self.secrets.borrow();
        let pieces = pieces(secrets.iter().map(String::as_str));
        assert_no_secrets(&pieces, self.said.borrow().as_bytes(), "what was said");
        for entry in std::fs::read_dir(self.dir.path()).expect("the directory") {
            let path = entry.expect("an entry").path();
            if is_database(&path) {
                assert_no_secrets(&pieces, &std::fs::read(&path).expect("a file"), "the database");
            }
        }
    }
}

fn is_database(path: &Path) -> bool {
    path.is_file() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("patctl.db"))
}

struct Typed<'t> {
    bytes: Cursor<&'t [u8]>,
    terminal: bool,
}

impl Read for Typed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

impl Input for Typed<'_> {
    fn is_terminal(&self) -> bool {
        self.terminal
    }

    fn is_closed(&self) -> bool {
        false
    }
}

#[derive(Default)]
struct Capture {
    bytes: Vec<u8>,
    sink: Sink,
    terminal: bool,
    columns: Option<usize>,
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.sink {
            Sink::Full => Err(io::Error::from_raw_os_error(28)),
            Sink::Gone => Err(io::ErrorKind::BrokenPipe.into()),
            Sink::Works | Sink::Closed | Sink::Asleep => self.bytes.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output for Capture {
    fn is_terminal(&self) -> bool {
        self.terminal
    }

    fn columns(&self) -> Option<usize> {
        self.columns
    }

    fn is_closed(&self) -> bool {
        self.sink == Sink::Closed
    }

    fn wait_writable(&self, _: Duration) -> io::Result<bool> {
        Ok(self.sink != Sink::Asleep)
    }
}

struct Person {
    answers: Vec<bool>,
    typed: String,
}

impl Ask for Person {
    fn confirm(&mut self, _: &str) -> io::Result<bool> {
        assert!(!self.answers.is_empty(), "an unexpected question");
        Ok(self.answers.remove(0))
    }

    fn text(&mut self, _: &str, default: &str) -> io::Result<String> {
        Ok(if self.typed.is_empty() { default } else { &self.typed }.to_owned())
    }

    /// The typed text names the lines that are picked: each that holds one of its words.
    fn choose(&mut self, _: &str, items: &[String]) -> io::Result<Vec<usize>> {
        let words: Vec<&str> = self.typed.split(' ').filter(|word| !word.is_empty()).collect();
        Ok((0..items.len()).filter(|at| words.iter().any(|word| items[*at].contains(word))).collect())
    }

    fn secret(&mut self, _: &str) -> io::Result<Zeroizing<String>> {
        Ok(Zeroizing::new(self.typed.clone()))
    }
}

/// A use of a token for a request of which nothing is known.
pub fn plain_use(token: &str, actor: Actor) -> VerifyItem {
    VerifyItem {
        credential: Presented::parse(token.as_bytes()).expect("a token"),
        purpose: Purpose::Use,
        request: Request::new(&Given::default()),
        url: None,
        actor: Arc::new(actor),
        meta: RequestMeta::default(),
    }
}
