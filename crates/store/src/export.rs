//! Every case as NDJSON, in the order of scopes and `_id`s.

use std::io::{self, Write};

use getcases::Scope;

use crate::Store;

/// After how many cases `progress` is told.
const TOLD: u64 = 4096;

impl Store {
    /// Writes the cases of some scopes, one document a line, in the order of scopes and `_id`s;
    /// each scope as it is when its turn comes. `progress` is told how many were written.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn export(
        &self,
        scopes: &[Scope],
        out: &mut impl Write,
        mut progress: impl FnMut(u64),
    ) -> io::Result<u64> {
        let mut written = 0;
        for scope in scopes {
            for case in self.snapshot(scope).cases() {
                out.write_all(case.as_ref())?;
                out.write_all(b"\n")?;
                written += 1;
                if written % TOLD == 0 {
                    progress(written);
                }
            }
        }
        out.flush()?;
        progress(written);
        Ok(written)
    }
}
