//! Every recorded computation of Serf's own coordinates.

use std::collections::BTreeMap;
use std::string::String;
use std::time::Duration;
use std::{fs, println};

use serde_json::Value;

use crate::coordinate::{Client, Config, Coordinate, DIMENSIONS, Rejection};
use crate::rng::{Rng, Seed};

#[test]
fn every_recorded_coordinate_comes_out_alike() {
    let mut count = BTreeMap::new();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/math/coordinates.jsonl");
    for line in fs::read_to_string(path).expect(path).lines() {
        let record: Value = serde_json::from_str(line).expect(path);
        let id = text(&record["id"]);
        let kind = text(&record["kind"]);
        let comparisons = match kind {
            "config" => config(&record),
            "new" => near(&Coordinate::origin(&Config::default()), &record["coord"], id),
            "distance" => distance(&record),
            "apply_force" => force(&record),
            "sequence" => sequence(&record),
            "pair" => pair(&record),
            "coincident" => coincident(&record),
            other => panic!("{id} is of kind {other}"),
        };
        let (records, sum) = count.entry(String::from(kind)).or_insert((0, 0));
        (*records, *sum) = (*records + 1, *sum + comparisons);
    }
    println!("records and comparisons of each kind: {count:?}");
    let expected = [
        ("apply_force", (12, 12)),
        ("coincident", (5, 5)),
        ("config", (1, 8)),
        ("distance", (20, 20)),
        ("new", (1, 1)),
        ("pair", (1, 60)),
        ("sequence", (6, 241)),
    ];
    assert!(count.iter().map(|(kind, n)| (kind.as_str(), *n)).eq(expected), "{count:?}");
}

fn config(record: &Value) -> usize {
    let small = |name: &str| record[name].as_u64().unwrap() as u8;
    let config = Config::default()
        .adjustment_window(small("AdjustmentWindowSize"))
        .latency_samples(small("LatencyFilterSize"))
        .error_max(number(&record["VivaldiErrorMax"]))
        .and_then(|config| config.error_gain(number(&record["VivaldiCE"])))
        .and_then(|config| config.move_gain(number(&record["VivaldiCC"])))
        .and_then(|config| config.height_min(number(&record["HeightMin"])))
        .and_then(|config| config.gravity_rho(number(&record["GravityRho"])));
    assert_eq!(config, Ok(Config::default()));
    assert_eq!(usize::from(small("Dimensionality")), DIMENSIONS);
    8
}

fn distance(record: &Value) -> usize {
    let (a, b) = (coordinate(&record["a"]), coordinate(&record["b"]));
    assert_eq!(a.distance(&b), nanos(&record["distance_ns"]).unwrap(), "{}", record["id"]);
    1
}

fn force(record: &Value) -> usize {
    let (a, b) = (coordinate(&record["a"]), coordinate(&record["b"]));
    let force = number(&record["force_s"]);
    let pushed = a.pushed(force, &b, &Config::default(), &mut Rng::new(Seed::from(1)));
    near(&pushed, &record["result"], text(&record["id"]))
}

fn sequence(record: &Value) -> usize {
    let id = text(&record["id"]);
    let mut client = client(&record["start"]);
    let (mut rejected, mut negative) = (0, 0);
    for step in record["steps"].as_array().unwrap() {
        if let Some(peer) = step["forget"].as_str() {
            client.forget(&String::from(peer));
            continue;
        }
        let peer = String::from(text(&step["peer"]));
        if step["rejected"] == true {
            rejected += 1;
            match (bad(text(&step["what"])), nanos(&step["rtt_ns"])) {
                (Err(dimensions), _) => drop(client.reject(dimensions)),
                (Ok(other), Some(rtt)) => drop(client.update(&peer, &other, rtt).unwrap_err()),
                // There is no negative duration here.
                (Ok(_), None) => negative += 1,
            }
        } else {
            let rtt = nanos(&step["rtt_ns"]).unwrap();
            client.update(&peer, &coordinate(&step["other"]), rtt).unwrap();
        }
        near(client.coordinate(), &step["after"], id);
    }
    assert_eq!(client.resets(), record["resets"], "{id}");
    assert_eq!(client.rejected() + negative, rejected, "{id}");
    record["steps"].as_array().unwrap().len()
}

/// What was rejected, from the words that tell what was wrong with it.
fn bad(what: &str) -> Result<Coordinate, Rejection> {
    let mut bad = Coordinate::origin(&Config::default());
    match what {
        "7 dimensions" => return Err(Rejection::Dimensions { found: 7, known: DIMENSIONS }),
        "NaN in Vec[3]" => bad.vec[3] = f64::NAN,
        what if what.starts_with("infinite height") => bad.height = f64::INFINITY,
        "negative rtt" | "rtt above 10 s" => {}
        other => panic!("rejected for {other}"),
    }
    Ok(bad)
}

fn pair(record: &Value) -> usize {
    let id = text(&record["id"]);
    let (mut a, mut b) = (client(&record["a_start"]), client(&record["b_start"]));
    let mut comparisons = 0;
    for step in record["steps"].as_array().unwrap() {
        let rtt = nanos(&step["rtt_ns"]).unwrap();
        a.update(&String::from("b"), b.coordinate(), rtt).unwrap();
        b.update(&String::from("a"), a.coordinate(), rtt).unwrap();
        // Most steps only go on.
        if step["a_after"].is_null() {
            continue;
        }
        comparisons += 3;
        near(a.coordinate(), &step["a_after"], id);
        near(b.coordinate(), &step["b_after"], id);
        let ns = a.coordinate().distance(b.coordinate()).as_nanos() as f64;
        assert!((ns - number(&step["distance_ns"])).abs() <= 1.0, "{id}: {ns}");
    }
    comparisons
}

/// Two nodes in one place go apart in a random direction: lengths and scalars are compared.
fn coincident(record: &Value) -> usize {
    let id = text(&record["id"]);
    let mut client = client(&record["start"]);
    let rtt = nanos(&record["rtt_ns"]).unwrap();
    let after = *client.update(&String::from("b"), &coordinate(&record["other"]), rtt).unwrap();
    let norm = after.vec.iter().map(|x| x * x).sum::<f64>().sqrt();
    for (ours, theirs) in [
        (norm, "after_vec_norm"),
        (after.error, "after_Error"),
        (after.adjustment, "after_Adjustment"),
        (after.height, "after_Height"),
    ] {
        close(ours, &record[theirs], id);
    }
    1
}

fn client(at: &Value) -> Client<String> {
    let mut client = Client::new(Config::default(), Seed::from(1));
    client.set_coordinate(coordinate(at)).unwrap();
    client
}

fn coordinate(value: &Value) -> Coordinate {
    let vec = value["Vec"].as_array().unwrap();
    assert_eq!(vec.len(), DIMENSIONS);
    Coordinate {
        vec: core::array::from_fn(|i| number(&vec[i])),
        error: number(&value["Error"]),
        adjustment: number(&value["Adjustment"]),
        height: number(&value["Height"]),
    }
}

#[track_caller]
fn near(ours: &Coordinate, theirs: &Value, id: &str) -> usize {
    for (x, y) in ours.vec.iter().zip(theirs["Vec"].as_array().unwrap()) {
        close(*x, y, id);
    }
    close(ours.error, &theirs["Error"], id);
    close(ours.adjustment, &theirs["Adjustment"], id);
    close(ours.height, &theirs["Height"], id);
    1
}

#[track_caller]
fn close(ours: f64, theirs: &Value, id: &str) {
    let theirs = number(theirs);
    assert!((ours - theirs).abs() <= 1e-9, "{id}: {ours} is not {theirs}");
}

fn nanos(value: &Value) -> Option<Duration> {
    value.as_u64().map(Duration::from_nanos)
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
