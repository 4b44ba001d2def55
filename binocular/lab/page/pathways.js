// Two linear pathways that learn the same answer, as in lab 5: what `binocular.linear.race` solves, live in the page.
//
// The left eye's pathway passes on K_l = p_l^D, the right one's K_r = p_r^D, and the answer 1 is what both should add up
// to. Each of the D synapses of a pathway learns by what it has, p^(D - 1), times what is still missing, 1 - K_l - K_r.
// A closed eye passes nothing on and learns nothing.

import { BOX, describe, element, GRID, INK, LEFT, RIGHT } from "./charts.js";

const UNTIL = 60; // the last lid opens at 55, and the pathways have settled by then
const LATEST = 40; // onset of a closure
const STEP = 0.05; // every position of a slider is a multiple of it, so that no step crosses the moment a lid moves
const FAINT = 0.01; // what each pathway passes on in the beginning, whatever the depth

// Contributions of the left and the right pathway at 0, STEP, 2 STEP and so on; `common` is the correlation between
// what the eyes see. Steps of the fourth order (Runge and Kutta).
export function grow({ depth, closed = [0, 0], patched = [0, 0], common = 1, until = UNTIL }) {
  const passes = (p) => p ** depth;
  const slope = ([left, right], open) => {
    const k = [open[0] * passes(left), open[1] * passes(right)];
    return [open[0] * left ** (depth - 1) * (1 - k[0] - common * k[1]), open[1] * right ** (depth - 1) * (1 - k[1] - common * k[0])];
  };
  const moved = (p, change, by) => [p[0] + by * change[0], p[1] + by * change[1]];
  const sees = ([from, to], moment) => (from <= moment && moment < to ? 0 : 1);
  let p = [FAINT ** (1 / depth), FAINT ** (1 / depth)];
  const course = [p.map(passes)];
  for (let step = 0; step < Math.round(until / STEP); step++) {
    const open = [sees(patched, (step + 0.5) * STEP), sees(closed, (step + 0.5) * STEP)];
    const a = slope(p, open);
    const b = slope(moved(p, a, STEP / 2), open);
    const c = slope(moved(p, b, STEP / 2), open);
    const d = slope(moved(p, c, STEP), open);
    p = p.map((value, eye) => value + (STEP / 6) * (a[eye] + 2 * b[eye] + 2 * c[eye] + d[eye]));
    course.push(p.map(passes));
  }
  return course;
}

const shareOf = ([left, right]) => right / (left + right);

// The right pathway's share in the end, for the same closure at every onset.
function sharesByOnset({ depth, closed, common }) {
  const long = closed[1] - closed[0];
  return Array.from({ length: LATEST + 1 }, (_, onset) => [onset, shareOf(grow({ depth, closed: [onset, onset + long], common }).at(-1))]);
}

function frameOf(svg, last, top, xWords, tick) {
  svg.replaceChildren();
  const x = (moment) => BOX.left + ((BOX.right - BOX.left) * moment) / last;
  const y = (part) => BOX.bottom - ((BOX.bottom - BOX.top) * part) / top;
  for (const part of [0, top / 2, top]) {
    element(svg, "line", { x1: BOX.left, x2: BOX.right, y1: y(part), y2: y(part), stroke: GRID });
    element(svg, "text", { x: BOX.left - 5, y: y(part) + 4, "text-anchor": "end" }, `${Math.round(100 * part)} %`);
  }
  for (let moment = 0; moment <= last; moment += tick) element(svg, "text", { x: x(moment), y: BOX.bottom + 14, "text-anchor": "middle" }, moment);
  element(svg, "text", { x: (BOX.left + BOX.right) / 2, y: 204, "text-anchor": "middle" }, xWords);
  return [x, y];
}

const line = (svg, points, colour, dash = "") =>
  element(svg, "polyline", { points: points.map((point) => point.map((value) => value.toFixed(1)).join(",")).join(" "), fill: "none", stroke: colour, "stroke-width": 2.2, "stroke-dasharray": dash });

function drawCourse(svg, course, { closed, patched }) {
  const [x, y] = frameOf(svg, UNTIL, 1, "time", 10);
  for (const [[from, to], colour] of [[closed, RIGHT], [patched, LEFT]]) {
    const end = Math.min(to, UNTIL);
    if (end > from) element(svg, "rect", { x: x(from), y: BOX.top - 8, width: x(end) - x(from), height: BOX.bottom - BOX.top + 8, fill: colour, opacity: 0.14 });
  }
  const points = (eye) => course.map((parts, step) => [x(step * STEP), y(parts[eye])]).filter((_, step) => step % 4 === 0);
  line(svg, points(0), LEFT, "7 4");
  line(svg, points(1), RIGHT, "2 3");
  describe(svg, `What the pathways pass on from time 0 to ${UNTIL}; in the end left ${percentOf(course.at(-1)[0])}, right ${percentOf(course.at(-1)[1])}.`);
}

function drawOnsets(svg, shares, onset) {
  const [x, y] = frameOf(svg, LATEST, 0.6, "the closure begins at", 10);
  line(svg, shares.map(([moment, share]) => [x(moment), y(share)]), INK);
  element(svg, "circle", { cx: x(onset), cy: y(shares[onset][1]), r: 4.5, fill: RIGHT });
  const told = shares.filter(([moment]) => moment % 10 === 0).map(([moment, share]) => `at ${moment}: ${percentOf(share)}`);
  describe(svg, `The right pathway's share in the end, by the onset of the closure. ${told.join(", ")}.`);
}

const percentOf = (part) => `${Math.round(100 * part)} %`;

function verdictOf(end, { patched, common }) {
  const share = shareOf(end);
  const numbers = `In the end the left pathway passes on ${percentOf(end[0])} of the answer, the right one ${percentOf(end[1])}.`;
  if (common === 0) return `${numbers} What the eyes see has nothing in common, so neither can answer for the other: there is no competition.`;
  if (share < 0.1) return `${numbers} Together they are right, nothing is missing any more, and so the right one never catches up, however long you wait.`;
  if (share > 0.9) return `${numbers} Now the left eye is the lazy one.`;
  if (Math.abs(share - 0.5) < 0.05) return patched[1] > patched[0] ? `${numbers} The patch has brought the balance back.` : `${numbers} Both have equal parts.`;
  return `${numbers} The ${share < 0.5 ? "right" : "left"} one has less, but is not lost.`;
}

const PRESETS = {
  "both eyes open": { "closed-for": 0, "patched-for": 0 },
  "closed early": { "closed-at": 0, "closed-for": 10, "patched-for": 0 },
  "closed late": { "closed-at": 30, "closed-for": 10, "patched-for": 0 },
  "closed early, then a patch": { "closed-at": 0, "closed-for": 10, "patched-at": 20, "patched-for": 10 },
};

// Let the section run: every slider redraws at once.
export function setUpPathways(section) {
  const part = (name) => section.querySelector(`#why-${name}`);
  const number = (name) => Number(part(name).value);
  const show = () => {
    for (const slider of section.querySelectorAll("input[type=range]")) part(`${slider.id.slice(4)}-value`).textContent = slider.value;
    const settings = {
      depth: number("depth"),
      closed: [number("closed-at"), number("closed-at") + number("closed-for")],
      patched: [number("patched-at"), number("patched-at") + number("patched-for")],
      common: part("unrelated").checked ? 0 : 1,
    };
    const course = grow(settings);
    drawCourse(part("course"), course, settings);
    drawOnsets(part("onsets"), sharesByOnset(settings), settings.closed[0]);
    part("verdict").textContent = verdictOf(course.at(-1), settings);
  };
  section.addEventListener("input", show);
  const buttons = Object.entries(PRESETS).map(([words, values]) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: words });
    button.addEventListener("click", () => {
      for (const [name, value] of Object.entries(values)) part(name).value = value;
      show();
    });
    return button;
  });
  part("presets").replaceChildren(...buttons);
  show();
}
