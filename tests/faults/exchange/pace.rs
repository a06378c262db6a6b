//! When names are exchanged: while a command runs, or where it has just called the system.

use super::ground::{OTHER, Pairs};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Gid, Pid, Uid, setfsgid, setfsuid};
use rand::RngExt;
use rand::rngs::StdRng;
use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How a command ended, and how often names were exchanged under it.
pub struct Ran {
    pub status: i32,
    pub exchanges: u64,
    pub took: Duration,
    /// On both streams.
    pub said: String,
}

/// Names and links; which of the two leads outside is known.
struct Exchange<'p> {
    pairs: &'p Pairs,
    /// What a command has made meanwhile, and links to something of root's of the same kind.
    made: Pairs,
    count: u64,
    leads_outside: bool,
}

impl Exchange<'_> {
    /// Puts links in the places of names, or names back. Nothing is left out where a command has not made a name yet:
    /// then the link alone takes it.
    /// With the rights of the one who does it: what root did by a name could lead outside itself.
    fn turn(&mut self) {
        let other = || (setfsgid(Gid::from_raw(OTHER)), setfsuid(Uid::from_raw(OTHER)));
        let root = || (setfsuid(Uid::from_raw(0)), setfsgid(Gid::from_raw(0)));
        other();
        if !self.leads_outside {
            self.look_around();
        }
        let made = |name: &Path| self.made.iter().any(|(made, _)| made == name);
        let others = self.pairs.iter().filter(|(name, _)| !made(name));
        let all: Vec<_> = self.made.iter().chain(others).collect();
        // What is below a directory is exchanged before it, and back after it.
        let order: Vec<_> = if self.leads_outside { all.into_iter().rev().collect() } else { all };
        for (name, link) in order {
            self.count += u64::from(exchange(name, link));
        }
        root();
        self.leads_outside = !self.leads_outside;
    }
}

impl Exchange<'_> {
    /// What is new beside the files that are exchanged: the other user sees drafts, whatever their names are.
    fn look_around(&mut self) {
        self.made.clear();
        let Some((first, link)) = self.pairs.first().filter(|(name, _)| name.ends_with("a/b/patctl.db"))
        else {
            return;
        };
        let (Some(inner), Ok(program)) = (first.parent(), fs::read_link(link)) else { return };
        for entry in fs::read_dir(inner).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let known = name.starts_with("link-") || self.pairs.iter().any(|(known, _)| *known == path);
            if known && !["out", "units", "new.db"].contains(&name.as_str()) {
                continue;
            }
            let Ok(kind) = entry.file_type() else { continue };
            let there = if kind.is_dir() { program.with_file_name("tree") } else { program.clone() };
            let link = inner.join(format!("link-to-{name}"));
            if !kind.is_symlink() && (link.is_symlink() || symlink(there, &link).is_ok()) {
                self.made.push((path, link));
            }
        }
    }
}

fn exchange(name: &Path, link: &Path) -> bool {
    let rename = |from: &Path, to: &Path, flags| renameat2(AT_FDCWD, from, AT_FDCWD, to, flags).is_ok();
    rename(name, link, RenameFlags::RENAME_EXCHANGE)
        || rename(link, name, RenameFlags::RENAME_NOREPLACE)
        || rename(name, link, RenameFlags::RENAME_NOREPLACE)
}

/// How fast.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// As fast as can be.
    Fast,
    /// Once, after a while.
    Once,
    /// Before it, and back after a while.
    Back,
    /// Now and then, for moments of any length.
    Moments,
}

/// What gets past the first looks of a command, where the fastest is caught.
pub const SLOWER: [Pace; 3] = [Pace::Once, Pace::Moments, Pace::Back];

fn streams(command: &mut Command, said: &Path) {
    let file = File::create(said).expect("a file");
    command.stderr(file.try_clone().expect("a descriptor")).stdout(file).stdin(Stdio::null());
}

fn said(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).expect("a file")).into_owned()
}

/// Runs a command while names are exchanged at this pace; `takes` is how long it does otherwise.
pub fn race(
    mut command: Command,
    to: &Path,
    pairs: &Pairs,
    pace: Pace,
    takes: Duration,
    dice: &mut StdRng,
) -> Ran {
    let mut exchange = Exchange { pairs, made: Vec::new(), count: 0, leads_outside: false };
    streams(&mut command, to);
    if matches!(pace, Pace::Back) {
        exchange.turn();
    }
    let begun = Instant::now();
    let mut child = command.spawn().expect("a process");
    let mut killed = false;
    let mut some = |of: Duration| of.mul_f64(dice.random_range(0.0..1.0));
    let mut next = if matches!(pace, Pace::Fast) { Duration::ZERO } else { some(takes) };
    let status = loop {
        if let Some(status) = child.try_wait().expect("a process") {
            break status;
        }
        if begun.elapsed() > patience(takes) {
            child.kill().expect("a process");
            killed = true;
        }
        if begun.elapsed() < next {
            std::hint::spin_loop();
            continue;
        }
        exchange.turn();
        next = match pace {
            Pace::Fast => Duration::ZERO,
            Pace::Once | Pace::Back => Duration::MAX,
            Pace::Moments => begun.elapsed() + some(takes / 8),
        };
    };
    let took = begun.elapsed();
    if killed {
        tidy(child.id());
    }
    if exchange.leads_outside {
        exchange.turn();
    }
    Ran { status: status.code().unwrap_or(UNENDED), exchanges: exchange.count, took, said: said(to) }
}

/// Runs a command with nothing exchanged.
pub fn undisturbed(mut command: Command, to: &Path) -> Ran {
    streams(&mut command, to);
    let begun = Instant::now();
    let status = command.status().expect("a process");
    Ran { status: status.code().unwrap_or(UNENDED), exchanges: 0, took: begun.elapsed(), said: said(to) }
}

/// A call that names a file: its name, and the how manieth of that name it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    name: String,
    number: usize,
    /// Whether root may make or change something by it, with rights of its own.
    writes: bool,
}

/// The calls of a command from the first on that names their directory.
pub fn calls(command: &Command, to: &Path, theirs: &Path) -> Vec<Call> {
    let log = to.with_extension("calls");
    let mut strace =
        under_strace(command, &["-o", log.to_str().expect("a path"), "-e", "trace=%file,setfsuid"]);
    streams(&mut strace, to);
    assert!(strace.status().is_ok(), "strace");
    let theirs = theirs.to_str().expect("a path");
    let mut counts: HashMap<(String, String), usize> = HashMap::new();
    let (mut calls, mut begun, mut as_other) = (Vec::new(), false, false);
    for line in fs::read_to_string(&log).expect("a log").lines() {
        let Some((process, call)) = line.split_once(' ') else { continue };
        let Some((name, rest)) = call.trim_start().split_once('(') else { continue };
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        if name == "setfsuid" {
            as_other = as_other && rest.starts_with("-1") || rest.starts_with(&OTHER.to_string());
            continue;
        }
        let number = counts.entry((process.to_owned(), name.to_owned())).or_default();
        *number += 1;
        begun = begun || (name != "execve" && (rest.contains(theirs) || rest.contains("\"a/b")));
        let makes = ["mk", "rename", "link", "unlink", "symlink", "chmod", "chown", "truncate", "utime"];
        let opens =
            name.starts_with("open") && ["O_CREAT", "O_WRONLY", "O_RDWR"].iter().any(|f| rest.contains(f));
        let writes = !as_other
            && (opens || makes.iter().any(|make| name.contains(make) && !name.starts_with("readlink")));
        if begun {
            calls.push(Call { name: name.to_owned(), number: *number, writes });
        }
    }
    calls
}

/// Where names are exchanged: after these calls; with `first`, before the command begins, too.
#[derive(Clone, Debug)]
pub struct Steps {
    after: Vec<Call>,
    first: bool,
}

/// Every way to exchange names once, or there and back: first those which end where something is written.
pub fn steps(calls: &[Call]) -> (Vec<Steps>, Vec<Steps>) {
    let (mut best, mut rest) = (Vec::new(), Vec::new());
    for (at, call) in calls.iter().enumerate() {
        let next = calls.get(at + 1);
        let there = Steps { after: vec![call.clone()], first: false };
        if next.is_some_and(|next| next.writes) {
            best.push(there);
        } else {
            rest.push(there);
        }
        rest.push(Steps { after: vec![call.clone()], first: true });
        rest.extend(next.map(|next| Steps { after: vec![call.clone(), next.clone()], first: false }));
    }
    (best, rest)
}

fn under_strace(command: &Command, options: &[&str]) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq"]).args(options).arg(command.get_program()).args(command.get_args()).env_clear();
    strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    strace.current_dir(command.get_current_dir().expect("their directory"));
    strace
}

/// How long a command is waited for: `SQLite` tries for ten seconds to read a log that it may not open.
fn patience(takes: Duration) -> Duration {
    takes * 4 + Duration::from_millis(60)
}

/// The status of a command that was not waited for.
pub const UNENDED: i32 = -1;

/// Removes what a process was about to make when it was killed.
fn tidy(process: u32) {
    for directory in ["/var/tmp", "/tmp"] {
        let _ = fs::remove_dir_all(format!("{directory}/patctl.new-{process}-0"));
    }
}

/// Runs a command and stops it behind these calls, where names are exchanged.
pub fn stepped(command: &Command, to: &Path, pairs: &Pairs, steps: &Steps, takes: Duration) -> Ran {
    let mut options = vec!["-D".to_owned(), "-o".to_owned(), "/dev/null".to_owned(), "-e".to_owned()];
    let mut names: Vec<&str> = steps.after.iter().map(|call| call.name.as_str()).collect();
    names.dedup();
    options.push(format!("trace={}", names.join(",")));
    for name in names {
        let numbers: Vec<_> =
            steps.after.iter().filter(|call| call.name == name).map(|call| call.number).collect();
        let when = match numbers[..] {
            [one, two] if two > one => format!("{one}..{two}+{}", two - one),
            _ => numbers[0].to_string(),
        };
        options.push("-e".to_owned());
        options.push(format!("inject={name}:signal=STOP:when={when}"));
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut strace = under_strace(command, &options);
    streams(&mut strace, to);
    let mut exchange = Exchange { pairs, made: Vec::new(), count: 0, leads_outside: false };
    if steps.first {
        exchange.turn();
    }
    let begun = Instant::now();
    let mut child = strace.process_group(0).spawn().expect("strace");
    let process = Pid::from_raw(i32::try_from(child.id()).expect("a number"));
    let mut left = steps.after.len();
    let status = loop {
        match waitpid(process, Some(WaitPidFlag::WUNTRACED | WaitPidFlag::WNOHANG)).expect("a process") {
            WaitStatus::Stopped(..) => {
                if left > 0 {
                    exchange.turn();
                    left -= 1;
                }
                kill(process, Signal::SIGCONT).expect("a process");
            }
            WaitStatus::Exited(_, status) => break status,
            WaitStatus::Signaled(..) => {
                tidy(child.id());
                break UNENDED;
            }
            _ if begun.elapsed() > patience(takes) => kill(process, Signal::SIGKILL).expect("a process"),
            _ => std::thread::sleep(Duration::from_micros(200)),
        }
    };
    // It is gone; the standard library is told so. Its tracer is not where both were still on their way to each other.
    let _ = (child.wait(), killpg(process, Signal::SIGKILL));
    if exchange.leads_outside {
        exchange.turn();
    }
    Ran { status, exchanges: exchange.count, took: begun.elapsed(), said: said(to) }
}
