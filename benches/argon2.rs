//! One Argon2id computation at patctl's default cost, alone, in the memory that the library takes: prints its seconds.
//! One and no more, because a process that verifies has no memory left over from the last one; `benches/speed` runs
//! many such processes in turns with whole `verify`s.

#![expect(clippy::print_stdout, reason = "its answer")]

use argon2::{Algorithm, Argon2, Params, Version};
use std::time::Instant;

fn main() {
    let params = Params::new(19_456, 2, 1, None).expect("parameters");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut out = [0; 32];
    let from = Instant::now();
    argon2.hash_password_into(b"12345678901234567890123456789012", &[7; 16], &mut out).expect("a hash");
    let taken = from.elapsed();
    std::hint::black_box(out);
    println!("{}", taken.as_secs_f64());
}
