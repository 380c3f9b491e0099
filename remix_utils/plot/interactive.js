// Draws every figure of circuitsvis on the page that is still a static view. Each figure calls this, and so does the
// bundle, so that the order of the outputs does not matter.
window.remixDrawCircuitsVis = () => {
  for (const figure of document.querySelectorAll("[data-remix-circuitsvis]:not([data-live])")) {
    figure.dataset.live = "yes";
    const find = what => figure.querySelector("." + what);
    const { component, props } = JSON.parse(find("given").textContent);
    const root = find("root"), still = find("still"), live = find("live");
    // React empties the root when a component fails: the static view then comes back.
    new MutationObserver(() => {
      const drawn = root.childElementCount > 0;
      still.style.display = drawn ? "none" : "block";
      live.style.visibility = drawn ? "visible" : "hidden";
    }).observe(root, { childList: true });
    live.style.display = "block"; // before drawing: charts take their size from the page
    root.id = "remix-circuitsvis-" + Math.random().toString(36).slice(2);
    CircuitsVis.render(root.id, CircuitsVis[component], props);
  }
};
window.remixDrawCircuitsVis();
