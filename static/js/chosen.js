/* A form [data-chosen] whose boxes, in it or pointing at it by form="…", choose rows: a box for all of them, and how many are
   chosen. [name=all] means all that is found, on other pages too (data-count says how many): it ticks the rows of this page, and
   goes with the first of them that is not to be among them. A list that is read anew keeps what was chosen, where the row is
   still as it was seen. */
(() => {
  const boxes = (form) => [...form.elements].filter((field) => field.name === "chosen");
  const forms = () => document.querySelectorAll("form[data-chosen]");
  const kept = new Map();

  function count(form) {
    const chosen = boxes(form).filter((box) => box.checked).length;
    const found = form.querySelector("[name=all]:checked");
    const words = form.querySelector("[data-chosen-count]");
    if (words) words.textContent = chosen ? words.dataset.some.replace("{count}", found?.dataset.count ?? chosen) : words.dataset.none;
    for (const button of form.querySelectorAll(".chosen-bar button")) button.disabled = !chosen;
    for (const all of [...form.elements].filter((field) => field.matches("[data-choose-all]"))) {
      all.checked = chosen > 0 && chosen === boxes(form).length;
      all.indeterminate = chosen > 0 && !all.checked;
    }
  }

  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (!form?.matches("[data-chosen]")) return;
    const found = form.querySelector("[name=all]");
    const isForAll = event.target === found && found.checked;
    if (isForAll || event.target.matches("[data-choose-all]")) for (const box of boxes(form)) box.checked = event.target.checked;
    else if (found && event.target !== found) found.checked = false;
    if (found && event.target.matches("[data-choose-all]") && !event.target.checked) found.checked = false;
    count(form);
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.detail.target.querySelector("[name=chosen]")) return; // another part of the page, while a list is on its way
    for (const form of forms()) kept.set(form.id, new Set(boxes(form).filter((box) => box.checked).map((box) => box.value)));
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const form of forms()) {
      for (const box of boxes(form)) if (form.id && kept.get(form.id)?.has(box.value)) box.checked = true;
      count(form);
    }
    kept.clear();
  });
  forms().forEach(count);
})();
