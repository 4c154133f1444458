"use strict";
// Zooms all rows of a timeline together, and says what stands under the pointer.
for (const line of document.querySelectorAll(".timeline")) {
  const end = Number(line.dataset.end);
  const rows = [...line.querySelectorAll("svg.z")];
  const readout = line.querySelector(".readout");
  let from = 0, to = end, drag = null;

  const seconds = (row, event) => {
    const box = row.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    return from + part * (to - from);
  };
  const tick = (value, step) => value.toFixed(Math.max(0, Math.min(3, Math.ceil(-Math.log10(step)))));
  const draw = () => {
    const x = from / end * 1000, width = (to - from) / end * 1000;
    for (const row of rows) {
      const height = row.viewBox.baseVal.height;
      row.setAttribute("viewBox", `${x} 0 ${width} ${height}`);
    }
    const rough = (to - from) / 9, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
    for (const ticks of line.querySelectorAll(".ticks")) {
      ticks.replaceChildren();
      for (let at = Math.ceil(from / step) * step; at <= to + step / 1e6; at += step) {
        const span = document.createElement("span");
        span.style.left = `${(at - from) / (to - from) * 100}%`;
        span.textContent = tick(at, step);
        ticks.append(span);
      }
    }
  };
  const zoom = (a, b) => {
    const least = end / 2000, middle = (a + b) / 2, half = Math.max(b - a, least) / 2;
    from = Math.max(0, Math.min(middle - half, end - 2 * half));
    to = Math.min(end, from + 2 * half);
    draw();
  };
  for (const button of line.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => {
      const factor = Number(button.dataset.zoom), middle = (from + to) / 2;
      const half = factor ? (to - from) * factor / 2 : end / 2;
      zoom(middle - half, middle + half);
    });
  }
  for (const row of rows) {
    const texts = row.dataset.texts.split(";").filter(Boolean).map((t) => t.split("|"));
    row.addEventListener("pointerdown", (event) => {
      drag = seconds(row, event);
      row.setPointerCapture(event.pointerId);
    });
    row.addEventListener("pointerup", (event) => {
      const at = seconds(row, event);
      if (drag !== null && Math.abs(at - drag) > (to - from) / 100) {
        zoom(Math.min(at, drag), Math.max(at, drag));
      }
      drag = null;
    });
    row.addEventListener("pointermove", (event) => {
      const at = seconds(row, event);
      const last = texts.findLast((t) => Number(t[0]) <= at);
      const bar = event.target.querySelector?.("title")?.textContent ?? "";
      const said = [bar, last ? last[1] : ""].filter(Boolean).join("; ");
      const span = drag === null ? "" : ` (from ${drag.toFixed(2)} s)`;
      readout.textContent = `${row.dataset.name} at ${at.toFixed(2)} s${span}${said ? ": " + said : ""}`;
    });
  }
  draw();
  // A link can name a stretch of time: report.html#20..40
  const wanted = location.hash.match(/^#([\d.]+?)\.\.([\d.]+)$/);
  if (wanted) zoom(Number(wanted[1]), Number(wanted[2]));
  line.dataset.ready = `${from}..${to}`;
}
