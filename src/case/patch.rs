//! A case after a merge patch.

use super::Case;
use crate::refusal::{Code, Problem, Refusal};
use crate::value::json::{Json, Kind};
use crate::value::merge_patch::merge;
use crate::value::shown::quoted;

impl Case {
    /// The case after a merge patch (RFC 7396): its members replaced, added, or taken out where the
    /// patch has `null`. What the patch does not name keeps its place and its spelling. Cost grows
    /// with both.
    ///
    /// ```
    /// use getcases::Case;
    ///
    /// let case = Case::from_json(br#"{"_id":"1","status":"Open","score":1.50,"x":1}"#)?;
    /// let patched = case.patched(br#"{"status":"Closed","x":null,"y":[2]}"#)?;
    /// assert_eq!(patched.document(), r#"{"_id":"1","status":"Closed","score":1.50,"y":[2]}"#);
    /// # Ok::<_, getcases::Refusal>(())
    /// ```
    ///
    /// # Errors
    /// Where the patch is no strict JSON object of at most 1 MiB, where what becomes of the
    /// document is refused, or `invalid_id` where it has another `_id`.
    pub fn patched(&self, patch: &[u8]) -> Result<Self, Refusal> {
        let patch =
            Json::read(patch).map_err(|error| Problem::from_json(error, Code::DocumentTooLarge))?;
        if patch.root().kind() != Kind::Object {
            return Err(Problem::not_an_object().into());
        }
        // It was read before, so it reads again.
        let own = Json::read(self.document.as_bytes())
            .map_err(|error| Problem::from_json(error, Code::DocumentTooLarge))?;
        let mut text = String::with_capacity(self.document.len());
        merge(Some(own.root()), patch.root(), &mut text);
        let case = Self::from_json(text.as_bytes())?;
        if case.id != self.id {
            let problem = Problem::new(Code::InvalidId, "$._id", "a patch leaves a case its _id")
                .with_value(&quoted(&case.id))
                .accepts("the same _id, or none");
            return Err(problem.into());
        }
        Ok(case)
    }

    /// Whether it was updated later than another one; one without `updatedAt` never was.
    #[must_use]
    pub fn is_newer_than(&self, other: &Self) -> bool {
        self.updated > other.updated
    }
}
