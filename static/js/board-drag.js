/* Dragging cards by mouse and touch (SortableJS). Won and Lost open their dialogs; the card waits in its place meanwhile. */
(() => {
  const board = window.board;
  const outcomes = document.getElementById("outcomes");
  if (!board || !outcomes) return;
  let spot = null;

  function over(zone) {
    for (const outcome of outcomes.children) outcome.classList.toggle("is-over", outcome === zone);
  }

  function zoneAt(event) {
    const at = event.changedTouches?.[0] || event;
    return document.elementsFromPoint(at.clientX, at.clientY).map((node) => node.closest?.(".outcome")).find(Boolean);
  }

  function markTarget(column) {
    for (const other of board.root.querySelectorAll(".column")) other.classList.toggle("is-target", other === column);
  }

  let hovered = null;
  function follow(event) {
    hovered = zoneAt(event);
    over(hovered);
  }

  function begin(event) {
    spot = board.remember(event.item);
    document.documentElement.classList.add("is-dragging-card");
    outcomes.hidden = event.item.closest(".column").dataset.kind === "won";
    hovered = null;
    for (const name of ["pointermove", "touchmove", "dragover"]) document.addEventListener(name, follow, { passive: true });
  }

  function end(event) {
    document.documentElement.classList.remove("is-dragging-card");
    for (const name of ["pointermove", "touchmove", "dragover"]) document.removeEventListener(name, follow);
    markTarget(null);
    const zone = hovered && !outcomes.hidden ? hovered : null;
    outcomes.hidden = true;
    over(null);
    const card = event.item;
    if (zone) {
      board.putBack(card, spot);
      htmx.ajax("GET", `/deals/${card.dataset.pk}/${zone.dataset.outcome}/`, { target: "#dialog" });
    } else if (event.from !== event.to && board.isChosen(card)) {
      board.putBack(card, spot);
      board.moveChosen(event.to.dataset.stage);
    } else if (event.from !== event.to || event.oldIndex !== event.newIndex) board.postMove(card, spot);
  }

  function mount(list) {
    Sortable.create(list, {
      group: "deals",
      sort: board.by === "stage",
      draggable: ".deal-card[data-movable]",
      filter: ".deal-menu, .menu-panel, input, select, textarea",
      preventOnFilter: false,
      animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 150,
      delay: 180,
      delayOnTouchOnly: true,
      touchStartThreshold: 5,
      forceFallback: true,
      fallbackOnBody: true,
      fallbackTolerance: 4,
      fallbackClass: "is-dragging",
      ghostClass: "is-drop",
      chosenClass: "is-chosen",
      scroll: true,
      scrollSensitivity: 60,
      onStart: begin,
      onEnd: end,
      onMove: (event) => {
        event.dragged.dataset.drop = board.words.drop;
        markTarget(event.to.closest(".column"));
        return !hovered;
      },
    });
  }

  for (const list of board.root.querySelectorAll(".column-cards")) mount(list);
  board.root.addEventListener("column-brought", (event) => mount(event.target.querySelector(".column-cards")));
  /* The click that ends a drag must not open the card. */
  board.root.addEventListener("click", (event) => {
    if (document.documentElement.classList.contains("is-dragging-card")) event.preventDefault();
  }, true);
})();
