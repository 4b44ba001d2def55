// Charts of one subject, drawn into SVG from its track: plain functions of the data.

const SVG = "http://www.w3.org/2000/svg";
export const LEFT = "#0072B2", RIGHT = "#D55E00", BOTH = "#4D4D4D", DEPTH = "#009E73";
export const INK = "#1b1b1b", GRID = "#dcdcdc", NORMAL = "#E3E3E3";
export const BOX = { left: 46, right: 408, top: 14, bottom: 172 };

export function element(parent, name, attributes = {}, text = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "style") made.style.cssText = value; // an attribute would be an inline style, which the page forbids
    else made.setAttribute(key, value);
  }
  if (text !== null) made.textContent = text;
  parent.append(made);
  return made;
}

function blend(colour, share) {
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return `rgb(${parts.map((part) => Math.round(194 + (part - 194) * share)).join(",")})`;
}

export const groupColour = (group) => blend(group < 3 ? RIGHT : LEFT, Math.abs(group - 3) / 3);

const eyeColour = (eye) => ({ left: LEFT, right: RIGHT, both: BOTH })[eye] ?? BOTH;

// Share of units per unit of RSV, on `count` places from -1 to 1; smoothed by a Gaussian, mirrored at both ends.
export function densityOf(rsv, count, width = 0.08) {
  const places = Array.from({ length: count }, (_, i) => -1 + (2 * (i + 0.5)) / count);
  const kernel = (distance) => Math.exp(-0.5 * (distance / width) ** 2) / (width * Math.sqrt(2 * Math.PI));
  return places.map((at) => {
    let sum = 0;
    for (const value of rsv) sum += kernel(at - value) + kernel(at - (2 - value)) + kernel(at - (-2 - value));
    return rsv.length ? sum / rsv.length : 0;
  });
}

export function describe(svg, text) {
  svg.setAttribute("aria-label", text);
}

// The animal's shares, group 1 (right eye only) first; three parts where no groups were published.
export function sharesOf(animal, deprived) {
  return deprived === "left" ? [...animal.shares].reverse() : animal.shares;
}

const ANIMAL = "#8C8C8C";

// Bars of one area of a frame, in per cent of its units; in grey beside them the animal's, if one is given.
export function histogram(svg, frame, area, animal = null, deprived = "right") {
  svg.replaceChildren();
  const { left, right, top, bottom } = BOX;
  const { groups, rsv, silent } = frame.areas[area];
  const all = Math.max(groups.reduce((a, b) => a + b, 0) + silent, 1);
  const height = (share) => (bottom - top) * share;
  for (const share of [0, 0.5, 1]) {
    const y = bottom - height(share);
    element(svg, "line", { x1: left, x2: right, y1: y, y2: y, stroke: GRID });
    element(svg, "text", { x: left - 5, y: y + 4, "text-anchor": "end" }, `${100 * share} %`);
  }
  const step = (right - left) / 7;
  const wide = animal ? 0.52 * step : step - 6;
  groups.forEach((count, group) => {
    const x = left + step * group + 3;
    const tall = height(count / all);
    element(svg, "rect", { x, y: bottom - tall, width: wide, height: tall, fill: groupColour(group), class: "bar" });
    if (count) element(svg, "text", { x: x + wide / 2, y: bottom - tall - 3, "text-anchor": "middle" }, count);
    element(svg, "text", { x: left + step * (group + 0.5), y: bottom + 14, "text-anchor": "middle" }, group + 1);
  });
  if (animal) besides(svg, sharesOf(animal, deprived), step, height);
  const curve = densityOf(rsv, 70);
  // The line has no scale of its own: it is as high as the highest bar.
  const tallest = Math.max(...groups) / all / Math.max(...curve, 1e-9);
  const points = curve.map((value, i) => `${(left + ((i + 0.5) * (right - left)) / 70).toFixed(1)},${(bottom - height(value * tallest)).toFixed(1)}`);
  if (!animal) element(svg, "polyline", { points: points.join(" "), fill: "none", stroke: INK, "stroke-width": 1.3 });
  ends(svg);
  const names = groups.map((count, group) => `group ${group + 1}: ${count}`).join(", ");
  describe(svg, `Units in the seven groups from right eye only (1) to left eye only (7). ${names}; silent: ${silent}.`);
}

function besides(svg, shares, step, height) {
  const { left, bottom } = BOX;
  const bar = (x, width, share) => element(svg, "rect", { x, y: bottom - height(share), width, height: height(share), fill: ANIMAL, class: "animal" });
  if (shares.length === 7) {
    shares.forEach((share, group) => bar(left + step * group + 4 + 0.52 * step, 0.3 * step, share));
    return;
  }
  bar(left + 4 + 0.52 * step, 0.3 * step, shares[0]);
  bar(left + step * 6 + 4 + 0.52 * step, 0.3 * step, shares[2]);
  // Of groups 2 to 6 only the sum was published: drawn as one open box, as high as if they were alike.
  const y = bottom - height(shares[1] / 5);
  element(svg, "rect", { x: left + step + 3, y, width: 5 * step - 6, height: bottom - y, fill: "none", stroke: ANIMAL, "stroke-width": 2, "stroke-dasharray": "5 3", class: "animal" });
  element(svg, "text", { x: left + 3.5 * step, y: BOX.top + 8, "text-anchor": "middle", style: "fill:#555" }, `animal: groups 2 to 6 together ${Math.round(100 * shares[1])} %`);
}

function ends(svg) {
  const y = 204;
  element(svg, "text", { x: BOX.left, y, fill: "#A84A00", style: "fill:#A84A00;font-weight:600" }, "right eye only");
  element(svg, "text", { x: (BOX.left + BOX.right) / 2, y, "text-anchor": "middle" }, "both alike");
  element(svg, "text", { x: BOX.right, y, "text-anchor": "end", style: `fill:${LEFT};font-weight:600` }, "left eye only");
}

function ageAxis(svg, last, shown) {
  const { left, right, top, bottom } = BOX;
  const x = (age) => left + ((right - left) * age) / last;
  const step = [1, 2, 5, 10, 20, 50, 100, 200].find((candidate) => last / candidate <= 8) ?? 500;
  for (let age = 0; age <= last; age += step) {
    element(svg, "text", { x: x(age), y: bottom + 14, "text-anchor": "middle" }, age);
  }
  element(svg, "text", { x: (left + right) / 2, y: 204, "text-anchor": "middle" }, "age in epochs");
  element(svg, "line", { x1: x(shown), x2: x(shown), y1: top - 6, y2: bottom, stroke: INK, "stroke-dasharray": "3 3" });
  return x;
}

function doneBar(svg, stretches, x, y, height) {
  for (const stretch of stretches) {
    if (stretch.eye) element(svg, "rect", { x: x(stretch.start), y, width: Math.max(1, x(stretch.stop) - x(stretch.start)), height, fill: eyeColour(stretch.eye) });
  }
}

export function strip(svg, track, last, shown) {
  svg.replaceChildren();
  const wide = Math.max(svg.clientWidth, 200);
  svg.setAttribute("viewBox", `0 0 ${wide} 46`);
  const left = 10, right = wide - 14;
  const x = (age) => left + ((right - left) * age) / last;
  element(svg, "rect", { x: left, y: 4, width: right - left, height: 22, fill: "#fff", stroke: "#c9c9c9" });
  for (const stretch of track.stretches) {
    const width = x(stretch.stop) - x(stretch.start);
    const bar = element(svg, "rect", { x: x(stretch.start), y: 4, width, height: 22, fill: stretch.eye ? eyeColour(stretch.eye) : NORMAL });
    element(bar, "title", {}, `${stretch.text}, epochs ${stretch.start} to ${stretch.stop}`);
    const words = stretch.text;
    if (words.length * 6.4 < width) {
      element(svg, "text", { x: x(stretch.start) + 5, y: 19, style: stretch.eye ? "fill:#fff;font-size:12px;paint-order:stroke;stroke:rgba(0,0,0,.6);stroke-width:2.5px" : "font-size:12px" }, words);
    }
  }
  element(svg, "path", { d: `M ${x(shown)} 27 l 5 8 l -10 0 z`, fill: INK });
  element(svg, "text", { x: left, y: 42, "text-anchor": "middle" }, 0);
  element(svg, "text", { x: right, y: 42, "text-anchor": "middle" }, last);
  const told = track.stretches.map((s) => `epochs ${s.start} to ${s.stop}: ${s.text}`).join("; ");
  describe(svg, told || "Nothing has been done yet.");
}

const BINS = 48;

// Columns already computed, kept with the frame: a frame never changes.
function column(frame, area) {
  const units = frame.areas[area];
  units.density ??= densityOf(units.rsv, BINS, 0.06);
  return units.density;
}

export function density(svg, canvas, track, last, shown, area) {
  svg.replaceChildren();
  const { left, right, top, bottom } = BOX;
  canvas.width = last + 1;
  canvas.height = BINS;
  const context = canvas.getContext("2d");
  const picture = context.createImageData(last + 1, BINS);
  picture.data.fill(255);
  track.frames.forEach((frame, number) => {
    // A frame stands for the epochs since the one before: files may have been measured less often.
    const from = number ? track.frames[number - 1].age + 1 : 0;
    column(frame, area).forEach((value, bin) => {
      const grey = Math.round(255 * (1 - Math.min(1, Math.sqrt(value / 4))));
      for (let age = from; age <= Math.min(frame.age, last); age++) {
        const at = 4 * ((BINS - 1 - bin) * (last + 1) + age);
        picture.data[at] = picture.data[at + 1] = picture.data[at + 2] = grey;
      }
    });
  });
  context.putImageData(picture, 0, 0);
  element(svg, "rect", { x: left, y: top, width: right - left, height: bottom - top, fill: "none", stroke: "#888" });
  const x = ageAxis(svg, last, shown);
  doneBar(svg, track.stretches, x, top - 8, 6);
  for (const [y, words, colour] of [[top + 10, "left", LEFT], [(top + bottom) / 2 + 4, "both", INK], [bottom - 2, "right", "#A84A00"]]) {
    element(svg, "text", { x: left - 6, y, "text-anchor": "end", style: `fill:${colour};font-weight:600` }, words);
  }
  const frame = [...track.frames].reverse().find((f) => f.age <= shown) ?? track.frames[0];
  describe(svg, `Distribution of units between the eyes through age. At age ${frame.age} the mean is ${frame.areas[area].mean ?? "not defined"}, from -1 (right eye only) to 1 (left eye only).`);
}

export const LINES = [
  ["stereopsis", "depth, both eyes", DEPTH, "", 2.6],
  ["accuracy_left_only", "left eye alone", LEFT, "7 3", 1.8],
  ["accuracy_right_only", "right eye alone", RIGHT, "2 2.5", 2.2],
];

export function vision(svg, legend, track, last, shown) {
  svg.replaceChildren();
  const { left, right, top, bottom } = BOX;
  const y = (share) => bottom - (bottom - top) * share;
  for (const share of [0, 0.5, 1]) {
    element(svg, "line", { x1: left, x2: right, y1: y(share), y2: y(share), stroke: GRID });
    element(svg, "text", { x: left - 5, y: y(share) + 4, "text-anchor": "end" }, `${share * 100} %`);
  }
  const x = ageAxis(svg, last, shown);
  doneBar(svg, track.stretches, x, top - 8, 6);
  const told = [];
  legend.replaceChildren();
  for (const [name, words, colour, dash, width] of LINES) {
    const rows = track.frames.filter((frame) => name in frame.scores);
    if (!rows.length && name !== "stereopsis") continue;
    const points = rows.map((frame) => `${x(frame.age).toFixed(1)},${y(frame.scores[name]).toFixed(1)}`).join(" ");
    element(svg, "polyline", { points, fill: "none", stroke: colour, "stroke-width": width, "stroke-dasharray": dash });
    if (name in track.chance) {
      const chance = y(track.chance[name]);
      element(svg, "line", { x1: left, x2: right, y1: chance, y2: chance, stroke: colour, "stroke-width": 0.8, "stroke-dasharray": "1 4" });
    }
    const now = rows.findLast((frame) => frame.age <= shown);
    if (now) element(svg, "circle", { cx: x(now.age), cy: y(now.scores[name]), r: 3.2, fill: colour });
    const text = `${words}${now ? ` ${Math.round(100 * now.scores[name])} %` : ""}`;
    const entry = document.createElement("span");
    const sample = element(entry, "svg", { viewBox: "0 0 24 8", class: "sample", "aria-hidden": "true" });
    element(sample, "line", { x1: 0, x2: 24, y1: 4, y2: 4, stroke: colour, "stroke-width": width, "stroke-dasharray": dash });
    entry.append(text);
    legend.append(entry);
    told.push(text);
  }
  describe(svg, `Share of right answers at age ${shown}: ${told.join(", ")}.`);
}

function bytes(packed) {
  const text = atob(packed.data);
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

// Draw one grey picture out of a packed array whose last two axes are rows and columns.
export function picture(canvas, packed, number) {
  const [height, width] = packed.shape.slice(-2);
  packed.bytes ??= bytes(packed);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const start = number * width * height;
  for (let i = 0; i < width * height; i++) {
    image.data[4 * i] = image.data[4 * i + 1] = image.data[4 * i + 2] = packed.bytes[start + i];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

export function fields(place, frame) {
  place.closest("figure").hidden = !frame.fields;
  if (!frame.fields) return;
  const count = frame.fields.shape[0];
  if (place.dataset.count !== String(count)) {
    place.replaceChildren();
    for (let unit = 0; unit < count; unit++) {
      const pair = document.createElement("div");
      for (const eye of ["left", "right"]) pair.append(Object.assign(document.createElement("canvas"), { className: eye }));
      place.append(pair);
    }
    place.dataset.count = String(count);
  }
  place.querySelectorAll("canvas").forEach((canvas, number) => picture(canvas, frame.fields, number));
  describe(place, `Receptive fields of ${count} units at age ${frame.age}, left eye and right eye side by side.`);
}
