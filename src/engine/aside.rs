//! What is much, freed by a thread of its own.
//!
//! Useful for what takes milliseconds to free, where nobody should wait for it. Not for less: a
//! thread is begun for it. The thread ends when nothing is left.

use std::any::Any;
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;

use super::trim;

/// What waits to be freed; nothing while no thread frees anything.
static WAITING: Mutex<Option<Vec<Box<dyn Any + Send>>>> = Mutex::new(None);

/// Frees something soon.
pub(super) fn free(garbage: impl Send + 'static) {
    let garbage = Box::new(garbage);
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(waiting) = &mut *waiting {
        waiting.push(garbage);
        return;
    }
    *waiting = Some(vec![garbage]);
    drop(waiting);
    // Where the system has no thread more, it is freed here.
    if Builder::new().name("getcases-free".to_owned()).spawn(free_all).is_err() {
        free_all();
    }
}

fn free_all() {
    loop {
        let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
        let all = waiting.as_mut().map(std::mem::take).unwrap_or_default();
        if all.is_empty() {
            *waiting = None;
            trim::soon();
            return;
        }
        drop(waiting);
        drop(all);
    }
}
