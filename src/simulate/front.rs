//! A sweep as a plot: what each setting costs against how many orders it makes late.

use plotters::prelude::*;

use super::drawing::{Area, BLUE, Drawn, FAINT, INK, ORANGE, SIZE, legend, lettering};
use super::sweep::Row;
use crate::failure::Failure;

/// Labels that are drawn along the front at most.
const MOST_LABELS: usize = 20;

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
    let mut right = SIZE.0 as i32 - 40;
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
    mesh.x_label_formatter(&|cost| format!("{cost:.2}")).y_label_formatter(&|late| format!("{late:.2}")).draw()?;
    let point = |row: &Row| (row.cost, row.late_share * 100.0);
    let mut front: Vec<&Row> = rows.iter().filter(|row| row.is_on_front).collect();
    front.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    chart.draw_series(LineSeries::new(front.iter().map(|row| point(row)), BLUE.stroke_width(2)))?;
    let dot = |row: &Row| Circle::new(point(row), 7, if row.is_on_front { BLUE } else { GREY }.filled());
    chart.draw_series(rows.iter().map(dot))?;
    let every = front.len().div_ceil(MOST_LABELS).max(1);
    // Above the point and to its right, clear of the ring around the recommended one.
    let label = |row: &&Row| EmptyElement::at(point(row)) + Text::new(values(row), (12, -26), lettering(22));
    chart.draw_series(front.iter().step_by(every).map(label))?;
    chart.draw_series(rows.get(recommended).map(|row| Circle::new(point(row), 13, ORANGE.stroke_width(4))))?;
    Ok(())
}

const GREY: RGBColor = RGBColor(150, 150, 150);
fn values(row: &Row) -> String {
    let values: Vec<String> = row.values.iter().map(ToString::to_string).collect();
    values.join(", ")
}
