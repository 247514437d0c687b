/* A deal's page: the present stage is brought into view where the path is wider than the screen, and after a move there
   is Undo for ten seconds (Ctrl Z). */
(() => {
  let isUndoing = false;

  function bringIntoView(root) {
    const path = root.querySelector(".deal-path");
    const here = path?.querySelector("[aria-current]");
    if (here && path.scrollWidth > path.clientWidth) path.scrollLeft = here.offsetLeft - (path.clientWidth - here.offsetWidth) / 2;
  }

  function undo(version) {
    const { url } = document.getElementById("deal-undo").dataset;
    isUndoing = true;
    htmx.ajax("POST", url, { source: document.body, values: { version, key: crypto.randomUUID() }, swap: "none" });
  }

  bringIntoView(document);
  document.addEventListener("htmx:load", (event) => bringIntoView(event.detail.elt));
  document.addEventListener("deal-moved", (event) => {
    const moved = event.detail;
    if (moved?.is_moved && !isUndoing) {
      offerUndo({ title: moved.title, text: `${moved.from_label} → ${moved.to_label}`, undo: () => undo(moved.version) });
    }
    isUndoing = false;
  });
})();
