//! Titles of made cases as a desk would have them, for the demo.

const THINGS: [&str; 16] = [
    "Invoice",
    "Refund",
    "Password reset",
    "Delivery",
    "Order",
    "Subscription renewal",
    "Two-factor login",
    "Mobile app",
    "Card payment",
    "Gift voucher",
    "Return label",
    "Account statement",
    "Data export",
    "Loyalty points",
    "Support call",
    "Warranty claim",
];

const TROUBLES: [&str; 14] = [
    "not received",
    "is late",
    "shows the wrong amount",
    "fails with an error",
    "was charged twice",
    "cannot be opened",
    "went to the wrong address",
    "is still pending",
    "was cancelled without notice",
    "does not match the contract",
    "stopped working",
    "needs an answer today",
    "is missing a page",
    "was promised by phone",
];

const DETAILS: [&str; 18] = [
    "",
    " since Monday",
    " after the update",
    " for a new employee",
    ", second request",
    " (see screenshot)",
    " in the web shop",
    " on Android",
    " on iPhone",
    " at the Berlin office",
    ", customer is abroad",
    " after moving house",
    " for three users",
    " despite a reminder",
    " since the merger",
    ", please call back",
    " before the audit",
    " at checkout",
];

/// The title of a case by its number: all 4,032 come up before any comes again.
pub(crate) fn title(number: u64) -> String {
    // Odd and no multiple of what divides the number of titles, so that neighbours differ.
    let at = (number.wrapping_mul(2_531) % (16 * 14 * 18)) as usize;
    let (thing, trouble, detail) = (THINGS[at % 16], TROUBLES[at / 16 % 14], DETAILS[at / 224]);
    format!("{thing} {trouble}{detail}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_title_comes_up() {
        assert_eq!((0..4032).map(title).collect::<HashSet<_>>().len(), 4032);
        assert_eq!(title(0), title(4032));
    }
}
