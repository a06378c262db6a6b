//! The five fields of a crontab, where they say exactly what Quartz says.

use super::field::{DAY_OF_MONTH, HOUR, MINUTE, MONTH};
use super::piece::{Piece, Pieces, pieces, ranges};
use super::{Days, Inexact, Schedule, Values};

impl Schedule {
    /// Minute, hour, day of month, month and day of week, as cron reads them.
    ///
    /// One of the two day fields is always `*`: Quartz insists on it, and so nobody has to know that cron
    /// takes either of them where both are restricted.
    ///
    /// # Errors
    /// What cron cannot say.
    pub fn crontab(&self) -> Result<String, Inexact> {
        if self.times[0] != Values::from([0]) {
            return Err(Inexact::because("crontab has no seconds, it runs at second 0"));
        }
        if !self.is_yearly() {
            return Err(Inexact::because("crontab has no years"));
        }
        let (days, weekdays) = self.crontab_days()?;
        let minutes = field(MINUTE, &self.times[1]);
        let hours = field(HOUR, &self.times[2]);
        Ok(format!("{minutes} {hours} {days} {} {weekdays}", field(MONTH, &self.months)))
    }

    fn crontab_days(&self) -> Result<(String, String), Inexact> {
        let every = || "*".to_owned();
        match &self.days {
            Days::Every => Ok((every(), every())),
            Days::OfMonth(days) => Ok((field(DAY_OF_MONTH, days), every())),
            Days::OfWeek(days) => {
                // Sunday is 1 there and 0 here. No steps: cron takes a day field that begins with a star
                // for an unrestricted one.
                let days = days.iter().map(|day| day - 1).collect();
                Ok((every(), list(&ranges(&days))))
            }
            Days::Last { .. } | Days::LastOfWeek(_) => {
                Err(Inexact::because("crontab has no 'L' (the last of a month)"))
            }
            Days::Nearest(_) => Err(Inexact::because("crontab has no 'W' (the nearest weekday)")),
            Days::Nth { .. } => Err(Inexact::because("crontab has no '#' (the n-th day of the week)")),
        }
    }
}

fn field(index: usize, values: &Values) -> String {
    match pieces(index, values) {
        Pieces::All => "*".to_owned(),
        Pieces::These(walk) if walk[0].step > 1 => {
            let Piece { from, to, step } = walk[0];
            let star = walk[0].is_from_low(index) && walk[0].is_open(index);
            if star { format!("*/{step}") } else { format!("{from}-{to}/{step}") }
        }
        Pieces::These(ranges) => list(&ranges),
    }
}

fn list(ranges: &[Piece]) -> String {
    let one = |Piece { from, to, .. }: &Piece| {
        if from == to { from.to_string() } else { format!("{from}-{to}") }
    };
    ranges.iter().map(one).collect::<Vec<_>>().join(",")
}
