//! A real mail server on loopback: `smtp_server.py`, which needs aiosmtpd from the index of Python packages.

use crate::process::skip;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub struct Server {
    dir: TempDir,
    child: Child,
    pub port: u16,
}

/// A mail as it arrived.
#[derive(Debug)]
pub struct Arrived {
    pub from: String,
    pub to: Vec<String>,
    pub data: String,
    pub hello: String,
    pub encrypted: bool,
    pub login: Option<String>,
}

impl Server {
    /// `None`, said loudly, where aiosmtpd is not installed.
    pub fn start(test: &str) -> Option<Self> {
        Self::start_with(test, &[])
    }

    /// With TLS: `starttls` or `wrapped`, a certificate, its key.
    pub fn start_with(test: &str, tls: &[&str]) -> Option<Self> {
        let import = Command::new("python3").args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
        if !import.is_ok_and(|status| status.success()) {
            let ci = std::env::var_os("CI").is_some();
            assert!(!ci, "{test} needs aiosmtpd, which .ci/run should install");
            skip(&format!("{test}: python3 has no aiosmtpd on this machine"));
            return None;
        }
        let dir = tempfile::tempdir().expect("a temporary directory");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/smtp_server.py");
        let mut child = Command::new("python3")
            .arg(script)
            .arg(dir.path())
            .args(tls)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(dir.path().join("stderr")).expect("a file"))
            .spawn()
            .expect("python3");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a port");
        let port = line.trim().parse().expect("a port");
        Some(Self { dir, child, port })
    }

    /// How it behaves from now on.
    pub fn mode(&self, mode: &str) {
        std::fs::write(self.dir.path().join("mode"), mode).expect("a file");
    }

    pub fn route(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Properties that send mails here.
    pub fn properties(&self) -> String {
        format!("patctl.mail.transport = {}\npatctl.mail.from = patctl@example.com\n", self.route())
    }

    /// Everything that arrived, in its order.
    pub fn mails(&self) -> Vec<Arrived> {
        let files = std::fs::read_dir(self.dir.path()).expect("a directory").map(|e| e.expect("it").path());
        let mut paths: Vec<_> = files.filter(|p| p.extension().is_some_and(|e| e == "json")).collect();
        paths.sort();
        paths.iter().map(|path| arrived(&std::fs::read_to_string(path).expect("a mail"))).collect()
    }
}

fn arrived(json: &str) -> Arrived {
    let json: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    let to = json["to"].as_array().expect("a list").iter();
    Arrived {
        from: text("from"),
        to: to.map(|to| to.as_str().expect("text").to_owned()).collect(),
        data: text("data"),
        hello: text("hello"),
        encrypted: json["encrypted"] == true,
        login: json["login"].as_str().map(str::to_owned),
    }
}

impl Arrived {
    /// The value of a header that is not folded.
    pub fn header(&self, name: &str) -> &str {
        let head = self.data.split("\r\n\r\n").next().expect("a header");
        let prefix = format!("{name}: ");
        head.split("\r\n").find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
