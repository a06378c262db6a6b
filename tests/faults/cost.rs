//! What a run costs.

use crate::process::{Home, PROGRAM};
use std::io::Write;
use std::process::{Output, Stdio};
use std::time::Duration;

/// What a process did, and what it took.
pub struct Measured {
    pub output: Output,
    pub took: Duration,
    /// The time of processors that it had: what it takes on a machine that has nothing else to do.
    pub used: Duration,
    /// The most memory that it had at once.
    pub kib: u64,
}

/// Python, because only a parent is told what its child took.
const LOOK: &str = "
import resource, subprocess, sys, time
begun = time.monotonic()
status = subprocess.run(sys.argv[2:]).returncode
took = time.monotonic() - begun
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], 'w').write(f'{took} {used.ru_utime + used.ru_stime} {used.ru_maxrss}')
sys.exit(status if status >= 0 else 128 - status)
";

/// Runs patctl with `input` on stdin.
pub fn measured(home: &Home, args: &[&str], input: &[u8]) -> Measured {
    let told = home.dir.path().join("measured");
    let mut command = home.command_of("python3");
    command.args(["-c", LOOK]).arg(&told).arg(PROGRAM).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("python3");
    let mut stdin = child.stdin.take().expect("a pipe");
    // What is too long is not read to its end.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().expect("python3");
    let told = std::fs::read_to_string(told).expect("what it cost");
    let told: Vec<&str> = told.split(' ').collect();
    let [took, used, kib] = told[..] else { panic!("three numbers: {told:?}") };
    let seconds = |text: &str| Duration::from_secs_f64(text.parse().expect("seconds"));
    Measured { output, took: seconds(took), used: seconds(used), kib: kib.parse().expect("KiB") }
}
