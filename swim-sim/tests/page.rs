//! Opens the pages in a real browser, where there is one: `SWIM_REQUIRE_CHROMIUM=1` wants it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a browser made of a page.
struct Shown {
    /// The document after its script has run.
    dom: String,
    /// What the browser has to say, errors of scripts among it.
    log: String,
}

impl Shown {
    fn errors(&self) -> Vec<&str> {
        let bad = ["Uncaught", "Refused to", "SyntaxError", "net::ERR"];
        self.log.lines().filter(|line| bad.iter().any(|b| line.contains(b))).collect()
    }
}

/// Shows a page of this path and what follows it, and takes a picture beside it.
fn show(chromium: &Path, page: &Path, fragment: &str) -> Shown {
    let profile = page.with_extension("profile");
    let picture = page.with_extension("png");
    let url = format!("file://{}{fragment}", page.display());
    let run = |what: &str| {
        Command::new(chromium)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update"])
            .args(["--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars"])
            .args(["--enable-logging=stderr", "--window-size=1280,2400"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .args([what, &url])
            .output()
            .expect("chromium starts")
    };
    let dump = run("--dump-dom");
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let shot = run(&format!("--screenshot={}", picture.display()));
    let size = std::fs::metadata(&picture).map_or(0, |m| m.len());
    assert!(size > 10_000, "{}: {size} bytes, {}", picture.display(), shot.status);
    std::fs::remove_dir_all(&profile).expect("chromium has made its profile");
    Shown {
        dom: String::from_utf8_lossy(&dump.stdout).into_owned(),
        log: String::from_utf8_lossy(&dump.stderr).into_owned(),
    }
}

fn chromium() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = std::env::split_paths(&paths)
        .flat_map(|dir| names.map(|name| dir.join(name)))
        .find(|file| file.is_file());
    let required = std::env::var_os("SWIM_REQUIRE_CHROMIUM").is_some_and(|value| value == "1");
    assert!(
        found.is_some() || !required,
        "chromium is not installed, and SWIM_REQUIRE_CHROMIUM is set"
    );
    if found.is_none() {
        println!("chromium is not installed: nothing is opened");
    }
    found
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Runs the program; its exit code tells about bands, not about pages.
fn swim_sim(args: &[&str]) {
    let out = Command::new(env!("CARGO_BIN_EXE_swim-sim")).args(args).output().expect("it starts");
    assert!(out.status.code() < Some(2), "{}", String::from_utf8_lossy(&out.stderr));
}

/// A page that loads nothing, whose text is complete.
fn check(page: &Path) -> String {
    let html = std::fs::read_to_string(page).expect("the page is written");
    for outside in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!html.contains(outside), "{outside} in {}", page.display());
    }
    assert!(!html.contains("NaN"), "{}", page.display());
    html
}

#[test]
fn the_page_of_a_run_opens_without_errors_and_zooms() {
    let page = file("run50.html");
    let path = page.to_str().expect("a plain path");
    let mut args = vec!["run", "--nodes=50", "--duration=60s", "--seed=3", "--report", path];
    args.extend(["--crash=3@10s", "--restart=1@35s", "--stall=2@20s+4s", "--leave=1@15s"]);
    args.extend(["--io-stall=2@25s+8s", "--partition=10/40@40s..48s"]);
    swim_sim(&args);
    let html = check(&page);
    for expected in
        ["n49", "partition (1)", "crash (3)", "health score", "detection", "3 nodes failed: n"]
    {
        assert!(html.to_lowercase().contains(expected), "{expected}");
    }
    let Some(chromium) = chromium() else { return };
    let shown = show(&chromium, &page, "#20..40");
    assert_eq!(shown.errors(), Vec::<&str>::new());
    assert!(shown.dom.contains("data-ready=\"20..40\""), "the script did not end");
    assert!(shown.dom.contains("viewBox=\"333.33"), "the rows are not zoomed");
}

#[test]
fn the_page_of_a_large_run_stays_small_and_opens() {
    let page = file("run400.html");
    let path = page.to_str().expect("a plain path");
    let mut args = vec!["run", "--nodes=400", "--duration=40s", "--report", path, "--no-oracles"];
    args.extend(["--crash=10@5s", "--partition=2%/98%@10s..20s"]);
    swim_sim(&args);
    let html = check(&page);
    assert!(html.len() < 2 << 20, "{} bytes", html.len());
    assert!(html.contains("n0 to n7") && html.contains("members of whom most was held"));
    let Some(chromium) = chromium() else { return };
    assert_eq!(show(&chromium, &page, "").errors(), Vec::<&str>::new());
}

#[test]
fn the_page_of_experiments_opens_without_errors() {
    let dir = file("experiments");
    let path = dir.to_str().expect("a plain path");
    swim_sim(&["experiment", "E2", "--quick", "--out", path]);
    let page = dir.join("report.html");
    let html = check(&page);
    assert!(html.contains("swim-load") && html.contains("<svg"));
    let csv = std::fs::read_to_string(dir.join("results.csv")).expect("the table is written");
    assert!(csv.lines().count() > 5 && csv.contains("E2,swim-load,true"));
    let Some(chromium) = chromium() else { return };
    assert_eq!(show(&chromium, &page, "").errors(), Vec::<&str>::new());
}

#[test]
fn an_error_in_a_script_does_not_pass() {
    let Some(chromium) = chromium() else { return };
    let page = file("broken.html");
    let text = "a page with enough to paint ".repeat(400);
    std::fs::write(&page, format!("<p>{text}</p><script>nothing.here();</script>"))
        .expect("writable");
    assert_eq!(show(&chromium, &page, "").errors().len(), 1);
}
