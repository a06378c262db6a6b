//! Links what little patctl uses of libgcc into it, where its archive is: to load that library at every start would
//! cost a `verify` 3 % of its time and 130 KiB. Where it is not, nothing changes.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |what| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    let is_native = std::env::var("HOST") == std::env::var("TARGET");
    // Linked statically there is nothing to load.
    let is_static = target("FEATURE").split(',').any(|feature| feature == "crt-static");
    if is_static || !is_native || target("OS") != "linux" || target("ENV") != "gnu" {
        return;
    }
    let Ok(answer) = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output() else { return };
    let answer = String::from_utf8_lossy(&answer.stdout);
    // A name without a directory: there is none.
    if let Some(directory) = Path::new(answer.trim()).parent().filter(|path| path.is_absolute()) {
        println!("cargo::rustc-link-search=native={}", directory.display());
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
