// What the attention view does in a browser: the reader picks a head, points at tokens and reads weights.
{
const start = async view => {
view.dataset.live = "yes";
const find = what => view.querySelector("." + what);
const { tokens, names, causal, palette, inks, thousandths } = JSON.parse(find("given").textContent);
const packed = Uint8Array.from(atob(thousandths), letter => letter.charCodeAt(0));
const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
const weights = new Uint16Array(await new Response(stream).arrayBuffer());
const n = tokens.length;
const weight = (query, key) => weights[(head * n + query) * n + key] / 1000;
const masked = (query, key) => causal && key > query;
const level = (query, key) => Math.round(Math.sqrt(weight(query, key)) * (palette.length - 1));

const cell = Math.max(2, Math.min(32, Math.floor(440 / n)));
const font = "11px Verdana, 'DejaVu Sans', sans-serif";
const label = place => (tokens[place].trim() || tokens[place]).slice(0, 11) + " " + place;
const canvas = find("matrix"), pattern = document.createElement("canvas"), ratio = window.devicePixelRatio || 1;
const ruler = pattern.getContext("2d");
ruler.font = font;
const room = 12 + Math.max(...tokens.map((_, place) => ruler.measureText(label(place)).width));
const side = cell * n, left = room, top = 8;
pattern.width = pattern.height = side;
canvas.style.width = left + side + 4 + "px";
canvas.style.height = top + side + room + "px";
canvas.width = (left + side + 4) * ratio;
canvas.height = (top + side + room) * ratio;

const words = [], apart = !tokens.some(token => token.includes(" "));
let head = 0, focus = n - 1, other = -1, held = false;
const seesKeys = () => find("direction").value === "keys";  // the token in focus is the query
const pair = token => seesKeys() ? [focus, token] : [token, focus];

function drawPattern() {
  const pen = pattern.getContext("2d");
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, side, side);
  for (let query = 0; query < n; query++)
    for (let key = 0; key < (causal ? query + 1 : n); key++) {
      pen.fillStyle = palette[level(query, key)];
      pen.fillRect(key * cell, query * cell, cell - (cell > 7), cell - (cell > 7));
    }
}

function drawMatrix() {
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.translate(0, top);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(pattern, left, 0);
  pen.strokeStyle = "#bbbbbb";
  pen.strokeRect(left - 0.5, 0.5, side + 1, side);
  pen.font = font;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  const step = Math.ceil(13 / cell), [row, column] = pair(other);
  const near = (place, marked) => place === marked || (place % step === 0 && !(Math.abs(place - marked) < step));
  for (let place = 0; place < n; place++) {
    const middle = (place + 0.5) * cell;
    if (near(place, row)) {
      pen.fillStyle = place === row ? "#000000" : "#555555";
      pen.fillText(label(place), left - 6, middle);
    }
    if (near(place, column)) {
      pen.save();
      pen.translate(left + middle, side + 6);
      pen.rotate(-Math.PI / 2);
      pen.fillStyle = place === column ? "#000000" : "#555555";
      pen.fillText(label(place), 0, 0);
      pen.restore();
    }
  }
  pen.strokeStyle = "#D55E00";
  pen.lineWidth = 1.5;
  if (row >= 0) pen.strokeRect(left - 1, row * cell - 1, side + 2, cell + 1);
  if (column >= 0) pen.strokeRect(left + column * cell - 1, -1, cell + 1, side + 2);
}

function drawText() {
  words.forEach((word, place) => {
    const [query, key] = pair(place);
    word.style.background = masked(query, key) ? "#ffffff" : palette[level(query, key)];
    word.style.color = inks[level(query, key)];
    word.style.outline = place === focus ? "2px solid #D55E00" : place === other ? "2px solid #E69F00" : "none";
  });
  const [query, key] = pair(other), quoted = place => JSON.stringify(tokens[place]) + " (" + place + ")";
  find("reading").textContent = "head " + names[head] + ": " + (
    other < 0 ? (seesKeys() ? "where " : "what looks at ") + quoted(focus) + (seesKeys() ? " looks" : "")
    : quoted(query) + " → " + quoted(key) + "  " + (masked(query, key) ? "masked" : weight(query, key).toFixed(3))
  ) + (held ? "  (held)" : "");
}

const draw = () => { drawMatrix(); drawText(); };
const heads = [...view.querySelectorAll("figure")];
function choose(which) {
  head = which;
  heads.forEach((figure, place) => figure.style.outline = place === head ? "3px solid #D55E00" : "none");
  drawPattern();
  draw();
}
heads.forEach((figure, which) => {
  figure.style.cursor = "pointer";
  figure.tabIndex = 0;
  figure.onfocus = () => choose(which);
});

tokens.forEach((token, place) => {
  const word = document.createElement("span");
  word.textContent = token;
  word.style.cssText = "cursor:pointer; border-right:1px solid #fff; white-space:pre-wrap; padding:2px 0";
  if (apart) word.style.padding = "2px 4px";
  word.onmouseenter = () => { if (held) other = place; else { focus = place; other = -1; } draw(); };
  word.onclick = () => { held = !(held && focus === place); focus = place; other = -1; draw(); };
  find("passage").append(word);
  if (token.includes("↵")) find("passage").append(document.createElement("br"));
  else if (apart) find("passage").append(document.createElement("wbr"));
  words.push(word);
});
canvas.onmousemove = event => {
  const place = along => Math.floor(along / cell), inside = at => at >= 0 && at < n;
  const query = place(event.offsetY - top), key = place(event.offsetX - left);
  if (!inside(query) || !inside(key)) return;
  if (!held) focus = seesKeys() ? query : key;
  other = seesKeys() ? key : query;
  draw();
};
canvas.onclick = () => { held = !held; draw(); };
canvas.onmouseleave = () => { other = -1; draw(); };
find("direction").onchange = draw;
find("zoom").style.display = "block";
choose(0);
};
document.querySelectorAll("[data-remix-attention]:not([data-live])").forEach(start);
}
