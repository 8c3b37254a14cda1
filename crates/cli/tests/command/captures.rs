//! What docs/command.md shows of the command is what the command prints.

use super::*;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/command.md");

/// What a line of a shell prints, on both outputs, in the order in which it comes.
fn printed(line: &str, folder: &Path) -> String {
    let command = Path::new(env!("CARGO_BIN_EXE_getcases")).parent().unwrap();
    let path = format!("{}:{}", command.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {line}")])
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("COLUMNS")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    out(&output)
}

#[test]
fn consoles_of_the_document_are_true() {
    let document = fs::read_to_string(DOCUMENT).unwrap();
    let blocks: Vec<_> = document.split("```console\n").skip(1).collect();
    let folder = folder("captures");
    let mut lines = 0;
    for block in &blocks {
        let (block, _) = block.split_once("\n```").unwrap();
        for step in format!("\n{block}").split("\n$ ").skip(1) {
            let (line, shown) = step.split_once('\n').unwrap_or((step, ""));
            assert_eq!(printed(line, &folder).trim_end(), shown, "{line}");
            lines += 1;
        }
    }
    assert!(blocks.len() > 1 && lines > 4, "{} blocks, {lines} lines", blocks.len());
}
