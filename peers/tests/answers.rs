//! Every peer answers every body as the linear scan does.

use clap::{Parser as _, ValueEnum as _};
use getcases_peers::args::{Args, Kind};
use getcases_peers::peer::Ready;
use getcases_peers::rows::{Rows, workload};
use getcases_peers::{load, measure};

const CASES: u64 = 3_000;

fn agree(more: &[&str]) -> anyhow::Result<()> {
    let cases = CASES.to_string();
    let given = ["peers", "--cases", &cases, "--variants", "24", "--bodies", "6"];
    let args = Args::parse_from(given.iter().chain(more));
    let workload = workload(args.cases, args.seed);
    let rows = Rows::new(&workload, args.shuffle.then_some(args.seed))?;
    let classes = measure::classes(&workload, &args)?;
    assert!(classes.len() > 17);
    for kind in Kind::value_variants() {
        let (peer, _) = load::load(*kind, &rows, &workload, &args)?;
        for class in &classes {
            for (ask, right) in measure::asks(&rows, class)? {
                measure::check(&rows, peer.as_ref(), &ask, &right)?;
                assert!(matches!(peer.prepare(&ask), Ok(Ready::Run(_))), "{}", peer.name());
            }
        }
    }
    Ok(())
}

#[test]
fn every_peer_answers_as_the_scan() {
    agree(&[]).unwrap();
}

#[test]
fn every_peer_answers_as_the_scan_after_a_shuffled_load() {
    agree(&["--shuffle", "--seed", "7"]).unwrap();
}

#[test]
fn the_further_classes_ask_what_their_names_say() {
    let args = Args::parse_from(["peers", "--cases", "20000", "--classes", "more"]);
    let workload = workload(args.cases, args.seed);
    for class in measure::classes(&workload, &args).unwrap() {
        for body in &class.bodies {
            let value: serde_json::Value = serde_json::from_str(&body.body).unwrap();
            let needle = value["searchText"].as_str();
            let length = body.name.strip_prefix("needle of ").and_then(|rest| rest.get(..2));
            if let (Some(needle), Some(Ok(length))) = (needle, length.map(str::parse::<usize>)) {
                assert_eq!(needle.chars().count(), length, "{body:?}");
                assert_eq!(needle.contains(' '), body.name.contains("across"), "{body:?}");
            }
        }
    }
}
