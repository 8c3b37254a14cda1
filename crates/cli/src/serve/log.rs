//! The log of a server, on the standard error.

use std::io::IsTerminal;

use tracing::Level;
use tracing_subscriber::fmt;

use super::args::LogForm;

/// Starts the log; there is one for the process.
pub(super) fn start(form: LogForm, level: Level) {
    let builder = fmt().with_max_level(level).with_writer(std::io::stderr);
    let started = match form {
        LogForm::Json => {
            let json = builder.json().flatten_event(true).with_current_span(true);
            tracing::subscriber::set_global_default(json.finish())
        }
        LogForm::Pretty => {
            let is_terminal = std::io::stderr().is_terminal();
            let plain = builder.with_ansi(is_terminal && std::env::var_os("NO_COLOR").is_none());
            tracing::subscriber::set_global_default(plain.finish())
        }
    };
    debug_assert!(started.is_ok(), "the log is started once");
}
