//! A model of Quartz expressions that knows no sets and no shortcuts: it tries every second.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime};
use patctl::domain::moment::Moment;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::fmt::Write as _;

/// One item of a field, as Quartz explains it.
#[derive(Clone, Debug)]
enum Item {
    Star,
    One(u32),
    Range(u32, u32),
    From(u32, u32),
    Every(u32),
    RangeEvery(u32, u32, u32),
}

impl Item {
    fn text(&self) -> String {
        match self {
            Self::Star => "*".to_owned(),
            Self::One(a) => a.to_string(),
            Self::Range(a, b) => format!("{a}-{b}"),
            Self::From(a, n) => format!("{a}/{n}"),
            Self::Every(n) => format!("*/{n}"),
            Self::RangeEvery(a, b, n) => format!("{a}-{b}/{n}"),
        }
    }

    fn holds(&self, value: u32, low: u32) -> bool {
        match *self {
            Self::Star => true,
            Self::One(a) => value == a,
            Self::Range(a, b) if a <= b => (a..=b).contains(&value),
            Self::Range(a, b) => value >= a || value <= b,
            Self::From(a, n) => value >= a && (value - a).is_multiple_of(n),
            Self::Every(n) => (value - low).is_multiple_of(n),
            Self::RangeEvery(a, b, n) => (a..=b).contains(&value) && (value - a).is_multiple_of(n),
        }
    }
}

/// A field: its items and its lowest value.
#[derive(Clone, Debug)]
struct Field(Vec<Item>, u32);

impl Field {
    fn text(&self) -> String {
        self.0.iter().map(Item::text).collect::<Vec<_>>().join(",")
    }

    fn holds(&self, value: u32) -> bool {
        self.0.iter().any(|item| item.holds(value, self.1))
    }
}

#[derive(Clone, Debug)]
enum Day {
    Month(Field),
    Week(Field),
    Last(u32),
    LastNear(u32),
    Near(u32),
    Nth(u32, u32),
    LastWeek(u32),
}

#[derive(Clone, Debug)]
pub struct Model {
    second: Field,
    minute: Field,
    hour: Field,
    day: Day,
    month: Field,
    year: Option<Field>,
}

fn length(date: NaiveDate) -> u32 {
    (28..=31).rev().find(|day| date.with_day(*day).is_some()).expect("a month has days")
}

/// Sunday is 1.
fn weekday(date: NaiveDate) -> u32 {
    date.weekday().num_days_from_sunday() + 1
}

/// Whether `date` is that weekday of its month that lies nearest to `day`, which must be there.
fn is_nearest(date: NaiveDate, day: u32) -> bool {
    let all = (1..=length(date)).map(|d| date.with_day(d).expect("a day"));
    let near = all.filter(|d| (2..=6).contains(&weekday(*d))).min_by_key(|d| d.day().abs_diff(day));
    (1..=length(date)).contains(&day) && near == Some(date)
}

impl Model {
    /// As Quartz reads it.
    pub fn text(&self) -> String {
        let (month, week) = match &self.day {
            Day::Month(field) => (field.text(), "?".to_owned()),
            Day::Week(field) => ("?".to_owned(), field.text()),
            Day::Last(0) => ("L".to_owned(), "?".to_owned()),
            Day::Last(n) => (format!("L-{n}"), "?".to_owned()),
            Day::LastNear(0) => ("LW".to_owned(), "?".to_owned()),
            Day::LastNear(n) => (format!("L-{n}W"), "?".to_owned()),
            Day::Near(n) => (format!("{n}W"), "?".to_owned()),
            Day::Nth(d, n) => ("?".to_owned(), format!("{d}#{n}")),
            Day::LastWeek(d) => ("?".to_owned(), format!("{d}L")),
        };
        let [second, minute, hour] = [&self.second, &self.minute, &self.hour].map(Field::text);
        let mut text = format!("{second} {minute} {hour} {month} {} {week}", self.month.text());
        if let Some(year) = &self.year {
            write!(text, " {}", year.text()).expect("a string");
        }
        text
    }

    fn holds_day(&self, date: NaiveDate) -> bool {
        let day = match &self.day {
            Day::Month(field) => field.holds(date.day()),
            Day::Week(field) => field.holds(weekday(date)),
            Day::Last(before) => date.day() + before == length(date),
            Day::LastNear(before) => {
                length(date).checked_sub(*before).is_some_and(|day| is_nearest(date, day))
            }
            Day::Near(day) => is_nearest(date, *day),
            Day::Nth(day, nth) => weekday(date) == *day && date.day().div_ceil(7) == *nth,
            Day::LastWeek(day) => weekday(date) == *day && date.day() + 7 > length(date),
        };
        let year = self.year.as_ref().is_none_or(|year| year.holds(date.year().unsigned_abs()));
        day && year && self.month.holds(date.month())
    }

    /// The first five, second by second, looking at so many days.
    pub fn runs(&self, after: NaiveDateTime, days: u64) -> Vec<NaiveDateTime> {
        let dates = (0..days).filter_map(|n| after.date().checked_add_days(Days::new(n)));
        let seconds = |date: NaiveDate| {
            (0..86_400).filter_map(move |s| {
                let (hour, minute, second) = (s / 3600, s / 60 % 60, s % 60);
                let fits = self.hour.holds(hour) && self.minute.holds(minute) && self.second.holds(second);
                fits.then(|| date.and_hms_opt(hour, minute, second)).flatten()
            })
        };
        dates
            .filter(|date| self.holds_day(*date))
            .flat_map(seconds)
            .filter(|at| *at > after)
            .take(5)
            .collect()
    }
}

fn item(low: u32, high: u32) -> BoxedStrategy<Item> {
    let value = low..=high;
    let step = 1..=(high - low).min(20);
    prop_oneof![
        1 => Just(Item::Star),
        4 => value.clone().prop_map(Item::One),
        2 => (value.clone(), value.clone()).prop_map(|(a, b)| Item::Range(a, b)),
        1 => (value.clone(), step.clone()).prop_map(|(a, n)| Item::From(a, n)),
        1 => step.clone().prop_map(Item::Every),
        1 => (value.clone(), value, step).prop_map(|(a, b, n)| Item::RangeEvery(a.min(b), a.max(b), n)),
    ]
    .boxed()
}

fn field(low: u32, high: u32) -> impl Strategy<Value = Field> {
    prop::collection::vec(item(low, high), 1..3).prop_map(move |items| Field(items, low))
}

fn model() -> impl Strategy<Value = Model> {
    let zero = Just(Field(vec![Item::One(0)], 0));
    let day = prop_oneof![
        3 => field(1, 31).prop_map(Day::Month),
        3 => field(1, 7).prop_map(Day::Week),
        1 => (0..=30_u32).prop_map(Day::Last),
        1 => (0..=30_u32).prop_map(Day::LastNear),
        2 => (1..=31_u32).prop_map(Day::Near),
        1 => ((1..=7_u32), (1..=5_u32)).prop_map(|(d, n)| Day::Nth(d, n)),
        1 => (1..=7_u32).prop_map(Day::LastWeek),
    ];
    let year = prop_oneof![
        3 => Just(None),
        // A range of years must not go round.
        1 => (2026..=2031_u32, 0..5_u32).prop_map(|(a, n)| Some(Field(vec![Item::Range(a, a + n)], 1970))),
        1 => (1..=4_u32).prop_map(|n| Some(Field(vec![Item::Every(n)], 1970))),
    ];
    let second = prop_oneof![3 => zero, 1 => field(0, 59)];
    let month = prop_oneof![Just(Field(vec![Item::Star], 1)), field(1, 12)];
    (second, field(0, 59), field(0, 23), day, month, year)
        .prop_map(|(second, minute, hour, day, month, year)| Model { second, minute, hour, day, month, year })
}

pub fn naive(at: Moment) -> NaiveDateTime {
    DateTime::from_timestamp_micros(at.micros()).expect("in range").naive_utc()
}

/// Random expressions, and moments of the years 2026 to 2031.
pub fn run_cases(cases: usize, test: impl Fn(Model, Moment) -> Result<(), TestCaseError>) {
    let config =
        Config { cases: u32::try_from(cases).expect("few"), failure_persistence: None, ..Config::default() };
    // Any second of the years 2026 to 2031.
    let after =
        (1_767_225_600_i64..1_956_528_000).prop_map(|s| Moment::from_micros(s * 1_000_000).expect("it"));
    TestRunner::new(config).run(&(model(), after), |(model, after)| test(model, after)).expect("all cases");
}
