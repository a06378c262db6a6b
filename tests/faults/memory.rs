//! Memory, threads and descriptors that the system refuses: neither a yes nor a no, and never a wrong secret.

use crate::figure;
use crate::harness::id_of;
use crate::process::{Home, PROGRAM, have, stderr, stdout};
use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

/// A database whose hashes take 64 MiB, with a live token of them and a file it leaked into.
struct Poor {
    home: Home,
    token: String,
}

/// Runs patctl under a limit that a shell sets first.
fn limited(home: &Home, limit: &str, args: &str, input: &str) -> Output {
    let mut command = home.command_of("bash");
    command.args(["-c", &format!("{limit}; exec {PROGRAM} {args}")]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("bash");
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("patctl")
}

impl Poor {
    fn new() -> Self {
        let home = Home::new("patctl.argon2.memory.kib = 65536\natlassian.pats.max.tokens.per.user = 100\n");
        let token = home.create(&["-q", "--expires", "30"]);
        std::fs::write(home.dir.path().join("leak"), format!("{token}\n")).expect("a file");
        Self { home, token }
    }

    /// Every command that computes a hash, and what it is fed.
    fn commands(&self) -> Vec<(String, String)> {
        let (token, id) = (self.token.as_str(), id_of(&self.token));
        let unknown = forged(token);
        vec![
            ("verify".to_owned(), token.to_owned()),
            ("verify -o json".to_owned(), token.to_owned()),
            ("verify".to_owned(), unknown),
            ("whoami".to_owned(), token.to_owned()),
            ("whoami -o json".to_owned(), token.to_owned()),
            ("verify --batch".to_owned(), format!("{{\"token\":\"{token}\"}}\n").repeat(3)),
            ("scan leak".to_owned(), String::new()),
            ("scan --revoke --yes leak".to_owned(), String::new()),
            ("scan --sarif leak".to_owned(), String::new()),
            ("scan -".to_owned(), token.to_owned()),
            ("revoke --token-stdin --yes".to_owned(), token.to_owned()),
            (format!("rotate --yes {id}"), String::new()),
            ("create -q another".to_owned(), String::new()),
        ]
    }

    fn is_untouched(&self, what: &str) {
        assert_eq!(self.home.count("SELECT count(*) FROM token"), 1, "{what}");
        assert_eq!(self.home.count("SELECT count(*) FROM token WHERE revoked_at IS NOT NULL"), 0, "{what}");
        let wrong = "SELECT count(*) FROM audit WHERE outcome = 'denied' OR reason = 'wrong-secret'";
        assert_eq!(self.home.count(wrong), 0, "{what}: the log calls a good token wrong");
    }
}

/// Another id with a right checksum: one that nobody has.
fn forged(token: &str) -> String {
    let other = Home::new("");
    let made = other.create(&["-q"]);
    assert_ne!(id_of(&made), id_of(token));
    made
}

/// Trouble in words, and nothing that reads as an answer.
fn is_trouble(output: &Output, what: &str) {
    assert_eq!(output.status.code(), Some(74), "{what}: {output:?}");
    let told = format!("{}{}", stdout(output), stderr(output));
    assert!(told.contains("memory for Argon2: 64 MiB") || told.contains("\"unavailable\""), "{what}: {told}");
    assert!(
        !told.contains("no token of this database") && !told.contains("internal error"),
        "{what}: {told}"
    );
    assert!(!told.contains("\"allowed\":true") && !told.contains("wrong-secret"), "{what}: {told}");
}

#[test]
fn memory_refused_to_argon2_is_trouble_in_every_command() {
    let mut runs = 0;
    for limit in ["ulimit -v 60000", "ulimit -d 30000"] {
        let poor = Poor::new();
        for (args, input) in poor.commands() {
            let output = limited(&poor.home, limit, &args, &input);
            is_trouble(&output, &format!("{limit}; {args}"));
            poor.is_untouched(&args);
            runs += 1;
        }
        let errors = "SELECT count(*) FROM audit WHERE outcome = 'error' AND reason = 'unavailable'";
        assert_eq!(poor.home.count(errors), 8, "one for each verdict that was not given");
        let verified = poor.home.feed(&["verify"], poor.token.as_bytes());
        assert!(verified.status.success(), "with memory it is good: {verified:?}");
        let chain = poor.home.run(&["audit", "verify"]);
        assert!(chain.status.success(), "{chain:?}");
    }
    figure("memory refused to Argon2 (ulimit -v, -d)", &format!("{runs} runs, 0 answers, 0 rows denied"));
}

#[test]
fn each_refused_map_of_memory_is_trouble_or_does_not_matter() {
    if !have("strace", "memory refused by injection") {
        return;
    }
    let poor = Poor::new();
    let (mut refused, mut good, mut runs) = (0, 0, 0);
    // Every mmap from the nth on is refused, and so is what malloc does without it; which of them is Argon2's
    // depends on the machine. The last ones are those of a renewal, without which the answer is a yes.
    std::fs::write(poor.home.dir.path().join("patctl.properties"), "").expect("other costs");
    for from in 1..40 {
        let mut command = poor.home.command_of("strace");
        let maps = format!("inject=mmap:error=ENOMEM:when={from}+");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=mmap,brk", "-e", &maps]);
        command.args(["-e", "inject=brk:retval=0:when=4+", PROGRAM, "verify"]);
        let token = std::fs::File::open(poor.home.dir.path().join("leak")).expect("the token");
        let output = command.stdin(token).output().expect("strace");
        runs += 1;
        let code = output.status.code();
        assert_ne!(code, Some(1), "refused from {from} on is told as a no: {output:?}");
        assert!(!stderr(&output).contains("denied"), "{from}: {output:?}");
        refused += usize::from(stderr(&output).contains("memory for Argon2"));
        good += usize::from(output.status.success());
        if good > 2 {
            break;
        }
    }
    poor.is_untouched("injected");
    assert!(refused > 0, "no run reached Argon2");
    figure("mmap refused (injected ENOMEM)", &format!("{runs} runs, {refused} at Argon2, 0 told as a no"));
}

#[test]
fn a_batch_that_has_memory_for_one_answers_all() {
    let home = Home::new("patctl.argon2.memory.kib = 65536\natlassian.pats.max.tokens.per.user = 100\n");
    let tokens: Vec<String> = (0..6).map(|_| home.create(&["-q"])).collect();
    let lines = tokens.iter().fold(String::new(), |lines, token| lines + "{\"token\":\"" + token + "\"}\n");
    let mut trouble = 0;
    for kib in (70_000..190_000).step_by(24_000) {
        home.sql().execute_batch("DELETE FROM cache").expect("by hand");
        let output = limited(&home, &format!("ulimit -v {kib}"), "verify --batch", &lines);
        let told = stdout(&output);
        let (yes, unavailable) =
            (told.matches("\"allowed\":true").count(), told.matches("\"reason\":\"unavailable\"").count());
        assert!(!told.contains("wrong-secret"), "{kib}: {told}");
        assert_eq!(yes + unavailable, told.lines().count(), "{kib}: {told}");
        assert!(output.status.success() == (yes == 6), "{kib}: {output:?}");
        trouble += 6 - yes;
    }
    figure(
        "a batch under ulimit -v of 70 to 190 MB",
        &format!("30 lines, {trouble} without an answer, 0 wrong"),
    );
}

#[test]
fn without_threads_or_descriptors_it_is_said_so_or_done_alone() {
    let home = Home::new("");
    let token = home.create(&["-q"]);
    let sealed = Home::new("");
    let at = sealed.dir.path().display();
    fs::write(sealed.dir.path().join("own.properties"), format!("patctl.integrity.key.file = {at}/seal.key"))
        .expect("a configuration");
    let configured = format!("--config {at}/own.properties list");
    assert!(sealed.shell(&format!("patctl --config {at}/own.properties create -q")).status.success());
    let (mut runs, mut refused) = (0, 0);
    for number in 3..16 {
        for (home, args, input) in [
            (&home, "list", ""),
            (&sealed, configured.as_str(), ""),
            (&home, "verify", token.as_str()),
            (&home, "scan .", ""),
            (&home, "audit", ""),
        ] {
            let output = limited(home, &format!("ulimit -n {number}"), args, input);
            let (code, told) = (output.status.code(), stderr(&output));
            assert!(!told.contains("run as its owner"), "{number} {args}: {told}");
            assert!(!told.contains("internal error"), "{number} {args}: {told}");
            assert!(
                !matches!(code, Some(1 | 77 | 78)) || args.starts_with("scan"),
                "{number} {args}: {output:?}"
            );
            refused += usize::from(code == Some(75));
            runs += 1;
        }
    }
    assert!(refused > 0, "nothing was refused");
    figure(
        "few descriptors (3 to 15)",
        &format!("{runs} runs, {refused} told as such (75), 0 as rights or a no"),
    );
}
