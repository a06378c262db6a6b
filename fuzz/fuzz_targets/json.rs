#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| patctl_fuzz::run("json", bytes));
