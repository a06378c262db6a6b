//! The vault: tokens of standard mode that can be shown again, and nothing of secure mode.

use crate::harness::{Patctl, Run, id_of};
use patctl::exit::Exit;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
const OTHER: &str = "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

fn key_file(patctl: &Patctl, text: &str, mode: u32) -> String {
    let path = patctl.path("vault.key");
    fs::write(&path, text).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("chmod");
    path.display().to_string()
}

/// An installation with a vault.
fn with_vault(more: &str) -> Patctl {
    let patctl = Patctl::new();
    let key = key_file(&patctl, KEY, 0o600);
    patctl.configure(&format!("patctl.token.vault.key.file = {key}\n{more}"));
    patctl
}

fn reveal(patctl: &Patctl, token: &str) -> Run {
    patctl.run(&["show", id_of(token), "--reveal"])
}

#[test]
fn a_standard_token_is_shown_again_and_that_is_audited() {
    let patctl = with_vault("");
    let token = patctl.create(&["--user", "alice"]);
    reveal(&patctl, &token).is(Exit::Yes, &format!("{token}\n"));
    let json = patctl.run(&["show", id_of(&token), "--reveal", "-o", "json"]).json();
    assert_eq!(json["token"], token.as_str());
    let shown = patctl.run(&["show", id_of(&token), "-o", "json"]).json();
    assert_eq!([&shown["history"][0]["action"], &shown["history"][1]["action"]], ["reveal", "reveal"]);
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
}

/// The harness looks for secrets in the database whenever it is dropped: sealed, none is found.
#[test]
fn in_secure_mode_nothing_recoverable_is_kept_and_the_switch_counts_for_new_tokens_only() {
    let patctl = with_vault("");
    let before = patctl.create(&[]);
    let key = patctl.path("vault.key").display().to_string();
    patctl.configure(&format!("patctl.token.vault.key.file = {key}\nextender.token.secure.mode = true"));
    let secure = patctl.create(&[]);
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE sealed IS NOT NULL"), 1);
    reveal(&patctl, &secure).says(Exit::No, &["secure mode", "patctl rotate"]);
    reveal(&patctl, &before).is(Exit::Yes, &format!("{before}\n"));
    patctl.configure(&format!("patctl.token.vault.key.file = {key}"));
    reveal(&patctl, &secure).says(Exit::No, &["secure mode"]);
    let after = patctl.create(&[]);
    reveal(&patctl, &after).is(Exit::Yes, &format!("{after}\n"));
}

#[test]
fn without_a_vault_there_is_nothing_to_show() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    reveal(&patctl, &token).says(Exit::Config, &["no vault is configured", "patctl.token.vault.key.file"]);
    let key = key_file(&patctl, KEY, 0o600);
    patctl.configure(&format!("patctl.token.vault.key.file = {key}"));
    reveal(&patctl, &token).says(Exit::No, &["not in the vault"]);
}

#[test]
fn a_wrong_missing_or_open_key_is_a_clear_error_and_makes_no_token() {
    let patctl = with_vault("");
    let token = patctl.create(&[]);
    key_file(&patctl, OTHER, 0o600);
    reveal(&patctl, &token).says(Exit::Config, &["does not open with this key"]);
    for (text, mode, why) in [
        (KEY, 0o640, "chmod 600"),
        (KEY, 0o604, "chmod 600"),
        ("too short\n", 0o600, "this is no key"),
        ("", 0o600, "this is no key"),
    ] {
        key_file(&patctl, text, mode);
        reveal(&patctl, &token).says(Exit::Config, &[why, "32 random bytes"]);
        patctl.run(&["create"]).says(Exit::Config, &[why]);
    }
    fs::remove_file(patctl.path("vault.key")).expect("a file");
    patctl.run(&["create"]).says(Exit::Config, &["vault.key", "umask 077"]);
    assert_eq!(patctl.count("SELECT count(*) FROM token"), 1);
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes, "who only verifies needs no key");
}

#[test]
fn a_seal_opens_in_its_row_and_its_database_only_and_is_broken_with_the_token() {
    let patctl = with_vault("");
    let (token, other) = (patctl.create(&[]), patctl.create(&[]));
    let copy = "UPDATE token SET sealed = (SELECT sealed FROM token WHERE id = ?1) WHERE id = ?2";
    let sealed = "SELECT hex(sealed) FROM token WHERE id = ?1";
    let own: String = patctl.sql().query_row(sealed, [id_of(&other)], |row| row.get(0)).expect("a seal");
    patctl.sql().execute(copy, [id_of(&token), id_of(&other)]).expect("a change");
    reveal(&patctl, &other).says(Exit::Config, &["does not open"]);
    patctl
        .sql()
        .execute(&format!("UPDATE token SET sealed = x'{own}' WHERE id = ?1"), [id_of(&other)])
        .expect("a change");
    reveal(&patctl, &other).is(Exit::Yes, &format!("{other}\n"));
    patctl.sql().execute("UPDATE installation SET name = lower(hex(randomblob(16)))", []).expect("a change");
    reveal(&patctl, &other).says(Exit::Config, &["another database"]);
    patctl.run(&["revoke", id_of(&token)]);
    assert_eq!(patctl.count("SELECT count(*) FROM token WHERE sealed IS NOT NULL"), 1);
    reveal(&patctl, &token).says(Exit::No, &["not in the vault"]);
}

#[test]
fn a_successor_is_sealed_as_well() {
    let patctl = with_vault("");
    let old = patctl.create(&[]);
    let new = patctl.run(&["rotate", id_of(&old)]).stdout.trim_end().to_owned();
    reveal(&patctl, &new).is(Exit::Yes, &format!("{new}\n"));
}
