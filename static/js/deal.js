/* A deal's page: where the path is wider than the screen, its present stage is brought into view. */
(() => {
  function bringIntoView(root) {
    const path = root.querySelector(".deal-path");
    const here = path?.querySelector("[aria-current]");
    if (here && path.scrollWidth > path.clientWidth) path.scrollLeft = here.offsetLeft - (path.clientWidth - here.offsetWidth) / 2;
  }

  bringIntoView(document);
  document.addEventListener("htmx:load", (event) => bringIntoView(event.detail.elt));
})();
