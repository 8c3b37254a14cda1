//! The shell on a terminal: a pseudo-terminal that this test holds the other end of.

use std::fs::File;
use std::io::Read;
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::*;

/// How long an answer may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

struct Terminal {
    shell: Child,
    keys: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    fn open(words: &[&str], environment: &[(&str, Option<&str>)], columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let end = || File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_getcases"));
        command.args(words).stdin(end()).stdout(end()).stderr(end()).env("TERM", "xterm");
        for (name, value) in environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let shell = command.spawn().unwrap();
        let keys = File::from(master);
        let mut reads = keys.try_clone().unwrap();
        let (sender, screen) = channel();
        // Ends when the shell has, and its end of the terminal with it.
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reads.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { shell, keys, screen, seen: String::new() }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until a text is on the screen, and gives all up to its end.
    fn wait_for(&mut self, text: &str) -> String {
        let started = Instant::now();
        loop {
            if let Some(at) = self.seen.find(text) {
                let rest = self.seen.split_off(at + text.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            let left = PATIENCE.saturating_sub(started.elapsed());
            let Ok(bytes) = self.screen.recv_timeout(left) else {
                panic!("{text:?} never came: {:?}", self.seen);
            };
            self.seen += &String::from_utf8_lossy(&bytes);
        }
    }

    /// Waits until a line may be typed: the prompt is drawn anew with each key.
    fn prompt(&mut self) -> String {
        self.wait_for("\u{1b}[?2004h") + &self.wait_for("getcases> ")
    }

    fn code(mut self) -> i32 {
        self.shell.wait().unwrap().code().unwrap()
    }
}

#[test]
fn keys_complete_cancel_and_end() {
    let folder = folder("terminal");
    let state = folder.join("state");
    let _ = fs::remove_dir_all(&state);
    let cases = [
        r#"{"_id":"1","name":"Late delivery","status":"On hold","queues":["Queue 3"]}"#,
        r#"{"_id":"2","name":"Re\u001b]0;x\u0007fund","status":"Open","queues":["evil\u009b2J"]}"#,
    ];
    let file = write(&folder, "cases.ndjson", cases.join("\n").as_bytes());
    let state_home = [("XDG_STATE_HOME", state.to_str())];
    let mut terminal = Terminal::open(&["shell", &file], &state_home, 100);
    assert!(terminal.prompt().contains("2 cases loaded in "));
    // A name and a value, each as far as it is the only one.
    terminal.press("statu\ton\t\r");
    terminal.wait_for("status:\"On hold\"");
    let answer = terminal.wait_for("1 case in all, page 1 of 1; times are UTC, in ");
    assert!(answer.contains("Late delivery") && answer.contains("1  "), "{answer:?}");
    terminal.prompt();
    // Several are listed, without what the terminal would obey.
    terminal.press("queue:\t\t");
    let listed = terminal.wait_for("evil");
    assert!(!listed.contains("\u{9b}"), "{listed:?}");
    // A line is left, and nothing of it asked.
    terminal.press("nobody\x03");
    terminal.prompt();
    terminal.press("refund\r");
    let answer = terminal.wait_for("0 cases in all");
    assert!(!answer.contains('\u{7}'), "{answer:?}");
    terminal.prompt();
    terminal.press("staus:x\r");
    terminal.wait_for("did you mean \"status\"?");
    terminal.prompt();
    terminal.press("\x04");
    assert_eq!(terminal.code(), 0);
    let history = fs::read_to_string(state.join("getcases/history")).unwrap();
    assert!(history.contains("status:\"On hold\"\nrefund\nstaus:x\n"), "{history:?}");

    // The next shell knows the lines of the last one.
    let mut terminal = Terminal::open(&["shell", &file], &state_home, 100);
    terminal.prompt();
    terminal.press("\x10\x10\x10\r");
    terminal.wait_for("1 case in all");
    terminal.prompt();
    terminal.press("\x04");
    assert_eq!(terminal.code(), 0);
}

#[test]
fn a_terminal_without_a_home_and_a_narrow_one() {
    let folder = folder("terminal-narrow");
    let case = br#"{"_id":"1","name":"Late delivery of a parcel that is much too long to show"}"#;
    let file = write(&folder, "cases.ndjson", case);
    let homeless = [("XDG_STATE_HOME", None), ("HOME", None)];
    let mut terminal = Terminal::open(&["shell", &file], &homeless, 40);
    terminal.prompt();
    terminal.press("late\r");
    let answer = terminal.wait_for("1 case in all");
    let table = answer.lines().find(|line| line.contains("Late delivery")).unwrap();
    assert!(table.chars().count() <= 41 && table.contains('…'), "{table:?}");
    terminal.prompt();
    terminal.press("json\r");
    terminal.prompt();
    terminal.press("get 1\r");
    terminal.wait_for(std::str::from_utf8(case).unwrap());
    terminal.prompt();
    terminal.press("quit\r");
    assert_eq!(terminal.code(), 0);
}
