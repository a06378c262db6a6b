//! The files of a database: what they are, whose, and who may do what with them.

use super::{draft, open};
use crate::domain::finding::{Finding, Kind, Step};
use crate::files;
use crate::store::StoreError;
use nix::sys::statfs::{FsType, statfs};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// File systems whose locks cannot be relied on, by the number that statfs(2) has for them.
const NETWORK: &[(i64, &str)] = &[
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB2"),
    (0x5346_414F, "AFS"),
    (0x0102_1997, "9P"),
    (0x00C3_6400, "Ceph"),
    (0x7375_7245, "Coda"),
    (0x6573_5546, "FUSE, which may lead to another machine"),
];

/// What was found, and whether there is a file that can be opened.
pub struct Checkup {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// The database, with every link in its directory followed, if it is a regular file that is not empty.
    pub file: Option<PathBuf>,
    /// Whether what lies beside it is not to be touched.
    pub alone: bool,
}

/// Looks at the database file, its directory, and what lies beside it. With `fix`, modes are made tight.
#[must_use]
pub fn checkup(path: &Path, euid: u32, fix: bool) -> Checkup {
    let mut checkup = Checkup { findings: Vec::new(), file: None, alone: false };
    let shown = path.display().to_string();
    let found = match open::resolve(path) {
        Ok(resolved) => files::look(&resolved).map(|(_, file)| (resolved, file)),
        Err(StoreError::Missing(_)) => Err(io::ErrorKind::NotFound.into()),
        Err(StoreError::Permission(why)) => Err(io::Error::new(io::ErrorKind::PermissionDenied, why)),
        Err(StoreError::Io(why)) => Err(io::Error::other(why)),
        Err(StoreError::Exhausted(why)) => {
            checkup.findings.push(Finding::busy(shown, why));
            return checkup;
        }
        Err(_) => files::look(path).map(|(_, file)| (path.to_owned(), file)),
    };
    let (resolved, file) = match found {
        Ok(found) => found,
        Err(e) if open::absent(&e) => {
            let mend = "'patctl create' makes the first; another place is named with --db; one that was here is restored";
            checkup.add_by(Kind::Missing, &shown, "there is no database", mend, [Step::restore()]);
            return checkup;
        }
        Err(e) if files::is_exhaustion(&e) => {
            checkup.findings.push(Finding::busy(shown, e.to_string()));
            return checkup;
        }
        Err(e) => {
            let denied = e.kind() == io::ErrorKind::PermissionDenied;
            let kind = if denied { Kind::Permission } else { Kind::Unreadable };
            let mend = "run as its owner, who can enter every directory that leads to it";
            checkup.add(kind, &shown, e.to_string(), mend);
            return checkup;
        }
    };
    if file.is_symlink() {
        let why = "it is a link, and a link can be turned to another file: every command refuses it";
        let mend = "name the file itself with --db or patctl.db; or, if it is the right one, move it here";
        checkup.add_by(Kind::Link, &shown, why, mend, instead_of_link(&resolved));
        return checkup;
    }
    if !file.is_file() {
        let mend =
            "name the database with --db or patctl.db; or, if it was here, move this away and restore it";
        let steps = [aside(&resolved), Step::restore()];
        checkup.add_by(Kind::NotAFile, &shown, "it is not a regular file", mend, steps);
        return checkup;
    }
    let care = Care { euid, fix, shared: is_shared(open::parent(&resolved)) };
    checkup.file_itself(&resolved, &file, &care);
    checkup.directory(&resolved, &care);
    checkup.companions(&resolved, &file, &care);
    checkup.network(&resolved);
    if file.len() == 0 {
        let mend = "restore a backup; if it never held a token, remove it";
        checkup.add_by(
            Kind::NotAFile,
            &shown,
            "it is empty: no patctl leaves it so",
            mend,
            [Step::restore()],
        );
    } else {
        checkup.file = Some(resolved);
    }
    checkup
}

/// How files are looked after.
struct Care {
    euid: u32,
    fix: bool,
    /// Whether the directory is one that a group shares.
    shared: bool,
}

impl Care {
    /// The permissions that a file of the database shall not have.
    fn away(&self) -> u32 {
        if self.shared { 0o117 } else { 0o177 }
    }

    fn tighten(&self, path: &Path, file: &Metadata, away: u32, why: &str) -> Finding {
        tighten(path, file, self.euid, away, why, self.fix)
    }
}

/// Whether a group shares a directory: it may write it, and what is made there is the group's.
fn is_shared(directory: &Path) -> bool {
    fs::metadata(directory).is_ok_and(|directory| directory.mode() & 0o2022 == 0o2020)
}

impl Checkup {
    fn add(&mut self, kind: Kind, subject: &str, why: impl Into<String>, mend: impl Into<String>) {
        self.findings.push(Finding::new(kind, subject, why, mend));
    }

    fn add_by(
        &mut self,
        kind: Kind,
        subject: &str,
        why: impl Into<String>,
        mend: impl Into<String>,
        steps: impl Into<Vec<Step>>,
    ) {
        self.findings.push(Finding::new(kind, subject, why, mend).by(steps));
    }

    /// What something is, if it is there and may be looked at.
    fn look(&mut self, path: &Path) -> Option<Metadata> {
        self.seen(path, files::look(path)).map(|(_, found)| found)
    }

    /// What was seen; that it only could not be seen now is a finding.
    fn seen<T>(&mut self, path: &Path, seen: io::Result<T>) -> Option<T> {
        if let Err(e) = &seen
            && files::is_exhaustion(e)
        {
            self.findings.push(Finding::busy(path.display().to_string(), e.to_string()));
        }
        seen.ok()
    }

    fn file_itself(&mut self, path: &Path, file: &Metadata, care: &Care) {
        let shown = path.display().to_string();
        if file.mode() & 0o006 != 0 {
            let why = if file.mode() & 0o002 != 0 {
                "it can be written by everybody, so everybody can issue tokens: every command refuses it"
            } else {
                "it can be read by everybody: users, names and hashes of all tokens; verify and changes refuse it"
            };
            self.findings.push(care.tighten(path, file, care.away(), why));
        }
        if file.nlink() > 1 {
            let why = "it has another name (a hard link), under which it would have another log";
            let mend = format!(
                "find the others with 'find DIR -inum {}' and remove them; or, while nobody uses it, make a file of its \
                 own of it",
                file.ino()
            );
            self.add_by(Kind::HardLink, &shown, why, mend, own_copy(path));
        }
        let directory = fs::metadata(open::parent(path)).map(|directory| directory.uid()).ok();
        if file.uid() != care.euid && Some(file.uid()) != directory {
            let due = directory.unwrap_or(care.euid);
            let why = format!(
                "it belongs to uid {}, who is neither you nor the owner of its directory",
                file.uid()
            );
            let mend = format!("find out who put it there; then, as root, 'chown {due}' it");
            self.add_by(Kind::Owner, &shown, why, mend, [chown(due, path)]);
        }
    }

    fn directory(&mut self, path: &Path, care: &Care) {
        let directory = open::parent(path);
        let Some(found) = self.look(directory) else { return };
        if found.mode() & 0o1002 == 0o002 {
            let why = "it can be written by everybody, so everybody can replace the database";
            // A group that shares it has the set-group-id bit to show for it.
            let away = if found.mode() & 0o2000 == 0 { 0o022 } else { 0o002 };
            let finding = care.tighten(directory, &found, away, why);
            self.findings.push(Finding { kind: Kind::Directory, ..finding });
        }
    }

    fn companions(&mut self, path: &Path, database: &Metadata, care: &Care) {
        // Where the database is made tight, so is what lies beside it, in the same run.
        let due = database.mode() & if database.mode() & 0o006 == 0 { 0o777 } else { !care.away() };
        for suffix in ["-journal", "-wal", "-shm"] {
            let name = open::companion(path, suffix);
            let Some(file) = self.look(&name) else { continue };
            let shown = name.display().to_string();
            if suffix == "-journal" {
                let why =
                    "a rollback journal, which patctl never makes: it would be played into the database";
                let mend = "find out what put it there, and move it away";
                self.add_by(Kind::Companion, &shown, why, mend, [aside(&name)]);
            } else if !file.is_file() {
                let mend = "move it away; the database has its own";
                self.add_by(Kind::Companion, &shown, "it is no regular file", mend, [aside(&name)]);
            } else if file.uid() != database.uid() {
                let why =
                    format!("it belongs to uid {} and the database to uid {}", file.uid(), database.uid());
                let mend = format!("'chown {}' it, once nobody uses the database", database.uid());
                self.add_by(Kind::Companion, &shown, why, mend, [chown(database.uid(), &name)]);
            } else if file.mode() & 0o077 & !due != 0 {
                let why = "it holds what the database will hold, and more may use it";
                let finding = care.tighten(&name, &file, 0o177 & !due, why);
                self.findings.push(Finding { kind: Kind::Companion, ..finding });
            }
        }
        let wrong = |finding: &Finding| finding.kind == Kind::Companion && finding.fixed.is_none();
        self.alone = self.findings.iter().any(wrong);
        self.leftovers(path, care);
    }

    /// What a process left that died while it made or copied a database.
    fn leftovers(&mut self, path: &Path, care: &Care) {
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else { return };
        let beside = [(open::parent(path), format!("{name}.new-"))].into_iter();
        let elsewhere = draft::ELSEWHERE.iter().map(|place| (Path::new(*place), draft::prefix_for(path)));
        for (number, (directory, prefix)) in beside.chain(elsewhere).enumerate() {
            let Some(entries) = self.seen(directory, fs::read_dir(directory)) else { continue };
            for entry in entries.flatten() {
                let found = entry.file_name().to_string_lossy().into_owned();
                let pid = found.strip_prefix(&prefix).and_then(|rest| rest.split('-').next());
                let Some(pid) = pid.filter(|pid| pid.parse::<u32>().is_ok()) else { continue };
                // Elsewhere lie those of everybody.
                let ours = number == 0 || entry.metadata().is_ok_and(|found| found.uid() == care.euid);
                if ours && !Path::new("/proc").join(pid).exists() {
                    let why = "a process that died while it made or restored a database left it behind";
                    let path = entry.path().display().to_string();
                    let step = Step::program(["rm", "-r", "--", &path]);
                    self.add_by(Kind::Companion, &path, why, format!("remove it: rm -r {path}"), [step]);
                }
            }
        }
    }

    fn network(&mut self, path: &Path) {
        let Ok(found) = statfs(path) else { return };
        if let Some(name) = network(found.filesystem_type()) {
            let why = format!("it lies on {name}: locks between machines are not reliable there");
            self.add(Kind::Network, &path.display().to_string(), why, "move it to a disk of this machine");
        }
    }
}

/// Moves a file to a name that is free.
#[must_use]
pub fn aside(path: &Path) -> Step {
    let free = |name: &PathBuf| fs::symlink_metadata(name).is_err();
    let mut names = (1..).map(|number| open::companion(path, &format!(".moved-{number}")));
    let name = names.find(free).unwrap_or_else(|| open::companion(path, ".moved"));
    Step::program(["mv", "-n", "--", &path.display().to_string(), &name.display().to_string()])
}

/// Moves a database with its log to names that are free.
pub fn all_aside(path: &Path) -> impl Iterator<Item = Step> {
    let names = ["", "-wal", "-shm"].map(|suffix| open::companion(path, suffix));
    names.into_iter().filter(|name| fs::symlink_metadata(name).is_ok()).map(|name| aside(&name))
}

fn chown(uid: u32, path: &Path) -> Step {
    Step::program(["chown", "-h", "--", &uid.to_string(), &path.display().to_string()])
}

/// Makes a file of its own of one that has several names.
fn own_copy(path: &Path) -> [Step; 2] {
    let (name, copy) = (path.display().to_string(), open::companion(path, ".own").display().to_string());
    [Step::program(["cp", "-p", "--", &name, &copy]), Step::program(["mv", "-f", "--", &copy, &name])]
}

/// Puts the file that a link leads to in the place of the link, with its log; a link that leads nowhere is moved away.
fn instead_of_link(link: &Path) -> Vec<Step> {
    let Some(file) = fs::canonicalize(link).ok().filter(|file| file.is_file()) else {
        return vec![aside(link), Step::restore()];
    };
    let there =
        |suffix: &&str| suffix.is_empty() || fs::symlink_metadata(open::companion(&file, suffix)).is_ok();
    let steps = ["", "-wal", "-shm"].into_iter().filter(there).map(|suffix| {
        let [from, to] =
            [&file, &link.to_owned()].map(|path| open::companion(path, suffix).display().to_string());
        Step::program(["mv", "-f", "--", &from, &to])
    });
    steps.collect()
}

/// The name of a network file system.
fn network(found: FsType) -> Option<&'static str> {
    NETWORK.iter().find(|(magic, _)| *magic == found.0).map(|(_, name)| *name)
}

/// A file whose mode is too open, and if asked no longer: what belongs to the caller is changed, on a descriptor that
/// no link was followed to.
#[must_use]
pub fn tighten(path: &Path, file: &Metadata, euid: u32, away: u32, why: &str, fix: bool) -> Finding {
    let (is, due) = (file.mode() & 0o7777, files::mode_now(file) & !away);
    let why = format!("{why} (mode {is:03o})");
    let chmod = format!("chmod {due:03o} {}", path.display());
    let words = ["chmod".to_owned(), format!("{due:03o}"), "--".to_owned(), path.display().to_string()];
    let (mend, steps) = match file.uid() {
        owner if owner == euid => (chmod, vec![Step::Program(words.into())]),
        // Root would follow a link that the owner puts there meanwhile; the owner's own rights lead nowhere else.
        owner if euid == 0 => {
            let head =
                [format!("--reuid={owner}"), format!("--regid={}", file.gid()), "--clear-groups".to_owned()];
            let mend = format!("setpriv {} {chmod}", head.join(" "));
            let all = ["setpriv".to_owned()].into_iter().chain(head).chain(words).collect();
            (mend, vec![Step::Program(all)])
        }
        owner => (format!("its owner (uid {owner}): {chmod}"), Vec::new()),
    };
    let done = || files::tighten(path, euid, |_| away);
    let fixed = if fix { done().ok().map(|mode| format!("its mode is {mode:03o} now")) } else { None };
    Finding::new(Kind::Mode, path.display().to_string(), why, mend).by(steps).fixed(fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_somebody_who_owns_not_even_the_directory_is_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("patctl.db");
        fs::write(&path, "x").expect("a file");
        let owner = |file: &Metadata| {
            let mut checkup = Checkup { findings: Vec::new(), file: None, alone: false };
            for euid in [file.uid(), file.uid() + 1] {
                checkup.file_itself(&path, file, &Care { euid, fix: false, shared: false });
            }
            checkup.findings.iter().filter(|finding| finding.kind == Kind::Owner).count()
        };
        // Who asks may be another, if the owner of the directory put it there.
        assert_eq!(owner(&fs::metadata(&path).expect("a file")), 0);
        // Only root may give a file away; to everybody else those of root are a stranger's.
        let given = std::os::unix::fs::chown(&path, Some(4242), None).is_ok();
        let stranger = if given { path.as_path() } else { Path::new("/etc/passwd") };
        assert_eq!(owner(&fs::metadata(stranger).expect("a file")), 1);
    }

    #[test]
    fn a_network_file_system_is_known_by_its_number_and_a_disk_is_none() {
        assert_eq!(network(FsType(0x6969)), Some("NFS"));
        assert_eq!(network(FsType(0xFF53_4D42)), Some("CIFS"));
        for local in [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630] {
            assert_eq!(network(FsType(local)), None, "{local:x}");
        }
    }
}
