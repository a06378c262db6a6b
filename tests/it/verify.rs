use crate::harness::{Patctl, Setup, Sink, id_of};
use crate::no_audit::judged_without_audit;
use base64::Engine as _;
use patctl::domain::moment::Span;
use patctl::domain::verifier::computations;
use patctl::exit::Exit;
use patctl::store::StoreError;

fn basic(user: &str, token: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{token}")))
}

const YES: (Exit, &str) = (Exit::Yes, "");

fn no(reason: &str) -> (Exit, String) {
    (Exit::No, reason.to_owned())
}

#[test]
fn a_good_token_is_good_in_every_form_and_silent() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--user", "alice"]);
    for form in [
        token.clone(),
        format!("{token}\n"),
        format!("{token}\r\n"),
        format!("Bearer {token}"),
        format!("Authorization: Bearer {token}\r\n"),
        basic("alice", &token),
        format!("authorization: {}", basic("alice", &token)),
    ] {
        let run = patctl.run_with(&["verify"], &Setup { stdin: form.as_bytes(), ..Setup::default() });
        assert_eq!((run.exit, run.stdout.as_str(), run.stderr.as_str()), (Exit::Yes, "", ""), "{form:?}");
    }
    assert_eq!(patctl.verify(basic("bob", &token), &[]), no("wrong-user"));
    assert_eq!(patctl.verify(basic("Alice", &token), &[]), no("wrong-user"));
}

#[test]
fn whatever_is_wrong_the_presenter_sees_one_text() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--expires", "1"]);
    let revoked = patctl.create(&[]);
    patctl.run(&["revoke", id_of(&revoked)]);
    let unknown = Patctl::foreign_token();
    patctl.pass(Span::days(2));
    for presented in [&token, &revoked, &unknown, &"junk".to_owned(), &String::new()] {
        let setup = Setup { stdin: presented.as_bytes(), ..Setup::default() };
        let run = patctl.run_with(&["verify"], &setup);
        assert_eq!((run.exit, run.stdout.as_str(), run.stderr.as_str()), (Exit::No, "", "patctl: denied\n"));
        assert_eq!(patctl.run_with(&["verify", "-q"], &setup).stderr, "");
    }
}

#[test]
fn one_changed_character_costs_no_hash_and_meets_no_database() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let rows = patctl.count("SELECT count(*) FROM audit");
    let before = computations();
    for at in 0..token.len() {
        let mut changed = token.clone();
        let other = if &token[at..=at] == "a" { "b" } else { "a" };
        changed.replace_range(at..=at, other);
        assert_eq!(patctl.verify(&changed, &[]), no("malformed"), "character {at}");
    }
    assert_eq!(computations(), before, "a refused checksum computes nothing");
    assert_eq!(patctl.count("SELECT count(*) FROM audit"), rows);
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    assert_eq!(computations(), before + 1);
}

#[test]
fn junk_is_a_no_at_once() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let mut long = vec![b'A'; 1 << 20];
    long[..token.len()].copy_from_slice(token.as_bytes());
    let mut one_over = token.clone().into_bytes();
    one_over.resize(1025, b'\n');
    for junk in [&b""[..], b"\0", b"\xff\xfe", &long, &one_over, format!("{token}\n{token}").as_bytes()] {
        assert_eq!(patctl.verify(junk, &[]), no("malformed"));
    }
}

#[test]
fn an_unknown_id_costs_as_many_hashes_as_a_wrong_secret() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let other = Patctl::foreign_token();
    let before = computations();
    assert_eq!(patctl.verify(&other, &[]), no("unknown"));
    assert_eq!(computations(), before + 1);
    let forged = forge(&token, id_of(&token));
    assert_eq!(patctl.verify(&forged, &[]), no("wrong-secret"));
    assert_eq!(computations(), before + 2);
}

/// A well-formed token with this id and another secret than `token`.
pub fn forge(token: &str, id: &str) -> String {
    use rand::SeedableRng;
    for seed in 0.. {
        let mut dice = patctl::domain::dice::Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(seed)));
        let prefix = "patctl".parse().expect("a prefix");
        let other = patctl::domain::token::PlainToken::generate(&prefix, &mut dice);
        let body = format!("patctl_{id}_{}", std::str::from_utf8(other.secret()).expect("ASCII"));
        if !token.starts_with(&body) {
            return format!("{body}{}", checksum(&body));
        }
    }
    unreachable!("some seed gives another secret")
}

/// So many well-formed tokens with this id, each with a secret of its own, under several prefixes.
pub fn forge_many(id: &str, count: u64) -> Vec<String> {
    use rand::SeedableRng;
    let forged = |seed| {
        let mut dice = patctl::domain::dice::Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(seed)));
        let other = patctl::domain::token::PlainToken::generate(&"x".parse().expect("a prefix"), &mut dice);
        let prefix = ["patctl", "my_own", "x"][usize::try_from(seed % 3).expect("a number")];
        let body = format!("{prefix}_{id}_{}", std::str::from_utf8(other.secret()).expect("ASCII"));
        format!("{body}{}", checksum(&body))
    };
    (1000..1000 + count).map(forged).collect()
}

/// The check characters, computed apart from the program.
fn checksum(body: &str) -> String {
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut crc = 0xffff_ffff_u32;
    for byte in body.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let mut rest = !crc;
    let mut text = [b'0'; 6];
    for place in text.iter_mut().rev() {
        *place = digits[(rest % 62) as usize];
        rest /= 62;
    }
    String::from_utf8(text.to_vec()).expect("ASCII")
}

#[test]
fn a_wrong_secret_never_learns_the_state() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--user", "alice"]);
    patctl.run(&["revoke", id_of(&token)]);
    let forged = forge(&token, id_of(&token));
    let run =
        patctl.run_with(&["verify", "-o", "json"], &Setup { stdin: forged.as_bytes(), ..Setup::default() });
    let json = run.json();
    assert_eq!(json["reason"], "wrong-secret");
    assert_eq!(json["token"], serde_json::Value::Null);
    assert!(!run.stdout.contains("alice"), "{run:?}");
}

#[test]
fn a_token_expires_at_its_instant_and_revocation_counts_from_its_commit() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--expires", "1h"]);
    patctl.pass(Span::seconds(3599));
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    patctl.pass(Span::seconds(1));
    assert_eq!(patctl.verify(&token, &[]), no("expired"));
    let token = patctl.create(&[]);
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    patctl.run(&["revoke", id_of(&token)]);
    assert_eq!(patctl.verify(&token, &[]), no("revoked"));
}

#[test]
fn methods_must_be_allowed_by_the_installation_and_by_the_token() {
    let patctl = Patctl::new();
    let both = patctl.create(&["--user", "u"]);
    let bearer = patctl.create(&["--user", "u", "--auth", "bearer"]);
    let basic_only = patctl.create(&["--user", "u", "--auth", "basic"]);
    let ways = |token: &str| [patctl.verify(token, &[]).1, patctl.verify(basic("u", token), &[]).1];
    let wrong = "wrong-auth-method";
    assert_eq!(ways(&both), ["", ""]);
    assert_eq!(ways(&bearer), ["", wrong]);
    assert_eq!(ways(&basic_only), [wrong, ""]);
    patctl.configure("patctl.auth.methods = basic");
    assert_eq!(ways(&both), [wrong, ""]);
    assert_eq!(ways(&bearer), [wrong, wrong]);
}

#[test]
fn switched_off_means_no_whatever_the_token_and_it_is_audited() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    patctl.configure("atlassian.pats.enabled = false");
    assert_eq!(patctl.verify(&token, &[]), no("disabled-globally"));
    assert_eq!(patctl.run(&["list", "-o", "ids"]).stdout.trim(), id_of(&token));
    assert_eq!(patctl.run(&["revoke", id_of(&token)]).exit, Exit::Yes);
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE reason = 'disabled-globally'"), 1);
}

#[test]
fn a_row_flagged_restricted_or_disabled_or_of_nobody_denies() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--user", "u"]);
    for (change, reason) in [
        ("restricted = 1", "restricted"),
        ("restricted = 0, disabled_at = '2026-11-21T00:00:00.000000Z'", "disabled"),
        ("disabled_at = NULL, verifier = '$argon2id$v=19$m=4194304,t=2,p=1$AAAA$AAAA'", "damaged"),
    ] {
        patctl.sql().execute(&format!("UPDATE token SET {change}"), []).expect("a change by hand");
        assert_eq!(patctl.verify(&token, &[]), no("damaged"), "the row is not what patctl wrote");
        patctl.reseal();
        assert_eq!(patctl.verify(&token, &[]), no(reason));
    }
}

#[test]
fn todays_limits_hold_for_existing_tokens_only_where_that_is_switched_on() {
    let patctl = Patctl::new();
    let long = patctl.create(&["--expires", "300"]);
    let eternal = patctl.create(&[]);
    let limits =
        "atlassian.pats.max.tokens.expiry.days = 30\natlassian.pats.eternal.tokens.enabled = false\n";
    patctl.pass(Span::days(31));
    patctl.configure(limits);
    assert_eq!(patctl.verify(&long, &[]).0, Exit::Yes);
    assert_eq!(patctl.verify(&eternal, &[]).0, Exit::Yes);
    patctl.configure(&format!("{limits}patctl.policy.apply.to.existing = true"));
    assert_eq!(patctl.verify(&long, &[]), no("policy"));
    assert_eq!(patctl.verify(&eternal, &[]), no("policy"));
}

#[test]
fn a_named_variable_answers_and_an_unnamed_one_never_does() {
    let mut patctl = Patctl::new();
    let token = patctl.create(&[]);
    for name in ["TOKEN", "PATCTL_TOKEN", "T"] {
        patctl.env.insert(name.to_owned(), token.clone().into());
    }
    patctl.env.insert("HEADER".to_owned(), format!("Bearer {token}").into());
    assert_eq!(patctl.verify("", &[]), no("malformed"));
    assert_eq!(patctl.verify("junk", &[]), no("malformed"));
    assert_eq!(patctl.verify("", &["--token-env", "TOKEN"]).0, Exit::Yes);
    assert_eq!(patctl.verify("junk", &["--token-env", "HEADER"]).0, Exit::Yes);
    assert_eq!(patctl.run(&["verify", "--token-env", "UNSET"]).exit, Exit::Usage);
}

#[test]
fn a_terminal_is_asked_for_the_token_without_an_echo() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let setup = Setup { terminal: Some((&[], &token)), ..Setup::default() };
    assert_eq!(patctl.run_with(&["verify"], &setup).exit, Exit::Yes);
}

#[test]
fn fields_are_printed_on_a_yes_and_only_then() {
    let patctl = Patctl::new();
    let token = patctl.create(&["ci", "--user", "alice", "--expires", "90"]);
    let ask = |field: &str, presented: &str| {
        let setup = Setup { stdin: presented.as_bytes(), ..Setup::default() };
        patctl.run_with(&["verify", "--field", field], &setup).stdout
    };
    assert_eq!(ask("user", &token), "alice\n");
    assert_eq!(ask("name", &token), "ci\n");
    assert_eq!(ask("id", &token), format!("{}\n", id_of(&token)));
    assert_eq!(ask("expires_at", &token), "2027-02-19T12:00:00.000000Z\n");
    assert_eq!(ask("effective_user", &basic("alice", &token)), "alice\n");
    assert_eq!(ask("user", &basic("bob", &token)), "");
}

#[test]
fn every_verdict_about_a_well_formed_token_is_one_audit_row() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--user", "alice"]);
    let (good, _) = patctl.verify(&token, &[]);
    assert_eq!((good, ""), YES);
    let _ = patctl.verify(basic("bob", &token), &[]);
    let mut rows = Vec::new();
    let sql = patctl.sql();
    let mut statement = sql
        .prepare("SELECT outcome, coalesce(reason, ''), coalesce(effective_user, '') FROM audit WHERE action = 'verify' ORDER BY seq")
        .expect("SQL");
    let mut found = statement.query([]).expect("rows");
    while let Some(row) = found.next().expect("a row") {
        rows.push([row.get::<_, String>(0), row.get(1), row.get(2)].map(|cell| cell.expect("text")));
    }
    assert_eq!(rows, [["allowed", "", "alice"], ["denied", "wrong-user", ""]]);
}

#[test]
fn the_last_use_is_written_once_an_interval() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.last.used.update.interval.mins = 5");
    let token = patctl.create(&[]);
    let last_used = || patctl.run(&["show", id_of(&token), "-o", "json"]).json()["last_used_at"].clone();
    assert_eq!(last_used(), serde_json::Value::Null);
    let _ = patctl.verify(&token, &[]);
    assert_eq!(last_used(), "2026-11-21T12:00:00.000000Z");
    patctl.pass(Span::seconds(299));
    let _ = patctl.verify(&token, &[]);
    assert_eq!(last_used(), "2026-11-21T12:00:00.000000Z");
    patctl.pass(Span::seconds(1));
    let _ = patctl.verify(&token, &[]);
    assert_eq!(last_used(), "2026-11-21T12:05:00.000000Z");
    patctl.pass(Span::days(-1));
    let _ = patctl.verify(&token, &[]);
    assert_eq!(last_used(), "2026-11-20T12:05:00.000000Z", "a use dated in the future does not stick");
}

#[test]
fn a_verifier_made_with_other_parameters_verifies_and_is_renewed_on_a_yes() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--user", "u"]);
    let verifier = || -> String {
        patctl.sql().query_row("SELECT verifier FROM token", [], |r| r.get(0)).expect("a verifier")
    };
    assert!(verifier().contains("m=1024,t=1,p=1"));
    patctl.configure("patctl.argon2.iterations = 2");
    assert_eq!(patctl.verify(basic("bob", &token), &[]), no("wrong-user"));
    assert!(verifier().contains("t=1"), "a no renews nothing");
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    assert!(verifier().contains("m=1024,t=2,p=1"), "{}", verifier());
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
}

#[test]
fn no_verdict_leaves_without_its_audit_row_and_no_yes_without_its_reader() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let stdin = token.as_bytes();
    for sink in [Sink::Full, Sink::Gone] {
        let run =
            patctl.run_with(&["verify", "-o", "json"], &Setup { stdin, stdout: sink, ..Setup::default() });
        assert_eq!(run.exit, Exit::Io, "{run:?}");
    }
    assert_eq!(judged_without_audit(&patctl.db(), &token), Err(StoreError::Io("no room".to_owned())));
}

#[test]
fn a_missing_database_is_trouble_and_not_a_no() {
    let patctl = Patctl::new();
    let token = Patctl::foreign_token();
    let setup = Setup { stdin: token.as_bytes(), ..Setup::default() };
    patctl.run_with(&["verify"], &setup).says(Exit::Io, &["there is no database", "patctl create"]);
    assert!(!patctl.db().exists(), "verify makes no database");
}

/// `patctl verify …` is read by a definition of its own; an option before it leads to the whole one.
#[test]
fn the_short_way_of_reading_a_command_line_reads_it_as_the_long_one() {
    let read = |words: &[&str]| {
        let words: Vec<std::ffi::OsString> = words.iter().map(std::ffi::OsString::from).collect();
        patctl::cli::parse(&words).map(|cli| format!("{cli:?}")).map_err(|stop| stop.text)
    };
    for tail in [
        &[] as &[&str],
        &["--batch"],
        &["--token-file", "a", "--field", "user", "-q"],
        &["-o", "json", "-Da=b", "--db", "x", "-D", "c=d", "--config=y"],
        &["--method", "POST", "--url", "/a", "--data", "-x", "--header", "A: b", "--header", "C: d"],
        &["--token-env", "T", "--query", "a=b", "--content-type", "text/plain", "--data-file", "-"],
        &["--batch", "--url", "/a"],
        &["--no-such"],
        &["extra"],
        &["--help"],
        &["-o", "yaml"],
    ] {
        let short = [&["patctl", "verify"], tail].concat();
        let long = [&["patctl", "--color=auto", "verify"], tail].concat();
        assert_eq!(read(&short), read(&long), "{tail:?}");
    }
}
