//! The threads: one walks, the others read. A large file is read in parts by all of them. Where the system has no
//! thread to give, the one that walks also reads.

use super::ledger::Ledger;
use super::read::{self, Buffer};
use super::walk::{self, File, Source};
use super::{Plan, Step, Tell, Trouble};
use crate::domain::leak::REACH;
use crate::files;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// What one thread reads of a large file at a time.
const PART: u64 = 1 << 23;
/// Files that may wait to be read.
const WAITING: usize = 256;

/// A part of a file, to be read.
struct Job {
    path: Arc<Path>,
    from: u64,
    to: u64,
    input: Input,
}

/// What a part is read from.
enum Input {
    /// All of it is one part, and nobody else's.
    Whole(Source),
    /// A file that others read, too.
    Part(Arc<std::fs::File>),
}

/// How many threads read, and how many files may wait for them. All of these are open; of what the process may have
/// open they take a quarter at most, and the directories on the way have their share, too.
fn crew(open: u64, cores: usize) -> (usize, usize) {
    let most = usize::try_from(open / 4).unwrap_or(usize::MAX).max(2);
    let readers = cores.min(most / 2);
    (readers, WAITING.min(most - readers))
}

/// Searches what lies below some roots, and answers what could not be read.
pub fn search<'r>(
    roots: impl Iterator<Item = &'r PathBuf>,
    plan: &Plan<'_>,
    ledger: &Ledger,
    tell: Tell<'_>,
) -> Vec<Trouble> {
    let trouble = Mutex::new(Vec::new());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (most, waiting) = crew(files::most_open(), cores);
    let (sender, receiver) = sync_channel::<Job>(waiting);
    let receiver = Mutex::new(receiver);
    let mut unread = Vec::new();
    std::thread::scope(|scope| {
        let mut readers = 0;
        for _ in 0..most {
            let reader = || work(&receiver, ledger, &trouble, tell);
            if std::thread::Builder::new().spawn_scoped(scope, reader).is_err() {
                break;
            }
            readers += 1;
        }
        // The receiver outlives the sender.
        let hand_over = |job| drop(sender.send(job));
        let mut buffer = None;
        let mut read_here = |job: Job| {
            let buffer = buffer.get_or_insert_with(read::buffer);
            do_job(job, buffer, ledger, &trouble, tell);
        };
        let mut give = |job| if readers > 0 { hand_over(job) } else { read_here(job) };
        for root in roots {
            walk::walk(root, plan, &mut |file| hand_out(file, &mut give, ledger, tell), &mut unread);
        }
        drop(sender);
    });
    unread.extend(trouble.into_inner().unwrap_or_else(PoisonError::into_inner));
    unread
}

fn hand_out(file: File, give: &mut dyn FnMut(Job), ledger: &Ledger, tell: Tell<'_>) {
    let path: Arc<Path> = file.path.into();
    tell(Step::Ahead(file.length.unwrap_or_default()));
    ledger.count();
    let parts = file.length.unwrap_or_default() / PART;
    let whole = match file.source {
        Source::File(file) if parts > 1 => Arc::new(file),
        source => return give(Job { path, from: 0, to: u64::MAX, input: Input::Whole(source) }),
    };
    ledger.split(&path);
    for part in 0..parts {
        // The last goes to wherever the file ends by then.
        let to = if part + 1 == parts { u64::MAX } else { (part + 1) * PART };
        give(Job { path: path.clone(), from: part * PART, to, input: Input::Part(whole.clone()) });
    }
}

fn work(jobs: &Mutex<Receiver<Job>>, ledger: &Ledger, trouble: &Mutex<Vec<Trouble>>, tell: Tell<'_>) {
    let mut buffer = read::buffer();
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        do_job(job, &mut buffer, ledger, trouble, tell);
    }
}

fn do_job(job: Job, buffer: &mut Buffer, ledger: &Ledger, trouble: &Mutex<Vec<Trouble>>, tell: Tell<'_>) {
    let (from, to) = (job.from, job.to);
    let part = match job.input {
        Input::Whole(Source::File(mut file)) => read::part(&mut file, buffer, from, to, tell),
        Input::Whole(Source::Pipe(mut pipe)) => read::part(&mut pipe, buffer, from, to, tell),
        Input::Part(file) => {
            let reach = REACH as u64;
            let at = from.saturating_sub(reach);
            let mut source = At { file: &file, at }.take(to.saturating_add(reach) - at);
            read::part(&mut source, buffer, from, to, tell)
        }
    };
    ledger.enter(Some(&job.path), from, part.hits, part.lines, part.bytes);
    if let Some(error) = part.trouble {
        let unread = Trouble::of(Some(&job.path), &error);
        trouble.lock().unwrap_or_else(PoisonError::into_inner).push(unread);
    }
}

/// A file from some place on, whatever others read of it.
struct At<'f> {
    file: &'f std::fs::File,
    at: u64,
}

impl Read for At<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_wait_leave_room_for_what_else_is_open() {
        for (open, cores, expected) in [
            (1024, 2, (2, 254)),
            (1 << 20, 64, (64, 256)),
            (64, 64, (8, 8)),
            (64, 2, (2, 14)),
            (4, 8, (1, 1)),
        ] {
            let (readers, waiting) = crew(open, cores);
            assert_eq!((readers, waiting), expected, "{open} {cores}");
        }
    }
}
