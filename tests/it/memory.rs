//! What is left of a secret in the memory of a process that is done with it.

use crate::harness::id_of;
use crate::process::{Home, skip};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// A running `verify --batch`, which waits for its next line.
struct Gateway {
    child: Child,
    stdin: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Gateway {
    fn start(home: &Home) -> Self {
        let mut command = home.command(&["verify", "--batch"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("patctl");
        let stdin = child.stdin.take().expect("a pipe");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, stdin, answers }
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.stdin, "{line}").expect("it reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("an answer");
        answer
    }

    /// How often each text stands in what the process can write to; `None`: it cannot be looked at.
    fn holds(&self, texts: &[&str]) -> Option<Vec<usize>> {
        let of = |name: &str| format!("/proc/{}/{name}", self.child.id());
        let maps = std::fs::read_to_string(of("maps")).ok()?;
        let mut memory = std::fs::File::open(of("mem")).ok()?;
        let mut found = vec![0; texts.len()];
        for map in maps.lines().filter(|map| map.contains(" rw")) {
            let (from, to) = map.split_once(' ')?.0.split_once('-')?;
            let number = |text| u64::from_str_radix(text, 16).expect("an address");
            let mut bytes = vec![0; usize::try_from(number(to) - number(from)).expect("a size")];
            memory.seek(SeekFrom::Start(number(from))).expect("a place");
            if memory.read_exact(&mut bytes).is_err() {
                // Pages of the kernel's.
                continue;
            }
            for (text, count) in texts.iter().zip(&mut found) {
                *count += bytes.windows(text.len()).filter(|part| *part == text.as_bytes()).count();
            }
        }
        Some(found)
    }
}

/// The part of a token that nobody else may have.
fn secret(token: &str) -> &str {
    token.rsplit('_').next().expect("a secret")
}

#[test]
fn a_batch_holds_no_secret_between_one_line_and_the_next() {
    let home = Home::new("atlassian.pats.max.tokens.per.user = 100\n");
    let tokens: Vec<String> = (0..9).map(|_| home.create(&["-q"])).collect();
    let [bare, bearer, header, escaped, query, body, unread, wrong, twice] = tokens.as_slice() else {
        panic!("nine tokens")
    };
    let basic = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("alice:{body}"))
    };
    let lines = [
        format!("{{\"token\":\"{bare}\"}}"),
        format!("{{\"token\":\"Authorization: Bearer {bearer}\"}}"),
        format!(
            "{{\"token\":\"{bare}\",\"method\":\"GET\",\"url\":\"/a\",\"headers\":{{\"X-Key\":\"{header}\"}}}}"
        ),
        format!(
            "{{\"token\":\"{bare}\",\"method\":\"POST\",\"url\":\"/a\",\"content_type\":\"application/json\",\
             \"body\":\"{{\\\"k\\\":\\\"{escaped}\\\"}}\",\"headers\":[[\"Authorization\",\"\\u0042earer {escaped}\"]]}}"
        ),
        format!("{{\"token\":\"{bare}\",\"method\":\"GET\",\"url\":\"/a?k={query}\"}}"),
        format!("{{\"token\":\"{bare}\",\"method\":\"POST\",\"url\":\"/a\",\"body_b64\":\"{basic}\"}}"),
        // What cannot be read is wiped, too.
        format!("{{\"token\":\"{unread}\",\"unknown\":\"{unread}\"}}"),
        format!("{{\"token\":\"{wrong}X\"}}"),
        format!("{{\"token\":\"{twice}\",\"token\":\"\\u0041{twice}\"}}"),
    ];
    let mut gateway = Gateway::start(&home);
    for line in &lines {
        let answer = gateway.ask(line);
        assert!(answer.contains("\"allowed\":"), "{answer}");
    }
    // That the look finds what is there: ids are no secrets, and the path of the database is kept.
    let path = home.db().display().to_string();
    let mut texts: Vec<&str> = tokens.iter().map(|token| secret(token)).collect();
    texts.extend([&basic[8..], &path]);
    let Some(mut found) = gateway.holds(&texts) else {
        gateway.child.kill().expect("a process");
        gateway.child.wait().expect("its end");
        return skip("the memory of a batch: only root may look at it");
    };
    gateway.child.kill().expect("a process");
    gateway.child.wait().expect("its end");
    assert!(found.pop() > Some(0), "the look sees nothing");
    assert_eq!(
        found,
        vec![0; found.len()],
        "secrets of {:?}",
        tokens.iter().map(|t| id_of(t)).collect::<Vec<_>>()
    );
}
