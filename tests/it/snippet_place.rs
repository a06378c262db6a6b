//! A place where snippets run, as their readers run them.

use crate::process::stdout;
use crate::snippet_server::Server;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Where snippets run.
pub struct Place {
    pub dir: TempDir,
    pub server: Server,
}

impl Place {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary directory"), server: Server::start() }
    }

    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .env("TMPDIR", self.dir.path())
            .env("LC_ALL", "C.UTF-8")
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        for go in ["GOCACHE", "GOROOT"] {
            if let Some(value) = std::env::var_os(go) {
                command.env(go, value);
            }
        }
        command
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.dir.path().join(name), text).expect("a file");
        name.to_owned()
    }

    /// Runs a snippet as its readers do; `round` chooses one of their ways.
    pub fn run(&self, language: &str, snippet: &str, token: Option<&str>, round: usize) -> Output {
        let mut command = match language {
            "javascript" => {
                let name = ["call.mjs", "call.cjs"][round % 2];
                let mut command = self.command("node");
                command.arg(self.write(name, snippet));
                command
            }
            "python" => {
                let mut command = self.command("python3");
                command.arg(self.write("call.py", snippet));
                command
            }
            "go" => {
                let mut command = self.command("go");
                // One cache for all rounds.
                let cache = std::env::temp_dir().join("patctl-test-go-cache");
                command.env("GOCACHE", cache).env("GOFLAGS", "-mod=mod").arg("run");
                command.arg(self.write("call.go", snippet));
                command
            }
            "powershell" => {
                let mut command = self.command("pwsh");
                command.args(["-NoProfile", "-File", &self.write("call.ps1", snippet)]);
                command
            }
            _ => return self.shell(snippet, token, round),
        };
        token.map(|token| command.env("PATCTL_TOKEN", token));
        command.output().expect(language)
    }

    /// In a script of one of several shells, or typed at a prompt, where `!` has a meaning.
    fn shell(&self, snippet: &str, token: Option<&str>, round: usize) -> Output {
        let shells: [(&str, &[&str]); 6] = [
            ("dash", &["-c"]),
            ("bash", &["-c"]),
            ("bash", &["--norc", "--noprofile", "-i", "-o", "history", "-o", "histexpand"]),
            ("zsh", &["-f", "-c"]),
            ("bash", &["-c", "set -aeu\n"]),
            ("zsh", &["-f", "-i", "-o", "banghist"]),
        ];
        let (shell, args) = shells[round % shells.len()];
        let mut command = self.command(shell);
        token.map(|token| command.env("PATCTL_TOKEN", token));
        if args.contains(&"-i") {
            let typed =
                command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = typed.spawn().expect(shell);
            let mut stdin = child.stdin.take().expect("a pipe");
            writeln!(stdin, "echo before > /dev/null\n{snippet}").expect("it reads");
            drop(stdin);
            return child.wait_with_output().expect(shell);
        }
        let (options, first) = args.split_at(args.iter().position(|arg| *arg == "-c").expect("it") + 1);
        command.args(options).arg(first.concat() + snippet).output().expect(shell)
    }
}

/// By the program that every machine has.
pub fn base64_of(text: &str) -> String {
    let mut child =
        Command::new("base64").arg("-w0").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    stdout(&child.wait_with_output().expect("base64"))
}
