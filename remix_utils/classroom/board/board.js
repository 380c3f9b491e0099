// Keeps the page as the server tells it, and shows it. Everything that a person wrote is set as text.
"use strict";

const find = (id) => document.getElementById(id);
const rows = new Map(), FOLLOW = "follow", ALL = "all", SWAP_SHOWN = 30, FEWEST_SECONDS = 60;
let columns = [], room = {}, ahead = 0, lost = false, waiting = 0, options = "";

const now = () => Date.now() / 1000 + ahead;
const short = (row) => `desk ${row.desk.slice(0, 4)}`;

function nameOf(row) {
  if (!find("names").checked || !row.name) return short(row);
  const same = [...rows.values()].some((other) => other !== row && other.name === row.name && inView(other));
  return same ? `${row.name} · ${row.desk.slice(0, 4)}` : row.name;
}

function tellOf(row) {
  const count = { r: 0, h: 0, w: 0 }, tries = [], exercises = columns.flatMap(([, ids]) => ids);
  for (const [column, sign, wrong] of row.cells) {
    count[sign]++;
    if (sign === "w") tries.push(`${exercises[column]} wrong ${wrong} times`);
  }
  return [`${count.r} right`, `${count.h} right after help`, ...tries].join(", ");
}

function lasting(seconds) {
  const minutes = Math.floor(Math.max(0, seconds) / 60);
  if (minutes < 1) return "< 1 min";
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
}

// --- what is in view ---------------------------------------------------------------------------

const dayOf = (part) => part.split(".")[0];

// The part in which most pairs work now; where nobody works, the last one in which somebody did.
function partOfRoom() {
  const count = new Map(), working = [...rows.values()].filter((row) => row.at);
  const last = Math.max(...working.map((row) => row.last));
  for (const row of working) {
    const part = row.at.split(".").slice(0, 2).join(".");
    if (row.last > last - room.recent) count.set(part, (count.get(part) || 0) + 1);
  }
  const best = [...count].sort((a, b) => b[1] - a[1])[0];
  return best ? best[0] : columns.length ? columns[0][0] : ALL;
}

function chosen() {
  const view = find("view").value || FOLLOW;
  return view === FOLLOW ? partOfRoom() : view;
}

const shows = (view, part) => view === ALL || part === view || dayOf(part) === view;

function exercisesIn(view) {
  let column = 0;
  return columns.flatMap(([part, ids]) => ids.map((id) => ({ id, part, column: column++ })))
    .filter((exercise) => shows(view, exercise.part));
}

// A pair's folder of notebooks is a day, so a pair of another day has no row in this one.
function inView(row) {
  const view = chosen(), day = dayOf(view);
  return view === ALL || !row.at || dayOf(row.at) === day || row.days.has(day);
}

const ORDERS = {
  name: (a, b) => (a.name ? 0 : 1) - (b.name ? 0 : 1) || nameOf(a).localeCompare(nameOf(b)),
  stuck: (a, b) => (a.stuck ? a.stuck.since : 1e12) - (b.stuck ? b.stuck.since : 1e12),
  right: (a, b) => b.right - a.right,
  first: (a, b) => a.first - b.first,
};

// --- drawing -----------------------------------------------------------------------------------

const grid = new Grid(find("room"), find("grid"), find("labels"), nameOf, tellOf);

function show() {
  waiting = 0;
  const view = chosen(), order = ORDERS[find("sort").value] || ORDERS.name;
  const shown = [...rows.values()].filter(inView);
  shown.sort((a, b) => order(a, b) || (a.desk < b.desk ? -1 : 1));
  grid.draw(shown, exercisesIn(view));
  find("empty").hidden = shown.length > 0;
  find("title").textContent = view === ALL ? "All days" : view.replace(/^d(\d+)/, "Day $1").replace(".", ", part ");
  showLists(shown);
  showMistake();
  showTotals(view);
  showLegend();
  find("notices").textContent = [lost ? "The board does not answer; this is its last state." : "", ...(room.notices || [])]
    .filter(Boolean).join(" ");
}

function soon() {
  if (!waiting) waiting = requestAnimationFrame(show);
}

function item(...texts) {
  const line = document.createElement("li");
  texts.forEach((text, place) => {
    const piece = document.createElement(place ? "b" : "span");
    piece.textContent = text;
    line.append(piece);
  });
  return line;
}

// Fills a list with as many lines as there is space for, and says how many more there are.
function fill(list, lines, most, none) {
  const kept = lines.slice(0, lines.length > most ? most - 1 : most);
  if (lines.length > most) kept.push(item(`and ${lines.length - kept.length} more`));
  if (!lines.length) kept.push(item(none));
  if (!lines.length || lines.length > most) kept.at(-1).className = "none";
  list.replaceChildren(...kept);
}

function showLists(shown) {
  const inAll = exercisesIn(chosen()).map((exercise) => exercise.column), high = window.innerHeight > 900;
  const isIdle = (row) => now() - row.last > room.idle;
  const isDone = (row) => inAll.every((column) => row.done.has(column));
  const stuck = shown.filter((row) => row.stuck && !isIdle(row) && now() - row.stuck.since >= FEWEST_SECONDS);
  stuck.sort((a, b) => a.stuck.since - b.stuck.since);
  const idle = shown.filter((row) => isIdle(row) && !isDone(row)).sort((a, b) => b.last - a.last);
  fill(find("stuck").querySelector("ol"), stuck.map((row) =>
    item(nameOf(row), row.stuck.id.slice(1), lasting(now() - row.stuck.since))), high ? 11 : 6, "no pair");
  fill(find("idle").querySelector("ol"), idle.map((row) =>
    item(nameOf(row), row.at.slice(1), lasting(now() - row.last))), high ? 6 : 3, "no pair");
}

function showMistake() {
  const place = find("mistake").querySelector("p"), found = room.mistake;
  place.className = found ? "" : "none";
  place.textContent = found
    ? `${found.id.slice(1)}, ${found.pairs} pair${found.pairs === 1 ? "" : "s"}: ${found.says}` : "none that is known";
}

function showTotals(view) {
  const day = view === ALL ? "" : dayOf(view), high = window.innerHeight > 900;
  const begun = columns.map(([part]) => part).filter((part) => room.totals[part] && (!day || dayOf(part) === day));
  fill(find("totals").querySelector("ol"), begun.map((part) => {
    const { right, all, pairs } = room.totals[part], line = item(`${part.slice(1)} · ${pairs} pairs`);
    const bar = document.createElement("meter"), share = document.createElement("b");
    Object.assign(bar, { max: all, value: right });
    share.textContent = `${Math.round(100 * right / all)} %`;
    line.append(bar, share);
    return line;
  }), high ? 8 : 5, "nothing was tried");
}

function showView() {
  const days = [...new Set(columns.map(([part]) => dayOf(part)))];
  const chosenBefore = find("view").value || location.hash.slice(1) || FOLLOW;
  const wanted = [[FOLLOW, "where the room is"], [ALL, "all days"]];
  for (const day of days) {
    wanted.push([day, `day ${day.slice(1)}`]);
    for (const [part] of columns) if (dayOf(part) === day) wanted.push([part, `day ${day.slice(1)}, part ${part.split(".")[1]}`]);
  }
  if (options === (options = JSON.stringify(wanted))) return;
  find("view").replaceChildren(...wanted.map(([value, text]) => new Option(text, value)));
  find("view").value = wanted.some(([value]) => value === chosenBefore) ? chosenBefore : FOLLOW;
}

function showLegend() {
  const kinds = [["", 0, "not tried"], ["w", 3, "wrong so far, and how many times"], ["r", 0, "right"],
    ["h", 0, "right after a solution or start_at"]];
  find("legend").replaceChildren(...kinds.map(([sign, wrong, text]) => {
    const place = document.createElement("span"), picture = document.createElement("canvas");
    picture.width = picture.height = 26;
    const pen = picture.getContext("2d");
    Object.assign(pen, { textAlign: "center", textBaseline: "middle" });
    drawCell(pen, sign, wrong, grid.narrow ? 10 : 0, 1, grid.narrow ? 6 : 26, 24);
    place.append(picture, text);
    return place;
  }));
}

function tick() {
  find("clock").textContent = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
  const place = find("swap"), clock = room.swap;
  find("start").textContent = clock ? "Stop swap clock" : "Start swap clock";
  if (!clock) return Object.assign(place, { textContent: "", className: "" });
  const period = 60 * clock.minutes, gone = Math.max(0, now() - clock.since), left = Math.ceil(period - (gone % period));
  const turn = gone >= period && gone % period < SWAP_SHOWN;
  place.className = turn ? "now" : "";
  place.textContent = turn ? "Swap: driver ↔ navigator"
    : `swap in ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

// --- the server --------------------------------------------------------------------------------

function keep(row) {
  row.done = new Set(row.cells.filter(([, sign]) => sign !== "w").map(([column]) => column));
  row.right = row.done.size;
  row.days = new Set(row.cells.map(([column]) => keep.days[column]));
  rows.set(row.desk, row);
}

function take(message) {
  const { rows: changed = [], columns: all, now: theirs, ...rest } = message;
  ahead = theirs - Date.now() / 1000;
  room = rest;
  if (all) {
    rows.clear();
    columns = all;
    keep.days = columns.flatMap(([part, ids]) => ids.map(() => dayOf(part)));
    showView();
  }
  changed.forEach(keep);
  tick();
  soon();
}

function connect() {
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/live`);
  socket.onmessage = (event) => {
    lost = false;
    take(JSON.parse(event.data));
    window.socket = socket;
  };
  socket.onclose = () => {
    lost = true;
    soon();
    setTimeout(connect, 1500);
  };
}

find("start").addEventListener("click", () => {
  const minutes = room.swap ? 0 : Math.round(Number(find("minutes").value) || 15);
  if (window.socket) window.socket.send(JSON.stringify({ swap: minutes }));
});
for (const id of ["view", "sort", "names"]) find(id).addEventListener("change", soon);
find("view").addEventListener("change", () => history.replaceState(null, "", `#${find("view").value}`));
window.addEventListener("resize", soon);
find("grid").addEventListener("mousemove", (event) => {
  const at = grid.at(event.offsetX, event.offsetY), place = find("hover");
  place.hidden = !at || !at.exercise;
  if (place.hidden) return;
  const cell = at.row.cells.find(([column]) => column === at.exercise.column);
  const state = { r: "right", h: "right after a solution or start_at", w: "wrong so far" }[cell && cell[1]] || "not tried";
  const tries = cell && cell[2] ? `, ${cell[2]} wrong` : "";
  place.textContent = `${nameOf(at.row)} · ${at.exercise.id} · ${state}${tries}`;
  place.style.left = `${Math.min(event.clientX + 14, window.innerWidth * 0.6)}px`;
  place.style.top = `${event.clientY + 16}px`;
});
find("grid").addEventListener("mouseleave", () => { find("hover").hidden = true; });
tick();
setInterval(tick, 500);
setInterval(soon, 5000);
connect();
