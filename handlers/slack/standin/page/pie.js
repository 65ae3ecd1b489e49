// A pie's segments as a ring, with every label, value and share written beside it.

import { h, svg } from "./dom.js";

const RADIUS = 62;
const RING = 2 * Math.PI * RADIUS;

const plain = (value) => value.toLocaleString("en", { maximumFractionDigits: 4 });

/** The ring and its legend. Segments without a positive value are listed and not drawn. */
export function pie(chart, title) {
  const segments = (chart.segments ?? []).map((one) => ({ label: String(one.label), value: Number.isFinite(one.value) ? one.value : null }));
  const whole = segments.reduce((sum, one) => sum + Math.max(one.value ?? 0, 0), 0);
  const share = (one) => (whole > 0 ? Math.max(one.value ?? 0, 0) / whole : 0);
  let turned = 0;
  const arcs = segments.map((one, position) => {
    const length = share(one) * RING;
    const gap = length > 4 && segments.length > 1 ? 1.5 : 0;
    const arc = svg("circle", {
      class: `arc s${position % 12}`, cx: 90, cy: 90, r: RADIUS, fill: "none", "stroke-width": 34,
      "stroke-dasharray": `${Math.max(length - gap, 0)} ${RING}`, transform: `rotate(${-90 + (turned / RING) * 360} 90 90)`,
    });
    turned += length;
    return length > 0 ? arc : null;
  });
  const rows = segments.map((one, position) =>
    h("li", { class: `s${position % 12}` }, h("i"), h("span", null, one.label), h("b", null, one.value === null ? "no value" : plain(one.value)),
      h("em", null, `${(share(one) * 100).toFixed(share(one) < 0.1 && share(one) > 0 ? 1 : 0)} %`)));
  return [
    h("div", { class: "canvas pie" },
      svg("svg", { viewBox: "0 0 180 180", width: 180, height: 180, role: "img", "aria-label": `${title}: pie chart, values beside it` }, arcs),
      h("ul", { class: "legend values" }, rows)),
  ];
}
