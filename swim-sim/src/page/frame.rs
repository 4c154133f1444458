//! The page around tables and plots.

use std::fmt::Write as _;

/// An HTML page that loads nothing.
#[derive(Debug)]
pub(crate) struct Frame {
    title: String,
    body: String,
    script: &'static str,
}

impl Frame {
    /// An empty page.
    pub(crate) fn new(title: &str) -> Self {
        let body = format!("<h1>{}</h1>", escape(title));
        Self { title: title.to_owned(), body, script: "" }
    }

    /// Adds HTML as it is.
    pub(crate) fn raw(&mut self, html: &str) -> &mut Self {
        self.body.push_str(html);
        self
    }

    /// Adds a heading that links can name.
    pub(crate) fn heading(&mut self, id: &str, text: &str) -> &mut Self {
        let (id, text) = (escape(id), escape(text));
        let _ = write!(self.body, "<h2 id=\"{id}\">{text}</h2>");
        self
    }

    /// Adds a paragraph of text.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        let _ = write!(self.body, "<p>{}</p>", escape(text));
        self
    }

    /// Adds a table. Cells are HTML; a cell that starts with a digit or a sign is set as a number.
    pub(crate) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) -> &mut Self {
        let out = &mut self.body;
        out.push_str("<div class=\"scroll\"><table><thead><tr>");
        for cell in head {
            let _ = write!(out, "<th>{}</th>", escape(cell));
        }
        out.push_str("</tr></thead><tbody>");
        for row in rows {
            out.push_str("<tr>");
            for cell in row {
                let numeric = cell.starts_with(|c: char| c.is_ascii_digit() || "-+≤≥".contains(c));
                let class = if numeric { " class=\"n\"" } else { "" };
                let _ = write!(out, "<td{class}>{cell}</td>");
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table></div>");
        self
    }

    /// Runs a script at the end of the page.
    pub(crate) const fn script(&mut self, script: &'static str) -> &mut Self {
        self.script = script;
        self
    }

    /// The whole page.
    pub(crate) fn finish(&self) -> String {
        let Self { title, body, script } = self;
        let title = escape(title);
        let script = match *script {
            "" => String::new(),
            script => format!("<script>{script}</script>"),
        };
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\
             <link rel=\"icon\" href=\"data:,\"><title>{title}</title><style>{STYLE}</style></head>\
             <body><main>{body}</main>{script}</body></html>\n"
        )
    }
}

/// Text as HTML shows it.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

const STYLE: &str = include_str!("page.css");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_loads_nothing() {
        let mut page = Frame::new("a <title>");
        page.heading("x", "X").text("1 < 2").table(&["n"], &[vec!["1".to_owned()]]);
        let html = page.script("let a = 1;").finish();
        assert!(html.contains("a &lt;title&gt;") && html.contains("<td class=\"n\">1</td>"));
        for outside in ["http:", "https:", "src=\"", "@import", "url("] {
            assert!(!html.contains(outside), "{outside}");
        }
    }
}
