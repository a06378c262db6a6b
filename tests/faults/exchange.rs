//! A directory whose owner exchanges names for links while root is at work in it.

mod commands;
mod ground;
mod pace;

use crate::figure;
use crate::process::{Done, Home, PROGRAM, have, scaled, skip, stdout};
use commands::{DEEDS, Deed, NAIVE};
use ground::{Database, Ground, OTHER, SCENES, Scene, chmod};
use pace::{Pace, Ran, SLOWER, Steps, UNENDED, calls, race, stepped, steps, undisturbed};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Two races at a time would leave no processor to exchange names while the command of one of them runs.
static ALONE: Mutex<()> = Mutex::new(());

/// How often names are exchanged under each command at least.
const FEWEST_EXCHANGES: u64 = 200;

fn is_root(test: &str) -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !root {
        skip(&format!("{test}: it takes root to act on the files of somebody else"));
    }
    root
}

/// What the runs of a command came to.
#[derive(Default)]
struct Tally {
    runs: usize,
    exchanges: u64,
    /// How many ended as they do when nobody exchanges anything.
    undisturbed: usize,
    /// How many did not end while they were waited for.
    unended: usize,
    /// What changed outside, and in which run.
    changed: Vec<String>,
}

/// A program that is run again and again while names are exchanged.
struct Trial<'g> {
    ground: &'g mut Ground,
    database: Database,
    program: &'g str,
    words: &'g [&'g str],
    /// How it ends, and how long that takes, when nobody exchanges anything.
    status: i32,
    takes: Duration,
}

impl<'g> Trial<'g> {
    fn new(ground: &'g mut Ground, database: Database, program: &'g str, words: &'g [&'g str]) -> Self {
        ground.lay(database);
        let command = ground.command(program, words);
        let ran = undisturbed(command, &ground.said());
        assert_eq!(ground.changed(), None, "{words:?}");
        Self { ground, database, program, words, status: ran.status, takes: ran.took }
    }

    fn command(&self) -> Command {
        self.ground.lay(self.database);
        self.ground.command(self.program, self.words)
    }

    /// Whether it ended as it does undisturbed. What `doctor` finds is also up to what others left in /var/tmp.
    fn is_as(&self, undisturbed: i32, status: i32) -> bool {
        status == undisturbed || self.words[0] == "doctor" && [0, 1].contains(&status)
    }

    fn count(&mut self, tally: &mut Tally, ran: &Ran, how: &str) {
        tally.runs += 1;
        tally.exchanges += ran.exchanges;
        tally.undisturbed += usize::from(self.is_as(self.status, ran.status));
        tally.unended += usize::from(ran.status == UNENDED);
        let changed = self.ground.changed();
        let found = self.ground.found(self.database, self.words, &ran.said);
        if changed.is_some() {
            self.ground.mend();
        }
        tally.changed.extend(changed.or(found).map(|what| format!("{how}: {what}")));
    }

    /// While it runs: so often, and until a run had luck and the names were exchanged often enough.
    fn raced(&mut self, runs: usize, dice: &mut StdRng) -> Tally {
        let mut tally = Tally::default();
        let mut scenes = SCENES.to_vec();
        while tally.runs < runs
            || (tally.undisturbed == 0 || tally.exchanges < FEWEST_EXCHANGES) && tally.runs < 20 * runs
        {
            if tally.runs % SCENES.len() == 0 {
                scenes.shuffle(dice);
            }
            let scene = scenes[tally.runs % SCENES.len()];
            let pace = if dice.random() { Pace::Fast } else { SLOWER[dice.random_range(0..SLOWER.len())] };
            let (command, pairs) = (self.command(), self.ground.pairs(scene));
            let ran = race(command, &self.ground.said(), &pairs, pace, self.takes, dice);
            self.count(&mut tally, &ran, &format!("{scene:?} {pace:?}"));
        }
        tally
    }

    /// Behind the calls that it makes: most where root is about to write, the others anywhere.
    fn stepped(&mut self, runs: usize, dice: &mut StdRng) -> Tally {
        let mut tally = Tally::default();
        let (best, rest) = steps(&calls(&self.command(), &self.ground.said(), &self.ground.theirs));
        let in_scenes = |steps: Vec<Steps>, dice: &mut StdRng| {
            let each = |step: Steps| SCENES.map(|scene| (step.clone(), scene));
            let mut all: Vec<(Steps, Scene)> = steps.into_iter().flat_map(each).collect();
            all.shuffle(dice);
            all
        };
        let best = in_scenes(best, dice).into_iter().take(runs * 2 / 3);
        for (steps, scene) in best.chain(in_scenes(rest, dice)).take(runs) {
            let (command, pairs) = (self.command(), self.ground.pairs(scene));
            let ran = stepped(&command, &self.ground.said(), &pairs, &steps, self.takes);
            self.count(&mut tally, &ran, &format!("{scene:?} {steps:?}"));
        }
        tally
    }
}

/// The runs of a command: while it runs, and at its calls.
fn runs() -> (usize, usize) {
    (scaled(6, 120), scaled(8, 160))
}

/// One of the commands, all its runs.
fn tried(ground: &mut Ground, deed: Deed, dice: &mut StdRng) -> (Tally, Vec<String>) {
    let (database, line, status) = deed;
    let words: Vec<&str> = line.split(' ').collect();
    let mut trial = Trial::new(ground, database, PROGRAM, &words);
    let mut faults = Vec::new();
    if !trial.is_as(status, trial.status) {
        faults.push(format!("{line}: ends with {} and not with {status}", trial.status));
    }
    let (while_it_runs, at_calls) = runs();
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let raced = trial.raced(while_it_runs, dice);
    drop(alone);
    let stepped = trial.stepped(at_calls, dice);
    let undisturbed = raced.undisturbed + stepped.undisturbed;
    if undisturbed == 0 || raced.exchanges < FEWEST_EXCHANGES {
        faults.push(format!("{line}: {undisturbed} runs got through {} exchanges", raced.exchanges));
    }
    let tally = Tally {
        runs: raced.runs + stepped.runs,
        exchanges: raced.exchanges + stepped.exchanges,
        undisturbed,
        unended: raced.unended + stepped.unended,
        changed: [raced.changed, stepped.changed].concat(),
    };
    let first = tally.changed.first();
    faults.extend(
        first.map(|first| format!("{line}: {} of {} runs: {first}", tally.changed.len(), tally.runs)),
    );
    (tally, faults)
}

#[test]
fn names_that_are_exchanged_under_root_lead_nowhere() {
    let test = "names_that_are_exchanged_under_root";
    if !is_root(test) || !have("strace", test) {
        return;
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut ground, mut done) = (Ground::new(), Vec::new());
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(deed) = DEEDS.get(at) else { break done };
            // The same choices each time, whoever comes to it first.
            done.push(tried(&mut ground, *deed, &mut StdRng::seed_from_u64(at as u64)));
        }
    };
    let done = thread::scope(|scope| {
        let halves = [(); 2].map(|()| scope.spawn(work));
        halves.map(|half| half.join().expect("no panic")).into_iter().flatten().collect::<Vec<_>>()
    });
    let sum = |of: fn(&Tally) -> usize| done.iter().map(|(tally, _)| of(tally)).sum::<usize>();
    let exchanges: u64 = done.iter().map(|(tally, _)| tally.exchanges).sum();
    let fewest = done.iter().map(|(tally, _)| tally.exchanges).min().unwrap_or_default();
    let faults: Vec<&String> = done.iter().flat_map(|(_, faults)| faults).collect();
    figure(
        "names exchanged for links under root",
        &format!(
            "{} commands, {} runs, {} of them as if nothing were, {} not waited for, {exchanges} exchanges ({fewest} or \
             more a command), {} runs changed something outside, or read it",
            done.len(),
            sum(|tally| tally.runs),
            sum(|tally| tally.undisturbed),
            sum(|tally| tally.unended),
            sum(|tally| tally.changed.len()),
        ),
    );
    assert!(faults.is_empty(), "{faults:#?}");
}

/// What must be found: otherwise nothing that is not found says anything.
#[test]
fn a_program_that_looks_and_then_goes_by_the_name_is_found_out() {
    let test = "a_program_that_looks_and_then_goes_by_the_name";
    if !is_root(test) || !have("strace", test) {
        return;
    }
    let (mut ground, mut dice) = (Ground::new(), StdRng::seed_from_u64(16));
    let (while_it_runs, at_calls) = runs();
    let trials = 3;
    for (what, script) in NAIVE {
        let (mut raced, mut stepped) = (0, 0);
        for _ in 0..trials {
            let words = ["-c", script];
            let mut trial = Trial::new(&mut ground, Database::Whole, "sh", &words);
            assert_eq!(trial.status, 0, "{what}");
            raced += usize::from(!trial.raced(while_it_runs, &mut dice).changed.is_empty());
            stepped += usize::from(!trial.stepped(at_calls, &mut dice).changed.is_empty());
        }
        figure(
            "a naive program among exchanged names",
            &format!("{what}: found out in {stepped} of {trials} trials at its calls, {raced} while it ran"),
        );
        assert_eq!(stepped, trials, "{what}");
    }
}

/// In a directory that a group shares, a member who has no key puts files of their own in the place of drafts.
#[test]
fn no_draft_that_was_exchanged_is_sealed() {
    if !is_root("no_draft_that_was_exchanged") {
        return;
    }
    let home = Home::new("patctl.db = /nowhere/patctl.db\n");
    let (shared, key) = (home.dir.path().join("shared"), home.dir.path().join("key"));
    fs::create_dir(&shared).expect("a directory");
    chmod(home.dir.path(), 0o755);
    chown(&shared, None, Some(OTHER)).expect("chown");
    chmod(&shared, 0o2770);
    let run = |args: &str| {
        home.shell(&format!(
            "{PROGRAM} -D patctl.integrity.key.file={} --db {}/patctl.db {args}",
            key.display(),
            shared.display()
        ))
    };
    let token = stdout(&run("create -q --user mallory")).trim().to_owned();
    assert!(run("backup backup.db").status.success());
    // What the member would like to have sealed: the same database, with their token in the name of somebody else.
    let forged = home.dir.path().join("forged.db");
    fs::copy(home.dir.path().join("backup.db"), &forged).expect("a copy");
    let sql = rusqlite::Connection::open(&forged).expect("a database");
    sql.execute("UPDATE token SET user = 'thechef'", []).expect("by hand");
    drop(sql);
    let (done, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let rounds = scaled(25, 200);
    thread::scope(|scope| {
        let (done, count) = (&done, &count);
        let (shared, forged) = (&shared, &forged);
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                for entry in fs::read_dir(shared).into_iter().flatten().flatten() {
                    let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
                    if !name.contains(".new-") {
                        continue;
                    }
                    // A draft that is a file is exchanged, one that is a directory with all in it.
                    let aside = shared.join("aside");
                    if fs::rename(&path, &aside).is_ok() {
                        count.fetch_add(1, Ordering::Relaxed);
                        let _ = fs::copy(forged, &path);
                        let _ = fs::remove_dir_all(&aside);
                        let _ = fs::remove_file(&aside);
                    }
                }
            }
        });
        let _done = Done(done);
        for _ in 0..rounds {
            let _ = run("restore backup.db --yes -q");
            let verdict = home.shell(&format!(
                "printf %s {token} | {PROGRAM} -D patctl.integrity.key.file={} --db {}/patctl.db verify --field user",
                key.display(),
                shared.display()
            ));
            assert!(!stdout(&verdict).contains("thechef"), "{verdict:?}");
        }
    });
    let exchanged = count.load(Ordering::Relaxed);
    figure(
        "drafts exchanged under a restore",
        &format!("{rounds} restores, {exchanged} exchanged, 0 rows sealed"),
    );
}
