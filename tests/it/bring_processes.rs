//! `import atlassian` as a process: fed slowly, killed in its midst, run twice at once, given far too much.

use crate::dumps::{self, VECTORS};
use crate::process::{Home, scaled, stderr, stdout};
use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

fn write(home: &Home, name: &str, text: &str) {
    std::fs::write(home.dir.path().join(name), text).expect("a file");
}

fn tokens(home: &Home) -> i64 {
    home.count("SELECT count(*) FROM token WHERE origin_user IS NOT NULL")
}

#[test]
fn many_rows_of_every_format_come_out_as_they_came_in() {
    let count = scaled(1_000, 100_000);
    let rows = dumps::many(count as u64);
    let expected = dumps::csv(&rows);
    for dump in [dumps::copy(&rows), dumps::insert(&rows), expected.clone()] {
        let home = Home::new("");
        write(&home, "dump", &dump);
        let output = home.run(&["import", "atlassian", "dump", "-q"]);
        let said = stderr(&output);
        assert!(
            output.status.success() && said.lines().all(|line| line.contains("made the database")),
            "{output:?}"
        );
        // The indexes are there again, and every CHECK of the schema holds.
        assert_eq!(home.count("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
        let exported = stdout(&home.run(&["export", "atlassian"]));
        let differs = exported.lines().zip(expected.lines()).find(|(is, was)| is != was);
        assert_eq!((differs, exported.len()), (None, expected.len()));
        assert_eq!(home.count("SELECT count(*) FROM audit"), i64::try_from(count).expect("small") + 1);
    }
}

/// What is read is kept outside the database until all of it is there.
#[test]
fn a_slow_input_keeps_nobody_waiting() {
    let home = Home::new("");
    let token = home.create(&[]);
    let dump = dumps::copy(&dumps::many(600));
    let (first, rest) = dump.split_at(dump.len() / 2);
    let mut import = home
        .command(&["import", "atlassian", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("patctl");
    let mut stdin = import.stdin.take().expect("a pipe");
    stdin.write_all(first.as_bytes()).expect("it reads");
    thread::sleep(Duration::from_millis(200));
    assert_eq!(home.feed(&["verify"], token.as_bytes()).status.code(), Some(0));
    home.create(&["while it reads"]);
    assert_eq!(tokens(&home), 0);
    stdin.write_all(rest.as_bytes()).expect("it reads");
    drop(stdin);
    let output = import.wait_with_output().expect("an end");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(tokens(&home), 600);
}

#[test]
fn killed_in_its_midst_it_imported_nothing_or_all() {
    const COUNT: u64 = 1500;
    let home = Home::new("");
    home.create(&[]);
    write(&home, "dump", &dumps::copy(&dumps::many(COUNT)));
    let (mut nothing, mut all) = (0, 0);
    for round in 0..scaled(5, 60) {
        let mut import = home
            .command(&["import", "atlassian", "dump"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("patctl");
        thread::sleep(Duration::from_millis(40 + 61 * (round as u64 % 13)));
        let _ = import.kill();
        import.wait().expect("an end");
        match tokens(&home) {
            0 => nothing += 1,
            count => {
                assert_eq!(count, i64::try_from(COUNT).expect("small"));
                all += 1;
            }
        }
        let intact = home.run(&["audit", "verify"]);
        assert!(intact.status.success(), "{}", stderr(&intact));
    }
    assert!(nothing + all > 0);
    let output = home.run(&["import", "atlassian", "dump"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(tokens(&home), i64::try_from(COUNT).expect("small"));
    assert_eq!(home.count("SELECT count(*) FROM audit WHERE action = 'import' AND token_id <> '-'"), 1500);
}

#[test]
fn two_at_once_bring_each_token_once() {
    let home = Home::new("");
    home.create(&[]);
    write(&home, "dump", &dumps::copy(&dumps::many(500)));
    let both = [(); 2].map(|()| {
        let mut command = home.command(&["import", "atlassian", "dump"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("patctl")
    });
    let said: Vec<String> = both
        .into_iter()
        .map(|import| {
            let output = import.wait_with_output().expect("an end");
            assert!(output.status.success(), "{output:?}");
            stderr(&output)
        })
        .collect();
    assert_eq!(tokens(&home), 500);
    assert!(said.iter().any(|said| said.contains("500 tokens imported")), "{said:?}");
    assert!(said.iter().any(|said| said.contains("0 tokens imported, 500 imported before")), "{said:?}");
}

/// Lines and values without an end, in a process that may not take much memory.
#[test]
fn what_has_no_end_takes_no_memory() {
    let home = Home::new("");
    home.create(&[]);
    let megabytes = scaled(80, 2000);
    let endless = format!("head -c {megabytes}000000 /dev/zero | tr '\\0' x");
    let columns = dumps::COLUMNS;
    for (begin, end, status, word) in [
        ("COPY other (a) FROM stdin;\n", "\n\\.\n", 1, "there is no"),
        ("COPY \"AO_81F455_PERSONAL_TOKEN\" FROM stdin;\n", "\n\\.\n", 1, "longer than 65536 bytes"),
        ("INSERT INTO `other` VALUES ('", "');", 1, "there is no"),
        ("INSERT INTO `AO_81F455_PERSONAL_TOKEN` VALUES ('", "');", 1, "longer than 65536 bytes"),
        (&format!("{columns}\n\""), "\n", 1, "a row has no end"),
        ("-- ", "\n", 1, "there is no"),
    ] {
        let script = format!(
            "ulimit -d 60000; {{ printf %s \"$BEGIN\"; {endless}; printf %s \"$END\"; }} | patctl import atlassian -"
        );
        let output = home
            .command_of("bash")
            .env("BEGIN", begin)
            .env("END", end)
            .args(["-c", &script])
            .output()
            .expect("bash");
        assert_eq!(output.status.code(), Some(status), "{begin}: {output:?}");
        assert!(stderr(&output).contains(word), "{begin}: {output:?}");
    }
}

/// Another process sees it at once, and so does who leaked one.
#[test]
fn an_imported_token_is_good_in_another_process_until_it_is_revoked() {
    let home = Home::new("");
    write(&home, "dump", &dumps::insert(&[dumps::of_vector(&VECTORS[0])]));
    assert!(home.run(&["import", "atlassian", "dump"]).status.success());
    let verify = || home.feed(&["verify"], VECTORS[0].1.as_bytes()).status.code();
    assert_eq!((verify(), verify()), (Some(0), Some(0)));
    assert_eq!(home.feed(&["revoke", "--token-stdin"], VECTORS[0].1.as_bytes()).status.code(), Some(0));
    assert_eq!(verify(), Some(1));
}
