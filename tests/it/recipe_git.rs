//! The hooks of the README with the real git: what they see, and what they answer where they cannot.

use crate::harness::{assert_no_secret, id_of};
use crate::process::{Home, PROGRAM, have};
use crate::recipes::{said, script};
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

/// A home with a bare repository behind the hook, and a clone of it.
struct Site {
    home: Home,
    token: String,
}

impl Site {
    /// `None` where there is no git.
    fn new(properties: &str, test: &str) -> Option<Self> {
        if !have("git", test) {
            return None;
        }
        let home = Home::new(properties);
        let token = home.create(&["--user", "alice"]);
        let site = Self { home, token };
        let push = script(&site.home, "pre-receive", "HOOK");
        let line = format!(
            "git init -q --bare server.git; cp '{}' server.git/hooks/; git -c init.defaultBranch=main init -q work
             cd work; git remote add origin ../server.git; echo harmless > a; git add a; git commit -qm first
             git push -q origin HEAD:main",
            push.display()
        );
        let output = site.git(&line);
        assert!(output.status.success(), "{output:?}");
        Some(site)
    }

    fn git(&self, line: &str) -> Output {
        let mut git = self.home.command_of("bash");
        for (name, value) in [("NAME", "a"), ("EMAIL", "a@example.com")] {
            git.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
        }
        git.env("GIT_CONFIG_NOSYSTEM", "1").env("T", &self.token).args(["-euc", line]).output().expect("bash")
    }

    /// In the clone.
    fn work(&self, line: &str) -> Output {
        self.git(&format!("cd work; {line}"))
    }

    fn status(&self) -> String {
        let output = self.home.run(&["show", id_of(&self.token), "-o", "json"]);
        let shown: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        shown["status"].as_str().expect("a word").to_owned()
    }

    /// A program called patctl in front of the real one.
    fn instead_of_patctl(&self, script: &str) {
        let path = self.home.dir.path().join("bin/patctl");
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(&path, format!("#!/usr/bin/env bash\n{script}\n")).expect("a file");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("a mode");
    }
}

/// What looks like a token and is none.
const LOOKALIKE: &str = "patctl_0123456789_$(printf 0%.0s {1..38})";

#[test]
fn a_push_with_a_token_is_refused_and_the_token_revoked() {
    let Some(site) = Site::new("", "a_push_with_a_token_is_refused_and_the_token_revoked") else { return };
    // Something that looks like a token and is none, and a branch that is deleted.
    let output = site.work(&format!(
        "echo {LOOKALIKE} > b; git add b; git commit -qm b
         git push -q origin HEAD:main HEAD:old; git push -q origin :old"
    ));
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(site.status(), "active");
    // In a file that a later commit deletes, and that a merge alone brings in.
    let output = site.work(
        "git checkout -q -b side; echo side > c; git add c; git commit -qm c
         git checkout -q main 2>/dev/null || git checkout -q -b main HEAD~1; echo d > d; git add d; git commit -qm d
         git merge -q --no-commit side; printf '\\0x%s' \"$T\" > bin; git add bin; git commit -qm merge
         git rm -q bin; git commit -qm 'nothing to see'; git push -q origin HEAD:main",
    );
    assert!(!output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("push refused"), "{}", said(&output));
    assert_no_secret(&site.token[site.token.len() - 38..], said(&output).as_bytes(), "what the pusher sees");
    assert_eq!(site.status(), "revoked");
}

/// Every place of a push that can hold a text.
#[test]
fn a_push_is_read_in_contents_names_links_messages_and_refs() {
    let test = "a_push_is_read_in_contents_names_links_messages_and_refs";
    for line in [
        "echo \"token=$T\" > b; git add b; git commit -qm b; git push -q origin HEAD:main",
        "echo x > \"$T\"; git add .; git commit -qm b; git push -q origin HEAD:main",
        "ln -s \"$T\" link; git add .; git commit -qm b; git push -q origin HEAD:main",
        "git commit -q --allow-empty -m \"use $T\"; git push -q origin HEAD:main",
        "git tag -a v1 -m \"use $T\"; git push -q origin v1",
        "git push -q origin \"HEAD:refs/heads/$T\"",
        // What only a search with gaps would miss: the token stands behind a text that takes its prefix.
        "echo \"patctl_0123456789_$(printf 0%.0s {1..32})$T\" > b; git add b; git commit -qm b; git push -q origin HEAD:main",
        "echo \"*.txt working-tree-encoding=UTF-16\" > .gitattributes; printf %s \"$T\" | iconv -t UTF-16 > a.txt
         git add .; git commit -qm b; git push -q origin HEAD:main",
    ] {
        let Some(site) = Site::new("", test) else { return };
        let output = site.work(line);
        assert!(!output.status.success() && said(&output).contains("push refused"), "{line}: {}", said(&output));
        assert_eq!(site.status(), "revoked", "{line}");
    }
    let Some(site) = Site::new("patctl.token.prefix = acme\n", test) else { return };
    let output = site.work("echo \"$T\" > b; git add b; git commit -qm b; git push -q origin HEAD:main");
    assert!(site.token.starts_with("acme_") && !output.status.success(), "{}", said(&output));
}

/// Trouble refuses the push, whatever else is in it and however it sorts.
#[test]
fn a_push_that_cannot_be_checked_is_refused() {
    let test = "a_push_that_cannot_be_checked_is_refused";
    let Some(site) = Site::new("", test) else { return };
    let push = format!(
        "for begin in 0 z; do echo ${{begin}}{LOOKALIKE} > $begin; done; echo \"$T\" > b; git add .
         git commit -qm all; git push -q origin HEAD:main"
    );
    let refused = |why: &str| {
        let output = site.work(&format!("export PATH=\"$HOME/bin:$PATH\"; {push}"));
        assert!(
            !output.status.success() && said(&output).contains("push refused"),
            "{why}: {}",
            said(&output)
        );
        assert_eq!(site.status(), "active", "{why}");
        assert!(
            site.work("git reset -q --hard origin/main 2>/dev/null || git reset -q --hard HEAD~1")
                .status
                .success()
        );
    };
    for status in [74, 75, 77, 78, 137] {
        site.instead_of_patctl(&format!("cat > /dev/null; exit {status}"));
        refused(&format!("status {status}"));
    }
    site.instead_of_patctl("exec nonsense-that-is-not-there \"$@\"");
    refused("no patctl");
    site.instead_of_patctl(&format!("ulimit -f 0; exec '{PROGRAM}' \"$@\""));
    refused("no room on the disk");
    site.instead_of_patctl(&format!("exec '{PROGRAM}' \"$@\""));
    let away = site.home.dir.path().join("away");
    std::fs::rename(site.home.db(), &away).expect("a move");
    let output = site.work(&format!("export PATH=\"$HOME/bin:$PATH\"; {push}"));
    assert!(!output.status.success() && said(&output).contains("push refused"), "{}", said(&output));
    std::fs::rename(&away, site.home.db()).expect("a move");
    // A writer that does not end: the database is busy.
    let sql = site.home.sql();
    sql.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let output = site.work("git push -q origin HEAD:main");
    assert!(!output.status.success() && said(&output).contains("push refused"), "{}", said(&output));
    sql.execute_batch("ROLLBACK").expect("a lock");
    assert_eq!(site.status(), "active");
    assert!(!site.work("git push -q origin HEAD:main").status.success());
    assert_eq!(site.status(), "revoked");
}

/// What is committed is what is stored, not what the working tree shows.
#[test]
fn a_commit_is_stopped_by_a_token_in_anything_it_stores() {
    let test = "a_commit_is_stopped_by_a_token_in_anything_it_stores";
    let Some(site) = Site::new("", test) else { return };
    let hook = include_str!("../../README.md")
        .split("cat > .git/hooks/pre-commit <<'HOOK'\n")
        .nth(1)
        .expect("the hook");
    let hook = hook.split("\nHOOK\n").next().expect("its end");
    let path = site.home.dir.path().join("work/.git/hooks/pre-commit");
    std::fs::write(&path, format!("{hook}\n")).expect("a file");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("a mode");
    let clean = "git reset -q --hard HEAD; git clean -qfd";
    for line in [
        "echo \"token=$T\" > b; git add b; git commit -qm b",
        "echo \"token=$T\" > b; git add b; echo harmless > b; git commit -qm b",
        "echo \"token=$T\" >> a; git commit -qam b",
        "mkdir -p \"d/$T\"; echo x > \"d/$T/x\"; git add .; git commit -qm b",
        "ln -s \"$T\" link; git add .; git commit -qm b",
        "printf '*.txt working-tree-encoding=UTF-16\\n' > .gitattributes; printf %s \"$T\" | iconv -t UTF-16 > a.txt
         git add .; git commit -qm b",
        "printf '*.log filter=upper\\n' > .gitattributes; git config filter.upper.clean \"printf %s $T\"; echo x > a.log
         git add .; git commit -qm b",
    ] {
        let output = site.work(line);
        assert!(!output.status.success(), "{line}: {}", said(&output));
        assert_no_secret(&site.token[site.token.len() - 38..], said(&output).as_bytes(), line);
        assert!(site.work(clean).status.success());
    }
    assert_eq!(site.status(), "active", "a commit revokes nothing");
    let harmless = format!("echo {LOOKALIKE} > 'a name'; git add .; git rm -q a; git commit -qm harmless");
    let output = site.work(&harmless);
    assert!(output.status.success(), "{}", said(&output));
    // Where it cannot be checked, nothing is committed; and in a repository without a commit it works, too.
    site.instead_of_patctl("cat > /dev/null; exit 75");
    assert!(
        !site
            .work("export PATH=\"$HOME/bin:$PATH\"; echo y > y; git add y; git commit -qm y")
            .status
            .success()
    );
    let first = "git init -q new; cp work/.git/hooks/pre-commit new/.git/hooks/; cd new; echo $X > b; git add b; git commit -qm b";
    assert!(site.git(&format!("X=harmless; {first}")).status.success());
    assert!(!site.git(&format!("X=$T; {}", first.replace("new", "second"))).status.success());
}
