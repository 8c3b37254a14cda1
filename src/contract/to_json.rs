//! A typed request as the body that asks for the same.

use super::filter::Filter;
use super::request::Request;
use crate::value::shown::quoted;

impl Request {
    /// The body that asks for the same; what is refused here is refused there. Cost grows with its
    /// values. A filter that asks one field twice in one place (by `&`) is one level deeper there.
    ///
    /// ```
    /// use getcases::{Context, Query, Request};
    ///
    /// let request = Request {
    ///     status: vec!["open".into()],
    ///     due_date: Some("2025-05-29".parse()?),
    ///     sort_by: vec!["-created".parse()?],
    ///     limit: Some(20),
    ///     ..Request::default()
    /// };
    /// let body = request.to_json();
    /// assert_eq!(
    ///     body,
    ///     r#"{"status":["open"],"dueDate":"2025-05-29","sortBy":["createdDate:desc"],"limit":20}"#
    /// );
    /// let context = Context::default();
    /// assert_eq!(Query::from_json(body.as_bytes(), &context)?, Query::new(&request, &context)?);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let text = |text: &str| (!text.is_empty()).then(|| quoted(text));
        let flag = |is_asked: bool| is_asked.then(|| "true".to_owned());
        let list = |list: &[String]| (!list.is_empty()).then(|| texts(list));
        let date = |date: Option<_>| date.map(|date| quoted(&format!("{date}")));
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let sort: Vec<_> = self.sort_by.iter().map(ToString::to_string).collect();
        // As `FIELDS` names them.
        let values = [
            text(&self.search_text),
            flag(self.unresolved),
            flag(self.unassigned),
            flag(self.mycase),
            flag(self.mytask),
            list(&self.priority),
            list(&self.status),
            list(&self.queues),
            list(&self.channel),
            list(&self.agents),
            date(self.start_date),
            date(self.end_date),
            date(self.due_date),
            self.filter.as_ref().map(Filter::to_json),
            list(&sort),
            number(self.page),
            number(self.skip),
            self.cursor.as_ref().map(ToString::to_string),
            number(self.limit),
            list(&self.selected_columns),
        ];
        let asked = Self::FIELDS.iter().zip(values);
        let asked = asked.filter_map(|(name, value)| Some(format!("\"{name}\":{}", value?)));
        format!("{{{}}}", asked.collect::<Vec<_>>().join(","))
    }
}

/// A list of texts.
pub(super) fn texts(list: &[String]) -> String {
    let list: Vec<_> = list.iter().map(|text| quoted(text)).collect();
    format!("[{}]", list.join(","))
}
