// Draws pairs × exercises on one canvas: thousands of cells in a few milliseconds. Names are elements above it, and a
// name is only ever set as text.
"use strict";

const INK = "#111", PALE = "#b8b8b8", WRONG = "#b84a00", RIGHT = "#0060a0", HELPED = "#56b4e9";
const SMALLEST_ROW = 13, LARGEST_CELL = 54, HEADING = 30, GAP = 26, MOST_BLOCKS = 4;
const FONT = '"DejaVu Sans", sans-serif';

// A square with the number of tries is wrong, a disc is right, a ring is right after help, and a dot is not tried.
function drawCell(pen, sign, wrong, x, y, width, height) {
  const size = Math.min(width, height), middle = x + width / 2, centre = y + height / 2;
  if (size < 9) return drawBar(pen, sign, x, y, width, height);
  pen.beginPath();
  if (sign === "w") {
    const half = size * 0.44, number = wrong > 99 ? "99+" : String(wrong);
    pen.fillStyle = WRONG;
    pen.fillRect(middle - half, centre - half, 2 * half, 2 * half);
    pen.fillStyle = "#fff";
    pen.font = `bold ${Math.round(size * (number.length > 1 ? 0.44 : 0.62))}px ${FONT}`;
    pen.fillText(number, middle, centre + size * 0.03);
  } else if (sign === "r") {
    pen.fillStyle = RIGHT;
    pen.arc(middle, centre, size * 0.4, 0, 7);
    pen.fill();
  } else if (sign === "h") {
    pen.strokeStyle = HELPED;
    pen.lineWidth = size * 0.17;
    pen.arc(middle, centre, size * 0.31, 0, 7);
    pen.stroke();
  } else {
    pen.fillStyle = PALE;
    pen.arc(middle, centre, Math.max(1, size * 0.06), 0, 7);
    pen.fill();
  }
}

// Too narrow for shapes: a high bar is wrong, a middle one right, a low one right after help.
function drawBar(pen, sign, x, y, width, height) {
  const share = { w: 1, r: 0.55, h: 0.28 }[sign];
  if (!share) return;
  pen.fillStyle = { r: RIGHT, h: HELPED, w: WRONG }[sign];
  pen.fillRect(x, y + height * (1 - share), Math.max(1, width - 0.6), height * share);
}

// As many blocks side by side as make the cells largest.
function layOut(width, height, rows, columns, longestName) {
  let best = null;
  for (let blocks = 1; blocks <= MOST_BLOCKS; blocks++) {
    const perBlock = Math.ceil(rows / blocks), blockWidth = (width - GAP * (blocks - 1)) / blocks;
    const rowHeight = Math.max(SMALLEST_ROW, Math.min(LARGEST_CELL, (height - HEADING) / perBlock));
    const font = Math.min(26, rowHeight * 0.72);
    const nameWidth = Math.min(longestName * font + 14, blockWidth * 0.36);
    const columnWidth = Math.min(LARGEST_CELL * 1.3, (blockWidth - nameWidth) / columns);
    const size = Math.min(rowHeight, columnWidth);
    // A name that is cut short costs something, too.
    const worth = size * (longestName * font + 14 > nameWidth + 1 ? 0.85 : 1);
    if (!best || worth > best.worth)
      best = { worth, perBlock, blockWidth, rowHeight, font, nameWidth, columnWidth, blocks };
  }
  return best;
}

class Grid {
  constructor(room, canvas, labels, nameOf, tellOf) {
    Object.assign(this, { room, canvas, labels, nameOf, tellOf, rows: [], exercises: [] });
    this.pen = canvas.getContext("2d");
  }

  // `exercises` is [{column, id, part}, ...]; `rows` are in the order in which they are shown.
  draw(rows, exercises) {
    Object.assign(this, { rows, exercises });
    this.canvas.hidden = !rows.length;
    if (!rows.length || !exercises.length) return this.labels.replaceChildren();
    const width = this.room.clientWidth, height = this.room.clientHeight;
    this.pen.font = `10px ${FONT}`;
    const names = rows.map((row) => this.nameOf(row));
    const longest = Math.max(...names.map((name) => this.pen.measureText(name).width)) / 10;
    this.shape = layOut(width, height, rows.length, exercises.length, longest);
    this._size(width, Math.max(height, HEADING + this.shape.perBlock * this.shape.rowHeight));
    this.placeOf = new Map(exercises.map((exercise, place) => [exercise.column, place]));
    this.placeOfId = new Map(exercises.map((exercise, place) => [exercise.id, place]));
    for (let block = 0; block < this.shape.blocks; block++) this._heading(block);
    rows.forEach((row, number) => this._row(row, number));
    this._names(names);
  }

  _size(width, height) {
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.pen.textAlign = "center";
    this.pen.textBaseline = "middle";
  }

  _left(number) {
    return Math.floor(number / this.shape.perBlock) * (this.shape.blockWidth + GAP);
  }

  _top(number) {
    return HEADING + (number % this.shape.perBlock) * this.shape.rowHeight;
  }

  _heading(block) {
    const { nameWidth, columnWidth, blockWidth, perBlock, rowHeight } = this.shape, pen = this.pen;
    const left = block * (blockWidth + GAP) + nameWidth, wide = columnWidth >= 15;
    const severalParts = new Set(this.exercises.map((exercise) => exercise.part)).size > 1;
    let end = -Infinity;
    pen.fillStyle = INK;
    this.exercises.forEach(({ id, part }, place) => {
      const x = left + place * columnWidth, first = place === 0 || this.exercises[place - 1].part !== part;
      if (severalParts && first) {
        const top = x > end ? 4 : HEADING;
        pen.fillRect(x - 0.5, top, 1, HEADING + perBlock * rowHeight - top);
        pen.font = `bold 14px ${FONT}`;
        pen.textAlign = "left";
        if (x > end) {
          pen.fillText(part, x + 4, 10);
          end = x + 6 + pen.measureText(part).width;
        }
        pen.textAlign = "center";
      }
      if (!wide) return;
      const name = id.slice(part.length + 1), low = severalParts ? 23 : 16;
      const size = Math.min(severalParts ? 12 : 19, columnWidth * 0.7);
      pen.font = `${size}px ${FONT}`;
      pen.fillText(name === "quiz" ? "Q" : name.slice(0, 4), x + columnWidth / 2, low);
    });
  }

  _row(row, number) {
    const { nameWidth, columnWidth, rowHeight, blockWidth } = this.shape, pen = this.pen;
    const left = this._left(number) + nameWidth, top = this._top(number), signs = new Array(this.exercises.length);
    for (const [column, sign, wrong] of row.cells)
      if (this.placeOf.has(column)) signs[this.placeOf.get(column)] = [sign, wrong];
    if (number % 2) {
      pen.fillStyle = "#f3f3f3";
      pen.fillRect(this._left(number), top, Math.min(blockWidth, nameWidth + columnWidth * signs.length), rowHeight);
    }
    for (let place = 0; place < signs.length; place++) {
      const [sign, wrong] = signs[place] || ["", 0];
      drawCell(pen, sign, wrong, left + place * columnWidth, top, columnWidth, rowHeight);
    }
    const place = row.stuck ? this.placeOfId.get(row.stuck.id) : undefined;
    if (place === undefined) return;
    pen.strokeStyle = INK;
    pen.lineWidth = 2.5;
    pen.strokeRect(left + place * columnWidth + 0.5, top + 0.5, columnWidth - 1, rowHeight - 1);
  }

  _names(names) {
    const { font, nameWidth, rowHeight } = this.shape;
    const labels = this.rows.map((row, number) => {
      const label = document.createElement("div");
      label.textContent = names[number];
      label.setAttribute("role", "listitem");
      label.setAttribute("aria-label", `${names[number]}: ${this.tellOf(row)}`);
      label.className = row.name ? "" : "unnamed";
      label.style.cssText = `left:${this._left(number)}px;top:${this._top(number)}px;width:${nameWidth - 6}px;` +
        `height:${rowHeight}px;line-height:${rowHeight}px;font-size:${font}px`;
      return label;
    });
    this.labels.replaceChildren(...labels);
  }

  // Whether the cells are too narrow for shapes.
  get narrow() {
    return Boolean(this.shape) && Math.min(this.shape.columnWidth, this.shape.rowHeight) < 9;
  }

  // The row and the exercise at a point of the canvas, or null.
  at(x, y) {
    if (!this.shape || !this.rows.length) return null;
    const { blockWidth, nameWidth, columnWidth, rowHeight, perBlock } = this.shape;
    const block = Math.floor(x / (blockWidth + GAP)), line = Math.floor((y - HEADING) / rowHeight);
    const row = this.rows[block * perBlock + line];
    if (line < 0 || line >= perBlock || !row) return null;
    const place = Math.floor((x - block * (blockWidth + GAP) - nameWidth) / columnWidth);
    return { row, exercise: this.exercises[place] || null };
  }
}
