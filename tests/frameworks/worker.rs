//! A framework in a process that lives as long as the test: requests in, answers out, line by line.

use crate::wire::{Answer, Wire};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub struct Worker {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts it and asks for one request.
    ///
    /// # Errors
    /// Why it cannot be had here.
    pub fn start(mut command: Command) -> Result<Self, String> {
        let program = command.get_program().to_string_lossy().into_owned();
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().map_err(|error| format!("{program}: {error}"))?;
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut worker = Self { child, stdin, stdout };
        let first = Wire { method: "GET".to_owned(), target: "/x".to_owned(), ..Wire::default() };
        let stdin = worker.stdin.as_mut().expect("a pipe");
        let _ = writeln!(stdin, "{}", first.line());
        let mut line = String::new();
        if worker.stdout.read_line(&mut line).unwrap_or(0) == 0 {
            drop(worker.stdin.take());
            let mut why = String::new();
            if let Some(mut stderr) = worker.child.stderr.take() {
                let _ = stderr.read_to_string(&mut why);
            }
            return Err(why.lines().find(|line| !line.trim().is_empty()).unwrap_or(&program).to_owned());
        }
        let answer = Answer::parse(&line);
        assert!(answer.refused.is_none(), "{program} refuses a plain GET: {line}");
        // Whatever it warns of goes past: a full pipe would stop it.
        if let Some(mut stderr) = worker.child.stderr.take() {
            std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        }
        Ok(worker)
    }

    /// What it makes of each request.
    pub fn ask<'w>(&mut self, requests: impl Iterator<Item = &'w Wire>) -> Vec<Answer> {
        let lines: Vec<String> = requests.map(|wire| wire.line() + "\n").collect();
        let (stdin, stdout) = (self.stdin.as_mut().expect("a pipe"), &mut self.stdout);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _ = stdin.write_all(lines.concat().as_bytes());
            });
            lines
                .iter()
                .map(|request| {
                    let mut line = String::new();
                    let read = stdout.read_line(&mut line).expect("an answer");
                    assert!(read > 0, "it died of this or of one before it: {request}");
                    Answer::parse(&line)
                })
                .collect()
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}
