//! Ids in the seed's two forms.

use std::fmt::{self, Display, Formatter};

use crate::draw::Draw;

/// A random UUID behind a prefix. The seed's ids of users are whole and of version 5; those of
/// cases, tasks and settings are of version 4 and lack a digit of their first group.
#[derive(Clone, Debug)]
pub(crate) struct Id {
    prefix: &'static str,
    form: Form,
    head: u64,
    tail: u64,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Short,
    Whole,
}

impl Id {
    /// As in `ci-1a634e1-3d97-427e-8b23-9b7b0a40c2d8`.
    pub(crate) fn short(prefix: &'static str, draw: &mut Draw) -> Self {
        Self { prefix, form: Form::Short, head: draw.bits(), tail: draw.bits() }
    }

    /// As in `u-d0db86ae-8a26-51dd-a6d6-5d531c39b04f`.
    pub(crate) fn whole(prefix: &'static str, draw: &mut Draw) -> Self {
        Self { prefix, form: Form::Whole, head: draw.bits(), tail: draw.bits() }
    }
}

impl Display for Id {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix)?;
        let (first, second) = (self.head >> 32, self.head >> 16 & 0xffff);
        let (third, fourth) = (self.head & 0xfff, self.tail >> 48 & 0x3fff | 0x8000);
        let last = self.tail & 0xffff_ffff_ffff;
        match self.form {
            Form::Short => write!(f, "-{:07x}-{second:04x}-4{third:03x}", first >> 4)?,
            Form::Whole => write!(f, "-{first:08x}-{second:04x}-5{third:03x}")?,
        }
        write!(f, "-{fourth:04x}-{last:012x}")
    }
}
