//! The date and time that a template may ask for, as an input of the run.
//!
//! `strftime_now` in a chat template means "the clock" elsewhere; here nothing reads a clock, so
//! that a run is a value. Format codes are those of C's `strftime` that have a meaning without a
//! locale or a time zone; others are written as they are, like glibc does.

use std::fmt;

use crate::text_error::TextError;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Longest result of one format.
const MAX_BYTES: usize = 4096;

/// A day and a time of day, without a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

impl Date {
    /// Reads `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM:SS` (a space may stand for the `T`). Without a time
    /// it is midnight.
    ///
    /// # Errors
    /// [`TextError::BadDate`].
    pub fn parse(text: &str) -> Result<Date, TextError> {
        read(text).ok_or_else(|| TextError::BadDate { found: text.to_string() })
    }

    /// The date in the format of C's `strftime`.
    pub(super) fn format(self, format: &str) -> String {
        let mut out = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if out.len() > MAX_BYTES {
                break;
            }
            if c != '%' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some('-') => match chars.next() {
                    Some(code) => out.push_str(unpadded(&self.field(code))),
                    None => out.push_str("%-"),
                },
                Some(code) => out.push_str(&self.field(code)),
                None => out.push('%'),
            }
        }
        out
    }

    fn field(self, code: char) -> String {
        let month = MONTHS[usize::from(self.month) - 1];
        let weekday = WEEKDAYS[self.weekday()];
        let hour_of_half = (self.hour + 11) % 12 + 1;
        match code {
            'Y' => format!("{}", self.year),
            'y' => format!("{:02}", self.year % 100),
            'C' => format!("{:02}", self.year / 100),
            'm' => format!("{:02}", self.month),
            'd' => format!("{:02}", self.day),
            'e' => format!("{:2}", self.day),
            'j' => format!("{:03}", self.day_of_year()),
            'B' => month.to_string(),
            'b' | 'h' => month[..3].to_string(),
            'A' => weekday.to_string(),
            'a' => weekday[..3].to_string(),
            'w' => format!("{}", self.weekday()),
            'u' => format!("{}", (self.weekday() + 6) % 7 + 1),
            'H' => format!("{:02}", self.hour),
            'I' => format!("{hour_of_half:02}"),
            'M' => format!("{:02}", self.minute),
            'S' => format!("{:02}", self.second),
            'p' => if self.hour < 12 { "AM" } else { "PM" }.to_string(),
            'F' => self.format("%Y-%m-%d"),
            'T' => self.format("%H:%M:%S"),
            'R' => self.format("%H:%M"),
            'D' | 'x' => self.format("%m/%d/%y"),
            'X' => self.format("%H:%M:%S"),
            'c' => self.format("%a %b %e %H:%M:%S %Y"),
            'Z' | 'z' => String::new(),
            'n' => "\n".to_string(),
            't' => "\t".to_string(),
            '%' => "%".to_string(),
            other => format!("%{other}"),
        }
    }

    /// 0 is Sunday. Sakamoto's method.
    fn weekday(self) -> usize {
        const SHIFT: [usize; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
        let year = usize::from(self.year) - usize::from(self.month < 3);
        let shift = SHIFT[usize::from(self.month) - 1];
        (year + year / 4 - year / 100 + year / 400 + shift + usize::from(self.day)) % 7
    }

    fn day_of_year(self) -> u16 {
        let before = (1..self.month).map(|month| u16::from(days_in(self.year, month)));
        before.sum::<u16>() + u16::from(self.day)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format("%FT%T"))
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u8::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn read(text: &str) -> Option<Date> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, time),
        None => (text, "00:00:00"),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let small = |n: u16| u8::try_from(n).ok();
    let (month, day) = (small(month)?, small(day)?);
    let is_date =
        year >= 1 && (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    let is_time = hour < 24 && minute < 60 && second < 60;
    (is_date && is_time).then_some(())?;
    Some(Date {
        year,
        month,
        day,
        hour: small(hour)?,
        minute: small(minute)?,
        second: small(second)?,
    })
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[u16; 3]> {
    let mut parts = text.split(separator);
    let mut next = |width: usize| {
        let part = parts.next()?;
        let is_number = part.len() == width && part.bytes().all(|b| b.is_ascii_digit());
        part.parse().ok().filter(|_| is_number)
    };
    let all = [next(widths[0])?, next(widths[1])?, next(widths[2])?];
    parts.next().is_none().then_some(all)
}

fn unpadded(text: &str) -> &str {
    let trimmed = text.trim_start_matches(['0', ' ']);
    if trimmed.is_empty() { &text[text.len().saturating_sub(1)..] } else { trimmed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_as_python_does() {
        let date = Date::parse("2026-11-03T14:05:09").unwrap();
        let all = "%A, %B %-d %y, %H:%M:%S %j %p %I %m %a %% %F %T %e %u %w %q";
        assert_eq!(
            date.format(all),
            "Tuesday, November 3 26, 14:05:09 307 PM 02 11 Tue % 2026-11-03 14:05:09  3 2 2 %q"
        );
        assert_eq!(Date::parse("2024-02-29").unwrap().format("%a %-j %-H %I %p"), "Thu 60 0 12 AM");
        assert_eq!(Date::parse("2000-01-01").unwrap().to_string(), "2000-01-01T00:00:00");
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-1-1",
            "2026-01-01T24:00:00",
            "x-y-z",
            "2026-01-01-",
        ] {
            assert!(Date::parse(text).is_err(), "{text}");
        }
    }
}
