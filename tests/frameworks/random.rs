//! A million random requests: none that a line allows is read as what the line forbids.

use crate::frameworks::{FRAMEWORKS, Framework};
use crate::generate::Generator;
use crate::lines::{Line, lines};
use crate::naive;
use crate::wire::{Answer, Wire};
use crate::worker::Worker;
use patctl::domain::restriction::Merges;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

/// A request, and which lines allow it: for each line one bit of each value of `merges`, and one of the control.
struct Judged {
    wire: Wire,
    allowed: Vec<u8>,
}

const MERGES: [Merges; 3] = [Merges::All, Merges::Forms, Merges::Nothing];
const NAIVE: u8 = 1 << MERGES.len();

fn judge(wire: Wire, lines: &[Line]) -> Judged {
    let sent = wire.sent();
    let of_line = |line: &Line| {
        let bits = MERGES.iter().enumerate().filter(|(_, merges)| line.allows(&sent, **merges));
        let bits = bits.fold(0, |all, (at, _)| all | 1 << at);
        // Who merges less reads less: what is safe for `all` is safe for the others.
        assert!(matches!(bits, 0b000 | 0b100 | 0b110 | 0b111), "{}: {bits:03b} {}", line.text, wire.told());
        bits | if naive::allows(line, &wire) { NAIVE } else { 0 }
    };
    let allowed = lines.iter().map(of_line).collect();
    Judged { wire, allowed }
}

/// What came of the requests in one framework.
#[derive(Default)]
pub struct Tally {
    requests: usize,
    /// Requests that some line allows.
    allowed: usize,
    /// Requests that the framework refuses itself.
    refused: usize,
    /// Requests that some line has to deny.
    forbidden: usize,
    /// Requests that a line of the control allows although the framework reads what it forbids.
    naive_wrong: usize,
    /// The same of patctl, and what it was.
    wrong: usize,
    shown: Vec<String>,
}

impl Tally {
    fn add(&mut self, judged: &Judged, answer: &Answer, lines: &[Line], merges: &[Merges]) {
        let (mut forbidden, mut naive_wrong, mut wrong) = (false, false, false);
        for (line, bits) in lines.iter().zip(&judged.allowed) {
            for (at, kind) in MERGES.iter().enumerate().filter(|(_, kind)| merges.contains(kind)) {
                let Some(what) = line.broken_by(&judged.wire, answer, *kind) else { continue };
                forbidden |= *kind == Merges::All;
                naive_wrong |= *kind == Merges::All && bits & NAIVE != 0;
                if bits & (1 << at) != 0 {
                    wrong = true;
                    self.shown.push(format!("{} [{kind:?}] reads {what}: {}", line.text, judged.wire.told()));
                    self.shown.truncate(1000);
                }
            }
        }
        self.requests += 1;
        self.allowed += usize::from(judged.allowed.iter().any(|bits| bits & 1 != 0));
        self.refused += usize::from(answer.refused.is_some());
        self.forbidden += usize::from(forbidden);
        self.naive_wrong += usize::from(naive_wrong);
        self.wrong += usize::from(wrong);
    }
}

fn try_all(
    mut worker: Worker,
    batches: &Receiver<Arc<Vec<Judged>>>,
    lines: &[Line],
    merges: &[Merges],
) -> Tally {
    let mut tally = Tally::default();
    for batch in batches {
        let answers = worker.ask(batch.iter().map(|judged| &judged.wire));
        for (judged, answer) in batch.iter().zip(&answers) {
            tally.add(judged, answer, lines, merges);
        }
    }
    tally
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn is_wanted(framework: &Framework) -> bool {
    std::env::var("PATCTL_FRAMEWORKS")
        .map_or(true, |names| names.split(',').any(|name| name == framework.name))
}

/// Judges the requests, and has each framework read them.
pub fn differential(test: &str, mut requests: impl Iterator<Item = Wire>) -> Vec<(Framework, Tally)> {
    let own_lines = lines();
    std::thread::scope(|scope| {
        let (mut senders, mut running) = (Vec::new(), Vec::new());
        for framework in FRAMEWORKS.into_iter().filter(is_wanted) {
            let Some(worker) = framework.start(test) else { continue };
            let (sender, receiver) = sync_channel::<Arc<Vec<Judged>>>(4);
            senders.push(sender);
            let thread = scope.spawn(move || try_all(worker, &receiver, &lines(), framework.merges));
            running.push((framework, thread));
        }
        while !senders.is_empty() {
            let batch: Vec<Judged> =
                requests.by_ref().take(500).map(|wire| judge(wire, &own_lines)).collect();
            if batch.is_empty() {
                break;
            }
            let batch = Arc::new(batch);
            // A framework that has died says so itself when it is joined.
            senders.retain(|sender| sender.send(Arc::clone(&batch)).is_ok());
        }
        drop(senders);
        running.into_iter().map(|(framework, thread)| (framework, thread.join().expect("a tally"))).collect()
    })
}

/// Prints the figures, and fails where something forbidden was allowed.
pub fn report(tallies: &[(Framework, Tally)], what: &str) {
    let mut failures = String::new();
    for (framework, tally) in tallies {
        let Tally { requests, allowed, refused, forbidden, naive_wrong, wrong, shown } = tally;
        crate::say(&format!(
            "FRAMEWORKS {}, {what}: {requests} requests, {allowed} allowed, {refused} refused by it, {forbidden} \
             read as forbidden; wrong yes: {wrong}, of the control: {naive_wrong}",
            framework.name
        ));
        if *wrong > 0 {
            let mut shown = shown.clone();
            shown.sort_by_key(String::len);
            shown.truncate(usize::try_from(number("PATCTL_SHOWN", 8)).expect("a count"));
            let _ = writeln!(failures, "{}: {wrong} wrong\n{}", framework.name, shown.join("\n"));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn no_allowed_random_request_reads_as_forbidden() {
    let long = std::env::var_os("PATCTL_LONG").is_some();
    let count = number("PATCTL_REQUESTS", if long { 1_000_000 } else { 8_000 });
    let mut generator = Generator::new(number("PATCTL_SEED", 20_261_201));
    let began = Instant::now();
    let requests = (0..count).map(|_| generator.request());
    let tallies = differential("no_allowed_random_request_reads_as_forbidden", requests);
    report(&tallies, &format!("random, {} s", began.elapsed().as_secs()));
    // A generator that sends nothing dangerous, or nothing that may pass, would find nothing.
    for (framework, tally) in &tallies {
        let Tally { requests, allowed, forbidden, naive_wrong, .. } = tally;
        assert!(allowed * 10 >= *requests, "{}: {allowed} of {requests} are allowed", framework.name);
        assert!(forbidden * 50 >= *requests, "{}: {forbidden} of {requests} are forbidden", framework.name);
        assert!(
            naive_wrong * 1000 >= *requests,
            "{}: the control is wrong {naive_wrong} times",
            framework.name
        );
    }
}
