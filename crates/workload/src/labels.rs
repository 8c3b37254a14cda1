//! Statuses, priorities, channels and the other short lists, each with its weight.

#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) lname: &'static str,
    pub(crate) category: &'static str,
    pub(crate) about: &'static str,
}

impl Status {
    /// Whether half of its cases still wait for an assignee.
    pub(crate) fn is_fresh(&self) -> bool {
        matches!(self.lname, "new" | "open")
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.category, "resolved" | "closed")
    }
}

#[derive(Debug)]
pub(crate) struct Priority {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) lname: &'static str,
    pub(crate) score: u32,
    /// Whole days from created to due; a part of a day comes on top.
    pub(crate) due_days: i64,
    pub(crate) about: &'static str,
    pub(crate) color: &'static str,
}

pub(crate) static OPEN_STATUSES: [(u64, Status); 6] = [
    (
        4,
        Status {
            id: "sts-5c08f1d-91b3-4e6a-8d27-3fa1c6b0e942",
            name: "New",
            lname: "new",
            category: "open",
            about: "When nobody has looked at the case/task",
        },
    ),
    (
        8,
        Status {
            id: "sts-47a7230-2a07-4b84-879b-e792542c81f5",
            name: "Open",
            lname: "open",
            category: "open",
            about: "When a new case/task is created",
        },
    ),
    (
        6,
        Status {
            id: "sts-e2b94a6-0c5d-4f17-b3e8-71d05a9c24fb",
            name: "In Progress",
            lname: "in progress",
            category: "in progress",
            about: "When an agent works on the case/task",
        },
    ),
    (
        5,
        Status {
            id: "sts-90d3c7f-6e18-4a52-9f04-b86e2d71a35c",
            name: "Pending",
            lname: "pending",
            category: "on hold",
            about: "When an answer of the requester is awaited",
        },
    ),
    (
        2,
        Status {
            id: "sts-b71f50e-d428-4c93-8a6b-052e97c4d1f8",
            name: "On Hold",
            lname: "on hold",
            category: "on hold",
            about: "When the work on the case/task rests",
        },
    ),
    (
        1,
        Status {
            id: "sts-3a86d2b-57f0-4d1e-a9c5-e4107b3f862d",
            name: "Reopened",
            lname: "reopened",
            category: "open",
            about: "When a resolved case/task is opened again",
        },
    ),
];

pub(crate) static DONE_STATUSES: [(u64, Status); 2] = [
    (
        1,
        Status {
            id: "sts-f4e19c8-a35b-4076-b2d1-6c98f0574ea3",
            name: "Resolved",
            lname: "resolved",
            category: "resolved",
            about: "When the case/task is solved",
        },
    ),
    (
        2,
        Status {
            id: "sts-08c5ba7-4f92-4e3d-967a-d1b3e8602f54",
            name: "Closed",
            lname: "closed",
            category: "closed",
            about: "When nothing is left to do",
        },
    ),
];

pub(crate) static PRIORITIES: [(u64, Priority); 4] = [
    (
        30,
        Priority {
            id: "pr-61c7e05-b9d2-4a38-84f6-20ae5d93c71b",
            name: "Low",
            lname: "low",
            score: 5,
            due_days: 10,
            about: "Little urgency",
            color: "#64748B",
        },
    ),
    (
        45,
        Priority {
            id: "pr-9d1a24a-1385-45e9-818b-295eab5b06d4",
            name: "Medium",
            lname: "medium",
            score: 10,
            due_days: 5,
            about: "Moderate urgency",
            color: "#16A34A",
        },
    ),
    (
        20,
        Priority {
            id: "pr-d85f3b1-720c-4e94-a16d-f8c4907be253",
            name: "High",
            lname: "high",
            score: 13,
            due_days: 2,
            about: "Great urgency",
            color: "#EA580C",
        },
    ),
    (
        5,
        Priority {
            id: "pr-2e90d6c-8fa4-41b7-93c5-5b71e03fd8a6",
            name: "Urgent",
            lname: "urgent",
            score: 15,
            due_days: 1,
            about: "At once",
            color: "#DC2626",
        },
    ),
];

pub(crate) static CHANNELS: [(u64, &str); 6] =
    [(45, "email"), (25, "chat"), (15, "voice"), (8, "web"), (5, "social"), (2, "sms")];

pub(crate) static LANGUAGES: [(u64, &str); 6] =
    [(60, "en"), (12, "de"), (10, "fr"), (8, "es"), (6, "ja"), (4, "tr")];

/// What a case was made from (`caseTmp`).
pub(crate) static FORMS: [&str; 5] = ["one", "two", "three", "four", "five"];
