//! The program `sendmail`, which every mail system brings along.
//!
//! Not lettre's: that one waits for it as long as it takes, and cron must never hang.

use super::{Courier, Delivery, Letter};
use crate::domain::moment::Moment;
use crate::files::is_exhaustion;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Where it lives when `PATH` does not say: cron's has no `sbin`.
const ELSEWHERE: [&str; 2] = ["/usr/sbin", "/usr/lib"];

/// `EX_NOUSER` and `EX_NOHOST` of sysexits.h: trying again is of no use.
const FINAL: [i32; 2] = [67, 68];

/// How much of what it complains about is kept.
const SHOWN: usize = 300;

/// The program.
pub struct Sendmail {
    program: PathBuf,
    patience: Duration,
}

impl Sendmail {
    /// The first there is on `path` (the variable `PATH`) or where it is installed; its directory must
    /// be absolute.
    #[must_use]
    pub fn find(path: Option<&OsStr>, patience: Duration) -> Option<Self> {
        let named = path.map(std::env::split_paths).into_iter().flatten();
        named
            .chain(ELSEWHERE.iter().map(PathBuf::from))
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join("sendmail"))
            .find(|program| is_program(program))
            .map(|program| Self { program, patience })
    }

    fn run(&self, from: &str, to: &str, mail: &[u8]) -> Delivery {
        let name = self.program.display();
        let spawned = Command::new(&self.program)
            .args(["-i", "-f", from, "--", to])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(e) if is_exhaustion(&e) => return Delivery::Unasked(format!("{name}: {e}")),
            Err(e) => return Delivery::Unreachable(format!("{name}: {e}")),
        };
        let complaint = listen(&mut child);
        // A mail is smaller than a pipe: this does not wait for the program to read it. If it does not
        // want it, its status says why.
        let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(mail));
        let status = wait(&mut child, self.patience);
        let said = complaint.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
        match status {
            Some(status) if status.success() && written.is_ok() => Delivery::Sent,
            Some(status) if status.success() => {
                Delivery::Uncertain(format!("{name} ended well, and did not read the mail"))
            }
            Some(status) if status.code().is_some() => {
                let said = if said.is_empty() { String::new() } else { format!(": {said}") };
                let why = format!("{name} ended with {status}{said}");
                if status.code().is_some_and(|code| FINAL.contains(&code)) {
                    Delivery::Rejected(why)
                } else {
                    Delivery::Refused(why)
                }
            }
            Some(status) => Delivery::Uncertain(format!("{name} ended with {status}")),
            None => Delivery::Uncertain(format!("{name} took longer than {} s", self.patience.as_secs())),
        }
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Reads what the program complains about, beside it: it must never wait for a reader. The beginning
/// comes through the channel once the program has ended.
fn listen(child: &mut Child) -> Receiver<String> {
    let (give, take) = channel();
    if let Some(mut stderr) = child.stderr.take() {
        // Without a thread to listen, the complaint is lost, and the mail is not.
        let _ = std::thread::Builder::new().spawn(move || {
            let mut said = Vec::new();
            let _ = (&mut stderr).take(SHOWN as u64).read_to_end(&mut said);
            let line = String::from_utf8_lossy(&said).split_whitespace().collect::<Vec<_>>().join(" ");
            let _ = give.send(line);
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
        });
    }
    take
}

/// Waits for the end, and makes one when it does not come.
fn wait(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if begun.elapsed() < patience => std::thread::sleep(pause),
            Ok(None) | Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

impl Courier for Sendmail {
    fn deliver(&mut self, letter: &Letter, now: Moment) -> Delivery {
        let message = match letter.message(now) {
            Ok(message) => message,
            Err(why) => return Delivery::Rejected(why),
        };
        // Lines end here as they do on this system; the program makes them those of the network.
        let mail: Vec<u8> = message.formatted().into_iter().filter(|byte| *byte != b'\r').collect();
        self.run(letter.from.as_str(), &letter.to, &mail)
    }
}
