// What the page says about a subject, in plain words.
//
// One definition everywhere, the physiologists': a unit in group 1 or 7 answers to one eye alone, a unit in groups 2 to
// 6 to both: it is binocular.

const percent = (share) => `${Math.round(100 * share)} %`;

export function counts({ groups }) {
  const all = groups.reduce((a, b) => a + b, 0);
  return { all, right: groups[0], left: groups[6], both: all - groups[0] - groups[6] };
}

// 0 = all units in group 1 (right eye only), 0.5 = balance, 1 = all in group 7; null where all are silent.
export function balance({ groups }) {
  const all = groups.reduce((a, b) => a + b, 0);
  return all ? groups.reduce((sum, count, group) => sum + count * group, 0) / (6 * all) : null;
}

// A verdict that stays until something speaks clearly against it, so that it does not flip with a picture more or less:
// true from `high` on until the value falls below `low`.
export function held(values, low, high) {
  let verdict = null;
  for (const value of values) {
    if (value === null || value === undefined) continue;
    if (verdict === null) verdict = value >= (low + high) / 2;
    else if (verdict ? value < low : value > high) verdict = !verdict;
  }
  return verdict;
}

// The mean of the last three tests at each age: one test of 300 pictures is uncertain by three per cent.
function smooth(frames, name) {
  const tested = frames.filter((frame) => name in frame.scores).map((frame) => frame.scores[name]);
  return tested.map((_, at) => {
    const last = tested.slice(Math.max(0, at - 2), at + 1);
    return last.reduce((a, b) => a + b, 0) / last.length;
  });
}

const UNITS = { first_binocular: "cells where the eyes first meet", representation: "units of the last stage" };
export const AREAS = { first_binocular: "the first cells that hear both eyes", representation: "the last stage before the answer" };

export function saying(track, frame, area) {
  const { all, right, left, both } = counts(frame.areas[area]);
  if (!all) return "No unit answers to anything.";
  const past = track.frames.filter((candidate) => candidate.age <= frame.age);
  const leans = past.map((candidate) => balance(candidate.areas[area]));
  const first = held(leans, 0.66, 0.76)
    ? "Turned to the left eye."
    : held(leans.map((lean) => (lean === null ? null : 1 - lean)), 0.66, 0.76)
      ? "Turned to the right eye."
      : "Two-eyed.";
  const second = `Of ${all} ${UNITS[area] ?? "units"}, ${both} answer to both eyes, ${right} to the right eye alone, ${left} to the left alone.`;
  if (frame.age === 0) return `${first} ${second} It has just been born and has seen nothing: let it grow, or start a classic experiment.`;
  return [first, second, opening(track, frame, area), depth(track, past)].filter(Boolean).join(" ");
}

function depth(track, past) {
  const tested = smooth(past, "stereopsis");
  if (!tested.length) return "";
  const chance = track.chance.stereopsis ?? 0.5;
  const numbers = `near or far right in ${percent(tested.at(-1))} of the pictures, a coin gets ${percent(chance)}`;
  return held(tested, chance + 0.12, chance + 0.2) ? `It sees depth (${numbers}).` : `It does not see depth (${numbers}).`;
}

// What happens when a lid opens: nothing at once; and what has happened since.
function opening(track, frame, area) {
  const shut = track.stretches.findLast((stretch) => stretch.stop <= frame.age && stretch.eye);
  const next = track.stretches.find((stretch) => stretch.start === shut?.stop);
  if (!shut || shut.eye === "both" || !next || next.eye || next.stop < frame.age) return "";
  const then = track.frames.findLast((candidate) => candidate.age <= shut.stop);
  if (!then) return "";
  const from = shut.eye === "left" ? 0 : 5;
  const lost = (which) => which.areas[area].groups[from] + which.areas[area].groups[from + 1];
  const groups = shut.eye === "left" ? "groups 1 and 2" : "groups 6 and 7";
  if (frame.age === shut.stop) return `Both eyes are open from now on. Nothing changes at once: cells change only as it goes on learning. ${lost(frame)} lie in ${groups} now.`;
  return `Both eyes have been open since epoch ${shut.stop}: then ${lost(then)} lay in ${groups}, now ${lost(frame)} do.`;
}

export function beside(animals, frame, area) {
  if (area !== "first_binocular" || !animals) return null;
  const found = frame.animal && animals[frame.animal.key];
  return found ? { ...found, deprived: frame.animal.deprived } : null;
}

export function nameOf(animal) {
  return `Grey: ${animal.name}${animal.cells ? `, ${animal.cells} cells` : ""} (${animal.reference.split(",")[0]}).`;
}

// Classes of the scenes are an outline and a depth.
export function sceneName(name) {
  const found = /^(\S+) (near|far)$/.exec(name);
  if (!found) return name;
  return `a ${found[1]}, ${found[2] === "near" ? "nearer" : "farther"} than its background.`;
}

const EXPERIMENTS = {
  "normal": "The control: what does an undisturbed life lead to? Lay the others beside it.",
  "closed-early": "Wiesel and Hubel's kitten. Look at the epoch in which the eye opens: do the cells come back?",
  "closed-late": "The same closure, in an adult. Compare the histogram and depth at the end with the early closure.",
  "both-closed": "Both eyes lose equally. Does it harm the balance between the eyes as one closed eye did?",
  "reverse": "First the right eye is closed, then the left. Can the right eye win the cells back?",
  "squint": "Both eyes see well, but never the same. Watch depth while the prism is on, and after it is gone.",
  "blurred-early": "A cataract instead of a lid: some light and shape get through. Is it as bad as a closed lid?",
};

export const about = (experiment) => EXPERIMENTS[experiment.name] ?? experiment.phases.join("; then ");
