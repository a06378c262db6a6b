//! A disk that remembers what of it would survive a power cut, fed with what `strace` saw.

use rand::RngExt;
use rand::rngs::StdRng;
use std::collections::BTreeMap;

/// What a system call did to the disk.
pub enum Op {
    Create(String),
    Write(String, u64, Vec<u8>),
    Append(String, Vec<u8>),
    Length(String, u64),
    Sync(String),
    Unlink(String),
    Rename(String, String),
    /// A command ended with success: from here on, this holds.
    Done(BTreeMap<String, String>),
}

fn unhex(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|two| u8::from_str_radix(two, 16).expect("a byte")).collect()
}

fn name(text: &str) -> String {
    String::from_utf8(unhex(text)).expect("a path")
}

/// What came of the data that should be written.
fn written(text: &str, result: &str) -> Option<Vec<u8>> {
    let written: usize = result.parse().ok()?;
    let mut data = unhex(text);
    assert!(data.len() >= written, "strace cut the data short");
    data.truncate(written);
    Some(data)
}

/// One line of `strace -y -xx`; what failed did nothing.
pub fn parse(line: &str) -> Option<Op> {
    let (call, rest) = line.split_once('(')?;
    let (args, result) = rest.rsplit_once(" = ")?;
    if result.starts_with('-') {
        return None;
    }
    let fd = || Some(name(args.split_once('<')?.1.split_once('>')?.0));
    let quoted = |index: usize| args.split('"').nth(2 * index + 1);
    let tail: Vec<&str> = args.trim_end_matches(')').rsplit(", ").collect();
    // A name beside a directory's descriptor lies in that directory.
    let inside = |index: usize| {
        let (directory, file) = (args.split('<').nth(index + 1), name(quoted(index)?));
        match directory.and_then(|directory| directory.split_once('>')) {
            Some((directory, _)) if !file.starts_with('/') => Some(format!("{}/{file}", name(directory))),
            _ => Some(file),
        }
    };
    Some(match call {
        "openat" if args.contains("O_CREAT") => Op::Create(inside(0)?),
        "pwrite64" => Op::Write(fd()?, tail[0].parse().ok()?, written(quoted(0)?, result)?),
        "write" => Op::Append(fd()?, written(quoted(0)?, result)?),
        "ftruncate" => Op::Length(fd()?, tail[0].parse().ok()?),
        "fsync" | "fdatasync" => Op::Sync(fd()?),
        "unlink" => Op::Unlink(name(quoted(0)?)),
        "unlinkat" if !args.contains("AT_REMOVEDIR") => Op::Unlink(inside(0)?),
        "rename" => Op::Rename(name(quoted(0)?), name(quoted(1)?)),
        "renameat" | "renameat2" => Op::Rename(inside(0)?, inside(1)?),
        _ => return None,
    })
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Append(Vec<u8>),
    Length(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(at, data) => write(content, *at, data),
            Self::Append(data) => content.extend_from_slice(data),
            Self::Length(length) => content.resize(*length, 0),
        }
    }
}

#[derive(Clone, Default)]
struct Inode {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum Entry {
    Link(String, usize),
    Unlink(String),
    Rename(String, String),
}

/// The disk, and what of it would survive.
#[derive(Default)]
pub struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    entries: Vec<Entry>,
    /// So many changes of names are durable; a journal keeps their order.
    kept: usize,
    /// Whether synchronising does what it says.
    honest: bool,
}

fn write(content: &mut Vec<u8>, at: usize, data: &[u8]) {
    if content.len() < at + data.len() {
        content.resize(at + data.len(), 0);
    }
    content[at..at + data.len()].copy_from_slice(data);
}

impl Disk {
    /// An empty one; one that is not honest forgets what it was told to synchronise.
    pub fn new(honest: bool) -> Self {
        Self { honest, ..Self::default() }
    }

    /// What a call does to it.
    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::Create(name) if !self.names.contains_key(name) => {
                self.inodes.push(Inode::default());
                self.names.insert(name.clone(), self.inodes.len() - 1);
                self.entries.push(Entry::Link(name.clone(), self.inodes.len() - 1));
            }
            Op::Write(name, at, data) => {
                self.pend(name, Change::Write(usize::try_from(*at).expect("small"), data.clone()));
            }
            // A pipe has no name here.
            Op::Append(name, data) => self.pend(name, Change::Append(data.clone())),
            Op::Length(name, length) => {
                self.pend(name, Change::Length(usize::try_from(*length).expect("small")));
            }
            Op::Sync(name) if self.honest => self.sync(name),
            Op::Unlink(name) => {
                self.names.remove(name);
                self.entries.push(Entry::Unlink(name.clone()));
            }
            Op::Rename(from, to) => {
                let inode = self.names.remove(from).expect("a name");
                self.names.insert(to.clone(), inode);
                self.entries.push(Entry::Rename(from.clone(), to.clone()));
            }
            Op::Create(_) | Op::Sync(_) | Op::Done(_) => {}
        }
    }

    fn pend(&mut self, name: &str, change: Change) {
        if let Some(inode) = self.names.get(name) {
            self.inodes[*inode].pending.push(change);
        }
    }

    /// Of a file: what it holds, and that it is there. Of a directory: all its names.
    fn sync(&mut self, name: &str) {
        let Some(&inode) = self.names.get(name) else {
            self.kept = self.entries.len();
            return;
        };
        let linked = self.entries.iter().rposition(|entry| match entry {
            Entry::Link(_, linked) => *linked == inode,
            Entry::Rename(_, to) => to == name,
            Entry::Unlink(_) => false,
        });
        self.kept = self.kept.max(linked.map_or(0, |at| at + 1));
        let inode = &mut self.inodes[inode];
        for change in std::mem::take(&mut inode.pending) {
            change.apply(&mut inode.durable);
        }
    }

    /// What somebody finds who switches the power on again.
    pub fn survive(&self, dice: &mut StdRng) -> BTreeMap<String, Vec<u8>> {
        let kept = dice.random_range(self.kept..=self.entries.len());
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for entry in &self.entries[..kept] {
            match entry {
                Entry::Link(name, inode) => _ = names.insert(name.clone(), *inode),
                Entry::Unlink(name) => _ = names.remove(name),
                Entry::Rename(from, to) => {
                    let inode = names.remove(from).expect("a name");
                    names.insert(to.clone(), inode);
                }
            }
        }
        let mode = dice.random_range(0..4);
        let mut left = BTreeMap::new();
        for (name, inode) in names {
            let Inode { mut durable, pending } = self.inodes[inode].clone();
            for change in pending {
                match change {
                    // Nothing of what was pending came through, or all of it, or some.
                    _ if mode == 0 || (mode > 1 && dice.random_bool(0.4)) => {}
                    Change::Write(at, data) if mode == 3 && dice.random_bool(0.5) => {
                        for (index, sector) in data.chunks(512).enumerate() {
                            if dice.random_bool(0.5) {
                                write(&mut durable, at + 512 * index, sector);
                            }
                        }
                    }
                    whole => whole.apply(&mut durable),
                }
            }
            left.insert(name, durable);
        }
        left
    }
}
