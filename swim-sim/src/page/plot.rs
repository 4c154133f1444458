//! Plots: series of points over two axes, drawn as SVG.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::frame::escape;
use super::scale::{Scale, number};

/// Curves and points over two axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plot {
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) series: Vec<Series>,
}

/// What an axis shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Axis {
    /// Quantity and unit.
    pub(crate) label: String,
    pub(crate) log: bool,
}

/// Points that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) mark: Mark,
    pub(crate) points: Vec<(f64, f64)>,
}

/// How a series is drawn. Published values are hollow and dark wherever they appear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mark {
    /// Measured: a line through points.
    Line,
    /// Measured: a line that holds each value until the next.
    Steps,
    /// Measured: columns that stand on the axis.
    Columns,
    /// Published or derived values.
    Published,
    /// A published or derived curve.
    Theory,
}

impl Plot {
    /// A plot without series; `x` and `y` name quantity and unit.
    pub(crate) fn new(title: &str, x: &str, y: &str) -> Self {
        let axis = |label: &str| Axis { label: label.to_owned(), log: false };
        Self { title: title.to_owned(), x: axis(x), y: axis(y), series: Vec::new() }
    }

    /// Makes the x axis logarithmic.
    pub(crate) fn log_x(mut self) -> Self {
        self.x.log = true;
        self
    }

    /// Makes the y axis logarithmic.
    pub(crate) fn log_y(mut self) -> Self {
        self.y.log = true;
        self
    }

    /// Adds a series, unless it is empty.
    pub(crate) fn with(mut self, mark: Mark, name: &str, points: Vec<(f64, f64)>) -> Self {
        if !points.is_empty() {
            self.series.push(Series { name: name.to_owned(), mark, points });
        }
        self
    }

    /// The plot as a figure of a page, with its legend below it.
    pub(crate) fn figure(&self) -> String {
        let mut out = String::from("<figure>");
        let _ = write!(out, "<figcaption>{}</figcaption>", escape(&self.title));
        self.svg(&mut out);
        out.push_str("<ul class=\"legend\">");
        for (series, style) in self.styled() {
            let _ = write!(out, "<li>{}{}</li>", style.key(series.mark), escape(&series.name));
        }
        out.push_str("</ul></figure>");
        out
    }

    fn svg(&self, out: &mut String) {
        let xs = self.series.iter().flat_map(|s| s.points.iter().map(|p| p.0));
        let x = Scale::fit(xs, self.x.log, LEFT, WIDTH - RIGHT);
        let columns = self.series.iter().any(|s| s.mark == Mark::Columns);
        let ys = self.series.iter().flat_map(|s| s.points.iter().map(|p| p.1));
        let ground = (columns && !self.y.log).then_some(0.0);
        let y = Scale::fit(ys.chain(ground), self.y.log, HEIGHT - BOTTOM, TOP);
        let _ = write!(
            out,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            escape(&self.title)
        );
        self.axes(out, &x, &y);
        for (series, style) in self.styled() {
            style.draw(out, series, &x, &y);
        }
        out.push_str("</svg>");
    }

    fn axes(&self, out: &mut String, x: &Scale, y: &Scale) {
        let (floor, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        for tick in y.ticks(6) {
            let Some(at) = y.at(tick) else { continue };
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/>\
                 <text class=\"tick end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                LEFT - 8.0,
                at + 4.0,
                number(tick)
            );
        }
        for tick in x.ticks(8) {
            let Some(at) = x.at(tick) else { continue };
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{at:.1} {TOP}V{floor}\"/>\
                 <text class=\"tick mid\" x=\"{at:.1}\" y=\"{:.1}\">{}</text>",
                floor + 18.0,
                number(tick)
            );
        }
        let _ = write!(
            out,
            "<path class=\"axis\" d=\"M{LEFT} {TOP}V{floor}H{right}\"/>\
             <text class=\"label mid\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\
             <text class=\"label mid\" transform=\"translate(14 {:.1}) rotate(-90)\">{}</text>",
            (LEFT + right) / 2.0,
            HEIGHT - 6.0,
            escape(&self.x.label),
            (TOP + floor) / 2.0,
            escape(&self.y.label)
        );
    }

    /// The series with their colours; a measured series and the published one of the same name
    /// share a colour.
    fn styled(&self) -> impl Iterator<Item = (&Series, Style)> {
        let mut names: Vec<&str> = Vec::new();
        self.series.iter().map(move |series| {
            let base = series.name.split(", published").next().unwrap_or_default();
            let index = names.iter().position(|n| *n == base).unwrap_or_else(|| {
                names.push(base);
                names.len() - 1
            });
            (series, Style { index })
        })
    }
}

/// Colour and dash pattern of a series.
#[derive(Clone, Copy)]
struct Style {
    index: usize,
}

impl Style {
    fn colour(self) -> &'static str {
        COLOURS[self.index % COLOURS.len()]
    }

    fn dash(self) -> &'static str {
        DASHES[self.index / 2 % DASHES.len()]
    }

    fn draw(self, out: &mut String, series: &Series, x: &Scale, y: &Scale) {
        let places: Vec<(f64, f64)> =
            series.points.iter().filter_map(|p| Some((x.at(p.0)?, y.at(p.1)?))).collect();
        let (colour, dash) = (self.colour(), self.dash());
        match series.mark {
            Mark::Line => {
                let path = path(&places, false);
                let _ = write!(
                    out,
                    "<path class=\"line\" stroke=\"{colour}\" stroke-dasharray=\"{dash}\" \
                     d=\"{path}\"/>"
                );
                if places.len() <= DOTS_MAX {
                    for (x, y) in places {
                        let _ = write!(
                            out,
                            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
                        );
                    }
                }
            }
            Mark::Steps => {
                let path = path(&places, true);
                let _ = write!(out, "<path class=\"line\" stroke=\"{colour}\" d=\"{path}\"/>");
            }
            Mark::Columns => {
                let gap = places.windows(2).map(|w| w[1].0 - w[0].0).fold(f64::MAX, f64::min);
                let width = (gap * 0.86).clamp(1.0, 40.0);
                let floor = HEIGHT - BOTTOM;
                for (x, y) in places {
                    let _ = write!(
                        out,
                        "<rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\" \
                         fill=\"{colour}\"/>",
                        x - width / 2.0,
                        (floor - y).max(0.0)
                    );
                }
            }
            Mark::Published => {
                for (x, y) in places {
                    let _ = write!(
                        out,
                        "<circle class=\"published\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5.5\" \
                         stroke=\"{colour}\"/>"
                    );
                }
            }
            Mark::Theory => {
                let path = path(&places, false);
                let _ = write!(out, "<path class=\"theory\" d=\"{path}\"/>");
            }
        }
    }

    /// The sign before a name in the legend.
    fn key(self, mark: Mark) -> String {
        let (colour, dash) = (self.colour(), self.dash());
        let sign = match mark {
            Mark::Line | Mark::Steps => format!(
                "<path class=\"line\" stroke=\"{colour}\" stroke-dasharray=\"{dash}\" d=\"M1 7H27\"/>"
            ),
            Mark::Columns => {
                format!("<rect x=\"8\" y=\"2\" width=\"12\" height=\"10\" fill=\"{colour}\"/>")
            }
            Mark::Published => {
                format!(
                    "<circle class=\"published\" cx=\"14\" cy=\"7\" r=\"5\" stroke=\"{colour}\"/>"
                )
            }
            Mark::Theory => "<path class=\"theory\" d=\"M1 7H27\"/>".to_owned(),
        };
        format!("<svg class=\"key\" viewBox=\"0 0 28 14\" aria-hidden=\"true\">{sign}</svg>")
    }
}

/// Path data through some places, straight or in steps.
fn path(places: &[(f64, f64)], steps: bool) -> String {
    let mut out = String::new();
    for (i, (x, y)) in places.iter().enumerate() {
        let _ = match (i, steps) {
            (0, _) => write!(out, "M{x:.1} {y:.1}"),
            (_, true) => write!(out, "H{x:.1}V{y:.1}"),
            (_, false) => write!(out, "L{x:.1} {y:.1}"),
        };
    }
    out
}

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 48.0;
/// A line with more points than this has no dots on it.
const DOTS_MAX: usize = 30;
/// Colours that differ for every kind of colour vision, dark enough on white (Okabe and Ito's,
/// darkened).
const COLOURS: [&str; 6] = ["#0072b2", "#c04a00", "#00795a", "#a8477e", "#7a6200", "#3d3d3d"];
/// Two colours each.
const DASHES: [&str; 3] = ["none", "7 3", "2 3"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_shows_every_series_and_escapes_its_text() {
        let plot = Plot::new("a < b", "n", "y & z")
            .log_x()
            .with(Mark::Line, "measured", vec![(1.0, 2.0), (10.0, 3.0)])
            .with(Mark::Published, "measured, published", vec![(1.0, 2.1)])
            .with(Mark::Line, "nothing", vec![]);
        let html = plot.figure();
        assert!(html.contains("a &lt; b") && html.contains("y &amp; z"));
        assert_eq!(html.matches("<li>").count(), 2);
        // Measured and published values of one thing share its colour.
        assert!(html.matches(COLOURS[0]).count() > 3 && !html.contains(COLOURS[1]));
        assert!(!html.contains("NaN") && !html.contains("inf"));
    }
}
