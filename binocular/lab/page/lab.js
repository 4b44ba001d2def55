// The page: state, the live connection, and the controls.

import { density, fields, histogram, picture, strip, vision } from "./charts.js";
import { setUpPathways } from "./pathways.js";
import { about, AREAS, balance, beside, counts, nameOf, saying, sceneName } from "./words.js";

const at = (id) => document.getElementById(id);
const on = (id, kind, act) => at(id).addEventListener(kind, act);
const made = (kind, properties) => Object.assign(document.createElement(kind), properties);
const EYES = ["left", "right"];
const SLIDERS = {
  blur: { min: 0, max: 4, step: 0.5, value: 0 },
  noise: { min: 0, max: 3, step: 0.25, value: 0 },
  contrast: { min: 0.05, max: 1, step: 0.05, value: 1 },
};

const state = {
  live: new Map(), // tracks by name, as they are reared
  file: null, // { name, tracks } while a study is shown
  status: null,
  age: null, // shown age; null follows the newest
  example: 0, // which of the pictures is shown
  experiments: [],
  animals: {},
  area: "first_binocular", // where is recorded from
  due: false, // whether something new waits to be drawn in the next frame of the screen
};
window.lab = state; // for the curious, and for the tests

function show(changes) {
  Object.assign(state, changes);
  redraw();
}

// ---- the live connection ----

let socket = null;
let wait = 500;

function connect() {
  const address = new URL("live", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(address);
  socket.onopen = () => {
    wait = 500;
    at("connection").textContent = "";
  };
  socket.onmessage = (event) => receive(JSON.parse(event.data));
  socket.onclose = () => {
    at("connection").textContent = "The lab does not answer; trying again. Was it closed in the terminal?";
    setTimeout(connect, wait);
    wait = Math.min(2 * wait, 5000);
  };
}

function send(wish, values = {}) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ do: wish, ...values }));
}

function receive(message) {
  if (message.type === "hello") {
    state.live = new Map(message.tracks.map((track) => [track.name, track]));
    state.experiments = message.experiments;
    state.animals = message.animals;
    offerExperiments(begin);
    takeStatus(message.status);
  } else if (message.type === "frame") {
    takeFrame(message);
  } else if (message.type === "track") {
    state.live.set(message.track.name, message.track);
    for (const name of state.live.keys()) if (!message.litter.includes(name)) state.live.delete(name);
    state.age = null;
  } else if (message.type === "status") {
    takeStatus(message);
  } else if (message.type === "trouble") {
    complain(message.text);
  }
  redraw();
}

function takeFrame({ track: name, frame, stretch }) {
  const track = state.live.get(name);
  if (!track || track.frames.at(-1).age >= frame.age) return;
  track.frames.push(frame);
  const last = track.stretches.at(-1);
  if (last && last.start === stretch.start) {
    track.stretches[track.stretches.length - 1] = { ...stretch, pictures: stretch.pictures ?? last.pictures };
  } else {
    track.stretches.push(stretch);
  }
}

let touched = -Infinity; // when a control was last moved here: the echo of an older position must not move it back

function takeStatus(status) {
  state.status = status;
  at("play").textContent = status.playing ? "Pause" : "Rear";
  at("step").disabled = status.playing;
  press((button) => button.dataset.name === status.experiment);
  const radio = document.querySelector(`input[name="who"][value="${status.active}"]`);
  if (radio) radio.checked = true;
  if (document.activeElement !== at("seed")) at("seed").value = status.seed;
  const speeds = [...at("speed").options].map((option) => option.value);
  const speed = speeds.find((value) => Number(value) === status.pause);
  if (speed !== undefined) at("speed").value = speed;
  if (performance.now() - touched > 600) showControls(status.controls);
  at("now").textContent = `Now: ${status.look.text}.`;
}

function press(isShown) {
  for (const button of document.querySelectorAll("#experiments button")) button.setAttribute("aria-pressed", String(isShown(button)));
}

// ---- the controls ----

function showControls(controls) {
  for (const eye of EYES) {
    at(`${eye}-closed`).checked = controls[eye].closed;
    for (const slider in SLIDERS) at(`${eye}-${slider}`).value = controls[eye][slider];
  }
  at("prism").value = controls.prism;
  label();
}

function label() {
  for (const eye of EYES) {
    at(`${eye}-blur-value`).textContent = value(`${eye}-blur`) ? `${value(`${eye}-blur`)} pixels` : "none";
    at(`${eye}-noise-value`).textContent = value(`${eye}-noise`) || "none";
    at(`${eye}-contrast-value`).textContent = `${Math.round(100 * value(`${eye}-contrast`))} %`;
  }
  const prism = value("prism");
  at("prism-value").textContent = prism ? `${Math.abs(prism)} pixels ${prism > 0 ? "right" : "left"}` : "none";
}

const value = (id) => Number(at(id).value);

function readControls() {
  const eyes = EYES.map((eye) => [
    eye,
    { closed: at(`${eye}-closed`).checked, ...Object.fromEntries(Object.keys(SLIDERS).map((slider) => [slider, value(`${eye}-${slider}`)])) },
  ]);
  return { ...Object.fromEntries(eyes), prism: value("prism") };
}

let sending = null;

function controlsMoved() {
  touched = performance.now();
  label();
  sending ??= setTimeout(() => {
    sending = null;
    send("controls", { controls: readControls() });
  }, 80);
}

function offerSlider(eye, slider, range) {
  const id = `${eye}-${slider}`;
  const name = made("label", { htmlFor: id, textContent: `${slider[0].toUpperCase()}${slider.slice(1)} ` });
  name.append(made("output", { id: `${id}-value` }));
  const input = made("input", { id, type: "range", ...range });
  input.addEventListener("input", controlsMoved);
  document.querySelector(`#sliders .${eye}`).append(name, input);
}

function setUp() {
  for (const eye of EYES) {
    on(`${eye}-closed`, "change", controlsMoved);
    for (const [slider, range] of Object.entries(SLIDERS)) offerSlider(eye, slider, range);
  }
  on("prism", "input", controlsMoved);
  on("normal", "click", () => {
    const open = { closed: false, blur: 0, noise: 0, contrast: 1 };
    showControls({ left: open, right: open, prism: 0 });
    controlsMoved();
  });
  const rear = (wish) => {
    quiet();
    state.age = null;
    send(wish);
  };
  on("play", "click", () => rear(state.status?.playing ? "pause" : "play"));
  on("step", "click", () => rear("step"));
  on("restart", "click", () => send("restart"));
  on("speed", "change", () => send("speed", { seconds: value("speed") }));
  on("littermate", "click", () => send("littermate"));
  on("reseed", "click", () => send("restart", { seed: value("seed") }));
  for (const radio of document.querySelectorAll('input[name="who"]')) {
    radio.addEventListener("change", () => send("choose", { name: radio.value }));
  }
  on("age", "input", () => show({ age: value("age") >= Number(at("age").max) && !state.file ? null : value("age") }));
  on("newest", "click", () => show({ age: null }));
  for (const id of ["save-protocol", "save-study"]) {
    on(id, "click", (event) => {
      event.preventDefault();
      save(at(id));
    });
  }
  on("load", "change", () => load(at("load").files[0]));
  on("file-close", "click", () => {
    at("load").value = "";
    show({ file: null, age: null });
  });
  listenToViews();
  at("sliders").open = !matchMedia("(max-width: 480px)").matches;
  label();
}

function listenToViews() {
  for (const id of ["file-first", "file-second"]) on(id, "change", redraw);
  on("area", "change", () => show({ area: at("area").value }));
  on("next-picture", "click", () => show({ example: state.example + 1 }));
}

function offerExperiments(choose) {
  const buttons = state.experiments.map((experiment) => {
    const button = made("button", { type: "button", textContent: experiment.label, title: experiment.phases.join("; then ") });
    button.dataset.name = experiment.name;
    button.addEventListener("click", () => choose(experiment));
    return button;
  });
  at("experiments").replaceChildren(...buttons);
}

function begin({ name }) {
  quiet();
  state.file = null;
  send("experiment", { name });
}

// ---- files ----

function complain(text) {
  at("trouble").textContent = text;
  at("trouble").hidden = false;
}

function quiet() {
  at("trouble").hidden = true;
}

async function save(link) {
  quiet();
  const answer = await fetch(link.href);
  if (!answer.ok) {
    const found = await answer.json().catch(() => ({}));
    complain(found.refused ?? "This could not be saved; the terminal may say why.");
    return;
  }
  const address = URL.createObjectURL(await answer.blob());
  made("a", { href: address, download: link.download }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

async function load(file) {
  if (!file) return;
  quiet();
  at("connection").textContent = `Reading ${file.name} …`;
  try {
    const answer = await fetch(`load?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
    const found = await answer.json();
    if (!answer.ok) {
      complain(found.refused);
      at("load").value = "";
      return;
    }
    state.file = { name: file.name, tracks: found.tracks };
    state.age = null;
    offerTracks(found.tracks, (track) => `${track.label}, seed ${track.seed}`);
    at("file-name").textContent = `Shown from the file ${file.name}; use the slider below to go through age.`;
  } catch {
    complain(`${file.name} could not be sent to the lab`);
  } finally {
    at("connection").textContent = "";
    redraw();
  }
}

function offerTracks(tracks, name) {
  const options = tracks.map((track, number) => new Option(name(track), number));
  at("file-first").replaceChildren(...options.map((option) => option.cloneNode(true)));
  at("file-second").replaceChildren(new Option("nothing", ""), ...options);
  at("file-first").value = "0";
  // Beside it the next one that had another history.
  const other = tracks.findIndex((track) => track.label !== tracks[0].label && track.seed === tracks[0].seed);
  at("file-second").value = other > 0 ? String(other) : tracks.length > 1 ? "1" : "";
}

// ---- drawing ----

function redraw() {
  if (state.due) return;
  state.due = true;
  requestAnimationFrame(() => {
    state.due = false;
    draw();
  });
}

function shownTracks() {
  if (!state.file) return [...state.live.values()];
  const chosen = [at("file-first").value, at("file-second").value].filter((number) => number !== "");
  return [...new Set(chosen)].map((number) => state.file.tracks[Number(number)]);
}

const endOf = (track) => track.frames.at(-1)?.age ?? 0;

function draw() {
  const tracks = shownTracks();
  if (!tracks.length || !state.status) return;
  at("file").hidden = !state.file;
  at("who").hidden = state.live.size < 2;
  at("whose").textContent = state.file ? "its" : state.live.size < 2 ? "its" : `the ${state.status.active}’s`;
  at("littermate").textContent = state.live.size < 2 ? "Rear a littermate" : "Rear another littermate";
  const oldest = Math.max(...tracks.map(endOf));
  // Followed live, all are shown at the age of the one that is being reared.
  const active = state.file ? null : state.live.get(state.status.active);
  const age = state.age ?? (active ? endOf(active) : oldest);
  const slider = at("age");
  slider.max = Math.max(1, oldest);
  slider.value = age;
  slider.setAttribute("aria-valuetext", `age ${age} of ${oldest}`);
  at("age-value").textContent = `${age} of ${oldest} epochs`;
  at("newest").disabled = state.age === null;
  const last = Math.max(20, Math.ceil(oldest / 20) * 20);
  drawPictures(active, age);
  if (window.BINOCULAR) press((button) => button.textContent === tracks[0].label);
  const columns = at("columns");
  while (columns.children.length > tracks.length) columns.lastElementChild.remove();
  while (columns.children.length < tracks.length) columns.append(at("column").content.firstElementChild.cloneNode(true));
  columns.classList.toggle("single", tracks.length === 1);
  offerAreas(tracks);
  drawNumbers(state.file ? state.file.tracks : tracks, age);
  tracks.forEach((track, number) => drawColumn(columns.children[number], track, age, last, tracks.length > 1 && track === active));
}

// The eyes' pictures: of the controls as they stand, or of the moment that is looked back at.
function drawPictures(active, age) {
  let look = state.status.look.pictures;
  const track = state.file ? shownTracks()[0] : active;
  if (state.age !== null || state.file) {
    const stretch = track?.stretches.find((s) => s.start < age && age <= s.stop) ?? track?.stretches[0];
    look = stretch?.pictures;
  }
  const scenes = track?.scenes ?? [];
  at("scene").textContent = look && scenes.length ? `The picture: ${sceneName(scenes[state.example % look.shape[0]])}` : "";
  EYES.forEach((eye, index) => {
    const canvas = at(`picture-${eye}`);
    if (look) picture(canvas, look, 2 * (state.example % look.shape[0]) + index);
    else canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  });
}

const areaOf = (frame) => (state.area in frame.areas ? state.area : Object.keys(frame.areas)[0]);

function offerAreas(tracks) {
  const names = Object.keys(tracks[0].frames[0]?.areas ?? {});
  if (names.join() === [...at("area").options].map((option) => option.value).join()) return;
  at("area").replaceChildren(...names.map((name) => new Option(AREAS[name] ?? name, name)));
  at("area").value = names.includes(state.area) ? state.area : names[0];
}

// The numbers of all subjects at hand at one age, those of a file too that are not drawn.
function drawNumbers(tracks, age) {
  at("numbers").hidden = tracks.length < 2;
  if (at("numbers").hidden) return;
  const rows = tracks.map((track) => {
    const frame = track.frames.findLast((candidate) => candidate.age <= age) ?? track.frames[0];
    const units = frame.areas[areaOf(frame)];
    const { right, both, left } = counts(units);
    const depth = frame.scores.stereopsis;
    const row = document.createElement("tr");
    const cells = [track.label, track.seed, frame.age, right, both, left, balance(units)?.toFixed(2) ?? "", depth === undefined ? "" : `${Math.round(100 * depth)} %`];
    row.append(...cells.map((text) => made("td", { textContent: text })));
    return row;
  });
  at("rows").replaceChildren(...rows);
}

function drawColumn(column, track, age, last, marked) {
  const frame = track.frames.findLast((candidate) => candidate.age <= age) ?? track.frames[0];
  if (!frame) return;
  const find = (name) => column.querySelector(`.${name}`);
  const area = areaOf(frame);
  const animal = beside(state.animals, frame, area);
  column.classList.toggle("active", marked);
  column.dataset.track = track.name;
  column.dataset.age = frame.age;
  const role = state.file || track.label === track.name ? "" : ` (${track.name})`;
  find("name").textContent = `${track.label}${role}, age ${frame.age}`;
  const experiment = state.experiments.find((candidate) => candidate.label === track.label);
  find("saying").textContent = saying(track, frame, area) + (experiment ? ` ${about(experiment)}` : "");
  strip(find("strip-chart"), track, last, frame.age);
  histogram(find("histogram"), frame, area, animal, animal?.deprived);
  find("animal-name").textContent = animal ? nameOf(animal) : area === "first_binocular" ? "Of animals with this history there is no histogram here." : "";
  density(find("density"), find("map"), track, last, frame.age, area);
  vision(find("vision"), find("legend"), track, last, frame.age);
  fields(find("fields"), frame);
}

// ---- a page from files: everything was reared beforehand ----

let turning = null;

function turn(on) {
  clearInterval(turning);
  turning = on ? setInterval(() => older(1), 1000 * Math.max(0.15, value("speed"))) : null;
  at("play").textContent = on ? "Pause" : "Play";
}

function older(epochs) {
  const oldest = Math.max(...shownTracks().map(endOf));
  state.age = Math.min(oldest, state.age + epochs);
  if (state.age === oldest) turn(false);
  redraw();
}

function setUpFiles({ tracks, experiments, animals, downloads }) {
  Object.assign(state, { experiments, animals, age: 0, file: { name: "", tracks } });
  state.status = { look: {} };
  at("time-title").textContent = "1 Watch it grow";
  at("play").textContent = "Play";
  on("play", "click", () => {
    if (!turning && state.age === Math.max(...shownTracks().map(endOf))) state.age = 0;
    turn(!turning);
  });
  on("speed", "change", () => turn(turning !== null));
  on("step", "click", () => older(1));
  at("restart").textContent = "From birth";
  on("restart", "click", () => show({ age: 0 }));
  on("age", "input", () => show({ age: value("age") }));
  offerTracks(tracks, (track) => `${track.label}, litter ${track.seed}`);
  at("file-name").textContent = "Several litters of each experiment: what differs between them is chance.";
  offerExperiments((experiment) => {
    const { seed } = tracks[value("file-first")];
    const numberOf = (label) => String(tracks.findIndex((track) => track.label === label && track.seed === seed));
    at("file-first").value = numberOf(experiment.label);
    // Never beside itself: the control, which comes first, says what the experiment has done.
    if (at("file-second").value === at("file-first").value) at("file-second").value = numberOf(experiments[experiment === experiments[0] ? 1 : 0].label);
    show({ age: 0 });
    turn(true);
  });
  const links = Object.entries(downloads).map(([name, text]) => made("a", { href: name, download: name, className: "button", textContent: text }));
  at("downloads").replaceChildren(...links);
  listenToViews();
  redraw();
}

setUpPathways(at("why"));
addEventListener("resize", redraw); // the strip of what was done is as wide as its column
if (window.BINOCULAR) {
  setUpFiles(window.BINOCULAR);
} else {
  setUp();
  connect();
}
