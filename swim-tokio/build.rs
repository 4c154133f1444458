//! Has the linker put the functions in one place that an idle agent does not run, see `seldom.ld`.
//!
//! The kernel maps a file in pieces of 64 KiB, so what runs brings what lies beside it into memory.

use std::env::var;

fn main() {
    let here = var("CARGO_MANIFEST_DIR").expect("cargo says where the package is");
    // The whole path, so that a checkout can be moved with its build directory.
    println!("cargo::rerun-if-changed={here}/seldom.ld");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    if is_optimised() && has_known_linker() {
        println!("cargo::rustc-link-arg-bins=-T{here}/seldom.ld");
    }
}

fn is_optimised() -> bool {
    var("PROFILE").is_ok_and(|profile| profile == "release")
}

/// Both linkers that a toolchain may come with here, lld and GNU's, add such a script to their own.
/// Others do not, so whoever chooses one gets what it makes by itself.
fn has_known_linker() -> bool {
    let target = var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu");
    let flags = var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    target && var("RUSTC_LINKER").is_err() && !flags.contains("link")
}
