//! Units of systemd: a timer and a hardened service for each job.

use super::invocation::{Invocation, for_systemd};
use super::one_line::OneLine;
use crate::files::{Directory, said_of};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path};

/// A job as systemd runs it.
#[derive(Clone, Copy, Debug)]
pub struct Job<'j> {
    /// `prune` or `notify`.
    pub name: &'static str,
    /// What it does, for the description.
    pub does: &'static str,
    /// The property that says when, and its value.
    pub property: (&'static str, &'j OneLine),
    /// When.
    pub on_calendar: &'j [OneLine],
    /// What is run.
    pub command: &'j Invocation,
    /// As whom.
    pub user: &'j OneLine,
    /// The directory of the database, the one place that may be written.
    pub directory: &'j OneLine,
    /// Everything of a home directory or of `/tmp` that must be seen.
    pub seen: &'j [&'j Path],
    /// Whether it sends mail.
    pub network: bool,
    /// The file of mail credentials, of which the service sees a copy.
    pub credentials: Option<&'j OneLine>,
}

/// The property that names the file of mail credentials.
pub const CREDENTIALS: &str = "patctl.mail.credentials.file";

/// What holds for every service. Each line takes something away that patctl does not need.
const HARDENING: &str = "\
CapabilityBoundingSet=
LimitCORE=0
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
UMask=0077
";

impl Job<'_> {
    /// The files and their texts.
    #[must_use]
    pub fn units(&self) -> [(String, String); 2] {
        let named = |ending: &str| format!("patctl-{}.{ending}", self.name);
        [(named("timer"), self.timer()), (named("service"), self.service())]
    }

    fn timer(&self) -> String {
        let (property, expression) = self.property;
        let events: Vec<String> =
            self.on_calendar.iter().map(|event| format!("OnCalendar={event}")).collect();
        let events = events.join("\n");
        format!(
            "# {property} = {expression}\n\
             [Unit]\nDescription=When to run patctl {}\n\n\
             [Timer]\n{events}\n\
             # To the second: systemd would take a minute's liberty.\nAccuracySec=1s\n\
             # What was missed while the machine was off is made up for, once.\nPersistent=true\n\n\
             [Install]\nWantedBy=timers.target\n",
            self.name
        )
    }

    fn service(&self) -> String {
        let mut text = format!("[Unit]\nDescription=patctl {}: {}\n", self.name, self.does);
        if self.network {
            text.push_str("Wants=network-online.target\nAfter=network-online.target\n");
        }
        let (command, user) = (self.command.for_systemd(), self.user.as_str().replace('%', "%%"));
        // The copy lies where only systemd knows, which puts the directory in place of %d.
        let copy = self.credentials.map_or_else(String::new, |_| format!(" -D {CREDENTIALS}=%d/mail"));
        // Writing into a string cannot fail.
        let _ = write!(text, "\n[Service]\nType=oneshot\nUser={user}\nExecStart={command}{copy}\n");
        if let Some(file) = self.credentials {
            let _ = writeln!(text, "# Read by systemd; the service's user need not be able to.");
            let _ = writeln!(text, "LoadCredential=mail:{}", file.as_str().replace('%', "%%"));
        }
        text.push_str("# The database and its log.\n");
        let _ = writeln!(text, "ReadWritePaths={}", for_systemd(self.directory.as_str()));
        let home = if self.sees(&["/home", "/root", "/run/user"]) { "read-only" } else { "yes" };
        let tmp = if self.sees(&["/tmp", "/var/tmp"]) { "no" } else { "yes" };
        let _ = writeln!(text, "ProtectHome={home}\nPrivateTmp={tmp}");
        text.push_str(if self.network {
            "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n"
        } else {
            "PrivateNetwork=yes\nRestrictAddressFamilies=AF_UNIX\n"
        });
        text + HARDENING
    }

    fn sees(&self, below: &[&str]) -> bool {
        self.seen.iter().any(|path| below.iter().any(|directory| path.starts_with(directory)))
    }
}

/// Writes files into a directory that is not there yet.
///
/// # Errors
/// It is there already, or cannot be written; the message names which.
pub fn write(directory: &Path, files: &[(String, String)]) -> io::Result<()> {
    let Some(Component::Normal(name)) = directory.components().next_back() else {
        let nameless = io::Error::new(io::ErrorKind::InvalidInput, "this names no directory");
        return Err(said_of(directory, nameless));
    };
    let parent = Directory::of(directory).map_err(|e| said_of(directory, e))?;
    let new = parent.directory(name, 0o755).map_err(|e| said_of(directory, e))?;
    let mut made = Vec::with_capacity(files.len());
    let filled = fill(&new, files, &mut made).and_then(|()| parent.sync().map_err(|e| said_of(directory, e)));
    if filled.is_err() {
        // Half a set of units is none. Best effort: nobody else has used them yet.
        for (name, file) in &made {
            if new.holds(name, file) {
                let _ = new.remove(name);
            }
        }
        let _ = parent.remove_directory(name, &new);
    }
    filled
}

/// Whoever runs services, and whoever asks what they are, reads the units: a umask hides none of them, and no secret
/// is in them.
fn fill<'f>(
    new: &Directory,
    files: &'f [(String, String)],
    made: &mut Vec<(&'f OsStr, File)>,
) -> io::Result<()> {
    for (name, text) in files {
        let of_file = |e| said_of(&new.path().join(name), e);
        let mut file = new.file(name.as_ref(), 0o644).map_err(of_file)?;
        let written = file
            .set_permissions(Permissions::from_mode(0o644))
            .and_then(|()| file.write_all(text.as_bytes()))
            .and_then(|()| file.sync_all());
        made.push((name.as_ref(), file));
        written.map_err(of_file)?;
    }
    new.set_mode(0o755).and_then(|()| new.sync()).map_err(|e| said_of(new.path(), e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(job: &Job<'_>) -> String {
        let [(name, timer), (_, service)] = job.units();
        assert_eq!(name, "patctl-notify.timer");
        assert!(timer.contains("OnCalendar=Mon..Fri *-*~01 00:00:00\nOnCalendar=Fri *-*~02..03 00:00:00\n"));
        service
    }

    #[test]
    fn only_what_a_job_needs_is_open_to_it() {
        let words = ["/usr/bin/patctl", "notify"].map(str::to_owned).to_vec();
        let command = Invocation::new(words).expect("an invocation");
        let line = |text: &str| OneLine::new(text).expect("one line");
        let events = [line("Mon..Fri *-*~01 00:00:00"), line("Fri *-*~02..03 00:00:00")];
        let (expression, user, directory) = (line("0 0 0 LW * ?"), line("patctl"), line("/var/lib/my 100%"));
        let credentials = line("/etc/50%");
        let job = Job {
            name: "notify",
            does: "mail",
            property: ("p", &expression),
            on_calendar: &events,
            command: &command,
            user: &user,
            directory: &directory,
            seen: &[Path::new("/var/lib/my 100%")],
            network: false,
            credentials: None,
        };
        let closed = service(&job);
        for line in [
            "ReadWritePaths=\"/var/lib/my 100%%\"\n",
            "ProtectHome=yes\n",
            "PrivateTmp=yes\n",
            "PrivateNetwork=yes\n",
            "RestrictAddressFamilies=AF_UNIX\n",
            "ProtectSystem=strict\n",
            "NoNewPrivileges=yes\n",
            "CapabilityBoundingSet=\n",
            "SystemCallFilter=@system-service\n",
        ] {
            assert!(closed.contains(line), "{line}{closed}");
        }
        assert!(!closed.contains("LoadCredential") && !closed.contains("DynamicUser"), "{closed}");
        let seen = [Path::new("/home/alice/x"), Path::new("/tmp/y")];
        let open = service(&Job { seen: &seen, network: true, credentials: Some(&credentials), ..job });
        for line in [
            "ProtectHome=read-only\n",
            "PrivateTmp=no\n",
            "LoadCredential=mail:/etc/50%%\n",
            "ExecStart=/usr/bin/patctl notify -D patctl.mail.credentials.file=%d/mail\n",
            "AF_INET AF_INET6\n",
            "After=network-online.target\n",
        ] {
            assert!(open.contains(line), "{line}{open}");
        }
        assert!(!open.contains("PrivateNetwork"), "{open}");
        let homes = service(&Job { seen: &[Path::new("/homes/x"), Path::new("/tmpfs")], ..job });
        assert_eq!(homes, closed);
    }
}
