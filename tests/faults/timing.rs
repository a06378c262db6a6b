//! How long a no takes.

use crate::figure;
use crate::process::{Home, scaled};
use std::time::{Duration, Instant};

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A sample on a machine that does other work besides is noisy: it prints its figure, and sees a part of a hash that is
/// not computed. The whole count holds it to 2 %.
#[test]
fn an_unknown_id_takes_as_long_as_a_wrong_secret() {
    // The real price of a hash, that what is compared is what users have.
    let home = Home::new("");
    std::fs::write(home.dir.path().join("patctl.properties"), "").expect("a file");
    let token = home.create(&["-q"]);
    let other = Home::new("").create(&["-q"]);
    let wrong = {
        // The id of one with the secret of another would fail its check; a rotated token is a wrong secret, too.
        let id = home.run(&["list", "-o", "ids"]);
        let id = String::from_utf8_lossy(&id.stdout).trim().to_owned();
        let secret: String = other.rsplit('_').next().expect("a secret").chars().take(32).collect();
        with_check(&format!("patctl_{id}_{secret}"))
    };
    assert_ne!(token, wrong);
    let runs = scaled(120, 1000);
    let (mut unknown_times, mut wrong_times) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        for (presented, times) in [(&other, &mut unknown_times), (&wrong, &mut wrong_times)] {
            let from = Instant::now();
            let output = home.feed(&["verify"], presented.as_bytes());
            times.push(from.elapsed());
            assert_eq!(output.status.code(), Some(1), "{output:?}");
        }
    }
    let (unknown, wrong) = (median(unknown_times), median(wrong_times));
    let apart = (unknown.as_secs_f64() / wrong.as_secs_f64() - 1.0) * 100.0;
    figure(
        "enumeration by time",
        &format!("2 × {runs} runs: unknown id {unknown:.1?}, wrong secret {wrong:.1?}, {apart:+.2} %"),
    );
    assert!(apart.abs() < if runs >= 1000 { 2.0 } else { 15.0 }, "{apart:+.2} % apart");
}

/// CRC-32 of what stands before it, in six digits of base 62, as the token has it.
fn with_check(body: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut crc = u32::MAX;
    for byte in body.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let mut rest = !crc;
    let mut check = [b'0'; 6];
    for digit in check.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    format!("{body}{}", String::from_utf8_lossy(&check))
}
