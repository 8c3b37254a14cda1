//! Checks every peer's answer to every body, then times them turn by turn.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use getcases_plain::{Answer, scan};
use getcases_workload::{Class, Workload};
use rayon::prelude::*;

use crate::args::{Args, Classes};
use crate::ask::Ask;
use crate::peer::{Found, Page, Peer, Ready};
use crate::report::{Figures, Measured, Of, Outcome};
use crate::rows::Rows;

/// How often the peers take turns.
const ROUNDS: usize = 10;
/// How long one turn may take: slow bodies are asked less often.
const TURN: Duration = Duration::from_millis(100);
/// How often a body with other values is asked at most.
const FEW: usize = 20;

/// The bodies of one class.
#[derive(Debug)]
pub struct Bodies {
    /// Whether the first is the class, and the others its variants; else all of them count.
    pub is_fixed: bool,
    /// At least one.
    pub bodies: Vec<Class>,
}

/// The classes that are asked for.
///
/// # Errors
/// Where a class's body is no JSON.
pub fn classes(workload: &Workload, args: &Args) -> Result<Vec<Bodies>> {
    let mut classes = Vec::new();
    if args.classes != Classes::More {
        for class in getcases_workload::classes() {
            let variants = workload.variants(&class, args.variants)?;
            let bodies = [class].into_iter().chain(variants).collect();
            classes.push(Bodies { is_fixed: true, bodies });
        }
    }
    if args.classes != Classes::Fixed {
        let more = workload.more(args.bodies.max(1));
        classes.extend(more.into_iter().map(|bodies| Bodies { is_fixed: false, bodies }));
    }
    let is_asked = |name: &str| args.only.is_empty() || args.only.iter().any(|o| name.contains(o));
    classes.retain(|class| class.bodies.first().is_some_and(|first| is_asked(&first.name)));
    Ok(classes)
}

/// Checks and times one class.
///
/// # Errors
/// Where an answer is not the linear scan's, or a peer fails.
pub fn measure(
    rows: &Rows,
    peers: &[Box<dyn Peer + '_>],
    class: &Bodies,
    args: &Args,
) -> Result<Measured> {
    let asks = asks(rows, class)?;
    let mut total = 0;
    for (at, (ask, right)) in asks.iter().enumerate() {
        if at == 0 {
            total = right.total;
        }
        for peer in peers {
            check(rows, peer.as_ref(), ask, right)?;
        }
    }
    let (first, others) = match class.is_fixed {
        true => asks.split_at(1),
        false => asks.split_at(0),
    };
    let own = match first {
        [(ask, _), ..] => Some(turns(peers, ask, args)?),
        [] => None,
    };
    let others = bodies(peers, others, args)?;
    let mut outcomes = Vec::new();
    for (at, peer) in peers.iter().enumerate() {
        let variants = Figures::of(others[at].iter().copied());
        let figures = own.as_ref().map_or(variants, |own| Figures::of(own[at].iter().copied()));
        let variants = class.is_fixed.then_some(variants).flatten();
        let reason = match peer.prepare(&asks[0].0)? {
            Ready::No(reason) => Some(reason.to_owned()),
            Ready::Run(_) => None,
        };
        outcomes.push(Outcome { peer: peer.name().to_owned(), figures, variants, reason });
    }
    let Some((ask, _)) = asks.first() else { bail!("a class without a body") };
    Ok(Measured {
        class: ask.class.name.clone(),
        of: if class.is_fixed { Of::Fixed } else { Of::More },
        body: ask.class.body.clone(),
        user: ask.class.user.clone(),
        bodies: asks.len(),
        total,
        outcomes,
    })
}

/// Requests with what the linear scan finds, on every core.
///
/// # Errors
/// Where a body has a form that is not measured.
pub fn asks(rows: &Rows, class: &Bodies) -> Result<Vec<(Ask, Answer)>> {
    let read = |class: &Class| {
        let ask = Ask::new(rows, class).with_context(|| class.body.clone())?;
        let answer = scan(&rows.columns, &ask.request);
        Ok((ask, answer))
    };
    class.bodies.par_iter().map(read).collect()
}

/// Asks a peer and compares.
///
/// # Errors
/// Where it fails, or differs from the linear scan.
pub fn check(rows: &Rows, peer: &dyn Peer, ask: &Ask, right: &Answer) -> Result<()> {
    let about = || format!("{} {}: {}", peer.name(), ask.class.name, ask.class.body);
    let Ready::Run(mut run) = peer.prepare(ask).with_context(about)? else { return Ok(()) };
    let Found { total, page } = run().with_context(about)?;
    let right_numbers = right.places.iter().map(|place| rows.numbers[*place as usize]);
    let is_right = match &page {
        Page::Numbers(numbers) => right_numbers.eq(numbers.iter().copied()),
        Page::Arrivals(own) => right_numbers.map(|n| rows.arrival(n)).eq(own.iter().copied()),
        Page::Places(places) => *places == right.places,
        Page::Ids(ids) => right_numbers.map(|number| rows.id(number)).eq(ids.iter().copied()),
    };
    if total != right.total || !is_right {
        bail!("not the linear scan's answer (total {}): {} {page:?}", right.total, about());
    }
    Ok(())
}

/// Nanoseconds of each peer, which take turns.
fn turns(peers: &[Box<dyn Peer + '_>], ask: &Ask, args: &Args) -> Result<Vec<Vec<u64>>> {
    let mut samples = vec![Vec::new(); peers.len()];
    let mut ready: Vec<_> = peers.iter().map(|peer| peer.prepare(ask)).collect::<Result<_>>()?;
    for _ in 0..ROUNDS {
        for (ready, samples) in ready.iter_mut().zip(&mut samples) {
            if let Ready::Run(run) = ready {
                samples.extend(timed(args.iterations.div_ceil(ROUNDS), TURN, run)?);
            }
        }
    }
    Ok(samples)
}

/// The median of each body on each peer.
fn bodies(
    peers: &[Box<dyn Peer + '_>],
    asks: &[(Ask, Answer)],
    args: &Args,
) -> Result<Vec<Vec<u64>>> {
    let mut medians = vec![Vec::new(); peers.len()];
    let few = (args.iterations / ROUNDS).clamp(1, FEW);
    for (ask, _) in asks {
        for (peer, medians) in peers.iter().zip(&mut medians) {
            if let Ready::Run(mut run) = peer.prepare(ask)? {
                medians.push(percentile(timed(few, TURN / 4, &mut run)?, 50));
            }
        }
    }
    Ok(medians)
}

/// Runs for a number of times, or for as long as a turn lasts, but once at least.
fn timed<'p>(
    times: usize,
    turn: Duration,
    run: &mut (impl FnMut() -> Result<Found<'p>> + ?Sized),
) -> Result<Vec<u64>> {
    let started = Instant::now();
    let mut samples = Vec::with_capacity(times);
    while samples.is_empty() || (samples.len() < times && started.elapsed() < turn) {
        let asked = Instant::now();
        black_box(run()?);
        samples.push(asked.elapsed().as_nanos() as u64);
    }
    Ok(samples)
}

/// What this part of the samples, in hundredths, does not exceed.
#[must_use]
pub fn percentile(mut samples: Vec<u64>, hundredths: usize) -> u64 {
    samples.sort_unstable();
    let at = (samples.len() * hundredths).div_ceil(100).saturating_sub(1);
    samples.get(at).copied().unwrap_or(0)
}
