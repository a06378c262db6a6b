//! One Argon2id computation at patctl's default cost, alone: prints the median in seconds. `benches/speed`
//! compares a whole `verify` with it.

#![expect(clippy::print_stdout, reason = "its answer")]

use argon2::{Algorithm, Argon2, Params, Version};
use std::time::Instant;

fn main() {
    let mut times: Vec<f64> = (0..31)
        .map(|_| {
            let from = Instant::now();
            let argon2 = Argon2::new(
                Algorithm::Argon2id,
                Version::V0x13,
                Params::new(19_456, 2, 1, None).expect("it"),
            );
            let mut out = [0; 32];
            argon2
                .hash_password_into(b"12345678901234567890123456789012", &[7; 16], &mut out)
                .expect("a hash");
            std::hint::black_box(out);
            from.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{}", times[times.len() / 2]);
}
