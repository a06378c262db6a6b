//! What is deleted is gone: from the file, from its log, and from each new backup.

use crate::harness::{Patctl, id_of};
use crate::process::scaled;
use patctl::domain::moment::Span;
use patctl::exit::Exit;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::fs;
use std::path::{Path, PathBuf};

const KEYS: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

fn found(path: &Path, words: &[String]) -> Vec<String> {
    let Ok(bytes) = fs::read(path) else { return Vec::new() };
    let is_in = |word: &&String| bytes.windows(word.len()).any(|part| part == word.as_bytes());
    words.iter().filter(is_in).map(|word| format!("{word} in {}", path.display())).collect()
}

/// The file, its log, and a backup that is made now.
fn remains(patctl: &Patctl, words: &[String]) -> Vec<String> {
    let copy = patctl.path("copy");
    let _ = fs::remove_file(&copy);
    assert_eq!(patctl.run(&["backup", copy.to_str().expect("a path")]).exit, Exit::Yes);
    let files = ["patctl.db", "patctl.db-wal", "copy"];
    files.iter().flat_map(|file| found(&patctl.path(file), words)).collect()
}

fn configured() -> Patctl {
    let patctl = Patctl::new();
    let key: PathBuf = patctl.path("vault.key");
    fs::write(&key, KEYS).expect("a key");
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("chmod");
    patctl.configure(&format!(
        "atlassian.pats.max.tokens.per.user = 100000\natlassian.pats.pruning.delay.days = 0\n\
         patctl.audit.retention.days = 1\npatctl.token.vault.key.file = {}\n",
        key.display()
    ));
    patctl
}

/// The hash and the sealed secret of a token, as they stand in the file.
fn secrets(patctl: &Patctl, id: &str) -> (String, Vec<u8>) {
    let sql = "SELECT substr(verifier, -40), sealed FROM token WHERE id = ?1";
    patctl
        .sql()
        .query_row(sql, [id], |row| Ok((row.get(0)?, row.get::<_, Option<Vec<u8>>>(1)?.unwrap_or_default())))
        .expect("a row")
}

/// Rows of every length, edited, so that pages split and cells move; some live on between those that go.
#[test]
fn nothing_of_a_pruned_token_is_left_in_file_log_or_backup() {
    let patctl = configured();
    let mut dice = StdRng::seed_from_u64(7);
    let (mut words, mut ids, mut sealed) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..scaled(90, 1500) {
        let word = |what: &str| format!("zq{what}-{number:05}-mark");
        let long = |what: &str, most: usize, dice: &mut StdRng| {
            format!("{}{}", word(what), "x".repeat(dice.random_range(0..most)))
        };
        let (name, user, mail) =
            (word("name"), long("user", 100, &mut dice), format!("{}@example.com", word("mail")));
        let note = long("note", 900, &mut dice);
        let lives = number % 7 == 0;
        let rule = format!("/{}/.*", word("rule"));
        let args = ["--user", &user, "--email", &mail, "--note", &note, "--restrict", &rule];
        let token =
            if lives { patctl.create(&[]) } else { patctl.create(&[&[name.as_str()], &args[..]].concat()) };
        let id = id_of(&token).to_owned();
        if lives {
            continue;
        }
        if number % 3 == 0 {
            let note = long("edit", 900, &mut dice);
            let run = patctl.run(&["edit", &id, "--note", &note]);
            assert_eq!(run.exit, Exit::Yes, "{run:?}");
            words.push(word("edit"));
        }
        let _ = patctl.verify(&token, &["--url", &format!("/{}/x", word("rule"))]);
        let (hash, secret) = secrets(&patctl, &id);
        assert!(!secret.is_empty(), "the vault holds it");
        sealed.push(secret);
        words.extend([word("name"), word("user"), word("mail"), word("note"), word("rule"), hash]);
        ids.push(id);
    }
    let before = fs::metadata(patctl.db()).expect("the database").len();
    let all: Vec<&str> = ["revoke", "--yes"].into_iter().chain(ids.iter().map(String::as_str)).collect();
    let run = patctl.run(&all);
    assert_eq!(run.exit, Exit::Yes, "{run:?}");
    let bytes =
        [fs::read(patctl.db()).expect("it"), fs::read(patctl.path("patctl.db-wal")).unwrap_or_default()];
    for secret in &sealed {
        let there = |bytes: &Vec<u8>| bytes.windows(secret.len()).any(|part| part == secret.as_slice());
        assert!(!bytes.iter().any(there), "a sealed secret outlives the revocation");
    }
    patctl.pass(Span::days(3));
    assert_eq!(patctl.run(&["prune"]).exit, Exit::Yes);
    // The rows of that prune name ids and users; they go once they are old enough, too.
    patctl.pass(Span::days(3));
    patctl.create(&["--user", "somebody"]);
    assert_eq!(patctl.run(&["prune"]).exit, Exit::Yes);
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE revoked_at IS NOT NULL"), 0);
    let left = remains(&patctl, &words);
    assert!(left.is_empty(), "{} of {}: {:?}", left.len(), words.len(), &left[..left.len().min(5)]);
    let after = fs::metadata(patctl.db()).expect("the database").len();
    assert!(after < before / 2, "{after} of {before} bytes are left");
    assert_eq!(patctl.count("PRAGMA freelist_count"), 0);
    patctl.run(&["doctor"]).is(Exit::Yes, "");
}
