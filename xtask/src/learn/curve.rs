//! A small drawing: the curve of each seed over the steps, and the held-out mean before and after.
//!
//! The background is transparent and the colours are read on light and dark pages alike.

use anyhow::{Context, Result, anyhow};
use plotters::element::{Circle, PathElement};
use plotters::prelude::{
    ChartBuilder, Color, IntoDrawingArea, IntoFont, LineSeries, RGBColor, SVGBackend, TRANSPARENT,
    TextStyle,
};
use stateset_algo::Interval;

use super::outcome::Outcome;
use super::summary::Summary;

const SIZE: (u32, u32) = (460, 240);
const SEEDS: [RGBColor; 3] =
    [RGBColor(0x2f, 0x6f, 0xb0), RGBColor(0x2e, 0x8b, 0x57), RGBColor(0x8a, 0x63, 0xb8)];
const HELD_OUT: RGBColor = RGBColor(0xc2, 0x5c, 0x12);
const LABEL: RGBColor = RGBColor(0x80, 0x86, 0x8d);
const RULE: RGBColor = RGBColor(0xa8, 0xae, 0xb5);

/// Draws the curves of a row's seeds; `about` is what the vertical axis measures.
pub(super) fn svg(outcomes: &[Outcome], about: &str) -> Result<String> {
    let n_steps = outcomes.iter().map(|o| o.curve.len()).max().unwrap_or(0).max(1);
    let summary = Summary::of(outcomes)?;
    let mut text = String::new();
    let backend = SVGBackend::with_string(&mut text, SIZE);
    draw(backend, outcomes, n_steps, &summary, about).map_err(|error| anyhow!("{error}"))?;
    let at = text.find("<svg ").context("plotters drew nothing")?;
    Ok(text.split_off(at))
}

type Failure = Box<dyn std::error::Error>;

fn draw(
    backend: SVGBackend<'_>,
    outcomes: &[Outcome],
    n_steps: usize,
    summary: &Summary,
    about: &str,
) -> std::result::Result<(), Failure> {
    let (low, high) = range(outcomes, summary);
    let root = backend.into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin(8)
        .margin_right(16)
        .x_label_area_size(34)
        .y_label_area_size(54)
        .build_cartesian_2d(0.0..n_steps as f64 + 0.5, low..high)?;
    let label = TextStyle::from(("sans-serif", 14).into_font()).color(&LABEL);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(RULE.mix(0.4).stroke_width(1))
        .light_line_style(TRANSPARENT)
        .axis_style(RULE.stroke_width(1))
        .label_style(label.clone())
        .axis_desc_style(label)
        .x_labels(6)
        .y_labels(5)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.1}"))
        .x_desc("step")
        .y_desc(about)
        .draw()?;
    for (outcome, color) in outcomes.iter().zip(SEEDS.iter().cycle()) {
        let points = outcome.curve.iter().enumerate().filter(|(_, y)| y.is_finite());
        let points: Vec<(f64, f64)> = points.map(|(i, y)| (i as f64 + 1.0, *y)).collect();
        chart.draw_series(LineSeries::new(points, color.stroke_width(2)))?;
    }
    for (x, interval) in [(0.0, summary.before), (n_steps as f64, summary.after)] {
        let Interval { low, estimate, high } = interval;
        let bar = PathElement::new([(x, low), (x, high)], HELD_OUT.stroke_width(2));
        chart.draw_series([bar])?;
        chart.draw_series([Circle::new((x, estimate), 4, HELD_OUT.filled())])?;
    }
    root.present()?;
    Ok(())
}

/// Lowest and highest value of the drawing, with a little room; it holds 0 to 1 for rewards.
fn range(outcomes: &[Outcome], summary: &Summary) -> (f64, f64) {
    let curves = outcomes.iter().flat_map(|o| o.curve.iter().copied());
    let held_out = [summary.before.low, summary.after.high, 0.0, 1.0];
    let all: Vec<f64> = curves.chain(held_out).filter(|y| y.is_finite()).collect();
    let low = all.iter().copied().fold(f64::INFINITY, f64::min);
    let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let room = 0.02 * (high - low);
    (low - room, high + room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_one_line_for_each_seed_and_two_held_out_means() {
        let outcome = Outcome {
            before: vec![0.1, 0.3],
            after: vec![0.8, 0.9],
            curve: vec![0.2, f64::NAN, 0.6],
            ..Outcome::default()
        };
        let text = svg(&[outcome.clone(), outcome], "reward").expect("it can be drawn");
        assert_eq!(text.matches("<circle").count(), 2);
        for color in ["#2F6FB0", "#2E8B57", "#C25C12"] {
            assert!(text.contains(color), "{color}");
        }
        assert!(!text.contains("NaN"));
    }
}
