/* Where Django's admin gives a sign a name without a role, or a box in a table no name, nobody hears what it is. */
addEventListener("load", () => setTimeout(() => {
  for (const sign of document.querySelectorAll("span.help-tooltip[aria-label]")) sign.setAttribute("role", "img");
  for (const box of document.querySelectorAll(".tabular td.delete input")) {
    box.setAttribute("aria-label", box.closest("table").querySelector("thead th:last-child").textContent.trim());
  }
}));
