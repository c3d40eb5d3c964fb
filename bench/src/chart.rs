//! Charts: bars with the range over all rounds, as SVG that reads on light and on dark.

use crate::numbers::{Spread, float};

/// The width of a chart, in pixels.
const WIDTH: f64 = 720.0;
/// Where bars begin: names stand before.
const LEFT: f64 = 230.0;
/// The room after the longest bar, for its figure.
const RIGHT: f64 = 70.0;
/// From one bar to the next.
const STEP: f64 = 30.0;
/// How thick a bar is.
const THICK: f64 = 18.0;
/// What stands above the bars.
const TOP: f64 = 40.0;

/// Horizontal bars, one for each side; the first side is the program's own.
pub(crate) fn bars(title: &str, sides: &[(String, Spread)]) -> String {
    let longest = sides.iter().map(|(_, spread)| spread.high).fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - LEFT - RIGHT) / longest;
    let height = TOP + STEP * float(sides.len()) + 10.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <title>{title}</title>\n\
         <style>text {{ fill: #333 }} .ours {{ fill: #1668b8 }} .theirs {{ fill: #9aa5b1 }} \
         .range {{ stroke: #333 }} @media (prefers-color-scheme: dark) {{ text {{ fill: #ddd }} \
         .range {{ stroke: #ddd }} }}</style>\n\
         <text x=\"10\" y=\"22\" font-size=\"15\" font-weight=\"600\">{title}</text>\n",
        title = escaped(title),
    );
    svg.extend(sides.iter().enumerate().map(|(number, side)| bar(number, side, scale)));
    svg.push_str("</svg>\n");
    svg
}

/// The bar of one side, with its name before and its figure behind.
fn bar(number: usize, (name, spread): &(String, Spread), scale: f64) -> String {
    let top = TOP + STEP * float(number);
    let (middle, base) = (top + THICK / 2.0, top + THICK - 4.0);
    let (end, low, high) =
        (spread.median * scale, LEFT + spread.low * scale, LEFT + spread.high * scale);
    let class = if number == 0 { "ours" } else { "theirs" };
    format!(
        "<text x=\"{}\" y=\"{base}\" text-anchor=\"end\">{}</text>\
         <rect class=\"{class}\" x=\"{LEFT}\" y=\"{top}\" width=\"{end:.1}\" height=\"{THICK}\" rx=\"2\"/>\
         <line class=\"range\" x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{middle}\" y2=\"{middle}\"/>\
         <text x=\"{:.1}\" y=\"{base}\">{:.2}</text>\n",
        LEFT - 10.0,
        escaped(name),
        high.max(LEFT + end) + 8.0,
        spread.median,
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_range_ends_where_figures_begin() {
        let spread = |median, high| Spread { median, low: median, high };
        let sides = [("a <b>".to_owned(), spread(1.0, 2.0)), ("c".to_owned(), spread(0.5, 0.5))];
        let svg = bars("A & B", &sides);
        assert!(svg.contains("<title>A &amp; B</title>") && svg.contains("a &lt;b&gt;"));
        assert!(svg.contains("x2=\"650.0\"") && svg.contains("width=\"210.0\""), "{svg}");
    }
}
