/* The lead inbox: a press anywhere on a row takes the lead in hand. Without this the names are links. */
(() => {
  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-lead-row]");
    if (row && !event.target.closest("a, button, input, form")) {
      const link = [...row.querySelectorAll(".lead-name > a")].find((candidate) => candidate.offsetParent);
      link?.click();
    }
  });

  /* The row of the lead in hand is marked, by this page's own words: the panel knows which lead it shows. */
  document.addEventListener("htmx:afterSettle", () => {
    const inHand = document.getElementById("lead-panel")?.dataset.pk;
    for (const row of document.querySelectorAll("[data-lead-row]")) {
      const isHere = row.id === `lead-${inHand}`;
      row.classList.toggle("is-here", isHere);
      const link = row.querySelector(".lead-link");
      if (isHere) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  });
})();
