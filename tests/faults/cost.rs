//! What a run costs.

use crate::process::{Home, PROGRAM};
use std::io::Write;
use std::process::{Output, Stdio};
use std::time::Duration;

/// What a process did, and what it took.
pub struct Measured {
    pub output: Output,
    pub took: Duration,
    /// The most memory that it had at once.
    pub kib: u64,
}

/// Python, because only a parent is told what its child took.
const LOOK: &str = "
import resource, subprocess, sys, time
begun = time.monotonic()
status = subprocess.run(sys.argv[2:]).returncode
took = time.monotonic() - begun
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
open(sys.argv[1], 'w').write(f'{took} {peak}')
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
    let (took, kib) = told.split_once(' ').expect("two numbers");
    let took = Duration::from_secs_f64(took.parse().expect("seconds"));
    Measured { output, took, kib: kib.parse().expect("KiB") }
}
