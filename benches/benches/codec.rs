//! A suite.

fn main() {}
