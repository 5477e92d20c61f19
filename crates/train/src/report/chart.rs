//! One line chart as inline SVG.
//!
//! The colours are those of the light page. The style sheet of the page replaces them in the dark one by
//! selecting on the very colour, so the drawing itself need not know; the constants here and the
//! selectors in `page.css` belong together. Drawn four times as large as shown, because plotters rounds
//! coordinates to whole units.

use plotters::element::{Circle, PathElement, Polygon};
use plotters::prelude::{
    ChartBuilder, Color, DrawingAreaErrorKind, IntoDrawingArea, IntoFont, LineSeries, RGBColor,
    SVGBackend, TRANSPARENT, TextStyle,
};
use stateset_algo::Interval;

use crate::RunError;
use crate::format::{count, figure};

/// Lines, in order: `--line-1`, `--line-2` of the style sheet.
const LINES: [RGBColor; 2] = [RGBColor(0x2f, 0x6f, 0xb0), RGBColor(0xc2, 0x5c, 0x12)];
/// Evaluations, which share a chart with one line only.
const POINT: RGBColor = LINES[1];
/// Words and numbers: `--muted`.
const LABEL: RGBColor = RGBColor(0x5f, 0x68, 0x72);
/// Axes and grid: `--rule`.
const RULE: RGBColor = RGBColor(0xdd, 0xe1, 0xe6);

/// Units drawn for one unit shown.
const SCALE: u32 = 4;
/// Size of words and numbers; plotters draws them by a quarter smaller.
const FONT_SIZE: u32 = 16;
/// Points of a line; longer runs are averaged over neighbouring steps.
const MAX_POINTS: usize = 400;

/// A chart over the steps of a run.
#[derive(Debug, Default)]
pub(super) struct Chart<'a> {
    /// What the vertical axis measures, with its unit.
    pub(super) y_label: &'a str,
    /// At most two lines.
    pub(super) lines: Vec<Line>,
    /// Evaluations.
    pub(super) points: Vec<(u32, Interval)>,
    /// Whether the vertical axis begins at 0.
    pub(super) from_zero: bool,
}

/// A line, in order of steps.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pub(super) points: Vec<LinePoint>,
}

/// A point of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LinePoint {
    pub(super) step: f64,
    pub(super) value: f64,
    /// Lower and upper end of the band around the line.
    pub(super) band: Option<(f64, f64)>,
}

impl Chart<'_> {
    /// Draws the chart `width` by `height` pixels large. `description` is read to those who cannot see
    /// it.
    ///
    /// # Errors
    /// Where plotters fails.
    pub(super) fn svg(
        &self,
        width: u32,
        height: u32,
        description: &str,
    ) -> Result<String, RunError> {
        let mut svg = String::new();
        let backend = SVGBackend::with_string(&mut svg, (width * SCALE, height * SCALE));
        self.draw(backend).map_err(|error| RunError::Report { reason: error.to_string() })?;
        Ok(accessible(&svg, description))
    }

    fn draw(&self, backend: SVGBackend<'_>) -> Result<(), Failure> {
        let root = backend.into_drawing_area();
        let lines: Vec<Line> = self.lines.iter().map(Line::thinned).collect();
        let ((x_low, x_high), (y_low, y_high)) = self.ranges(&lines);
        let mut chart = ChartBuilder::on(&root)
            .margin(8 * SCALE)
            .margin_right(14 * SCALE)
            .x_label_area_size(40 * SCALE)
            .y_label_area_size(64 * SCALE)
            .build_cartesian_2d(x_low..x_high, y_low..y_high)?;
        let label = TextStyle::from(("sans-serif", FONT_SIZE * SCALE).into_font()).color(&LABEL);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(RULE.stroke_width(SCALE))
            .light_line_style(TRANSPARENT)
            .axis_style(RULE.stroke_width(SCALE))
            .set_all_tick_mark_size(4 * SCALE)
            .label_style(label.clone())
            .axis_desc_style(label)
            .x_labels(6)
            .y_labels(5)
            .x_label_formatter(&|x| count(x.max(0.0).round() as u64))
            .y_label_formatter(&|y| tick(*y))
            .x_desc("step")
            .y_desc(self.y_label)
            .draw()?;
        for (line, color) in lines.iter().zip(LINES) {
            chart.draw_series(line.band().map(|outline| Polygon::new(outline, color.mix(0.16))))?;
            let points = line.points.iter().map(|point| (point.step, point.value));
            chart.draw_series(LineSeries::new(points, color.stroke_width(2 * SCALE)))?;
            if let [only] = line.points[..] {
                let dot = Circle::new((only.step, only.value), 3 * SCALE, color.filled());
                chart.draw_series([dot])?;
            }
        }
        for &(step, Interval { low, estimate, high }) in &self.points {
            let x = f64::from(step);
            let bar = PathElement::new([(x, low), (x, high)], POINT.stroke_width(2 * SCALE));
            chart.draw_series([bar])?;
            chart.draw_series([Circle::new((x, estimate), 4 * SCALE, POINT.filled())])?;
        }
        root.present()?;
        Ok(())
    }

    /// Smallest and largest step, and value.
    fn ranges(&self, lines: &[Line]) -> ((f64, f64), (f64, f64)) {
        let drawn = || lines.iter().flat_map(|line| &line.points);
        let steps = drawn().map(|point| point.step);
        let x = extremes(steps.chain(self.points.iter().map(|(step, _)| f64::from(*step))));
        let bands = drawn().flat_map(|p| p.band.map_or([p.value; 2], |(low, high)| [low, high]));
        let bars = self.points.iter().flat_map(|(_, interval)| [interval.low, interval.high]);
        let zero = self.from_zero.then_some(0.0);
        let y = extremes(bands.chain(bars).chain(zero));
        let (low, high) = padded(y);
        (padded_steps(x), if self.from_zero { (y.0, high) } else { (low, high) })
    }
}

impl Line {
    /// With as many points as can be told apart: each is the mean of its neighbours, and its band spans
    /// theirs.
    fn thinned(&self) -> Line {
        let n = self.points.len();
        let per_point = n.div_ceil(MAX_POINTS).max(1);
        Line { points: self.points.chunks(per_point).map(mean_point).collect() }
    }

    /// Outline of the band, if every point has one.
    fn band(&self) -> Option<Vec<(f64, f64)>> {
        let ends = |point: &LinePoint| point.band.map(|band| (point.step, band));
        let ends: Vec<(f64, (f64, f64))> = self.points.iter().map(ends).collect::<Option<_>>()?;
        let upper = ends.iter().map(|(step, (_, high))| (*step, *high));
        let lower = ends.iter().rev().map(|(step, (low, _))| (*step, *low));
        (ends.len() > 1).then(|| upper.chain(lower).collect())
    }
}

type Failure = DrawingAreaErrorKind<std::io::Error>;

/// Of a chunk that is not empty.
fn mean_point(points: &[LinePoint]) -> LinePoint {
    let n = points.len() as f64;
    let mean = |value: fn(&LinePoint) -> f64| points.iter().map(value).sum::<f64>() / n;
    let bands: Option<Vec<(f64, f64)>> = points.iter().map(|point| point.band).collect();
    let widest = |bands: Vec<(f64, f64)>| {
        bands.into_iter().reduce(|a, b| (f64::min(a.0, b.0), f64::max(a.1, b.1)))
    };
    LinePoint {
        step: mean(|point| point.step),
        value: mean(|point| point.value),
        band: bands.and_then(widest),
    }
}

fn extremes(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    finite.map(|v| (v, v)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((0.0, 1.0))
}

/// A little wider, so that nothing lies on the edge; a range without width gets one.
fn padded((low, high): (f64, f64)) -> (f64, f64) {
    let width = high - low;
    let pad =
        if width > 0.0 { 0.06 * width } else { if low == 0.0 { 0.5 } else { 0.5 * low.abs() } };
    (low - pad, high + pad)
}

fn padded_steps((low, high): (f64, f64)) -> (f64, f64) {
    if high > low { (low, high) } else { (low - 1.0, high + 1.0) }
}

/// A number at the axis: as short as it can be.
fn tick(value: f64) -> String {
    let size = value.abs();
    if size < 1e-12 {
        "0".to_owned()
    } else if size < 1e-3 {
        format!("{value:.1e}")
    } else if size < 100.0 {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        figure(value)
    }
}

/// As large as its place in the page, and with words for those who cannot see it.
fn accessible(svg: &str, description: &str) -> String {
    let start = svg.find(" viewBox").unwrap_or(0);
    let label = minijinja::HtmlEscape(description);
    format!("<svg role=\"img\" aria-label=\"{label}\"{}", &svg[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: usize) -> Line {
        let point = |i: usize| LinePoint {
            step: (i + 1) as f64,
            value: i as f64,
            band: Some((i as f64 - 1.0, i as f64 + 1.0)),
        };
        Line { points: (0..n).map(point).collect() }
    }

    #[test]
    fn long_lines_are_thinned_to_means_with_the_widest_band() {
        let thin = line(1_000).thinned();
        assert_eq!(thin.points.len(), 334);
        assert_eq!(thin.points[0], LinePoint { step: 2.0, value: 1.0, band: Some((-1.0, 3.0)) });
        assert_eq!(line(7).thinned().points, line(7).points);
    }

    #[test]
    fn draws_lines_bands_points_and_labels() {
        let interval = Interval { low: 1.0, estimate: 2.0, high: 3.0 };
        let chart = Chart {
            y_label: "reward",
            lines: vec![line(5), line(3)],
            points: vec![(0, interval), (5, interval)],
            from_zero: false,
        };
        let svg = chart.svg(460, 240, "a \"<line>\" that rises").unwrap();
        assert!(
            svg.starts_with("<svg role=\"img\" aria-label=\"a &quot;&lt;line&gt;&quot;"),
            "{svg}"
        );
        assert!(svg.contains("viewBox=\"0 0 1840 960\"") && !svg.contains("width=\"1840\""));
        let n = |what: &str| svg.matches(what).count();
        assert_eq!(n("<circle"), 2);
        assert_eq!(n("<polygon"), 2);
        for color in ["#2F6FB0", "#C25C12", "#5F6872", "#DDE1E6"] {
            assert!(n(color) > 0, "{color}");
        }
        assert!(svg.contains("\nreward\n") && svg.contains("\nstep\n"));
    }

    /// Colours of the drawing and of the style sheet must not drift apart.
    #[test]
    fn the_style_sheet_knows_every_colour() {
        let css = include_str!("page.css");
        for RGBColor(r, g, b) in [LINES[0], LINES[1], LABEL, RULE] {
            let color = format!("#{r:02X}{g:02X}{b:02X}");
            assert!(css.contains(&format!("=\"{color}\"")), "{color}");
        }
    }

    #[test]
    fn one_point_equal_values_and_nothing_can_be_drawn() {
        for (lines, points) in [
            (vec![line(1)], vec![]),
            (vec![], vec![(3, Interval { low: 0.5, estimate: 0.5, high: 0.5 })]),
            (vec![Line::default()], vec![]),
            (
                vec![Line { points: vec![LinePoint { step: 1.0, value: 0.0, band: None }; 3] }],
                vec![],
            ),
        ] {
            let chart = Chart { y_label: "y", lines, points, from_zero: true };
            assert!(chart.svg(460, 240, "").unwrap().ends_with("</svg>\n"));
        }
    }

    #[test]
    fn ticks_are_short() {
        let ticks =
            [(0.0, "0"), (0.25, "0.25"), (-1.0, "-1"), (5e-6, "5.0e-6"), (1_500.0, "1,500")];
        for (value, text) in ticks {
            assert_eq!(tick(value), text);
        }
    }
}
