//! The recipes of the README that need more than a shell: the scripts as printed, with the real programs.

use crate::harness::{assert_no_secret, id_of};
use crate::mail_server::Server;
use crate::process::{Done, Home, have, stderr, stdout};
use crate::readme::{blocks, written};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

pub fn script(home: &Home, name: &str, mark: &str) -> PathBuf {
    let path = home.dir.path().join(name);
    std::fs::write(&path, written(mark)).expect("a file");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("a mode");
    path
}

pub fn said(output: &Output) -> String {
    stdout(output) + &stderr(output)
}

/// What the block that holds `word` does, with a line behind it.
pub fn with(word: &str, line: &str) -> String {
    let block = blocks("sh").into_iter().find(|block| block.contains(word)).expect("the block");
    format!("{block}\n{line}\n")
}

/// The crontab over the mail settings of the README, against a real mail server.
#[test]
fn cron_prunes_and_mails_without_a_word() {
    let Some(server) = Server::start("cron_prunes_and_mails_without_a_word") else { return };
    let settings = blocks("properties")[0];
    let settings = settings
        .replace("smtps://mail.example.com", &format!("smtp://localhost:{}", server.port))
        .replace("patctl.mail.credentials.file = /etc/patctl/mail.credentials\n", "");
    assert!(settings.contains("localhost") && !settings.contains("/etc"), "{settings}");
    let home = Home::new(&format!("{settings}atlassian.pats.pruning.delay.days = 0\n"));
    home.create(&["ends", "--user", "alice", "--expires", "3"]);
    let gone = home.create(&["gone", "--user", "bob"]);
    assert!(home.run(&["revoke", id_of(&gone), "--yes"]).status.success());
    let lines: Vec<&str> = blocks("crontab").into_iter().flat_map(str::lines).collect();
    assert!(
        lines.iter().any(|line| line.contains("prune")) && lines.iter().any(|line| line.contains("notify"))
    );
    for round in 0..2 {
        for line in &lines {
            let command = line.splitn(6, ' ').nth(5).expect("five fields, then the command");
            let output = home.command_of("sh").args(["-c", command]).output().expect("sh");
            assert!(output.status.success() && said(&output).is_empty(), "{round} {line}: {output:?}");
        }
    }
    assert_eq!(home.count("SELECT count(*) FROM token"), 1);
    // One mail says both: that the token was created, and that it expires soon.
    let mut mails = server.mails();
    mails.retain(|mail| mail.data.contains("It will expire soon."));
    let told: Vec<_> = mails.iter().map(|mail| (&mail.to[..], mail.header("Subject"))).collect();
    assert_eq!(told, [(&["alice@example.com".to_owned()][..], "Token created: ends")]);
}

/// Readers take the file while it is rotated three times: each finds a token that works.
#[test]
fn a_rotation_from_cron_has_no_moment_of_downtime() {
    if !have("jq", "a_rotation_from_cron_has_no_moment_of_downtime") {
        return;
    }
    let home = Home::new("");
    let dir = home.dir.path();
    let file = |name: &str| std::fs::read_to_string(dir.join(name)).expect("a file");
    home.create(&["ci", "--user", "alice", "--token-file", "ci.token"]);
    let rotate = script(&home, "rotate-ci", "ROTATE");
    let run = || home.command_of("sh").arg(&rotate).output().expect("sh");
    let done = AtomicBool::new(false);
    let reads = AtomicUsize::new(0);
    // The grace of every rotation so far is over.
    let a_day_passes = || {
        let past = "UPDATE token SET rotated_at = '2026-01-01T00:00:00.000000Z' WHERE rotated_at IS NOT NULL";
        home.sql().execute(past, []).expect("an update");
    };
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                // The shell opens the file, and it may be another one by the time it is judged.
                let output =
                    home.shell("token=$(cat ci.token); sleep 0.02; printf %s \"$token\" | patctl verify");
                assert!(output.status.success(), "{output:?}");
                reads.fetch_add(1, Ordering::Relaxed);
            }
        });
        let ends = Done(&done);
        for _ in 0..3 {
            let before = file("ci.token");
            let output = run();
            assert!(output.status.success() && said(&output).is_empty(), "{output:?}");
            assert_ne!(file("ci.token"), before);
            // What was read before the rotation has been judged.
            let two_more = reads.load(Ordering::Relaxed) + 2;
            while reads.load(Ordering::Relaxed) < two_more && !reader.is_finished() {
                std::thread::sleep(Duration::from_millis(5));
            }
            a_day_passes();
        }
        drop(ends);
        reader.join().expect("a reader");
    });
    let mode = std::fs::metadata(dir.join("ci.token")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    // Interrupted after the token was issued: its file is taken, and nothing is lost.
    let issued = "patctl rotate \"$(patctl whoami -o json < ci.token | jq -er .id)\" --grace 24h -q --token-file ci.token.new";
    assert!(home.shell(issued).status.success());
    let issued = file("ci.token.new");
    assert!(run().status.success());
    assert_eq!(file("ci.token"), issued);
    assert!(home.shell("patctl verify < ci.token && test ! -e ci.token.new").status.success());
    a_day_passes();
    // Interrupted before: the file holds nothing that works, and goes.
    std::fs::write(dir.join("ci.token.new"), "patctl_0123456789_x").expect("a file");
    assert!(run().status.success());
    assert_ne!(file("ci.token"), issued);
    assert!(home.shell("patctl verify < ci.token && test ! -e ci.token.new").status.success());
    // Trouble proves nothing: both files stay.
    std::fs::write(dir.join("ci.token.new"), file("ci.token")).expect("a file");
    std::fs::rename(home.db(), dir.join("away")).expect("a move");
    assert!(!run().status.success());
    assert_eq!(file("ci.token.new"), file("ci.token"));
}

/// The service of the README: its unit before systemd, its script with the credential where systemd puts it.
#[test]
fn a_service_sends_its_credential_in_no_argument_list() {
    if !have("curl", "a_service_sends_its_credential_in_no_argument_list") {
        return;
    }
    let home = Home::new("");
    let dir = home.dir.path();
    home.create(&["--token-file", "token"]);
    let token = std::fs::read_to_string(dir.join("token")).expect("a token").trim_end().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = format!("http://{}", listener.local_addr().expect("an address"));
    let text = written("NIGHTLY");
    assert!(text.contains("https://reports.example.com"));
    std::fs::write(dir.join("nightly"), text.replace("https://reports.example.com", &place)).expect("a file");
    let secret = token[token.len() - 38..].to_owned();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a call");
        let mut head = String::new();
        let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).expect("a line") > 0, "{head}");
        }
        // curl waits for the answer now: it is there to be looked at.
        let mut curls = 0;
        for process in std::fs::read_dir("/proc").expect("procfs").map_while(Result::ok) {
            let Ok(words) = std::fs::read(process.path().join("cmdline")) else { continue };
            assert_no_secret(&secret, &words, "an argument list");
            if words.starts_with(b"curl\0") {
                let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
                assert_no_secret(&secret, &environment, "an environment");
                curls += 1;
            }
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            .expect("an answer");
        (head, curls)
    });
    let mut nightly = home.command_of("sh");
    let output = nightly.arg("nightly").env("CREDENTIALS_DIRECTORY", dir).output().expect("sh");
    let (head, curls) = server.join().expect("a server");
    assert_eq!((output.status.success(), said(&output).as_str()), (true, "ok"));
    assert!(head.starts_with("GET /nightly HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nAuthorization: Bearer {token}\r\n")), "{head}");
    assert!(curls > 0, "curl was there to be looked at");
    let verify = "CREDENTIALS_DIRECTORY=$PWD; patctl verify --token-file \"$CREDENTIALS_DIRECTORY/token\"";
    assert!(home.shell(verify).status.success());
}

#[test]
fn systemd_accepts_the_service_with_a_credential() {
    if !have("systemd-analyze", "systemd_accepts_the_service_with_a_credential") {
        return;
    }
    let home = Home::new("");
    let nightly = script(&home, "nightly", "NIGHTLY");
    let unit = blocks("ini").into_iter().find(|text| text.contains("LoadCredential")).expect("the unit");
    let unit = unit.replace("/usr/local/bin/nightly", &nightly.display().to_string());
    let analyze = |text: &str| {
        let file = home.dir.path().join("nightly.service");
        std::fs::write(&file, text).expect("a file");
        let mut analyze = home.command_of("systemd-analyze");
        stderr(&analyze.args(["verify", "--man=no"]).arg(file).output().expect("systemd-analyze"))
    };
    let complaints = analyze(&unit);
    assert!(!complaints.contains("nightly"), "{complaints}");
    let complaints = analyze(&unit.replace("LoadCredential=", "LoadCredentials="));
    assert!(complaints.contains("nightly"), "a unit that is wrong is noticed: {complaints}");
}

fn playbook(home: &Home) -> Output {
    let mut ansible = home.command_of("ansible-playbook");
    let files = format!("token_file={}/{{{{ inventory_hostname }}}}.token", home.dir.path().display());
    ansible
        .env("ANSIBLE_LOCALHOST_WARNING", "False")
        .env("LC_ALL", "C.UTF-8")
        .args(["-v", "-i", "web1,web2,", "-c", "local", "-e", &files, "playbook.yml"])
        .output()
        .expect("ansible-playbook")
}

/// A host has a token, and gets another one when it ends or is taken back; otherwise nothing changes.
#[test]
fn ansible_hands_out_a_token_for_each_host_once() {
    if !have("ansible-playbook", "ansible_hands_out_a_token_for_each_host_once") {
        return;
    }
    let home = Home::new("");
    // The first token makes the database.
    home.create(&[]);
    std::fs::write(home.dir.path().join("playbook.yml"), blocks("yaml")[0]).expect("a file");
    let token_of = |host: &str| {
        let path = home.dir.path().join(format!("{host}.token"));
        let mode = std::fs::metadata(&path).expect("a token").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let output = home.run(&["verify", "--field", "user", "--token-file", &path.display().to_string()]);
        assert_eq!(stdout(&output).trim_end(), host, "{output:?}");
        std::fs::read_to_string(path).expect("a token")
    };
    let changed = |output: &Output, host: &str| {
        let said = stdout(output);
        let line =
            said.lines().find(|line| line.starts_with(host) && line.contains("changed=")).map(str::to_owned);
        let line = line.unwrap_or_else(|| panic!("{}", said.clone() + &stderr(output)));
        assert!(line.contains("failed=0"), "{said}");
        line.split("changed=").nth(1).and_then(|rest| rest.split(' ').next()).expect("a number").to_owned()
    };
    let first = playbook(&home);
    assert_eq!([changed(&first, "web1"), changed(&first, "web2")], ["2", "2"]);
    let [one, two] = [token_of("web1"), token_of("web2")];
    assert!(home.run(&["revoke", id_of(&two), "--yes"]).status.success());
    let second = playbook(&home);
    assert_eq!([changed(&second, "web1"), changed(&second, "web2")], ["0", "2"]);
    assert_eq!(token_of("web1"), one);
    assert_ne!(token_of("web2"), two);
    for token in [&one, &two, &token_of("web2")] {
        for output in [&first, &second] {
            assert_no_secret(&token[token.len() - 38..], said(output).as_bytes(), "what Ansible says");
        }
    }
}

#[test]
fn jq_answers_what_the_readme_asks() {
    if !have("jq", "jq_answers_what_the_readme_asks") {
        return;
    }
    let home = Home::new("");
    let token = home.create(&["--user", "alice", "--expires", "9"]);
    home.create(&["--user", "alice", "--restrict", "[get]/x"]);
    let free = home.create(&["--user", "bob"]);
    assert!(home.run(&["revoke", id_of(&token), "--yes"]).status.success());
    assert_eq!(home.feed(&["verify"], token.as_bytes()).status.code(), Some(1));
    let output = home.shell(&with("group_by(.user)", ""));
    assert!(output.status.success(), "{output:?}");
    let expected = format!("alice\t2\nbob\t1\n{}\n      1 revoked\n", id_of(&free));
    assert_eq!(stdout(&output), expected);
}

/// The leak is all that is needed; afterwards the log shows its uses and its end.
#[test]
fn a_leaked_token_is_taken_back_and_its_uses_are_listed() {
    if !have("jq", "a_leaked_token_is_taken_back_and_its_uses_are_listed") {
        return;
    }
    let home = Home::new("");
    let token = home.create(&["--user", "alice"]);
    std::fs::write(home.dir.path().join("ci.token"), &token).expect("a file");
    let used = home.feed(&["verify", "--method", "GET", "--url", "/secret?x=1"], token.as_bytes());
    assert!(used.status.success());
    let leak = with("found in a log", "");
    let mut shell = home.command_of("bash");
    let output =
        shell.env("ID", id_of(&token)).args(["-euo", "pipefail", "-c", &leak]).output().expect("bash");
    assert!(output.status.success(), "{output:?}");
    let answer = stdout(&output);
    assert!(answer.contains("found in a log"), "{answer}");
    let last = answer.lines().last().expect("a line");
    assert!(last.ends_with("\tallowed\tGET\t/secret?x"), "{answer}");
    assert!(!home.feed(&["verify"], token.as_bytes()).status.success());
}
