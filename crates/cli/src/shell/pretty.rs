//! JSON for people.

/// JSON without white space between its parts, on as many lines as it has parts, indented. Values
/// stay as they are spelled. Cost grows with its length and depth.
pub(super) fn indented(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let (mut depth, mut is_in_text, mut is_escaped) = (0_usize, false, false);
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        if is_in_text {
            text.push(c);
            is_in_text = is_escaped || c != '"';
            is_escaped = c == '\\' && !is_escaped;
            continue;
        }
        match c {
            '{' | '[' => {
                text.push(c);
                if let Some(close) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    text.push(close);
                } else {
                    depth += 1;
                    new_line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ => {
                is_in_text = c == '"';
                text.push(c);
            }
        }
    }
    text
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_on_lines_and_texts_stay() {
        let json = r#"{"a":[1e999,{"b":"x,\"{:\\"}],"c":{},"d":[]}"#;
        let lines = [
            "{",
            r#"  "a": ["#,
            "    1e999,",
            "    {",
            r#"      "b": "x,\"{:\\""#,
            "    }",
            "  ],",
            r#"  "c": {},"#,
            r#"  "d": []"#,
            "}",
        ];
        assert_eq!(indented(json), lines.join("\n"));
    }
}
