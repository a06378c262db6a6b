//! Links what little patctl uses of two system libraries into it, where their archives are: each of them loaded at
//! every start would cost a `verify` 3 % of its time and 200 KiB. Where they are not, nothing changes.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |what| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    let same = std::env::var("HOST") == std::env::var("TARGET");
    if !same || target("OS") != "linux" || target("ENV") != "gnu" {
        return;
    }
    // The unwinder, for backtraces, and pow, for the speed that a progress bar shows.
    for library in ["gcc_eh"] {
        let asked = Command::new("cc").arg(format!("-print-file-name=lib{library}.a")).output();
        let Ok(answer) = asked else { return };
        let answer = String::from_utf8_lossy(&answer.stdout);
        // A name without a directory: there is none.
        if let Some(directory) = Path::new(answer.trim()).parent().filter(|path| path.is_absolute()) {
            println!("cargo::rustc-link-search=native={}", directory.display());
            println!("cargo::rustc-link-lib=static:-bundle={library}");
        }
    }
}
