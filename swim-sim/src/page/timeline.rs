//! Rows over one axis of time that can be zoomed together.

use std::fmt::Write as _;

use super::frame::escape;
use super::scale::number;

/// Rows over time, all on the same axis. Drawn stretched, with their names beside them as text, so
/// that zooming distorts no letter.
#[derive(Debug)]
pub(crate) struct Timeline {
    end_s: f64,
    body: String,
}

/// A stretch of time on a row.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) from_s: f64,
    pub(crate) to_s: f64,
    /// Class of the style sheet.
    pub(crate) class: &'static str,
    /// Shown when pointed at.
    pub(crate) text: String,
}

/// What a row shows from a moment on: two heights from 0 to 1, stacked, and the words for them.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    pub(crate) at_s: f64,
    pub(crate) failed: f64,
    pub(crate) suspect: f64,
    pub(crate) text: String,
}

/// A line of a panel: class of the style sheet, legend, points.
pub(crate) type Trace<'a> = (&'a str, &'a str, Vec<(f64, f64)>);

impl Timeline {
    pub(crate) fn new(end_s: f64) -> Self {
        let body = String::from(
            "<div class=\"zoom\"><button type=\"button\" data-zoom=\"0.5\">zoom in</button>\
             <button type=\"button\" data-zoom=\"2\">zoom out</button>\
             <button type=\"button\" data-zoom=\"0\">whole run</button>\
             <span>drag over the rows to zoom to a stretch of time</span></div>\
             <output class=\"readout\">point at a row to read it</output>",
        );
        Self { end_s, body }
    }

    /// A row of bars.
    pub(crate) fn bars(&mut self, name: &str, bars: &[Bar]) {
        self.open(name, "", 14.0, "");
        self.bar_rects(bars, 14.0);
        self.body.push_str("</svg></div>");
    }

    /// A row of levels over bars.
    pub(crate) fn levels(&mut self, name: &str, height: f64, bars: &[Bar], levels: &[Level]) {
        let mut texts = String::new();
        for level in levels {
            let _ = write!(texts, "{:.2}|{};", level.at_s, level.text);
        }
        self.open(name, "", height, &texts);
        self.bar_rects(bars, height);
        let (failed, suspect): (Vec<_>, Vec<_>) =
            levels.iter().map(|l| ((l.at_s, 0.0, l.failed), (l.at_s, l.failed, l.suspect))).unzip();
        self.area("failed", height, &failed);
        self.area("suspect", height, &suspect);
        self.body.push_str("</svg></div>");
    }

    /// A panel of lines over time: name, unit, and for each line its class, legend and points. The
    /// vertical axis goes from zero to the largest value.
    pub(crate) fn lines(&mut self, name: &str, lines: &[Trace<'_>]) {
        let all = || lines.iter().flat_map(|l| &l.2);
        let max = all().map(|p| p.1).fold(0.0, f64::max);
        let mut side = format!("<small>top: {}</small>", number(max));
        for (class, legend, _) in lines {
            let _ = write!(side, "<small class=\"{class}\">{}</small>", escape(legend));
        }
        let mut texts = String::new();
        for (i, first) in lines.first().map_or(&[][..], |l| &l.2).iter().enumerate() {
            let values: Vec<String> = lines
                .iter()
                .filter_map(|l| Some(format!("{} {}", l.1, number(l.2.get(i)?.1))))
                .collect();
            let _ = write!(texts, "{:.2}|{};", first.0, escape(&values.join(", ")));
        }
        self.open(name, &side, PANEL, &texts);
        for (class, _, points) in lines {
            let mut path = String::new();
            for (i, (x, y)) in points.iter().enumerate() {
                let up = if max > 0.0 { y / max } else { 0.0 };
                let (x, y) = (self.x(*x), PANEL - 1.0 - up * (PANEL - 4.0));
                let _ = if i == 0 {
                    write!(path, "M{x:.2} {y:.1}")
                } else {
                    write!(path, "H{x:.2}V{y:.1}")
                };
            }
            let _ = write!(self.body, "<path class=\"trace {class}\" d=\"{path}\"/>");
        }
        self.body.push_str("</svg></div>");
    }

    /// The axis itself; once more after many rows.
    pub(crate) fn axis(&mut self) {
        let _ = write!(
            self.body,
            "<div class=\"row\"><div class=\"name\">seconds</div><div class=\"ticks\">"
        );
        for i in 0..=10 {
            let at = f64::from(i) / 10.0;
            let text = number((self.end_s * at * 100.0).round() / 100.0);
            let _ = write!(self.body, "<span style=\"left:{:.0}%\">{text}</span>", at * 100.0);
        }
        self.body.push_str("</div></div>");
    }

    /// A heading between rows.
    pub(crate) fn heading(&mut self, text: &str) {
        let _ = write!(self.body, "<h3>{}</h3>", escape(text));
    }

    /// Everything, and the script that zooms.
    pub(crate) fn finish(self) -> (String, &'static str) {
        let html =
            format!("<div class=\"timeline\" data-end=\"{}\">{}</div>", self.end_s, self.body);
        (html, SCRIPT)
    }

    fn x(&self, at_s: f64) -> f64 {
        (at_s / self.end_s * WIDTH).clamp(0.0, WIDTH)
    }

    /// `side` is HTML.
    fn open(&mut self, name: &str, side: &str, height: f64, texts: &str) {
        let _ = write!(
            self.body,
            "<div class=\"row\"><div class=\"name\">{name}{side}</div>\
             <svg class=\"z\" viewBox=\"0 0 {WIDTH} {height}\" preserveAspectRatio=\"none\" \
             style=\"height:{height}px\" data-name=\"{name}\" data-texts=\"{texts}\">",
            name = escape(name)
        );
    }

    fn bar_rects(&mut self, bars: &[Bar], height: f64) {
        for bar in bars {
            let x = self.x(bar.from_s);
            let width = (self.x(bar.to_s) - x).max(BAR_MIN);
            let _ = write!(
                self.body,
                "<rect class=\"{}\" x=\"{x:.2}\" y=\"0\" width=\"{width:.2}\" height=\"{height}\">\
                 <title>{}</title></rect>",
                bar.class,
                escape(&bar.text)
            );
        }
    }

    /// A step area: from each point on, between two heights.
    fn area(&mut self, class: &str, height: f64, points: &[(f64, f64, f64)]) {
        let mut path = String::new();
        let ends = points.iter().skip(1).map(|p| p.0).chain([self.end_s]);
        for ((at, base, size), end) in points.iter().zip(ends) {
            if *size <= 0.0 {
                continue;
            }
            // What one in a thousand holds is still a line that can be seen.
            let tall = (size * height).max(2.0);
            let (x, to) = (self.x(*at), self.x(end));
            let y = (height - base * height - tall).max(0.0);
            let width = (to - x).max(BAR_MIN);
            let _ = write!(path, "M{x:.2} {y:.1}h{width:.2}v{tall:.1}h-{width:.2}z");
        }
        if !path.is_empty() {
            let _ = write!(self.body, "<path class=\"{class}\" d=\"{path}\"/>");
        }
    }
}

/// Units of width of the whole run.
const WIDTH: f64 = 1000.0;
/// Height of a panel of lines.
const PANEL: f64 = 84.0;
/// Width of what has no length.
const BAR_MIN: f64 = 1.5;
const SCRIPT: &str = include_str!("zoom.js");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_where_their_times_are() {
        let mut t = Timeline::new(50.0);
        let bar = Bar { from_s: 10.0, to_s: 20.0, class: "gone", text: "n<1> crashes".to_owned() };
        t.bars("crash", &[bar]);
        let level = |at_s, failed| Level { at_s, failed, suspect: 0.0, text: "x".to_owned() };
        t.levels("n1", 10.0, &[], &[level(25.0, 1.0), level(50.0, 0.0)]);
        let (html, script) = t.finish();
        assert!(html.contains("x=\"200.00\"") && html.contains("width=\"200.00\""));
        assert!(html.contains("n&lt;1&gt;") && html.contains("M500.00 0.0h500.00v10.0"));
        assert!(script.contains("viewBox") && !script.contains("</script"));
    }
}
