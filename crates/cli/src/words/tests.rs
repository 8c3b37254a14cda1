use getcases::{Context, Query};
use proptest::prelude::*;

use super::*;

fn body(line: &str) -> String {
    let words = Words::read(line).unwrap_or_else(|wrong| panic!("{line}: {wrong:?}"));
    let query = Query::from_json(words.body.as_bytes(), &context());
    assert!(query.is_ok_and(|query| query.ignored().is_empty()), "{line}: {}", words.body);
    words.body
}

fn context() -> Context {
    Context { user: Some("agent-5".to_owned()), ..Context::default() }
}

/// The code and the column of everything that is wrong, as words or as a body.
fn wrong(line: &str) -> Vec<(String, usize)> {
    let wrongs = match Words::read(line) {
        Err(wrongs) => wrongs,
        Ok(words) => match Query::from_json(words.body.as_bytes(), &Context::default()) {
            Ok(_) => panic!("{line}: {}", words.body),
            Err(refusal) => words.wrongs(&refusal),
        },
    };
    wrongs.iter().map(|wrong| (wrong.code().to_owned(), wrong.column())).collect()
}

#[track_caller]
fn is_wrong(line: &str, code: &str, column: usize) {
    assert_eq!(wrong(line), [(code.to_owned(), column)], "{line}");
}

#[test]
fn parameters() {
    assert_eq!(body(""), "{}");
    assert_eq!(
        body(r#"status:open,new priority:high text:"late delivery" sort:-due limit:20"#),
        concat!(
            r#"{"status":["open","new"],"priority":["high"],"#,
            r#""searchText":"late delivery","sortBy":"-dueDate","limit":20}"#,
        )
    );
    assert_eq!(
        body(r#"Queue:"Queue 3",x channel:chat agent:agent-5 columns:_id,"a b" page:2 skip:50"#),
        concat!(
            r#"{"queues":["Queue 3","x"],"channel":["chat"],"agents":["agent-5"],"#,
            r#""selectedColumns":["_id","a b"],"page":2,"skip":50}"#,
        )
    );
    assert_eq!(
        body("unresolved mine unassigned:yes"),
        r#"{"unresolved":true,"mycase":true,"unassigned":true}"#
    );
    assert_eq!(
        body("sort:name,-updated,due:asc,id"),
        r#"{"sortBy":["name","-updatedAt","dueDate:asc","_id"]}"#
    );
    assert_eq!(
        body("startDate:2025-01-01 dueDate:1748491380000"),
        r#"{"startDate":"2025-01-01","dueDate":1748491380000}"#
    );
}

#[test]
fn texts() {
    assert_eq!(body("late  delivery"), r#"{"searchText":"late delivery"}"#);
    assert_eq!(body("text:late delivery"), r#"{"searchText":"late delivery"}"#);
    assert_eq!(body("late unresolved"), r#"{"searchText":"late","unresolved":true}"#);
    let two = r#"{"searchText":"late","filter":{"text":{"contains":"refund"}}}"#;
    assert_eq!(body(r#""late" "refund""#).replace(' ', ""), two);
    assert_eq!(body("late AND refund"), two);
    assert_eq!(body("text:late text:refund"), r#"{"searchText":"late refund"}"#);
    assert_eq!(body("invoice not received"), r#"{"searchText":"invoice not received"}"#);
    assert_eq!(body("late and broken"), r#"{"searchText":"late and broken"}"#);
    assert_eq!(body("this or that"), r#"{"searchText":"this or that"}"#);
    assert_eq!(body("delivery - late, today"), r#"{"searchText":"delivery - late, today"}"#);
    assert_eq!(body(r#""unresolved""#), r#"{"searchText":"unresolved"}"#);
    assert_eq!(body("status of it"), r#"{"searchText":"status of it"}"#);
}

#[test]
fn dates_and_numbers() {
    assert_eq!(body("created:2025-01-01"), r#"{"startDate":"2025-01-01","endDate":"2025-01-01"}"#);
    assert_eq!(
        body("created:2025-01-01..2025-01-31 due:..2025-05-29"),
        r#"{"startDate":"2025-01-01","endDate":"2025-01-31","filter":{"due":{"lte":"2025-05-29"}}}"#
    );
    assert_eq!(body("due:2025-05-29T09:33:00+05:30"), r#"{"dueDate":"2025-05-29T09:33:00+05:30"}"#);
    assert_eq!(
        body(r#"created:"2025-01-01 10:00".. updated:>2025-01-01"#),
        r#"{"startDate":"2025-01-01 10:00","filter":{"updated":{"gt":"2025-01-01"}}}"#
    );
    assert_eq!(
        body("created:>=2025-01-01 created:<2025-02-01 score:5..8.5"),
        concat!(
            r#"{"startDate":"2025-01-01","#,
            r#""filter":{"and":[{"created":{"lt":"2025-02-01"}},"#,
            r#"{"priorityScore":{"gte":5,"lte":8.5}}]}}"#,
        )
    );
    // Neither a year nor seconds are milliseconds.
    is_wrong("created:2025..", "invalid_date", 1);
    is_wrong("x due:<1748491380", "invalid_date", 3);
}

#[test]
fn filters() {
    assert_eq!(body("-status:closed"), r#"{"filter":{"not":{"status":{"in":["closed"]}}}}"#);
    assert_eq!(body("not status:closed"), body("NOT status:closed"));
    assert_eq!(body("not status:closed"), body("-status:closed"));
    assert_eq!(body("unresolved:false"), r#"{"filter":{"unresolved":{"eq":false}}}"#);
    assert_eq!(body("-mine"), r#"{"filter":{"not":{"mycase":{"eq":true}}}}"#);
    assert_eq!(body("-late"), r#"{"filter":{"not":{"text":{"contains":"late"}}}}"#);
    assert_eq!(body("NOT late"), body(r#"not "late""#));
    assert_eq!(
        body("has:due no:queue name:late* refId:INC*,7"),
        concat!(
            r#"{"filter":{"and":[{"due":{"exists":true}},{"queue":{"exists":false}},"#,
            r#"{"name":{"startsWith":"late"}},{"or":[{"refId":{"startsWith":"INC"}},"#,
            r#"{"refId":{"in":["7"]}}]}]}}"#,
        )
    );
    assert_eq!(
        body("status:open and -queue:spam category:open"),
        concat!(
            r#"{"status":["open"],"filter":{"and":[{"not":{"queue":{"in":["spam"]}}},"#,
            r#"{"statusCategory":{"in":["open"]}}]}}"#,
        )
    );
}

#[test]
fn what_cannot_be_read_is_refused_where_it_stands() {
    is_wrong("late staus:open", "unknown_field", 6);
    is_wrong("at 12:30", "unknown_field", 4);
    is_wrong("status: open", "invalid_words", 1);
    is_wrong("x status :open", "unknown_field", 10);
    is_wrong("status:open,,new", "invalid_words", 1);
    is_wrong("status:open,", "invalid_words", 1);
    is_wrong("status:open,priority:high", "invalid_words", 1);
    is_wrong("x refId:a*,-Queue:b", "invalid_words", 3);
    is_wrong("status=open", "invalid_words", 1);
    is_wrong("status:op*", "unknown_operator", 1);
    is_wrong("refund*", "unknown_operator", 1);
    is_wrong("name:late", "unknown_operator", 1);
    is_wrong("status:open status:new", "duplicate_key", 13);
    is_wrong("mine mytask", "duplicate_key", 6);
    is_wrong("unresolved:maybe", "invalid_type", 1);
    is_wrong("limit:many", "invalid_integer", 1);
    is_wrong("limit:99999999999999999999", "invalid_integer", 1);
    is_wrong("x page:0", "invalid_integer", 3);
    is_wrong("page:2 skip:7", "conflicting_paging", 8);
    is_wrong("score:high", "invalid_number", 1);
    is_wrong("score:1e999", "invalid_number", 1);
    is_wrong("created:..", "invalid_words", 1);
    is_wrong("x created:soon", "invalid_date", 3);
    is_wrong("no:such", "unknown_field", 1);
    is_wrong("x sort:duedat", "unknown_sort_field", 3);
    is_wrong("x sort:name,duedat", "unknown_sort_field", 3);
    is_wrong("sort:-due:asc", "invalid_sort", 1);
    is_wrong("-sort:due", "invalid_words", 1);
    is_wrong("filter:x", "unknown_field", 1);
    is_wrong("status:open or priority:high", "unsupported", 13);
    is_wrong("late OR broken", "unsupported", 6);
    is_wrong("status:open not", "invalid_words", 13);
    is_wrong("not -status:open", "invalid_words", 1);
    is_wrong("not not status:open", "invalid_words", 1);
    is_wrong("not not late", "invalid_words", 1);
    is_wrong("and", "invalid_words", 1);
    is_wrong("status:open AND", "invalid_words", 13);
    is_wrong("and late", "invalid_words", 1);
    for line in ["status:open AND AND late", "status:open not AND late", "late AND OR x"] {
        assert!(Words::read(line).is_err(), "{line}");
    }
    is_wrong("--status:open", "unknown_field", 1);
    is_wrong("x mine", "missing_current_user", 3);
    is_wrong("x -mine", "missing_current_user", 3);
    is_wrong("x \" \"", "invalid_words", 3);
    is_wrong(&format!("x y {}", "a".repeat(1100)), "text_too_long", 1);
    assert_eq!(wrong("staus:a limit:b x:").len(), 3);
}

#[test]
fn a_refusal_says_what_is_accepted_and_what_may_be_meant() {
    let told = |line: &str| to_json(&Words::read(line).unwrap_err());
    let text = told("late staus:open");
    let begins = concat!(
        r#"{"errors":[{"code":"unknown_field","#,
        r#""msg":"no word has the name \"staus\"; did you mean \"status\"?","#,
        r#""path":"words:6","value":"staus:open","accepted":["status","priority","#,
    );
    assert!(text.starts_with(begins), "{text}");
    let line = Words::read("\u{1b}[31m:\u{202e}").unwrap_err()[0].line();
    assert!(line.starts_with("words:1: unknown_field: ") && !line.contains('\u{1b}'), "{line:?}");
    let many = told(&"x:y ".repeat(10_000));
    assert!(many.len() < 100_000 && many.contains("9900 more"), "{}", many.len());
    let words = Words::read("sort:duedat").unwrap();
    let refusal = Query::from_json(words.body.as_bytes(), &context()).unwrap_err();
    assert!(words.wrongs(&refusal)[0].line().contains("did you mean"), "{refusal:?}");
}

/// A shell takes the quotes of an argument, which is one word all the same.
#[test]
fn a_comparison_is_refused_where_a_field_has_no_order() {
    for line in ["id:>5", "-id:>5", "refId:<INC5,INC6", "name:<a*", "-id:\"a\",<b"] {
        is_wrong(line, "unknown_operator", 1);
    }
    assert_eq!(body(r#"id:">5""#), r#"{"filter":{"_id":{"in":[">5"]}}}"#);
}

#[test]
fn a_long_list_is_read_once() {
    let list: Vec<_> = (0..100_000).map(|at| format!("x{at}")).collect();
    let words = Words::read(&format!("status:{}", list.join(","))).unwrap();
    assert_eq!(words.body.matches("\"x").count(), list.len());
}

#[test]
fn white_space_around_an_element_of_an_argument_is_none_of_it() {
    assert_eq!(line(["-id:c001 "]), "-id:c001");
    assert_eq!(line(["-id:c001, c002"]), "-id:c001,c002");
    assert_eq!(line(["sort:name, due"]), "sort:name,due");
    assert_eq!(line(["queue:Queue 3, Queue 4"]), r#"queue:"Queue 3","Queue 4""#);
}

#[test]
fn arguments_are_words_without_further_quotes() {
    assert_eq!(line(["text:late delivery", "refund"]), r#"text:"late delivery" refund"#);
    assert_eq!(line(["queues:Queue 3,Queue 4,x"]), r#"queues:"Queue 3","Queue 4",x"#);
    assert_eq!(line(["status:in progress"]), r#"status:"in progress""#);
    assert_eq!(line(["-status:on hold"]), r#"-status:"on hold""#);
    assert_eq!(line(["queue:this and that"]), r#"queue:"this and that""#);
    for own in
        ["status:open sort:-due", "status:open unresolved", "late delivery", r#"a:"b c" d"#, "x"]
    {
        assert_eq!(line([own]), own);
    }
    assert_eq!(line(["status:open", "-late", "mine"]), "status:open -late mine");
    assert_eq!(line([]), "");
}

fn piece() -> impl Strategy<Value = String> {
    let names: Vec<_> = names::spellings().map(|name| format!("{name}:")).collect();
    prop_oneof![
        prop::sample::select(names),
        "[ \"\\\\:,.*<>=-]{1,3}",
        "\\PC{0,3}",
        prop::sample::select(vec![
            "not ",
            " or ",
            "AND",
            "open",
            "2025-01-01",
            "..",
            "7",
            " ",
            "unresolved",
            "\\u00e9",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    /// Whatever is written is refused, or becomes a body in which the contract's reader knows every
    /// key, and which it refuses for a word of the line if at all.
    #[test]
    fn any_line_is_refused_or_read(pieces in prop::collection::vec(piece(), 0..12)) {
        let line = pieces.concat();
        match Words::read(&line) {
            Err(wrongs) => {
                let end = line.chars().count() + 1;
                prop_assert!(!wrongs.is_empty());
                prop_assert!(wrongs.iter().all(|wrong| (1..=end).contains(&wrong.column())));
            }
            Ok(words) => match Query::from_json(words.body.as_bytes(), &context()) {
                Ok(query) => {
                    prop_assert!(query.ignored().is_empty(), "{}", words.body);
                    prop_assert_eq!(words.body == "{}", line.trim().is_empty(), "{}", line);
                }
                Err(refusal) => {
                    let wrongs = words.wrongs(&refusal);
                    prop_assert!(wrongs.iter().all(|wrong| wrong.column() > 0), "{:?}", refusal);
                }
            },
        }
        // Arguments are never more than a line.
        let _ = Words::read(&super::line([&*line, "x"]));
    }

    /// What is quoted asks for just that.
    #[test]
    fn any_value_can_be_asked_for(value in "\\PC{1,8}|[\\x00-\\x20\"\\\\]{1,4}") {
        let words = Words::read(&format!("status:{}", quoted(&value))).unwrap();
        let body: serde_json::Value = serde_json::from_str(&words.body).unwrap();
        prop_assert_eq!(&body["status"][0], &serde_json::Value::from(value));
    }
}
