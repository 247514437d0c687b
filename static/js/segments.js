/* The choices of a condition: what is ticked stands in its summary at once; a press beside it or Esc closes it. */
(() => {
  document.addEventListener("change", (event) => {
    const box = event.target.closest(".condition-choices input");
    if (!box) return;
    const details = box.closest("details");
    const summary = details.querySelector("summary");
    for (const tag of summary.querySelectorAll(".tag")) tag.remove();
    const chosen = [...details.querySelectorAll("input:checked")].map((one) =>
      Object.assign(document.createElement("span"), { className: "tag", textContent: one.dataset.label }));
    summary.prepend(...chosen);
  });
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.condition-value[open]")) {
      if (!open.contains(event.target)) open.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const open = event.target.closest("details.condition-value[open]");
    if (!open || event.key !== "Escape") return;
    event.stopPropagation();
    open.open = false;
    open.querySelector("summary").focus();
  });
})();
