/* The three fields of a new deal on top of a column: Escape or Cancel closes them, and a second "+" leads to what is typed. */
(() => {
  const board = window.board;
  if (!board) return;
  const formOf = (node) => node?.closest?.(".column-add-place > .deal-add");

  let opener = "";

  function close(form) {
    const column = form.closest(".column");
    form.remove();
    column.querySelector(opener)?.focus();
  }

  board.root.addEventListener("click", (event) => {
    const cancel = event.target.closest("[data-cancel]");
    if (!cancel) return;
    event.preventDefault();
    close(formOf(cancel));
  });

  board.root.addEventListener("keydown", (event) => {
    const form = event.key === "Escape" && formOf(event.target);
    if (form) close(form);
  });

  board.root.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, requestConfig, target } = event.detail;
    if (requestConfig.verb !== "get" || !target?.matches(".column-add-place")) return;
    opener = elt.matches(".column-add") ? ".column-add" : ".column-states .btn-link"; // a phone has the second alone
    const open = target.querySelector(".deal-add");
    if (!open) return;
    event.preventDefault();
    open.querySelector("input:not([type=hidden])").focus();
  });
})();
