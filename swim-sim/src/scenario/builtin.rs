//! Scenarios that come with the program.

/// A scenario that comes with the program.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// Its text, for [`Scenario::parse`](super::Scenario::parse).
    pub text: &'static str,
}

macro_rules! builtin {
    ($($name:literal)*) => {
        &[$(Builtin { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".toml")) }),*]
    };
}

/// All of them.
pub const BUILTIN: &[Builtin] = builtin! {
    "crash" "partition" "storm" "one-way" "flapping" "lossy" "data-centres" "no-udp" "no-tcp"
    "slow" "drift" "congestion" "serf-events" "leave-storm"
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn each_has_the_name_of_its_file_and_says_what_it_shows() {
        for builtin in BUILTIN {
            let scenario = Scenario::parse(builtin.text).unwrap();
            assert_eq!(scenario.name, builtin.name);
            assert!(!scenario.about.is_empty(), "{}", builtin.name);
        }
    }
}
