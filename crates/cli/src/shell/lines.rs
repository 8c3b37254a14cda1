//! Where lines come from: a terminal, with completion and history, or anything else.

use std::fs;
use std::io;
use std::path::PathBuf;

use getcases::Snapshot;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use super::complete::Completions;
use crate::query::{MARK, read_line};
use crate::tell;

const PROMPT: &str = "getcases> ";
/// How many lines the history keeps.
const KEPT: usize = 10_000;

/// What came.
pub(super) enum Line {
    Text(Vec<u8>),
    /// Ctrl-C.
    Cancelled,
    End,
}

pub(super) enum Lines {
    Terminal {
        editor: Box<Editor<Completions, FileHistory>>,
        history: Option<PathBuf>,
    },
    /// `is_first` before the first line.
    Plain {
        is_first: bool,
    },
}

impl Lines {
    pub(super) fn terminal() -> anyhow::Result<Self> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .auto_add_history(true)
            .history_ignore_space(true)
            .max_history_size(KEPT)?
            .build();
        let mut editor = Editor::<Completions, _>::with_config(config)?;
        let history = history();
        // There is none before the first line ever.
        let _ = history.as_ref().map(|file| editor.load_history(file));
        Ok(Self::Terminal { editor: Box::new(editor), history })
    }

    pub(super) fn plain() -> Self {
        Self::Plain { is_first: true }
    }

    /// Completes with the values of these cases from now on.
    pub(super) fn complete_from(&mut self, snapshot: Option<Snapshot>) {
        if let Self::Terminal { editor, .. } = self {
            editor.set_helper(Some(Completions::of(snapshot)));
        }
    }

    pub(super) fn next(&mut self) -> anyhow::Result<Line> {
        match self {
            Self::Plain { is_first } => {
                let mut line = Vec::new();
                if !read_line(&mut io::stdin().lock(), &mut line)? {
                    return Ok(Line::End);
                }
                if std::mem::take(is_first) && line.starts_with(MARK) {
                    line.drain(..MARK.len());
                }
                Ok(Line::Text(line))
            }
            Self::Terminal { editor, history } => match editor.readline(PROMPT) {
                Ok(line) => {
                    // Another shell may write there, too; a folder that cannot be written to is no
                    // reason to stop.
                    let _ = history.as_ref().map(|file| editor.append_history(file));
                    Ok(Line::Text(line.into_bytes()))
                }
                Err(ReadlineError::Interrupted) => Ok(Line::Cancelled),
                Err(ReadlineError::Eof) => Ok(Line::End),
                Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    tell("the line is no UTF-8");
                    Ok(Line::Cancelled)
                }
                Err(error) => Err(error.into()),
            },
        }
    }
}

/// The file of the history: in the user's folder for what programs keep, made where it is missing;
/// none where nobody says where that is.
fn history() -> Option<PathBuf> {
    // A path that is not absolute is to be ignored.
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    let folder = state.join("getcases");
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(&folder).ok()?;
    Some(folder.join("history"))
}
