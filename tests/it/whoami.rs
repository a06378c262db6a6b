use crate::harness::{Patctl, Run, Setup, id_of};
use patctl::domain::moment::Span;
use patctl::exit::Exit;

fn whoami(patctl: &Patctl, presented: &str, args: &[&str]) -> Run {
    let setup = Setup { stdin: presented.as_bytes(), ..Setup::default() };
    patctl.run_with(&[&["whoami"], args].concat(), &setup)
}

#[test]
fn whoami_tells_whose_token_it_is_and_what_verify_would_say() {
    let patctl = Patctl::new();
    let token = patctl.create(&["ci", "--user", "alice", "--expires", "1"]);
    let run = whoami(&patctl, &token, &[]);
    assert_eq!(run.exit, Exit::Yes);
    for fact in
        ["id          ", id_of(&token), "user        alice", "name        ci", "would say yes, for alice"]
    {
        assert!(run.stdout.contains(fact), "{fact}: {run:?}");
    }
    patctl.pass(Span::days(2));
    let run = whoami(&patctl, &token, &[]);
    assert_eq!(run.exit, Exit::No);
    assert!(run.stdout.contains("verify      would say no: expired"), "{run:?}");
    let json = whoami(&patctl, &token, &["-o", "json"]).json();
    assert_eq!((&json["allowed"], &json["reason"]), (&false.into(), &"expired".into()));
    assert_eq!(json["token"]["user"], "alice");
}

#[test]
fn looking_is_audited_and_is_no_use() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    whoami(&patctl, &token, &[]);
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'whoami' AND outcome = 'allowed'"), 1);
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE last_used_at IS NULL"), 1);
}

#[test]
fn a_wrong_secret_learns_nothing() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--user", "alice"]);
    for wrong in [crate::verify::forge(&token, id_of(&token)), Patctl::foreign_token(), "junk".to_owned()] {
        whoami(&patctl, &wrong, &[]).says(Exit::No, &["no token of this database"]);
        let json = whoami(&patctl, &wrong, &["-o", "json"]);
        assert!(!json.stdout.contains("alice"), "{json:?}");
    }
}
