//! `patctl notify` in trouble: two at once, a server that is down, refuses or falls silent, a kill.

use crate::harness::Patctl;
use crate::mail_server::Server;
use crate::notify::{notified, notify_ten_times, outbox};
use crate::process::{Home, stderr};
use patctl::domain::moment::Span;
use patctl::exit::Exit;
use std::process::Stdio;

/// Forty mails, two processes; the server takes its time, so that they meet.
#[test]
fn two_runs_at_once_send_nothing_twice() {
    let Some(server) = Server::start("two_runs_at_once") else { return };
    server.mode("slow");
    let home = Home::new(&server.properties());
    home.create(&[
        "--count",
        "40",
        "--expires",
        "3",
        "--email",
        "a@x",
        "-D",
        "atlassian.pats.max.tokens.per.user=100",
    ]);
    let start =
        || home.command(&["notify"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("patctl");
    let children = [start(), start(), start()];
    for child in children {
        let output = child.wait_with_output().expect("patctl");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
    let mails = server.mails();
    let mut ids: Vec<&str> = mails.iter().map(|m| m.header("Message-ID")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((mails.len(), ids.len()), (80, 80), "one for its birth and one for its end");
    assert_eq!(home.count("SELECT count(*) FROM outbox WHERE state = 'sent' AND attempts = 1"), 80);
    assert_eq!(home.count("SELECT count(*) FROM audit WHERE action = 'notify'"), 80);
}

#[test]
fn while_the_server_is_down_the_mails_wait() {
    let Some(server) = Server::start("while_the_server_is_down") else { return };
    let patctl = Patctl::new();
    let up = server.properties();
    // A port that was just free.
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    patctl.configure(&up.replace(&server.port.to_string(), &port.to_string()));
    for name in ["a", "b", "c"] {
        patctl.create(&[name, "--expires", "3", "--email", "a@x"]);
    }
    for _ in 0..3 {
        let run = patctl.run(&["notify"]);
        run.says(Exit::Io, &["1 mail failed; 5 mails not tried", "refused", "tried again"]);
    }
    assert_eq!(notified(&patctl), ["expire-soon-sent"; 3], "noted, and not found anew each time");
    assert_eq!(patctl.count("SELECT count(*) FROM outbox"), 6);
    patctl.configure(&up);
    notify_ten_times(&patctl);
    assert_eq!(server.mails().len(), 6);
}

#[test]
fn what_is_refused_is_tried_again_and_holds_up_nothing_else() {
    let Some(server) = Server::start("what_is_refused_is_tried_again") else { return };
    let patctl = Patctl::new();
    patctl.configure(&server.properties());
    patctl.create(&["one", "--email", "bad@x"]);
    patctl.create(&["two", "--email", "good@x"]);
    let run = patctl.run(&["notify", "-o", "json"]);
    assert_eq!(run.exit, Exit::Io);
    assert!(run.stderr.contains("bad@x") && run.stderr.contains("550"), "{run:?}");
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!((&json["sent"], &json["refused"]), (&1.into(), &1.into()));
    assert_eq!(json["mails"][0]["state"], "refused");
    assert_eq!(outbox(&patctl.sql()), ["created bad@x refused", "created good@x sent"]);

    for (mode, code) in [("refuse-data", "554"), ("busy", "451"), ("refuse-rcpt", "550")] {
        server.mode(mode);
        patctl.create(&[mode, "--email", "later@x"]);
        let run = patctl.run(&["notify"]);
        run.says(Exit::Io, &[code, "later@x", "tried again"]);
    }
    server.mode("");
    patctl.run(&["notify"]).says(Exit::Io, &["1 mail failed", "bad@x"]);
    let subjects: Vec<String> = server.mails().iter().map(|m| m.header("Subject").to_owned()).collect();
    let sent = ["two", "refuse-data", "busy", "refuse-rcpt"].map(|name| format!("Token created: {name}"));
    assert_eq!(subjects, sent);

    // A mailbox that is gone for good is not asked for ever.
    patctl.pass(Span::days(7));
    patctl.run(&["notify"]).says(Exit::Io, &["bad@x"]);
    patctl.pass(Span::seconds(1));
    patctl.run(&["notify"]).says(Exit::Io, &["dropped", "not tried again"]);
    notify_ten_times(&patctl);
}

#[test]
fn a_mail_without_an_answer_is_not_sent_again_and_costs_no_other() {
    let Some(server) = Server::start("a_mail_without_an_answer") else { return };
    let patctl = Patctl::new();
    patctl.configure(&server.properties());
    for name in ["one", "two", "three"] {
        patctl.create(&[name, "--email", "a@x"]);
    }
    server.mode("drop");
    patctl
        .run(&["notify"])
        .says(Exit::Io, &["1 mail failed; 2 mails not tried", "uncertain", "may have arrived"]);
    assert_eq!(
        outbox(&patctl.sql()),
        ["created a@x uncertain", "created a@x pending", "created a@x pending"]
    );
    server.mode("");
    notify_ten_times(&patctl);
    let subjects: Vec<String> = server.mails().iter().map(|m| m.header("Subject").to_owned()).collect();
    assert_eq!(subjects, ["one", "two", "three"].map(|name| format!("Token created: {name}")));
    let audited = "SELECT count(*) FROM audit WHERE action = 'notify' AND detail LIKE '%without an answer'";
    assert_eq!(patctl.count(audited), 1);
}

#[test]
fn a_run_that_is_killed_in_the_midst_of_a_mail_leaves_it_uncertain() {
    let Some(server) = Server::start("a_run_that_is_killed") else { return };
    server.mode("hang");
    let home = Home::new(&server.properties());
    home.create(&["--email", "a@x"]);
    let mut child = home.command(&["notify"]).stderr(Stdio::piped()).spawn().expect("patctl");
    while server.mails().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    server.mode("");
    for _ in 0..3 {
        let output = home.run(&["notify"]);
        assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
    }
    assert_eq!(server.mails().len(), 1);
    assert_eq!(outbox(&home.sql()), ["created a@x uncertain"]);
}

#[test]
fn rows_that_wait_for_nothing_are_deleted_after_ninety_days() {
    let Some(server) = Server::start("rows_that_wait_for_nothing") else { return };
    let patctl = Patctl::new();
    patctl.configure(&server.properties());
    patctl.create(&["--email", "a@x"]);
    notify_ten_times(&patctl);
    patctl.pass(Span::days(90));
    notify_ten_times(&patctl);
    assert_eq!(patctl.count("SELECT count(*) FROM outbox"), 1);
    patctl.pass(Span::seconds(1));
    notify_ten_times(&patctl);
    assert_eq!(patctl.count("SELECT count(*) FROM outbox"), 0);
}
