//! The plain design on roaring bitmaps.

use anyhow::Result;
use getcases_plain::Bitmaps;

use crate::ask::Ask;
use crate::peer::{Found, Page, Peer, Ready};
use crate::rows::Rows;

/// One bitmap a value, ranks and orders of each field.
#[derive(Debug)]
pub struct Roaring {
    bitmaps: Bitmaps,
}

impl Roaring {
    /// Indexes every case.
    #[must_use]
    pub fn load(rows: &Rows) -> Self {
        Self { bitmaps: Bitmaps::new(&rows.columns) }
    }
}

impl Peer for Roaring {
    fn name(&self) -> &'static str {
        "roaring"
    }

    fn about(&self) -> String {
        "roaring-rs, one bitmap a value, smallest first; walk or gather; memmem for text".to_owned()
    }

    fn prepare<'p>(&'p self, ask: &'p Ask) -> Result<Ready<'p>> {
        let prepared = self.bitmaps.prepare(ask.request.clone());
        Ok(Ready::run(move || {
            let answer = prepared.run();
            Ok(Found { total: answer.total, page: Page::Places(answer.places) })
        }))
    }
}
