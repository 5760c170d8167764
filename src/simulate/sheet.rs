//! A simulation on one sheet: load, tasks, utilisation and late orders above each other, over the same time.

use interstella_autoscaling::simulate::Sample;
use plotters::prelude::*;

use super::drawing::{Area, BLUE, Drawn, FAINT, GREEN, INK, ORANGE, PURPLE, SIZE, legend, lettering};
use crate::failure::Failure;

/// Points that a curve has at most; neighbours become one.
const MOST_POINTS: usize = 800;
const HEADING: u32 = 120;

/// The sheet of `samples` under three lines of heading, as SVG.
///
/// # Errors
/// If drawing fails.
pub fn svg(samples: &[Sample], heading: &[String; 3]) -> Result<String, Failure> {
    super::drawing::svg(|area| draw(area, samples, heading))
}

/// A curve of a panel.
struct Curve {
    name: &'static str,
    color: RGBColor,
    is_filled: bool,
    points: Vec<(f64, f64)>,
}

fn draw(area: &Area<'_>, samples: &[Sample], heading: &[String; 3]) -> Drawn {
    let (top, below) = area.split_vertically(HEADING);
    for (line, size, y) in [(0, 34, 14), (1, 23, 54), (2, 23, 84)] {
        top.draw_text(&heading[line], &lettering(size), (20, y))?;
    }
    let (unit, minutes) = unit(samples.len());
    let end = samples.len() as f64 / minutes;
    let panels = panels(samples, minutes);
    let count = panels.len();
    for (index, (panel, (title, least_top, curves))) in below.split_evenly((count, 1)).iter().zip(panels).enumerate() {
        let time = (index + 1 == count).then(|| format!("time in {unit}"));
        self::panel(panel, title, (end, least_top), &curves, time.as_deref())?;
    }
    Ok(())
}

/// The unit of the time axis, and how many minutes it has.
fn unit(minutes: usize) -> (&'static str, f64) {
    match minutes {
        0..=240 => ("minutes", 1.0),
        241..=4_320 => ("hours", 60.0),
        _ => ("days", 1_440.0),
    }
}

/// Title, least top of the axis, and curves of each panel.
fn panels(samples: &[Sample], minutes: f64) -> Vec<(&'static str, f64, Vec<Curve>)> {
    let mean = |of: &dyn Fn(&Sample) -> f64| {
        thinned(samples, minutes, &|chunk| chunk.iter().map(of).sum::<f64>() / chunk.len() as f64)
    };
    // What is rare has to be seen all the same.
    let most =
        |of: &dyn Fn(&Sample) -> f64| thinned(samples, minutes, &|chunk| chunk.iter().map(of).fold(0.0, f64::max));
    let steps = |of: &dyn Fn(&Sample) -> f64| stepped(samples, minutes, of);
    let curve = |name, color, is_filled, points| Curve { name, color, is_filled, points };
    vec![
        ("Load: orders a minute", 10.0, vec![curve("arriving", BLUE, true, mean(&|sample| f64::from(sample.orders)))]),
        (
            "Capacity: tasks",
            2.0,
            vec![
                curve("running", GREEN, true, steps(&|sample| f64::from(sample.running))),
                curve("desired", ORANGE, false, steps(&|sample| f64::from(sample.desired))),
            ],
        ),
        (
            "Utilisation: percent of the tasks' slots",
            100.0,
            vec![curve("in use", PURPLE, true, mean(&|sample| sample.utilisation_percent.unwrap_or(0.0)))],
        ),
        (
            "Lateness: orders, the most in a minute",
            10.0,
            vec![
                curve("arriving then and late", ORANGE, true, most(&|sample| f64::from(sample.late))),
                curve("waiting", INK, false, most(&|sample| f64::from(sample.waiting))),
            ],
        ),
    ]
}

/// A point for every few minutes, in the middle of them.
fn thinned(samples: &[Sample], minutes: f64, of: &dyn Fn(&[Sample]) -> f64) -> Vec<(f64, f64)> {
    let size = samples.len().div_ceil(MOST_POINTS).max(1);
    let point = |(index, chunk): (usize, &[Sample])| {
        let middle = (index * size) as f64 + chunk.len() as f64 / 2.0;
        (middle / minutes, of(chunk))
    };
    samples.chunks(size).enumerate().map(point).collect()
}

/// The corners of a count that changes at once. A sample is of the end of its minute, so it holds through that minute.
fn stepped(samples: &[Sample], minutes: f64, of: &dyn Fn(&Sample) -> f64) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for (index, sample) in samples.iter().enumerate() {
        let (from, to, value) = (index as f64 / minutes, (index + 1) as f64 / minutes, of(sample));
        match points.last_mut() {
            Some(last) if last.1 == value => last.0 = to,
            _ => points.extend([(from, value), (to, value)]),
        }
    }
    points
}

fn panel(area: &Area<'_>, title: &str, (end, least_top): (f64, f64), curves: &[Curve], time: Option<&str>) -> Drawn {
    let (head, body) = area.split_vertically(36);
    head.draw_text(title, &lettering(25), (20, 6))?;
    let mut right = SIZE.0.cast_signed() - 40;
    for curve in curves.iter().rev() {
        right = legend(&head, (right, 8), curve.name, curve.color)?;
    }
    let highest = curves.iter().flat_map(|curve| &curve.points).map(|point| point.1).fold(least_top, f64::max);
    let mut chart = ChartBuilder::on(&body)
        .margin_right(40)
        .x_label_area_size(if time.is_some() { 64 } else { 32 })
        .y_label_area_size(80)
        .build_cartesian_2d(0.0..end, 0.0..highest * 1.05)?;
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).bold_line_style(FAINT).axis_style(INK).x_labels(15).y_labels(6);
    mesh.label_style(lettering(22)).axis_desc_style(lettering(24)).x_desc(time.unwrap_or_default());
    mesh.x_label_formatter(&short).y_label_formatter(&short).draw()?;
    for Curve { color, is_filled, points, .. } in curves {
        if *is_filled {
            chart.draw_series(AreaSeries::new(points.iter().copied(), 0.0, color.mix(0.25)))?;
        }
        chart.draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)))?;
    }
    Ok(())
}

/// A number without needless digits.
fn short(value: &f64) -> String {
    format!("{}", (value * 1_000.0).round() / 1_000.0)
}
