//! Figures as people read them, on the terminal and in the report.

/// With commas between thousands, as in `1,638,400`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three decimals for rewards and the like; more room for what is much smaller or larger.
pub(crate) fn figure(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "not a number".to_owned()
    } else if size == 0.0 {
        "0".to_owned()
    } else if (1e-3..0.1).contains(&size) {
        format!("{value:.4}")
    } else if (0.1..100.0).contains(&size) {
        format!("{value:.3}")
    } else if (100.0..1e9).contains(&size) {
        let sign = if value < 0.0 { "-" } else { "" };
        format!("{sign}{}", count(size.round() as u64))
    } else {
        format!("{value:.2e}")
    }
}

/// A reward or a part of one: three decimals wherever they can tell two apart.
pub(crate) fn score(value: f64) -> String {
    if (0.0005..100.0).contains(&value.abs()) || value == 0.0 {
        format!("{value:.3}")
    } else {
        figure(value)
    }
}

/// A share as percent.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Two units at most, as in `42 s`, `6 min 02 s` and `3 h 05 min`.
pub(crate) fn duration(secs: f64) -> String {
    let whole = secs.max(0.0).round() as u64;
    let (days, hours, minutes) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60);
    match whole {
        0..10 => format!("{:.1} s", secs.max(0.0)),
        10..60 => format!("{whole} s"),
        60..3_600 => format!("{minutes} min {:02} s", whole % 60),
        3_600..86_400 => format!("{hours} h {minutes:02} min"),
        _ => format!("{days} d {hours:02} h"),
    }
}

/// In binary units, as in `700 MiB`.
pub(crate) fn bytes(value: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut size = value as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let decimals = usize::from(unit > 0 && size < 10.0);
    format!("{size:.decimals$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_figures() {
        let counts = [(0, "0"), (999, "999"), (1_000, "1,000"), (1_638_400, "1,638,400")];
        for (value, text) in counts {
            assert_eq!(count(value), text);
        }
        let figures = [
            (0.0, "0"),
            (0.5, "0.500"),
            (-1.25, "-1.250"),
            (0.003_12, "0.0031"),
            (5e-6, "5.00e-6"),
            (5_321.5, "5,322"),
            (-1_000.0, "-1,000"),
            (1e12, "1.00e12"),
            (f64::NAN, "not a number"),
        ];
        for (value, text) in figures {
            assert_eq!(figure(value), text);
        }
        assert_eq!(percent(0.625), "62 %");
        let scores = [(0.0, "0.000"), (0.0666, "0.067"), (-0.5, "-0.500"), (1e-6, "1.00e-6")];
        for (value, text) in scores {
            assert_eq!(score(value), text);
        }
    }

    #[test]
    fn durations_and_sizes() {
        let durations = [
            (0.25, "0.2 s"),
            (-1.0, "0.0 s"),
            (42.4, "42 s"),
            (59.7, "1 min 00 s"),
            (362.0, "6 min 02 s"),
            (11_100.0, "3 h 05 min"),
            (180_000.0, "2 d 02 h"),
        ];
        for (secs, text) in durations {
            assert_eq!(duration(secs), text);
        }
        let sizes = [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_536, "1.5 KiB"),
            (734_003_200, "700 MiB"),
            (u64::MAX, "16777216 TiB"),
        ];
        for (value, text) in sizes {
            assert_eq!(bytes(value), text);
        }
    }
}
