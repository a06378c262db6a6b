//! What root names on the command line in a place of somebody else's: a link there leads root to nothing that its
//! owner could not read.

use crate::figure;
use crate::harness::id_of;
use crate::process::{Home, skip, stderr, stdout};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};

/// The user whose directory it is.
const OTHER: u32 = 4242;

#[test]
fn root_reads_of_others_what_they_can_read_themselves() {
    if !fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
        skip("root_reads_of_others: it takes root to act on the files of somebody else");
        return;
    }
    let home = Home::new("");
    let dir = home.dir.path().to_owned();
    fs::set_permissions(&dir, Permissions::from_mode(0o755)).expect("chmod");
    let token = home.create(&["-q"]);
    let victim = home.create(&["-q"]);
    let id = id_of(&token).to_owned();
    let theirs = dir.join("theirs");
    fs::create_dir(&theirs).expect("a directory");
    chown(&theirs, Some(OTHER), Some(OTHER)).expect("chown");
    // What only root may read: a rule, a token, a line of each form; each is told by this word.
    let secret = format!("/topsecret {victim}");
    let contents = [
        ("rules", "/topsecret\n".to_owned()),
        ("token", victim.clone()),
        ("leak", secret),
        (
            "in.jsonl",
            stdout(&home.run(&["export", "jsonl"])).replace("\"name\":", "\"note\":\"topsecret\",\"name\":"),
        ),
        ("map", "topsecret,alice\n".to_owned()),
        ("dump.sql", "-- topsecret\n".to_owned()),
        ("setenv.sh", "JVM_SUPPORT_RECOMMENDED_ARGS=-Datlassian.pats.topsecret=1\n".to_owned()),
        ("data", "topsecret=1".to_owned()),
        ("ids", format!("{}\n", id_of(&victim))),
    ];
    fs::create_dir(dir.join("ours")).expect("a directory");
    for (name, text) in &contents {
        let file = dir.join("ours").join(name);
        fs::write(&file, text).expect("a file");
        fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("chmod");
        let link = theirs.join(name);
        symlink(&file, &link).expect("a link");
        lchown(&link, Some(OTHER), Some(OTHER)).expect("chown");
        let own = theirs.join(format!("own-{name}"));
        fs::write(&own, text).expect("a file");
        fs::set_permissions(&own, Permissions::from_mode(0o600)).expect("chmod");
        chown(&own, Some(OTHER), Some(OTHER)).expect("chown");
    }
    symlink(dir.join("ours"), theirs.join("tree")).expect("a link");
    lchown(theirs.join("tree"), Some(OTHER), Some(OTHER)).expect("chown");
    let commands: Vec<Vec<String>> = [
        "create -q --restrict-file FILE:rules",
        "edit ID --restrict-file FILE:rules",
        "check --restrict-file FILE:rules --method GET --url /topsecret",
        "check --restrict /x --method POST --url /x --data-file FILE:data",
        "verify --token-file FILE:token",
        "whoami --token-file FILE:token",
        "import jsonl FILE:in.jsonl",
        "import atlassian FILE:dump.sql",
        "import atlassian /dev/null --user-map FILE:map",
        "config import FILE:setenv.sh",
        "revoke --token-file FILE:token --yes",
        "scan FILE:leak --revoke --yes",
    ]
    .iter()
    .map(|line| line.split(' ').map(|word| word.replace("ID", &id)).collect())
    .collect();
    let path = |word: &str, prefix: &str| match word.strip_prefix("FILE:") {
        Some(name) => theirs.join(format!("{prefix}{name}")).display().to_string(),
        None => word.to_owned(),
    };
    let mut refused = 0;
    for command in &commands {
        let words: Vec<String> = command.iter().map(|word| path(word, "")).collect();
        let output = home.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let told = format!("{}{}", stdout(&output), stderr(&output));
        assert!(!told.contains("topsecret\n") && !told.contains(&victim), "{command:?}: {told}");
        assert_ne!(output.status.code(), Some(0), "{command:?}: {told}");
        let words: Vec<String> = command.iter().map(|word| path(word, "own-")).collect();
        let own = home.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        // Whatever is made of what stands there: it was read.
        assert!(!stderr(&own).contains("Permission denied"), "{command:?}: {own:?}");
        refused += 1;
    }
    let tree = theirs.join("tree").display().to_string();
    let output = home.run(&["scan", &tree, "--revoke", "--yes"]);
    assert!(!format!("{}{}", stdout(&output), stderr(&output)).contains(id_of(&victim)), "{output:?}");
    let live = home.count("SELECT count(*) FROM restriction WHERE rule LIKE '%topsecret%'");
    figure(
        "links of others named to root",
        &format!(
            "{refused} commands refused and their own files read, a tree not entered, {live} lines of their own"
        ),
    );
}
