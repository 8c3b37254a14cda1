//! What goes on beside a store that is open: what opening has left is held against what was
//! written, and a store that was opened without its checkpoint gets one.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use getcases::Engine;

use crate::error::StoreError;
use crate::open::Opened;
use crate::options::Options;
use crate::write::Writer;
use crate::{checkpoint, open};

/// A thread that ends by itself, or is told to.
pub(crate) struct Background {
    thread: Option<JoinHandle<()>>,
    is_given_up: Arc<AtomicBool>,
}

impl Background {
    pub(crate) fn none() -> Self {
        Self { thread: None, is_given_up: Arc::default() }
    }

    pub(crate) fn begin(
        folder: &Path,
        engine: &Arc<Engine>,
        (writer, opened): (&Arc<Writer>, &Opened),
        is_saved: &Arc<AtomicBool>,
        options: &Options,
    ) -> Self {
        let own = Self::none();
        let (engine, writer, is_saved) = (engine.clone(), writer.clone(), is_saved.clone());
        let (folder, opened, options) = (folder.to_owned(), opened.clone(), options.clone());
        let (is_given_up, unproved) = (own.is_given_up.clone(), writer.clone());
        let work = move || {
            if !writer.is_proved() {
                let proving = Proving(&writer);
                let proved = open::prove(&folder, (&engine, &opened), &is_given_up, &options);
                std::mem::forget(proving);
                // Whoever gave it up writes nothing any more.
                if is_given_up.load(Ordering::Relaxed) {
                    return;
                }
                writer.tell_proved(proved);
            }
            if !is_given_up.load(Ordering::Relaxed) {
                // The next opening does without, or tries again.
                let _ = save(&folder, &engine, &writer, &is_saved, &options);
            }
        };
        let thread = thread::Builder::new().name("getcases-store".to_owned()).spawn(work);
        if let Err(error) = &thread {
            let told = format!("there is no thread to look through the records: {error}");
            unproved.tell_proved(Err(StoreError::Broken(told.into())));
        }
        Self { thread: thread.ok(), ..own }
    }

    /// Waits until it has ended; what can be given up is.
    pub(crate) fn end(&mut self) {
        self.is_given_up.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Writers are told, even where proving panics.
struct Proving<'w>(&'w Writer);

impl Drop for Proving<'_> {
    fn drop(&mut self) {
        let told = "the thread that looked through the records panicked";
        self.0.tell_proved(Err(StoreError::Broken(told.into())));
    }
}

/// Keeps the index beside the records, where it is large and has changed since that was done last.
/// That it cannot be kept is no error: it is made anew then.
///
/// # Errors
/// Why the store is not written any more.
pub(crate) fn save(
    folder: &Path,
    engine: &Engine,
    writer: &Writer,
    is_saved: &AtomicBool,
    options: &Options,
) -> Result<(), StoreError> {
    if is_saved.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let snapshots = writer.snapshots(engine)?;
    let cases = snapshots.iter().map(|(_, own)| own.cases).sum();
    if !options.keeps_index(cases) {
        checkpoint::remove(folder);
    } else if checkpoint::write(folder, &snapshots).is_err() {
        is_saved.store(false, Ordering::Relaxed);
    }
    Ok(())
}
