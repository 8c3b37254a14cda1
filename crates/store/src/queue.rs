//! Group commit: what waits is done together. One leads; those who come meanwhile wait, and one of
//! them leads the next group.

use std::collections::VecDeque;

#[cfg(all(test, getcases_loom))]
use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::sync::PoisonError;
#[cfg(not(all(test, getcases_loom)))]
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// What waits, in the order in which it came.
pub(crate) struct Queue<T, R>(Mutex<Line<T, R>>);

struct Line<T, R> {
    waiting: VecDeque<(T, Arc<Ticket<R>>)>,
    is_led: bool,
}

/// What one waits for.
struct Ticket<R> {
    turn: Mutex<Turn<R>>,
    changed: Condvar,
}

enum Turn<R> {
    Wait,
    /// It leads the next group.
    Lead,
    Done(R),
}

impl<R> Ticket<R> {
    fn new() -> Arc<Self> {
        Arc::new(Self { turn: Mutex::new(Turn::Wait), changed: Condvar::new() })
    }

    fn tell(&self, turn: Turn<R>) {
        *locked(&self.turn) = turn;
        self.changed.notify_one();
    }

    /// What became of it; nothing where it is to lead.
    fn wait(&self) -> Option<R> {
        let mut turn = locked(&self.turn);
        loop {
            match std::mem::replace(&mut *turn, Turn::Wait) {
                Turn::Wait => {
                    turn = self.changed.wait(turn).unwrap_or_else(PoisonError::into_inner);
                }
                Turn::Lead => return None,
                Turn::Done(done) => return Some(done),
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T, R> Default for Queue<T, R> {
    fn default() -> Self {
        Self(Mutex::new(Line { waiting: VecDeque::new(), is_led: false }))
    }
}

impl<T, R> Queue<T, R> {
    /// Waits until something is done, by another thread or by this one, which `lead`s then: it
    /// [takes](Self::take) a group and tells each of its tickets. Nobody leads while another does.
    pub(crate) fn pass(&self, item: T, lead: impl FnOnce()) -> R {
        let ticket = Ticket::new();
        let leads = {
            let mut line = locked(&self.0);
            line.waiting.push_back((item, Arc::clone(&ticket)));
            !std::mem::replace(&mut line.is_led, true)
        };
        if !leads && let Some(done) = ticket.wait() {
            return done;
        }
        // What the leader waits for itself is the first of its group.
        let _succession = Succession(self);
        lead();
        ticket.wait().unwrap_or_else(|| unreachable!("it was in the group"))
    }

    /// Takes what has waited longest: the first, and those behind it as long as they fit.
    pub(crate) fn take(&self, mut fits: impl FnMut(&T) -> bool) -> (Vec<T>, Tickets<R>) {
        let mut line = locked(&self.0);
        let count = line.waiting.iter().take_while(|(own, _)| fits(own)).count().max(1);
        let count = count.min(line.waiting.len());
        let (items, tickets) = line.waiting.drain(..count).unzip();
        (items, Tickets(tickets))
    }
}

/// Hands the lead to whoever waits first, when the one who led is done.
struct Succession<'q, T, R>(&'q Queue<T, R>);

impl<T, R> Drop for Succession<'_, T, R> {
    fn drop(&mut self) {
        let mut line = locked(&self.0.0);
        match line.waiting.front() {
            Some((_, next)) => next.tell(Turn::Lead),
            None => line.is_led = false,
        }
    }
}

/// Who waits for a group.
pub(crate) struct Tickets<R>(Vec<Arc<Ticket<R>>>);

impl<R> Tickets<R> {
    /// Whether all were told.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells each what became of it, in order.
    pub(crate) fn tell(&mut self, results: impl IntoIterator<Item = R>) {
        for (ticket, result) in self.0.drain(..).zip(results) {
            ticket.tell(Turn::Done(result));
        }
    }
}

/// `RUSTFLAGS="--cfg getcases_loom" cargo test --release -p getcases-store --lib queue`
#[cfg(all(test, getcases_loom))]
mod model {
    use loom::thread;

    use super::*;

    /// Does what a leader does: nobody else does so, and all are told.
    fn write(queue: &Queue<usize, usize>, kept: &Mutex<Vec<usize>>, most: usize) {
        let mut count = 0;
        let (items, mut tickets) = queue.take(|_| {
            count += 1;
            count <= most
        });
        assert!((1..=most).contains(&items.len()));
        let mut kept = kept.try_lock().unwrap_or_else(|_| panic!("two lead at once"));
        kept.extend(&items);
        drop(kept);
        tickets.tell(items.iter().map(|own| own * 10));
        assert!(tickets.is_empty());
    }

    /// In every order of steps each is done once, and told what became of it and of no other. Of
    /// three threads those orders are tried in which no more than two steps are broken off.
    fn passes(threads: usize, each: usize, most: usize) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = (threads > 2).then_some(2);
        model.check(move || {
            let queue = Arc::new(Queue::default());
            let kept = Arc::new(Mutex::new(Vec::new()));
            let pass = move |queue: &Queue<_, _>, kept: &Mutex<_>, thread: usize| {
                for item in (0..each).map(|own| thread * each + own) {
                    let done = queue.pass(item, || write(queue, kept, most));
                    assert_eq!(done, item * 10);
                    // What was acknowledged is there.
                    assert!(locked(kept).contains(&item));
                }
            };
            let others: Vec<_> = (1..threads)
                .map(|thread| {
                    let (queue, kept) = (Arc::clone(&queue), Arc::clone(&kept));
                    thread::spawn(move || pass(&queue, &kept, thread))
                })
                .collect();
            pass(&queue, &kept, 0);
            others.into_iter().for_each(|other| other.join().unwrap());
            let line = locked(&queue.0);
            assert!(line.waiting.is_empty() && !line.is_led, "the next one leads");
            let mut kept = locked(&kept).clone();
            // Those of one thread in their order.
            let own = |thread: usize| kept.iter().filter(move |own| *own / each == thread);
            assert!((0..threads).all(|thread| own(thread).is_sorted()));
            kept.sort_unstable();
            assert_eq!(kept, (0..threads * each).collect::<Vec<_>>());
        });
    }

    #[test]
    fn two_threads_of_two() {
        passes(2, 2, 2);
    }

    #[test]
    fn three_threads() {
        passes(3, 1, 3);
    }

    #[test]
    fn groups_that_take_one_alone() {
        passes(3, 1, 1);
    }
}
