//! The threads: one walks, the others read. A large file is read in parts by all of them. Where the system has no
//! thread to give, the one that walks also reads.

use super::ledger::Ledger;
use super::read::{self, Buffer};
use super::walk::{self, File};
use super::{Plan, Step, Tell, Trouble};
use crate::domain::leak::REACH;
use std::io::{self, Read, Seek, SeekFrom};
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
}

/// Searches what lies below some roots, and answers what could not be read.
pub fn search<'r>(
    roots: impl Iterator<Item = &'r PathBuf>,
    plan: &Plan<'_>,
    ledger: &Ledger,
    tell: Tell<'_>,
) -> Vec<Trouble> {
    let trouble = Mutex::new(Vec::new());
    let (sender, receiver) = sync_channel::<Job>(WAITING);
    let receiver = Mutex::new(receiver);
    let mut unread = Vec::new();
    std::thread::scope(|scope| {
        let mut readers = 0;
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
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
            do_job(&job, buffer, ledger, &trouble, tell);
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
    if parts > 1 {
        ledger.split(&path);
    }
    for part in 0..parts.max(1) {
        // The last goes to wherever the file ends by then.
        let to = if part + 1 >= parts { u64::MAX } else { (part + 1) * PART };
        give(Job { path: path.clone(), from: part * PART, to });
    }
}

fn work(jobs: &Mutex<Receiver<Job>>, ledger: &Ledger, trouble: &Mutex<Vec<Trouble>>, tell: Tell<'_>) {
    let mut buffer = read::buffer();
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        do_job(&job, &mut buffer, ledger, trouble, tell);
    }
}

fn do_job(job: &Job, buffer: &mut Buffer, ledger: &Ledger, trouble: &Mutex<Vec<Trouble>>, tell: Tell<'_>) {
    if let Err(error) = read(job, buffer, ledger, tell) {
        let unread = Trouble { path: Some(job.path.to_path_buf()), why: error.to_string() };
        trouble.lock().unwrap_or_else(PoisonError::into_inner).push(unread);
    }
}

fn read(job: &Job, buffer: &mut Buffer, ledger: &Ledger, tell: Tell<'_>) -> io::Result<()> {
    let mut file = std::fs::File::open(&job.path)?;
    let reach = REACH as u64;
    let start = job.from.saturating_sub(reach);
    if start > 0 {
        file.seek(SeekFrom::Start(start))?;
    }
    let mut source = file.take(job.to.saturating_add(reach) - start);
    let part = read::part(&mut source, buffer, job.from, job.to, tell);
    ledger.enter(Some(&job.path), job.from, part.hits, part.lines, part.bytes);
    part.trouble.map_or(Ok(()), Err)
}
