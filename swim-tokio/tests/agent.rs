//! The `swim` binary.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn swim(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_swim")).args(args).output().unwrap()
}

/// The one line with which it fails.
fn complaint(args: &[&str]) -> String {
    let output = swim(args);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
    assert_eq!(text.lines().count(), 1, "{args:?}: {text}");
    assert!(output.stdout.is_empty());
    text.trim_end().strip_prefix("swim: ").unwrap().into()
}

#[test]
#[cfg(target_os = "linux")]
fn output_to_a_full_disk_ends_in_a_line() {
    for args in [&["keygen"][..], &["version"], &["agent", "--help"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output =
            Command::new(env!("CARGO_BIN_EXE_swim")).args(args).stdout(full).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text, "swim: cannot print: No space left on device (os error 28)\n");
        assert_eq!(output.status.code(), Some(1));
    }
}

/// A running agent, killed when the test ends.
struct Agent(Child);

impl Agent {
    fn start(args: &[&str]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_swim"))
            .args(["agent", "--profile=local", "--events=json", "--rpc-addr=127.0.0.1:0"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// Reads its events until one contains `text`.
    fn wait_event(&mut self, text: &str) {
        let mut lines = BufReader::new(self.0.stdout.as_mut().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains(text)), "it ended without {text}");
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().cast_signed()), signal).unwrap();
    }

    fn exit_code(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(start.elapsed() < Duration::from_secs(10), "it still runs");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

/// A loopback address of this process, with a port that was free just now.
fn free_addr(last: u8) -> SocketAddr {
    let ip = Ipv4Addr::new(127, 100 + (std::process::id() % 150) as u8, 255, last);
    UdpSocket::bind((ip, 0)).unwrap().local_addr().unwrap()
}

struct Dir(PathBuf);

impl Dir {
    fn new(what: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("swim-{what}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn whatever_is_wrong_with_the_flags_is_one_line_and_exit_1() {
    let key = "vb+0fFWl82XyjaWdhU62dbrILQmWj2TAKlmT/a6R6xc=";
    for (args, says) in [
        (&["agent", "--bogus"][..], "flag provided but not defined: -bogus"),
        (&["agent", "--bind", "nowhere"], "bind: \"nowhere\" is not an address"),
        (
            &["agent", "--bind", "127.0.0.1:99999"],
            "bind: \"127.0.0.1:99999\" has no port in 0..=65535 after its colon",
        ),
        (
            &["agent", "--bind", "127.0.0.1:0", "--advertise", "x y"],
            "advertise: \"x y\" is not an address",
        ),
        (&["agent", "--join", "a b"], "join: \"a b\" is not an address"),
        (&["agent", "--encrypt", "%%%"], "encrypt: a key is written in base64"),
        (&["agent", "--encrypt", "c2VjcmV0"], "encrypt: a key has 16, 24 or 32 bytes, not 6"),
        (
            &["agent", "--log-level", "loud"],
            "Invalid log level: LOUD. Valid log levels are: [TRACE DEBUG INFO WARN ERR]",
        ),
        (
            &["agent", "--profile", "moon"],
            "Unknown profile: moon. Valid profiles are: [lan wan local]",
        ),
        (&["agent", "--protocol=9"], "Protocol version '9' too high. Must be in range: [2, 5]"),
        (&["agent", "--event-handler", "bad=x"], "Invalid event script: Event 'bad' invoking 'x'"),
        (
            &["agent", "--tags-file=t", "--tag", "a=b"],
            "Tags config not allowed while using tag files",
        ),
        (
            &["agent", "--iface", "no-such-one"],
            "interface \"no-such-one\": there is none of this name",
        ),
        (
            &["agent", "--bind", "127.0.0.1:0", "--discover=x", "--mdns-iface", "no-such-one"],
            "discover: interface \"no-such-one\": there is none of this name",
        ),
        (
            &["agent", "--bind", "127.0.0.1:0", "--discover=a-name-of-twenty-six-bytes"],
            "discover: \"a-name-of-twenty-six-bytes\" has 26 bytes, at most 25",
        ),
        (&["agent", "--label", &"x".repeat(256)], "label has 256 bytes, at most 255"),
        (
            &["agent", "--bind", "127.0.0.1:0", "--keyring-file", "/nonexistent/keys"],
            "keyring file /nonexistent/keys: \
             it does not exist, and there is no key to make it with",
        ),
        (
            &[
                "agent",
                "--bind",
                "127.0.0.1:0",
                "--keyring-file",
                "/nonexistent/keys",
                "--encrypt",
                key,
            ],
            "keyring file /nonexistent/keys: No such file or directory (os error 2)",
        ),
        (
            &["agent", "--bind", "127.0.0.1:0", "--advertise", "0.0.0.0:1"],
            "others cannot reach a node at 0.0.0.0:1",
        ),
        (&["agent", "--tag", "role"], "Invalid tag: 'role'"),
        (
            &["agent", "--tag", &format!("role={}", "x".repeat(503))],
            "Encoded length of tags exceeds limit of 512 bytes",
        ),
        (&["keygen", "--bytes", "17"], "a key has 16, 24 or 32 bytes, not 17"),
    ] {
        assert_eq!(complaint(args), says, "{args:?}");
    }
}

#[test]
fn a_name_that_is_not_valid_is_refused_if_the_configuration_says_so() {
    let dir = Dir::new("names");
    let path = dir.0.join("names.json");
    let long = "x".repeat(129);
    for name in ["a b", "a_b", "é", &long] {
        std::fs::write(&path, format!(r#"{{"validate_node_names": true, "node_name": "{name}"}}"#))
            .unwrap();
        let says = complaint(&["agent", "--config-file", path.to_str().unwrap()]);
        let why = "is no valid name: 1 to 128 letters, digits, dashes and dots";
        assert_eq!(says, format!("node name: {name:?} {why}"));
    }
}

#[test]
fn an_agent_tells_who_accused_its_own_node() {
    let (bind, rpc) = (free_addr(32), free_addr(33));
    let rpc = format!("--rpc-addr={rpc}");
    let mut agent = Agent::start(&["--node=a", "--bind", &bind.to_string(), &rpc]);
    agent.wait_event("\"a\"");
    let why = || String::from_utf8(swim(&["why", &rpc, "a"]).stdout).unwrap();
    let first = "a is alive, the node of the agent itself";
    let quiet = "Nobody has accused it, as far as the agent remembers";
    assert_eq!(why(), format!("{first}\n{quiet}\n"));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for (claim, incarnation, from) in [(3, 1, b"b"), (5, 2, b"c"), (3, 3, b"b"), (5, 4, b"a")] {
        let claim = [&[claim, 0x83][..], b"\xa4From\xa1", from, b"\xabIncarnation"].concat();
        let claim = [&claim[..], &[incarnation], b"\xa4Node\xa1a"].concat();
        socket.send_to(&claim, bind).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
    let text = why();
    let said: Vec<_> = text.lines().map(|line| line.split("  ").last().unwrap()).collect();
    let left = "refuted: somebody said in its name that it left";
    let refuted = "4 accusations refuted, as far as the agent remembers: \
                   2 of b, 1 of c, 1 of somebody in its name";
    let (suspect, dead) = ("refuted: b took it for suspect", "refuted: c took it for dead");
    assert_eq!(said, [first, suspect, dead, suspect, left, refuted]);
}

#[test]
fn a_port_in_use_is_one_line_and_exit_1() {
    let held = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = held.local_addr().unwrap().to_string();
    let says = complaint(&["agent", "--bind", &addr]);
    assert!(
        says.starts_with(&format!("cannot listen on {addr}: Address already in use")),
        "{says}"
    );
}

#[test]
fn keygen_prints_a_key_that_encrypt_takes() {
    for (args, len) in [(&["keygen"][..], 44), (&["keygen", "--bytes=16"], 24)] {
        let (one, two) = (swim(args).stdout, swim(args).stdout);
        assert_eq!((one.len(), two.len()), (len + 1, len + 1));
        assert_ne!(one, two);
        let key = String::from_utf8(one).unwrap();
        swim_tokio::parse_key(&key).unwrap();
    }
}

#[test]
fn the_version_names_the_protocol() {
    for args in [&["version"][..], &["--version"], &["-v"]] {
        let text = String::from_utf8(swim(args).stdout).unwrap();
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(text, format!("{version}\nAgent Protocol: 5 (Understands back to: 2)\n"));
    }
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = String::from_utf8(swim(&["completions", shell]).stdout).unwrap();
        assert!(script.contains("force-leave") && script.contains("rpc-addr"), "{shell}");
    }
}

#[test]
fn without_a_command_it_tells_which_there_are() {
    for args in [&[][..], &["fly"]] {
        let output = swim(args);
        assert_eq!(output.status.code(), Some(127), "{args:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("reachability"));
    }
}

#[test]
fn a_signal_makes_it_leave_or_end_as_the_configuration_says() {
    let dir = Dir::new("signals");
    let inverted = dir.0.join("inverted.json");
    let text = r#"{"leave_on_terminate": true, "skip_leave_on_interrupt": true}"#;
    std::fs::write(&inverted, text).unwrap();
    let inverted = format!("--config-file={}", inverted.display());
    let a = free_addr(1).to_string();
    let mut stays = Agent::start(&["--node=stays", "--bind", &a]);
    stays.wait_event("\"stays\"");
    for (n, signal, config, leaves) in [
        (2, Signal::SIGINT, None, true),
        (3, Signal::SIGTERM, None, false),
        (4, Signal::SIGINT, Some(&inverted), false),
        (5, Signal::SIGTERM, Some(&inverted), true),
    ] {
        let (name, b) = (format!("--node=n{n}"), free_addr(n).to_string());
        let mut args = vec![&*name, "--bind", &b, "--join", &a];
        args.extend(config.map(String::as_str));
        let mut goes = Agent::start(&args);
        goes.wait_event("\"stays\"");
        goes.signal(signal);
        assert_eq!(goes.exit_code(), Some(if leaves { 0 } else { 1 }), "{signal} {config:?}");
        let told = if leaves { "member-leave" } else { "member-failed" };
        stays.wait_event(&format!("\"event\":\"{told}\",\"name\":\"n{n}\""));
    }
}

#[test]
fn figures_are_printed_on_a_signal_and_it_goes_on() {
    let bind = free_addr(34).to_string();
    let mut agent = Agent::start(&["--node=a", "--bind", &bind]);
    agent.wait_event("\"a\"");
    let mut lines = BufReader::new(agent.0.stderr.take().unwrap()).lines();
    for _ in 0..2 {
        agent.signal(Signal::SIGUSR1);
        assert!(lines.any(|line| line.unwrap() == "swim_members{status=\"alive\"} 1"));
    }
    agent.signal(Signal::SIGTERM);
    assert_eq!(agent.exit_code(), Some(1));
}

#[test]
fn a_second_signal_stops_it_at_once() {
    let a = free_addr(15).to_string();
    let mut stays = Agent::start(&["--node=stays", "--bind", &a]);
    stays.wait_event("\"stays\"");
    let b = free_addr(16).to_string();
    let mut goes = Agent::start(&["--node=goes", "--bind", &b, "--join", &a, "--profile=wan"]);
    goes.wait_event("\"stays\"");
    goes.signal(Signal::SIGINT);
    // With this profile gossip goes out twice a second, so it is still leaving.
    std::thread::sleep(Duration::from_millis(100));
    goes.signal(Signal::SIGINT);
    assert_eq!(goes.exit_code(), Some(1));
}

#[test]
fn the_keyring_file_is_made_once_and_then_read() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = Dir::new("keys");
    let path = dir.0.join("keys.json");
    let file = path.to_str().unwrap();
    let key = "vb+0fFWl82XyjaWdhU62dbrILQmWj2TAKlmT/a6R6xc=";
    let bind = free_addr(17).to_string();
    for flags in [&["--encrypt", key][..], &[]] {
        let mut agent =
            Agent::start(&[&["--node=a", "--bind", &bind, "--keyring-file", file], flags].concat());
        agent.wait_event("\"a\"");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("[\n  \"{key}\"\n]"));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        agent.signal(Signal::SIGINT);
        assert_eq!(agent.exit_code(), Some(0));
    }
    let other = "QHOYjmYlxSCBhdfiolhtDQ==";
    let says = complaint(&["agent", "--keyring-file", file, "--encrypt", other]);
    assert_eq!(says, format!("encrypt is not the primary key of {file}: leave one of them out"));
}

#[test]
fn a_join_that_reaches_nobody_is_one_line_and_exit_1() {
    let (bind, seed) = (free_addr(18).to_string(), free_addr(19).to_string());
    let quiet = ["agent", "--log-level=err", "--rpc-addr=127.0.0.1:0", "--node=a"];
    let output = swim(&[&quiet[..], &["--bind", &bind, "--join", &seed]].concat());
    let says = String::from_utf8(output.stderr).unwrap();
    assert!(says.starts_with(&format!("swim: cannot join {seed}: Connection refused")), "{says}");
    assert_eq!((says.lines().count(), output.status.code()), (1, Some(1)));
}

#[test]
fn a_reader_that_does_not_read_does_not_stop_the_node() {
    let (a, b) = (free_addr(20).to_string(), free_addr(21).to_string());
    let mut reads = Agent::start(&["--node=reads", "--bind", &a]);
    reads.wait_event("\"reads\"");
    // Nobody takes its output: pipes hold 64 KiB.
    let deaf = Agent::start(&["--node=deaf", "--bind", &b, "--join", &a, "--log-level=trace"]);
    reads.wait_event("\"deaf\"");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for n in 0..2000u32 {
        let ltime = u16::try_from(n + 256).unwrap().to_be_bytes();
        let head = [b"\x08\x03\x84\xa2CC\xc2\xa5LTime\xcd", &ltime[..]].concat();
        let payload = [b"\xa4Name\xa4load\xa7Payload\xda\x03\xe8", &[7; 1000][..]].concat();
        socket.send_to(&[head, payload].concat(), &b).unwrap();
        if n % 100 == 0 {
            deaf.signal(Signal::SIGUSR1);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    std::thread::sleep(Duration::from_secs(6));
    reads.signal(Signal::SIGTERM);
    let rest = std::io::read_to_string(reads.0.stdout.take().unwrap()).unwrap();
    assert!(!rest.contains("member-failed"), "{rest}");
    drop(deaf);
}

#[test]
fn figures_are_there_for_prometheus() {
    use std::io::{Read as _, Write as _};

    let (bind, http) = (free_addr(30).to_string(), free_addr(31));
    let serve = format!("--metrics-addr={http}");
    let mut agent = Agent::start(&["--node=a", "--bind", &bind, &serve]);
    agent.wait_event("\"a\"");
    let get = |request: &str| {
        let start = Instant::now();
        let mut stream = loop {
            match std::net::TcpStream::connect(http) {
                Ok(stream) => break stream,
                Err(e) => assert!(start.elapsed() < Duration::from_secs(10), "{e}"),
            }
        };
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let page = get("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    for line in [
        "# TYPE swim_members gauge",
        "swim_members{status=\"alive\"} 1",
        "swim_members{status=\"failed\"} 0",
        "swim_clock{clock=\"member\"} 1",
        "# TYPE swim_serf_user_events_total counter",
        "swim_serf_user_events_total 0",
    ] {
        assert!(page.lines().any(|found| found == line), "no {line} in {page}");
    }
    assert!(get("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
    assert!(get("PUT /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
    assert!(get("hello\r\n\r\n").starts_with("HTTP/1.1 400 "));
}

#[test]
fn lines_of_a_snapshot_that_say_nothing_are_told_by_number() {
    let dir = Dir::new("snapshot");
    let path = dir.0.join("snapshot");
    std::fs::write(&path, "clock: 5\nclock: x\n#\nnonsense\nevent-clo").unwrap();
    let snapshot = format!("--snapshot={}", path.display());
    let bind = free_addr(36).to_string();
    let mut agent = Agent::start(&["--node=a", "--bind", &bind, &snapshot]);
    let mut lines = BufReader::new(agent.0.stderr.take().unwrap()).lines();
    for says in [
        "line 5: the last 9 bytes are no whole line",
        "2 lines say nothing and were passed over: 2, 4",
    ] {
        let line = lines.next().unwrap().unwrap();
        assert!(line.ends_with(says), "{line}");
    }
}

#[test]
fn whoever_asks_how_it_is_used_is_told_the_program_and_the_handlers() {
    for (args, code) in
        [(&["agent", "--help"][..], 0), (&["join", "-h"], 0), (&["join"], 1), (&["event"], 1)]
    {
        let output = swim(args);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(&format!("\nUsage: swim {} [OPTIONS]", args[0])), "{text}");
        assert_eq!(output.status.code(), Some(code));
    }
    let help = String::from_utf8(swim(&["agent", "-help"]).stdout).unwrap();
    for text in [
        "--role <ROLE>",
        "[FILTERS=]SCRIPT",
        "--event-handler member-join,member-leave=./members.sh",
        "user:deploy=",
        "query:load=",
        "SERF_EVENT",
        "SERF_SELF_ROLE",
        "SERF_USER_LTIME",
        "SERF_QUERY_NAME",
        "standard input",
    ] {
        assert!(help.contains(text), "no {text} in {help}");
    }
}

/// A terminal, and the program's end of it.
fn terminal(rows: u16, columns: u16) -> (std::fs::File, std::fs::File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let path = std::str::from_utf8(name.to_bytes()).unwrap();
    let theirs = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let ours = std::fs::File::from(ours);
    resize(&ours, rows, columns);
    (ours, theirs)
}

fn resize(terminal: &std::fs::File, rows: u16, columns: u16) {
    let size =
        rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(terminal, size).unwrap();
}

#[test]
fn the_list_that_is_watched_fits_the_terminal_whatever_becomes_of_that() {
    use std::io::Read as _;

    let (a, b, rpc) = (free_addr(39).to_string(), free_addr(40).to_string(), free_addr(41));
    let rpc = format!("--rpc-addr={rpc}");
    let mut one = Agent::start(&["--node=one", "--bind", &a, &rpc]);
    one.wait_event("\"one\"");
    let mut two = Agent::start(&["--node=two", "--bind", &b, "--join", &a]);
    two.wait_event("\"one\"");
    one.wait_event("\"two\"");
    let (screen, theirs) = terminal(3, 30);
    let mut watch = Command::new(env!("CARGO_BIN_EXE_swim"));
    watch.args(["members", "--watch", &rpc]).stdout(theirs).stderr(Stdio::null());
    let watch = Agent(watch.spawn().unwrap());
    let mut shown = String::new();
    let mut wait = |text: &str| {
        let mut buffer = [0; 4096];
        while !shown.contains(text) {
            let len = (&screen).read(&mut buffer).unwrap();
            shown += str::from_utf8(&buffer[..len]).unwrap();
        }
        std::mem::take(&mut shown)
    };
    let frame = wait("... and 2 more");
    assert!(frame.contains("2 members (Ctrl-C ends)") && !frame.contains("one  "), "{frame}");
    resize(&screen, 24, 80);
    watch.signal(Signal::SIGWINCH);
    let frame = wait("\ntwo  ");
    assert!(frame.contains("\none  ") && !frame.contains("more"), "{frame}");
}

#[test]
fn a_reload_that_takes_time_does_not_put_off_the_end() {
    let dir = Dir::new("reload");
    let path = dir.0.join("tags.json");
    std::fs::write(&path, r#"{"tags": {"a": "1"}}"#).unwrap();
    let config = format!("--config-file={}", path.display());
    let (a, b) = (free_addr(37).to_string(), free_addr(38).to_string());
    let mut stays = Agent::start(&["--node=stays", "--bind", &a]);
    stays.wait_event("\"stays\"");
    // With this profile gossip goes out twice a second, so it takes seconds to tell new tags.
    let wan = ["--profile=wan", "--log-level=debug", &config];
    let mut goes = Agent::start(&[&["--node=goes", "--bind", &b, "--join", &a][..], &wan].concat());
    goes.wait_event("\"stays\"");
    std::fs::write(&path, r#"{"tags": {"a": "2"}}"#).unwrap();
    let mut lines = BufReader::new(goes.0.stderr.take().unwrap()).lines();
    goes.signal(Signal::SIGHUP);
    assert!(lines.any(|line| line.unwrap().contains("Reloading configuration...")));
    goes.signal(Signal::SIGINT);
    let next = lines
        .map(Result::unwrap)
        .find(|line| line.contains("Gracefully shutting down agent...") || line.contains("tags"));
    assert!(next.as_ref().is_some_and(|line| line.contains("Gracefully")), "{next:?}");
}

#[test]
fn figures_and_log_lines_name_the_pool_that_has_a_label() {
    let bind = free_addr(35).to_string();
    let mut agent = Agent::start(&["--node=a", "--bind", &bind, "--label=w\"1"]);
    agent.wait_event("\"a\"");
    let mut lines = BufReader::new(agent.0.stderr.take().unwrap()).lines();
    let mut next = |text: &str| lines.find(|line| line.as_ref().unwrap().contains(text)).unwrap();
    let joined = next("EventMemberJoin: a").unwrap();
    assert!(joined.ends_with(" pool=w\"1"), "{joined}");
    agent.signal(Signal::SIGUSR1);
    let members = next("swim_members{").unwrap();
    assert_eq!(members, r#"swim_members{pool="w\"1",status="alive"} 1"#);
    assert!(next("swim_suspects").unwrap().starts_with("# HELP"));
    assert_eq!(next("swim_suspects{").unwrap(), r#"swim_suspects{pool="w\"1"} 0"#);
}
