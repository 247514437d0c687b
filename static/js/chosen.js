/* A form [data-chosen] whose boxes choose rows: one box for all of them, and how many are chosen. */
(() => {
  const boxes = (form) => [...form.querySelectorAll("input[name=chosen]")];

  function count(form) {
    const chosen = boxes(form).filter((box) => box.checked).length;
    const words = form.querySelector("[data-chosen-count]");
    if (words) words.textContent = chosen ? words.dataset.some.replace("{count}", chosen) : words.dataset.none;
    for (const button of form.querySelectorAll(".chosen-bar button")) button.disabled = !chosen;
    const all = form.querySelector("[data-choose-all]");
    if (!all) return;
    all.checked = chosen > 0 && chosen === boxes(form).length;
    all.indeterminate = chosen > 0 && !all.checked;
  }

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-chosen]");
    if (!form) return;
    if (event.target.matches("[data-choose-all]")) for (const box of boxes(form)) box.checked = event.target.checked;
    count(form);
  });
  const countAll = () => document.querySelectorAll("form[data-chosen]").forEach(count);
  document.addEventListener("htmx:afterSettle", countAll);
  countAll();
})();
