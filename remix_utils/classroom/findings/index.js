"use strict";
// Shows the cards that fit all menus. A card may have several layers and heads, separated by U+001F.
const menus = [...document.querySelectorAll("select")];
const cards = [...document.querySelectorAll("article")];

function choose() {
  let shown = 0;
  for (const card of cards) {
    const fits = menus.every(
      (menu) => menu.value === "" || (card.dataset[menu.name] || "").split("\u001f").includes(menu.value),
    );
    card.hidden = !fits;
    shown += fits;
  }
  document.getElementById("shown").textContent = shown;
}

menus.forEach((menu) => menu.addEventListener("change", choose));
choose();
