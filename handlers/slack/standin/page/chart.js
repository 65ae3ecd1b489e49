// data_visualization as SVG: line, bar, area and pie, drawn to the width there is, readable by pointer, keys and ear.

import { h, replace, svg } from "./dom.js";
import { pie } from "./pie.js";

const HEIGHT = 220;
const CHARACTER = 6.4; // width of an 11.5 px digit or letter, near enough to make room for labels

export const number = (value) => value.toLocaleString("en", { maximumFractionDigits: 4 }).replace("-", "−");

/** Round steps from at or below `low` to at or above `high`. */
export function ticks(low, high, wanted = 5) {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999999);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const digits = Math.min(Math.max(0, -Math.floor(Math.log10(step)) + (String(step / power).includes(".") ? 1 : 0)), 10);
  return Array.from({ length: Math.max(last - first, 1) + 1 }, (_, index) => {
    const value = (first + index) * step;
    return { value, label: Number(value.toFixed(digits)).toLocaleString("en", { maximumFractionDigits: digits }).replace("-", "−") };
  });
}

/** Categories and one array of values (null where there is none) per series. */
export function chartData(chart) {
  const given = Array.isArray(chart.series) ? chart.series : [];
  const categories = (chart.axis_config?.categories ?? given[0]?.data?.map((point) => point.label) ?? []).map(String);
  const series = given.map((one) => {
    const values = new Map((one.data ?? []).map((point) => [String(point.label), point.value]));
    return { name: String(one.name ?? ""), values: categories.map((label) => (Number.isFinite(values.get(label)) ? values.get(label) : null)) };
  });
  return { categories, series };
}

function range(series, form) {
  const values = series.flatMap((one) => one.values).filter((value) => value !== null);
  if (!values.length) return [0, 1];
  let low = Math.min(...values);
  let high = Math.max(...values);
  // Bars and areas measure from zero; a line does too unless it moves in a narrow band far from it.
  const narrow = form === "line" && low > 0 && high - low < high * 0.25;
  if (!narrow) {
    low = Math.min(low, 0);
    high = Math.max(high, 0);
  }
  if (low === high) high = low + (Math.abs(low) || 1);
  return [low, high];
}

function runs(values) {
  const found = [];
  values.forEach((value, index) => {
    if (value === null) return;
    const last = found.at(-1);
    if (last && last.at(-1) === index - 1) last.push(index);
    else found.push([index]);
  });
  return found;
}

function axes(frame, scale, data, config) {
  const { left, right, top, bottom, width } = frame;
  const room = (right - left) / Math.max(data.categories.length, 1);
  const longest = Math.max(...data.categories.map((label) => label.length), 1) * CHARACTER + 10;
  const every = Math.max(1, Math.ceil(longest / room));
  return [
    scale.steps.map((step) => [
      svg("line", { class: step.value === 0 ? "zero" : "rule", x1: left, x2: right, y1: scale.y(step.value), y2: scale.y(step.value) }),
      svg("text", { class: "tick", x: left - 8, y: scale.y(step.value) + 4, "text-anchor": "end" }, step.label),
    ]),
    data.categories.map((label, index) => {
      if ((data.categories.length - 1 - index) % every !== 0) return null;
      const half = (label.length * CHARACTER) / 2;
      const x = Math.min(Math.max(scale.x(index), half + 2), width - half - 2);
      return svg("text", { class: "tick", x, y: bottom + 18, "text-anchor": "middle" }, label);
    }),
    config?.y_label ? svg("text", { class: "axis", x: 2, y: top - 14 }, config.y_label) : null,
    config?.x_label ? svg("text", { class: "axis", x: (left + right) / 2, y: bottom + 36, "text-anchor": "middle" }, config.x_label) : null,
  ];
}

/** A limit rather than a measurement: one value all along, and named so. */
const isLevel = (one) => /^(limit|target|threshold)\b/i.test(one.name) && new Set(one.values).size === 1;

function curves(data, scale, filled) {
  return data.series.map((one, position) =>
    svg("g", { class: `series s${position % 12}${isLevel(one) ? " level" : ""}` }, runs(one.values).map((indexes) => {
      const points = indexes.map((index) => `${scale.x(index).toFixed(1)},${scale.y(one.values[index]).toFixed(1)}`);
      const zero = scale.y(Math.min(Math.max(0, scale.low), scale.high)).toFixed(1);
      const area = `M${scale.x(indexes[0]).toFixed(1)},${zero}L${points.join("L")}L${scale.x(indexes.at(-1)).toFixed(1)},${zero}Z`;
      return [
        filled ? svg("path", { class: "fill", d: area }) : null,
        svg("path", { class: "stroke", d: `M${points.join("L")}` }),
        indexes.length === 1 || data.categories.length <= 14
          ? indexes.map((index) => svg("circle", { class: "dot", cx: scale.x(index), cy: scale.y(one.values[index]), r: 2.8 }))
          : null,
      ];
    })),
  );
}

function bars(data, scale, room) {
  const group = Math.min(room * 0.72, 28 * data.series.length + 8);
  const gap = data.series.length > 1 ? Math.min(3, group / data.series.length / 4) : 0;
  const width = Math.min((group - gap * (data.series.length - 1)) / data.series.length, 44);
  const whole = width * data.series.length + gap * (data.series.length - 1);
  const zero = scale.y(Math.min(Math.max(0, scale.low), scale.high));
  return data.series.map((one, position) =>
    svg("g", { class: `series s${position % 12}` }, one.values.map((value, index) => {
      if (value === null) return null;
      const x = scale.x(index) - whole / 2 + position * (width + gap);
      const end = scale.y(value);
      return svg("rect", { class: value < 0 ? "column below" : "column", x, width, y: Math.min(end, zero), height: Math.max(Math.abs(end - zero), 1), rx: Math.min(2.5, width / 3) });
    })),
  );
}

function legend(data) {
  if (!data.series.some((one) => one.name)) return null;
  return h("ul", { class: "legend", "aria-hidden": "true" }, data.series.map((one, position) => h("li", { class: `s${position % 12}${isLevel(one) ? " level" : ""}` }, h("i"), one.name)));
}

function asTable(title, data) {
  const head = h("tr", null, h("th", { scope: "col" }, ""), data.series.map((one) => h("th", { scope: "col" }, one.name)));
  const rows = data.categories.map((label, index) =>
    h("tr", null, h("th", { scope: "row" }, label), data.series.map((one) => h("td", null, one.values[index] === null ? "no value" : number(one.values[index])))));
  return h("table", null, h("caption", null, `${title}: values`), h("thead", null, head), h("tbody", null, rows));
}

function plot(figure, chart, data, title) {
  const canvas = h("div", { class: "canvas" });
  const tip = h("div", { class: "tip", hidden: true });
  let frame = null;
  let scale = null;
  let chosen = null;

  const draw = (width) => {
    const [low, high] = range(data.series, chart.type);
    const steps = ticks(low, high);
    const left = Math.max(...steps.map((step) => step.label.length)) * CHARACTER + 14;
    const top = chart.axis_config?.y_label ? 30 : 12;
    const bottom = HEIGHT - (chart.axis_config?.x_label ? 44 : 26);
    frame = { left, right: width - 12, top, bottom, width };
    const room = (frame.right - left) / Math.max(data.categories.length, 1);
    const [least, most] = [steps[0].value, steps.at(-1).value];
    const spread = chart.type === "bar" || data.categories.length < 2;
    scale = {
      low: least, high: most, steps, room,
      x: (index) => (spread ? left + room * (index + 0.5) : left + 8 + ((frame.right - left - 16) * index) / (data.categories.length - 1)),
      y: (value) => bottom - ((value - least) / (most - least)) * (bottom - top),
    };
    const marks = chart.type === "bar" ? bars(data, scale, room) : curves(data, scale, chart.type === "area");
    const label = `${title}. ${chart.type} chart, ${data.series.length} series over ${data.categories.length} categories. Use the arrow keys to read values.`;
    replace(canvas, svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": label, tabindex: "0" },
      axes(frame, scale, data, chart.axis_config), svg("line", { class: "cursor", y1: top, y2: bottom, x1: -9, x2: -9 }), marks), tip);
  };

  const show = (index) => {
    chosen = index;
    const cursor = canvas.querySelector(".cursor");
    tip.hidden = index === null;
    const x = index === null ? -9 : scale.x(index);
    cursor?.setAttribute("x1", x);
    cursor?.setAttribute("x2", x);
    if (index === null) return;
    replace(tip, h("strong", null, data.categories[index]), data.series.map((one, position) =>
      h("span", { class: `s${position % 12}` }, h("i"), `${one.name || "value"}: `, h("b", null, one.values[index] === null ? "no value" : number(one.values[index])))));
    tip.style.setProperty("--x", `${Math.min(Math.max(x, 70), frame.width - 70)}px`);
  };

  const nearest = (event) => {
    const x = event.clientX - canvas.getBoundingClientRect().left;
    const far = data.categories.map((_, index) => Math.abs(scale.x(index) - x));
    return far.length ? far.indexOf(Math.min(...far)) : null;
  };
  canvas.addEventListener("pointermove", (event) => show(nearest(event)));
  canvas.addEventListener("pointerdown", (event) => show(nearest(event)));
  canvas.addEventListener("pointerleave", () => show(null));
  canvas.addEventListener("focusout", () => show(null));
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !data.categories.length) return;
    event.preventDefault();
    show(Math.min(Math.max((chosen ?? (step > 0 ? -1 : data.categories.length)) + step, 0), data.categories.length - 1));
  });

  draw(560);
  let drawn = 560;
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (width < 60 || width === drawn) return;
    drawn = width;
    draw(width);
  }).observe(canvas);
  figure.append(canvas);
}

/** A figure for one data_visualization block. */
export function chart(block) {
  const title = String(block.title ?? "Chart");
  const given = block.chart ?? {};
  const figure = h("figure", { class: "chart", data: { form: given.type ?? "" } }, h("figcaption", null, title));
  if (given.type === "pie") {
    figure.append(...pie(given, title));
    return figure;
  }
  if (!["line", "bar", "area"].includes(given.type)) {
    figure.append(h("p", { class: "unknown-block" }, `Unknown chart type “${given.type}”`));
    return figure;
  }
  const data = chartData(given);
  plot(figure, given, data, title);
  const names = legend(data);
  if (names) figure.append(names);
  figure.append(h("div", { class: "sr-only" }, asTable(title, data)));
  return figure;
}
