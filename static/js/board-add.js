/* The three fields of a new deal on top of a column: Escape or Cancel closes them, and a second "+" leads to what is typed. */
(() => {
  const board = window.board;
  if (!board) return;
  const formOf = (node) => node?.closest?.(".column-add-place > .deal-add");

  function close(form) {
    const opener = form.closest(".column").querySelector(".column-add");
    form.remove();
    opener?.focus();
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
    const open = event.detail.requestConfig.verb === "get" && event.detail.target?.matches(".column-add-place") && event.detail.target.querySelector(".deal-add");
    if (!open) return;
    event.preventDefault();
    open.querySelector("input:not([type=hidden])").focus();
  });
})();
