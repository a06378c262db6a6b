//! Completion: the engine in process, and the scripts in the real shells.

use crate::harness::{Patctl, id_of};
use crate::process::{Home, have, stdout};

fn complete(patctl: &Patctl, words: &[&str]) -> Vec<String> {
    let db = patctl.db();
    let mut all = vec!["__complete", "--", "--db", db.to_str().expect("a path")];
    all.extend(words);
    let run = patctl.run(&all);
    let word = |line: &str| line.split('\t').next().expect("a word").to_owned();
    run.stdout.lines().map(word).collect()
}

#[test]
fn commands_options_values_and_properties_are_offered() {
    let patctl = Patctl::new();
    for (words, expected) in [
        (&["li"][..], &["list"][..]),
        (&["config", ""], &["show", "check", "import", "keys"]),
        (&["list", "--stat"], &["--status"]),
        (&["list", "--status", "ex"], &["expires-soon", "expired"]),
        (&["list", "--status=act"], &["--status=active"]),
        (&["-q", "list", "--sort", "u"], &["used", "user"]),
        (&["-o", "js"], &["json", "jsonl"]),
        (&["create", "-D", "extender"], &["extender.token.secure.mode="]),
        (
            &["config", "show", "patctl.aud"],
            &["patctl.audit.retention.days", "patctl.audit.sync", "patctl.audit.url"],
        ),
        (&["verify", "--token-file", ""], &[":files"]),
        (&["verify", "--token-file=/etc/pas"], &[":files"]),
        (&["--config=/etc/pas"], &[":files"]),
        (&["audit", ""], &["verify", "head"]),
        (&["audit", "--outcome", "d"], &["done", "denied"]),
        (&["audit", "--action", "prune"], &["prune", "prune-audit"]),
        (&["config", "check", ""], &[":files"]),
        (&["snippet", "--lang", "p"], &["python", "powershell"]),
        (&["snippet", "--preset=l"], &["--preset=list-tokens"]),
        (&["create", "--snippet", "c"], &["curl"]),
        (&["completions", "b"], &["bash"]),
        (&["help", "form"], &["formats"]),
        (&["man", "cr"], &["create"]),
        (&["create", "--note", ""], &[]),
        (&["list", "--", "--stat"], &[]),
        (&["__comp"], &[]),
    ] {
        assert_eq!(complete(&patctl, words), expected, "{words:?}");
    }
    assert!(!patctl.db().exists(), "completion makes no database");
}

#[test]
fn ids_with_their_names_and_users_come_from_the_database() {
    let patctl = Patctl::new();
    let token = patctl.create(&["nightly backup", "--user", "alice"]);
    let gone = patctl.create(&["old", "--user", "bob"]);
    patctl.run(&["revoke", id_of(&gone)]);
    let id = id_of(&token);
    assert_eq!(complete(&patctl, &["revoke", ""]), [id]);
    assert_eq!(complete(&patctl, &["show", ""]), [id_of(&gone), id]);
    assert_eq!(complete(&patctl, &["revoke", &id[..2]]), [id]);
    assert_eq!(complete(&patctl, &["snippet", &id[..5]]), [id]);
    assert_eq!(complete(&patctl, &["show", &id[..5]]), [id]);
    assert_eq!(complete(&patctl, &["show", &id[..3].to_uppercase().replace('1', "L")]), [id]);
    assert_eq!(complete(&patctl, &["revoke", id, "zzzz"]), [""; 0]);
    assert_eq!(complete(&patctl, &["list", "--user", ""]), ["alice", "bob"]);
    assert_eq!(complete(&patctl, &["list", "--user=al"]), ["--user=alice"]);
    let run = patctl.run(&["__complete", "--", "--db", patctl.db().to_str().expect("a path"), "show", id]);
    assert_eq!(run.stdout, format!("{id}\tnightly backup (alice)\n"));
}

#[test]
fn completion_never_writes_and_is_silent_where_it_cannot_tell() {
    let nothing = Patctl::new();
    for words in [&["show", ""][..], &["revoke", "abcd"], &["list", "--user", ""]] {
        assert_eq!(complete(&nothing, words), [""; 0]);
        assert!(!nothing.db().exists(), "{words:?}");
    }
    let patctl = Patctl::new();
    patctl.create(&["a\u{e9}"]);
    // Opening it to write would switch this back.
    patctl.sql().pragma_update(None, "journal_mode", "delete").expect("by hand");
    patctl.sql().execute("UPDATE token SET name = 'x' || char(9, 27, 10) || 'y'", []).expect("by hand");
    let before = std::fs::read(patctl.db()).expect("the database");
    assert_eq!(complete(&patctl, &["show", ""]).len(), 1);
    assert_eq!(std::fs::read(patctl.db()).expect("the database"), before);
    let copy = Patctl::new();
    std::fs::copy(patctl.db(), copy.db()).expect("a copy");
    let files = || std::fs::read_dir(copy.dir.path()).expect("the directory").count();
    let count = files();
    assert_eq!(complete(&copy, &["show", ""]).len(), 1);
    assert_eq!(files(), count, "looking leaves no file behind");
    std::fs::write(patctl.db(), "no database").expect("a file");
    assert_eq!(complete(&patctl, &["show", ""]), [""; 0]);
    patctl.configure("atlassian.pats.enabled = broken");
    assert_eq!(complete(&patctl, &["li"]), ["list"]);
}

/// A home with one token, and the scripts of this source tree.
fn home() -> (Home, String, String) {
    let home = Home::new("");
    let token = home.create(&["backup", "--user", "alice"]);
    let scripts = format!("{}/completions", env!("CARGO_MANIFEST_DIR"));
    (home, id_of(&token).to_owned(), scripts)
}

#[test]
fn bash_completes_commands_options_ids_and_properties() {
    let (home, id, scripts) = home();
    // What bash does at a TAB: it splits the line at blanks and '=', and calls the function.
    let tab = |words: &str, index: usize| {
        let script = format!(
            "source {scripts}/patctl.bash; COMP_WORDS=({words}); COMP_CWORD={index}; _patctl; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        stdout(&home.shell(&script)).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(tab("patctl li", 1), ["list"]);
    assert_eq!(tab("patctl list --stat", 2), ["--status"]);
    assert_eq!(tab("patctl show ''", 2), [id.as_str()]);
    assert_eq!(tab("patctl list --user = al", 4), ["alice"]);
    assert_eq!(tab("patctl list -D extender.t", 3), ["extender.token.secure.mode="]);
    assert_eq!(tab("patctl nonsense ''", 2), [""]);
    // Where '=' does not split words, all of the word is replaced.
    assert_eq!(tab("patctl list --user=al", 2), ["--user=alice"]);
    std::fs::write(home.dir.path().join("one file"), "").expect("a file");
    assert_eq!(tab("patctl --config = ./one", 3), ["./one file"]);
    assert_eq!(tab("patctl --config=./one", 1), ["--config=./one file"]);
    assert_eq!(tab("patctl --db '~/patctl.db' show ''", 4), [id.as_str()]);
    assert_eq!(tab("patctl --db = '$HOME/patctl.db' show ''", 5), [id.as_str()]);
}

/// A bash at a terminal of its own: keys in, the completed line out.
const BASH: &str = r#"
import os, pty, sys, time, select
scripts, lines = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
def until(mark):
    seen, end = b"", time.time() + 20
    while mark not in seen and time.time() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 4096)
    return seen
os.write(terminal, b"bind 'set enable-bracketed-paste off'; PS1=; source %s/patctl.bash\n" % scripts.encode())
os.write(terminal, b"""show() { printf '<<%s>>\n' "$READLINE_LINE"; READLINE_LINE=; }; bind -x '"\\C-xs":show'; echo REA''DY\n""")
until(b"READY")
for line in lines:
    os.write(terminal, line.encode() + b"\t\x18s")
    print(until(b">>").decode(errors="replace").split("<<")[-1].split(">>")[0])
os.write(terminal, b"\x03\nexit\n")
"#;

/// Home directories and values behind '=', in each shell at a terminal: the line before the TAB and behind it.
fn at_home(home: &Home, id: &str) -> [(String, String); 5] {
    let bin = home.dir.path().join("bin");
    std::fs::create_dir_all(&bin).expect("a directory");
    let _ = std::os::unix::fs::symlink(crate::process::PROGRAM, bin.join("patctl"));
    std::fs::write(home.dir.path().join("unique.properties"), "").expect("a file");
    [
        ("patctl --config=./unique.p", "patctl --config=./unique.properties".to_owned()),
        ("patctl list --user=al", "patctl list --user=alice".to_owned()),
        ("patctl --db ~/patctl.db show ", format!("patctl --db ~/patctl.db show {id}")),
        ("patctl --db=$HOME/patctl.db show ", format!("patctl --db=$HOME/patctl.db show {id}")),
        ("~/bin/patctl li", "~/bin/patctl list".to_owned()),
    ]
    .map(|(before, after)| (before.to_owned(), after))
}

#[test]
fn bash_completes_behind_equals_signs_and_home_directories() {
    if !have("python3", "bash_completes_behind_equals_signs_and_home_directories") {
        return;
    }
    let (home, id, scripts) = home();
    let lines = at_home(&home, &id);
    let mut python = home.command_of("timeout");
    // The database comes from the line alone.
    python.env_remove("PATCTL_DB").env("PATCTL_DB", "").env("TERM", "dumb");
    let output = python
        .args(["60", "python3", "-c", BASH, &scripts])
        .args(lines.iter().map(|(before, _)| before).filter(|line| !line.contains("--user=")))
        .output()
        .expect("python3");
    let completed: Vec<String> = stdout(&output).lines().map(|line| line.trim_end().to_owned()).collect();
    let wanted: Vec<String> =
        lines.into_iter().map(|(_, after)| after).filter(|line| !line.contains("--user=")).collect();
    assert_eq!(completed, wanted, "{output:?}");
}

#[test]
fn fish_completes_commands_options_ids_and_properties() {
    if !have("fish", "fish_completes_commands_options_ids_and_properties") {
        return;
    }
    let (home, id, scripts) = home();
    let tab = |line: &str| {
        let script = format!("source {scripts}/patctl.fish; complete -C '{line}'");
        let output = home.command_of("fish").args(["--no-config", "-c", &script]).output().expect("fish");
        stdout(&output).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(tab("patctl li"), ["list\tShow tokens"]);
    assert_eq!(tab("patctl list --stat"), ["--status\tIn this state; may be given more than once"]);
    assert_eq!(tab("patctl show "), [format!("{id}\tbackup (alice)")]);
    assert_eq!(tab("patctl list --user al"), ["alice"]);
    assert!(tab("patctl list -D extender.t")[0].starts_with("extender.token.secure.mode=\t"));
    for (before, after) in at_home(&home, &id) {
        let word = after.rsplit(' ').next().expect("a word");
        let found = tab(&before.replace('\'', ""));
        assert!(
            found.first().is_some_and(|first| first.split('\t').next() == Some(word)),
            "{before}: {found:?}"
        );
    }
}

/// A zsh at a terminal of its own, as its users have it: keys in, the completed line out.
#[test]
fn zsh_completes_commands_options_ids_and_properties() {
    if !have("zsh", "zsh_completes_commands_options_ids_and_properties") {
        return;
    }
    let (home, id, scripts) = home();
    let script = r#"
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1='READY> '; fpath=($1 \$fpath); autoload -U compinit; compinit -u -d $HOME/.zcompdump; unsetopt list_beep; bindkey '^I' complete-word; print LOADED"
zpty -r shell out '*LOADED*READY*'
# At ^X the line is printed and given up.
zpty -w shell 'show-line() { print -r -- "<<$BUFFER>>"; zle .kill-whole-line }; zle -N show-line; bindkey "^X" show-line; print BOUND'
zpty -r shell out '*BOUND*READY*'
shift
for line in "$@"; do
    zpty -w -n shell "$line"$'\t\x18'
    zpty -r shell out '*>>*'
    print -r -- "${${out##*<<}%%>>*}"
done
zpty -d shell
"#;
    let at_home = at_home(&home, &id);
    let mut lines = vec![
        "patctl li",
        "patctl list --stat",
        "patctl show ",
        "patctl list --user al",
        "patctl list -D extender.t",
    ];
    lines.extend(at_home.iter().map(|(before, _)| before.as_str()));
    let output = home
        .command_of("timeout")
        .env("TERM", "dumb")
        .args(["60", "zsh", "-f", "-c", script, "zsh", &scripts])
        .args(lines)
        .output()
        .expect("zsh");
    let completed: Vec<String> = stdout(&output).lines().map(|line| line.trim_end().to_owned()).collect();
    let mut wanted = vec![
        "patctl list".to_owned(),
        "patctl list --status".to_owned(),
        format!("patctl show {id}"),
        "patctl list --user alice".to_owned(),
        "patctl list -D extender.token.secure.mode=".to_owned(),
    ];
    wanted.extend(at_home.into_iter().map(|(_, after)| after));
    assert_eq!(completed, wanted, "{output:?}");
}

/// The commands of a command are not built together with it, and could forget an option of all.
#[test]
fn every_command_at_every_level_takes_a_property() {
    fn walk(command: &clap::Command, path: &str) {
        let path = format!("{path} {}", command.get_name());
        if command.get_name() != "__complete" {
            assert!(command.get_arguments().any(|arg| arg.get_short() == Some('D')), "{path}");
        }
        command.get_subcommands().for_each(|inner| walk(inner, &path));
    }
    let mut definition = patctl::cli::definition();
    definition.build();
    walk(&definition, "");
}
