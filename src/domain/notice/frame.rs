//! What is sealed of a notice that waits to be sent.

use super::Notice;
use crate::domain::frame::Frame;
use crate::domain::moment::{Moment, MomentText};

/// All that it says, and to whom.
#[must_use]
pub fn frame(installation: &str, notice: &Notice) -> Frame {
    let (at, ends) = (notice.at.text(), notice.expires_at.map(Moment::text));
    let mut frame = Frame::new(b"patctl notice 1");
    frame.put(0, b'd', installation.as_bytes());
    frame.put_row(&[
        at.as_str().into(),
        notice.kind.as_str().into(),
        notice.token_id.as_str().into(),
        notice.name.as_str().into(),
        notice.user.as_deref().into(),
        ends.as_ref().map(MomentText::as_str).into(),
        notice.recipient.as_str().into(),
    ]);
    frame
}
