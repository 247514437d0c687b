/* One menu for all cards: opened by a card's button, it opens the dialog of the verb for that card. Without script the button
   leads to "Move to…" itself. */
(() => {
  const menu = document.getElementById("deal-menu");
  if (!menu || !window.board) return;
  let card = null;

  document.addEventListener("click", (event) => {
    const opener = event.target.closest(".deal-menu");
    if (opener) {
      event.preventDefault();
      card = opener.closest(".deal-card");
      menu.dataset.anchor = opener.id;
      const isClosed = card.closest(".column").dataset.kind === "won";
      for (const item of menu.querySelectorAll("a")) {
        item.href = `${opener.getAttribute("href").replace(/move\/$/, "")}${item.dataset.verb}/`;
        item.hidden = isClosed && item.dataset.verb !== "move";
      }
      menu.showPopover();
      menu.querySelector("a").focus();
      return;
    }
    const item = event.target.closest("#deal-menu a");
    if (!item) return;
    event.preventDefault();
    menu.hidePopover();
    htmx.ajax("GET", item.getAttribute("href"), { target: "#dialog" });
  });

  menu.addEventListener("toggle", (event) => {
    if (event.newState === "closed" && menu.contains(document.activeElement)) card?.querySelector(".deal-menu")?.focus();
  });
})();
