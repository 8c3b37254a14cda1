//! What nobody may go beyond.

use std::time::Duration;

use serde::Deserialize;

use super::SettingsError;

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $default:literal, $range:expr;)*) => {
        /// What nobody may go beyond: times in seconds, sizes in bytes.
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Limits { $($(#[$doc])* pub $name: u64,)* }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Limits {
            /// The name of each limit, and its default.
            pub const ALL: &[(&str, u64)] = &[$((stringify!($name), $default),)*];

            /// Sets a limit by its name; says whether there is such a one.
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $(stringify!($name) => self.$name = value,)*
                    _ => return false,
                }
                true
            }

            /// Judges every limit.
            ///
            /// # Errors
            /// The first that is out of its range.
            pub fn check(&self) -> Result<(), SettingsError> {
                $(
                    let range = $range;
                    if !range.contains(&self.$name) {
                        let at = concat!("limits.", stringify!($name));
                        let wrong = format!(
                            "{} is not from {} to {}", self.$name, range.start(), range.end()
                        );
                        return Err(SettingsError::invalid(at, wrong));
                    }
                )*
                Ok(())
            }
        }
    };
}

limits! {
    /// How long the head of a request may take to come, from its first byte on.
    header_seconds: 10, 1..=3600;
    /// How long the body of a request may take to come.
    body_seconds: 15, 1..=86_400;
    /// How long a connection may stay open without a request.
    idle_seconds: 60, 1..=86_400;
    /// How long a client may take to read some of an answer.
    write_seconds: 30, 1..=86_400;
    /// How long a question may take to be answered.
    request_seconds: 10, 1..=3600;
    /// How long what runs may take to end once the server is asked to stop.
    shutdown_seconds: 30, 0..=3600;
    /// How long the head of a request may be.
    header_bytes: 65_536, 8192..=1_048_576;
    /// How long the body of a request may be, and of one case.
    body_bytes: 1_048_576, 1024..=1_048_576;
    /// How long the body of a batch may be.
    batch_bytes: 67_108_864, 1024..=4_294_967_296;
    /// How many connections are open at once.
    connections: 16_384, 1..=1_000_000;
    /// How many requests of one account are answered at once.
    account_concurrency: 256, 1..=1_000_000;
    /// How many requests of one account are answered a second; 0: any number.
    account_rate: 0, 0..=4_294_967_295;
    /// How many milliseconds a request may wait for its turn; what would wait longer is refused.
    queue_milliseconds: 100, 0..=60_000;
    /// From how many milliseconds on a question is written to the log, with how it was answered.
    slow_milliseconds: 100, 1..=3_600_000;
    /// How many bytes of documents are kept as they were written, for whoever asks again; 0: none.
    document_cache_bytes: 67_108_864, 0..=1_099_511_627_776;
}

impl Limits {
    pub(crate) fn header(&self) -> Duration {
        Duration::from_secs(self.header_seconds)
    }

    pub(crate) fn body(&self) -> Duration {
        Duration::from_secs(self.body_seconds)
    }

    pub(crate) fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds)
    }

    pub(crate) fn write(&self) -> Duration {
        Duration::from_secs(self.write_seconds)
    }

    pub(crate) fn request(&self) -> Duration {
        Duration::from_secs(self.request_seconds)
    }

    pub(crate) fn shutdown(&self) -> Duration {
        Duration::from_secs(self.shutdown_seconds)
    }

    pub(crate) fn queue(&self) -> Duration {
        Duration::from_millis(self.queue_milliseconds)
    }

    pub(crate) fn slow(&self) -> Duration {
        Duration::from_millis(self.slow_milliseconds)
    }
}
