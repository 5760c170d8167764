//! A sweep as a plot: what each setting costs against how many orders it makes late.

use plotters::prelude::*;

use super::drawing::{Area, BLUE, Drawn, FAINT, INK, ORANGE, SIZE, legend, lettering};
use super::sweep::Row;
use crate::failure::Failure;

/// Pixels that a label takes across and down.
const LABEL: (i32, i32) = (100, 24);

/// A place in pixels, and what stands there.
type Label = ((i32, i32), String);

/// The plot of `rows` under two lines of heading, as SVG; the row `recommended` is marked.
///
/// # Errors
/// If drawing fails.
pub fn svg(rows: &[Row], recommended: usize, heading: &[String; 2], currency: &str) -> Result<String, Failure> {
    super::drawing::svg(|area| draw(area, rows, recommended, heading, currency))
}

fn draw(area: &Area<'_>, rows: &[Row], recommended: usize, heading: &[String; 2], currency: &str) -> Drawn {
    let (head, body) = area.split_vertically(150);
    head.draw_text(&heading[0], &lettering(34), (20, 14))?;
    head.draw_text(&heading[1], &lettering(23), (20, 58))?;
    let mut right = SIZE.0.cast_signed() - 40;
    for (name, color) in [("recommended", ORANGE), ("no setting is better in both", BLUE), ("other settings", GREY)] {
        right = legend(&head, (right, 110), name, color)?;
    }
    let most = |of: fn(&Row) -> f64| rows.iter().map(of).fold(0.0, f64::max);
    let least = rows.iter().map(|row| row.cost).fold(f64::INFINITY, f64::min);
    let (dearest, latest) = (most(|row| row.cost), most(|row| row.late_share * 100.0));
    let room = ((dearest - least) * 0.08).max(dearest * 0.01).max(0.01);
    let mut chart = ChartBuilder::on(&body)
        .margin(20)
        .margin_right(60)
        .x_label_area_size(70)
        .y_label_area_size(100)
        .build_cartesian_2d(least - room..dearest + room, -latest * 0.03 - 0.001..latest * 1.08 + 0.01)?;
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).bold_line_style(FAINT).axis_style(INK).label_style(lettering(22));
    mesh.x_desc(format!("cost in {currency}")).y_desc("late orders in percent").axis_desc_style(lettering(26));
    let decimals = if dearest - least < 0.2 { 3 } else { 2 };
    mesh.x_label_formatter(&|cost| format!("{cost:.decimals$}"))
        .y_label_formatter(&|late| format!("{late:.2}"))
        .draw()?;
    let point = |row: &Row| (row.cost, row.late_share * 100.0);
    let mut front: Vec<&Row> = rows.iter().filter(|row| row.is_on_front).collect();
    front.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    chart.draw_series(LineSeries::new(front.iter().map(|row| point(row)), BLUE.stroke_width(2)))?;
    let dot = |row: &Row| Circle::new(point(row), 7, if row.is_on_front { BLUE } else { GREY }.filled());
    chart.draw_series(rows.iter().map(dot))?;
    let places = |row: &&Row| (chart.backend_coord(&point(row)), values(row));
    let best = rows.get(recommended).into_iter();
    for ((x, y), label) in apart(best.chain(front).map(|row| places(&row))) {
        // Above the point and to its right, clear of the ring around the recommended one.
        area.draw_text(&label, &lettering(22), (x + 12, y - 26))?;
    }
    chart.draw_series(rows.get(recommended).map(|row| Circle::new(point(row), 13, ORANGE.stroke_width(4))))?;
    Ok(())
}

const GREY: RGBColor = RGBColor(150, 150, 150);
/// The labels that do not cover one before them.
fn apart(labels: impl Iterator<Item = Label>) -> Vec<Label> {
    let mut kept: Vec<Label> = Vec::new();
    for label in labels {
        let (x, y) = label.0;
        if kept.iter().all(|((a, b), _)| (a - x).abs() > LABEL.0 || (b - y).abs() > LABEL.1) {
            kept.push(label);
        }
    }
    kept
}

fn values(row: &Row) -> String {
    let values: Vec<String> = row.values.iter().map(ToString::to_string).collect();
    values.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_would_cover_an_earlier_one_is_left_out() {
        let labels = [(0, 0), (50, 10), (50, 30), (150, 0)].map(|at| (at, String::new()));
        let kept: Vec<(i32, i32)> = apart(labels.into_iter()).into_iter().map(|(at, _)| at).collect();
        assert_eq!(kept, [(0, 0), (50, 30), (150, 0)]);
    }
}
