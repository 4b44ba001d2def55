// What the page says about a subject, in plain words.

const percent = (share) => `${Math.round(100 * share)} %`;

export function saying(track, frame) {
  const units = frame.groups.reduce((a, b) => a + b, 0);
  if (!units) return "No unit answers to anything.";
  const left = frame.groups[5] + frame.groups[6];
  const right = frame.groups[0] + frame.groups[1];
  const both = units - left - right;
  let first;
  if (both / units >= 0.6) first = `Two-eyed: ${both} of ${units} units listen to both eyes.`;
  else if (left / units >= 0.6) first = `Turned to the left eye: ${left} of ${units} units hardly listen to the right.`;
  else if (right / units >= 0.6) first = `Turned to the right eye: ${right} of ${units} units hardly listen to the left.`;
  else first = `In between: ${left} of ${units} units belong to the left eye, ${right} to the right, ${both} to both.`;
  const depth = frame.scores.stereopsis;
  if (frame.age === 0) return `${first} It has just been born and has seen nothing: press Rear, or start a classic experiment.`;
  if (depth === undefined) return first;
  const chance = track.chance.stereopsis ?? 0.5;
  const second = depth < chance + 0.06
    ? `It cannot tell near from far (${percent(depth)}; a coin gets ${percent(chance)}).`
    : `It tells near from far in ${percent(depth)} of the pictures (a coin gets ${percent(chance)}).`;
  return `${first} ${second}`;
}

// Classes of the scenes are an outline and a depth.
export function sceneName(name) {
  const found = /^(\S+) (near|far)$/.exec(name);
  if (!found) return name;
  return `a ${found[1]}, ${found[2] === "near" ? "nearer" : "farther"} than its background.`;
}

const EXPERIMENTS = {
  "normal": "The control: what does an undisturbed life lead to? Keep it, and rear littermates beside it.",
  "closed-early": "Wiesel and Hubel's kitten. Look at epoch 20, when the eye opens: do the units come back?",
  "closed-late": "The same closure, in an adult. Compare the histogram and depth at the end with the early closure.",
  "both-closed": "Both eyes lose equally. Does it harm the balance between the eyes as one closed eye did?",
  "reverse": "First the right eye is closed, then the left. Can the right eye win the units back?",
  "squint": "Both eyes see well, but never the same. Watch depth while the prism is on, and after it is gone.",
  "blurred-early": "A cataract instead of a lid: some light and shape get through. Is it as bad as a closed lid?",
};

export const about = (experiment) => EXPERIMENTS[experiment.name] ?? experiment.phases.join("; then ");
