//! The real clock, the real randomness, the real streams. Nothing else may know of them.

mod wipe;

use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Uid, getegid, geteuid, getgid, getuid, write};
use patctl::domain::actor::Actor;
use patctl::domain::dice::Dice;
use patctl::domain::moment::Moment;
use patctl::exit::{Exit, Nagios};
use patctl::files::is_exhaustion;
use patctl::output::prompt::Terminal;
use patctl::world::{Input, Output, World};
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: wipe::Wiping = wipe::Wiping;

/// Builds the world and runs in it. What is open then is closed by the end of the process, all at once.
pub fn enter() -> ! {
    quiet_panics();
    harden();
    let mut stderr = Stream::new(io::stderr(), 0, false);
    if getuid() != geteuid() || getgid() != getegid() {
        let _ = stderr.write_all(b"patctl: refuses to run setuid or setgid; a sudo rule is the safe way\n");
        leave(trouble(Exit::Permission));
    }
    let mut stdout = Stream::new(io::stdout(), 1 << 16, STDOUT_CLOSED.load(Ordering::Relaxed));
    let args: Vec<_> = std::env::args_os().collect();
    let exit = patctl::run(
        &args,
        &mut World {
            clock: &now,
            dice: &mut Dice::system(),
            stdin: &mut Stdin(io::stdin()),
            stdout: &mut stdout,
            stderr: &mut stderr,
            ask: &mut Terminal,
            env: &|name| std::env::var_os(name),
            actor: &actor,
            euid: geteuid().as_raw(),
            system_config: "/etc/patctl/patctl.properties".into(),
            // A program that was replaced while it runs has a name that is no file.
            program: &|| std::env::current_exe().ok().filter(|path| path.is_file()),
            localtime: "/etc/localtime".into(),
            zoneinfo: "/usr/share/zoneinfo".into(),
            leave: &std::mem::forget,
        },
    );
    // What was printed before a failure is printed; a success has seen to it that it was.
    let _ = stdout.flush();
    leave(exit)
}

fn leave(exit: Exit) -> ! {
    std::process::exit(i32::from(exit.code()))
}

/// What a process that holds secrets gives up. Where it is refused there is nothing to give up.
fn harden() {
    // A core dump would hold the token, and so would what another process of the same user reads with
    // ptrace(2) or in /proc.
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let _ = nix::sys::prctl::set_dumpable(false);
    // Whatever is made, and by whatever library: for its owner alone.
    umask(Mode::from_bits_truncate(0o077));
    // A file that may grow no further is an error of a write, which is told, and not a death.
    #[expect(
        unsafe_code,
        reason = "ignoring a signal runs no code of ours; nothing else sets a handler for it"
    )]
    // SAFETY: no handler is installed, so that there is none that could do what a handler must not.
    let _ = unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn) };
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn now() -> Moment {
    let signed = |since: Duration| i128::try_from(since.as_micros()).unwrap_or(i128::MAX);
    Moment::clamped(match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
        Ok(since) => signed(since),
        Err(before) => -signed(before.duration()),
    })
}

/// A panic is a bug of ours; it must not print what it was working on, and must not read as a yes
/// or as a no.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let at = info.location().map_or_else(String::new, |l| format!(" ({}:{})", l.file(), l.line()));
        let _ = writeln!(io::stderr(), "patctl: internal error{at}; please report it");
        leave(trouble(Exit::Io));
    }));
}

/// A monitoring check has one status for every trouble.
fn trouble(exit: Exit) -> Exit {
    let args: Vec<_> = std::env::args_os().collect();
    if patctl::cli::is_monitor(&args) { Exit::Monitor(Nagios::Unknown) } else { exit }
}

/// Who runs this process. That the system has too little left to tell is an error, and no absence: whoever sets the limits
/// would choose what the audit log says of them.
fn actor() -> io::Result<Actor> {
    let uid = getuid();
    Ok(Actor::Local { uid: uid.as_raw(), name: user_name(uid)?, login_uid: login_uid()? })
}

/// The system's file first: it is where nearly every user is. The services that `nsswitch.conf` names are libraries,
/// which a program that was linked statically cannot load, and cost a `verify` fifteen system calls more; getent(1)
/// asks them for whom the file does not know.
fn user_name(uid: Uid) -> io::Result<String> {
    let passwd = unless_it_lacks(std::fs::read("/etc/passwd"))?.unwrap_or_default();
    let name = match name_in(&passwd, uid) {
        None => name_elsewhere(uid)?,
        name => name,
    };
    Ok(name.unwrap_or_else(|| uid.to_string()))
}

fn name_elsewhere(uid: Uid) -> io::Result<Option<String>> {
    let mut getent = Command::new("/usr/bin/getent");
    let answer =
        getent.args(["passwd", &uid.to_string()]).stdin(Stdio::null()).stderr(Stdio::null()).output();
    Ok(unless_it_lacks(answer)?.and_then(|answer| name_in(&answer.stdout, uid)))
}

/// What there is, or nothing; an error where the system has too little left to look.
fn unless_it_lacks<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(lack) if is_exhaustion(&lack) => Err(lack),
        found => Ok(found.ok()),
    }
}

/// The name of a user in a file as passwd(5) describes it.
fn name_in(passwd: &[u8], uid: Uid) -> Option<String> {
    passwd.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = std::str::from_utf8(line).ok()?.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        let is_entry =
            !name.is_empty() && !name.starts_with(['+', '-', '#']) && number.parse() == Ok(uid.as_raw());
        is_entry.then(|| name.to_owned())
    })
}

/// Linux keeps it in `/proc`; the largest number means "none".
fn login_uid() -> io::Result<Option<u32>> {
    let text = unless_it_lacks(std::fs::read_to_string("/proc/self/loginuid"))?.unwrap_or_default();
    Ok(text.trim().parse().ok().filter(|uid| *uid != u32::MAX))
}

struct Stdin(io::Stdin);

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Input for Stdin {
    fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }

    fn is_closed(&self) -> bool {
        STDIN_CLOSED.load(Ordering::Relaxed)
    }
}

/// A stream of our own: the standard library's stdout flushes at every line, which a million rows
/// would feel. It takes no descriptor but the one that the process was given: there may be no other.
struct Stream<S: AsFd> {
    file: BufWriter<Unbuffered<S>>,
    closed: bool,
}

/// Writes to the descriptor at once.
struct Unbuffered<S: AsFd>(S);

impl<S: AsFd> Stream<S> {
    fn new(stream: S, buffer: usize, closed: bool) -> Self {
        Self { file: BufWriter::with_capacity(buffer, Unbuffered(stream)), closed }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.file.get_ref().0.as_fd()
    }
}

impl<S: AsFd> Write for Unbuffered<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(write(&self.0, bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<S: AsFd> Write for Stream<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<S: AsFd> Output for Stream<S> {
    fn is_terminal(&self) -> bool {
        self.fd().is_terminal()
    }

    fn columns(&self) -> Option<usize> {
        let size = terminal_size::terminal_size_of(self.fd())?;
        Some(usize::from(size.0.0))
    }

    fn is_closed(&self) -> bool {
        self.closed
    }

    fn wait_writable(&self, limit: Duration) -> io::Result<bool> {
        let mut fds = [PollFd::new(self.fd(), PollFlags::POLLOUT)];
        let timeout = PollTimeout::try_from(limit).unwrap_or(PollTimeout::ZERO);
        poll(&mut fds, timeout)?;
        match fds[0].revents() {
            Some(events) if events.intersects(PollFlags::POLLERR | PollFlags::POLLHUP) => {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            Some(events) => Ok(events.contains(PollFlags::POLLOUT)),
            None => Ok(false),
        }
    }
}

static STDIN_CLOSED: AtomicBool = AtomicBool::new(false);
static STDOUT_CLOSED: AtomicBool = AtomicBool::new(false);

/// Looks at the streams before the standard library does: at its start it opens `/dev/null` in the
/// place of a closed one. A token written there would be lost with a status of success, and a token
/// read from there would get a verdict.
extern "C" fn look_at_streams() {
    let is_closed = |fd: BorrowedFd<'_>| fcntl(fd, FcntlArg::F_GETFD).is_err();
    STDIN_CLOSED.store(is_closed(io::stdin().as_fd()), Ordering::Relaxed);
    STDOUT_CLOSED.store(is_closed(io::stdout().as_fd()), Ordering::Relaxed);
}

#[used]
#[expect(unsafe_code, reason = "the section is read by the loader; the function only asks fcntl(2)")]
#[unsafe(link_section = ".init_array")]
static LOOK_AT_STREAMS: extern "C" fn() = look_at_streams;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_the_name_of_the_first_line_with_its_number() {
        let passwd =
            b"root:x:0:0:root:/root:/bin/sh\n#old:x:7:7::/:\n+nis:x:7:7::/:\n\xff:x:7:7::/:\nbroken:7\n\
            alice:x:7:7:Alice:/home/alice:/bin/sh\nagain:x:7:7::/:";
        let name = |uid| name_in(passwd, Uid::from_raw(uid));
        assert_eq!((name(0).as_deref(), name(7).as_deref()), (Some("root"), Some("alice")));
        assert_eq!((name(9), name_in(b"", Uid::from_raw(0))), (None, None));
    }

    #[test]
    fn the_name_is_the_one_that_the_system_says() {
        let theirs = nix::unistd::User::from_uid(getuid()).expect("a look").map(|user| user.name);
        assert_eq!(user_name(getuid()).ok(), theirs.clone().or_else(|| Some(getuid().to_string())));
        assert_eq!(name_elsewhere(getuid()).expect("an answer"), theirs);
        assert_eq!(user_name(Uid::from_raw(4_000_000_001)).expect("an answer"), "4000000001");
    }
}
