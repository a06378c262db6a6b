//! A bar for long work, on a terminal only.

use super::Screen;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on stderr that counts to `total`; where no person looks, nothing.
#[must_use]
pub fn bar(screen: &Screen<'_>, total: u64, what: &'static str) -> ProgressBar {
    draw(screen, total, what, "{msg} [{bar:30}] {human_pos}/{human_len} {eta}")
}

/// A bar for bytes, the total of which grows while they are counted.
#[must_use]
pub fn bytes(screen: &Screen<'_>, what: &'static str) -> ProgressBar {
    draw(screen, 0, what, "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}")
}

fn draw(screen: &Screen<'_>, total: u64, what: &'static str, template: &str) -> ProgressBar {
    let target =
        if screen.talks_to_a_person() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(total), target).with_message(what);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}
