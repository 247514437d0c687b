/* Menus open without script (<details data-menu>, or a popover). This adds manners: one at a time, Esc closes and returns the
   focus, arrows walk, a click beside closes; a popover menu stands beside its button inside the window. */
(() => {
  const openMenus = () => document.querySelectorAll("details[data-menu][open]");

  function close(menu, returnFocus) {
    menu.open = false;
    if (returnFocus) menu.querySelector("summary").focus();
  }

  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) {
      const choseItem = event.target.closest(".menu-panel a, .menu-panel button") && !event.target.closest("[data-keeps-open]");
      if (!menu.contains(event.target) || choseItem) close(menu, false);
    }
    const popover = event.target.closest(".menu-panel[popover]");
    if (popover?.popover === "auto" && event.target.closest("a, button")) popover.hidePopover();
  });

  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest("details[data-menu][open]");
    if (menu && event.key === "Escape") {
      event.stopPropagation();
      close(menu, true);
    }
    const panel = event.target.closest(".menu-panel") || menu?.querySelector(".menu-panel");
    if (panel && (event.key === "ArrowDown" || event.key === "ArrowUp") && !event.target.matches("input, select, textarea")) {
      event.preventDefault();
      walk(panel, event.key === "ArrowDown" ? 1 : -1);
    }
  });

  function walk(panel, step) {
    const items = [...panel.querySelectorAll("a, button, input, select")].filter((item) => item.offsetParent);
    const next = items.indexOf(document.activeElement) + step;
    items[(next + items.length) % items.length]?.focus();
  }

  /* toggle does not bubble: listened to on the way down. */
  document.addEventListener("toggle", (event) => {
    const panel = event.target;
    if (panel.matches?.("details[data-menu]") && panel.open) keepInside(panel.querySelector(".menu-panel"));
    if (panel.matches?.(".menu-panel[popover]:not(.search-results), .conflict[popover]") && event.newState === "open") place(panel);
  }, true);

  function keepInside(panel) {
    panel.classList.remove("at-end-by-room");
    panel.classList.toggle("at-end-by-room", panel.getBoundingClientRect().right > innerWidth - 8);
  }

  function place(panel) {
    const anchor = panel.dataset.anchor
      ? document.getElementById(panel.dataset.anchor)
      : document.querySelector(`[popovertarget="${CSS.escape(panel.id)}"]`) || panel.previousElementSibling;
    if (!anchor || (panel.matches(".conflict") && innerWidth < 768)) return;
    const at = anchor.getBoundingClientRect();
    const size = panel.getBoundingClientRect();
    const beside = panel.matches(".conflict");
    const left = beside ? at.right + 6 : Math.min(at.left, innerWidth - size.width - 8);
    const top = beside ? at.top : at.bottom + 4;
    panel.style.left = `${Math.max(8, left + size.width > innerWidth - 8 ? at.left - size.width - 6 : left)}px`;
    panel.style.top = `${Math.max(8, top + size.height > innerHeight - 8 ? at.top - size.height - 4 : top)}px`;
  }

  /* A menu that was read when it was opened has another width. */
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.matches("details[data-menu][open] > .menu-panel")) keepInside(event.detail.target);
  });

  /* Search results: shown under the field while there are any. */
  document.addEventListener("htmx:afterSwap", (event) => {
    const results = event.detail.target;
    if (!results.matches(".search-results")) return;
    const hasAny = results.childElementCount > 0;
    results.togglePopover(hasAny);
    if (hasAny) {
      const field = results.closest(".search").getBoundingClientRect();
      results.style.left = `${Math.max(8, Math.min(field.left, innerWidth - results.offsetWidth - 8))}px`;
      results.style.top = `${field.bottom + 4}px`;
    }
  });
  document.addEventListener("focusin", (event) => {
    const shown = document.querySelector(".search-results:popover-open");
    if (shown && !event.target.closest(".search")) shown.hidePopover();
  });
  document.addEventListener("keydown", (event) => {
    const shown = document.querySelector(".search-results:popover-open");
    if (!shown || !event.target.closest(".search")) return;
    if (event.key === "Escape") shown.hidePopover();
    if (event.key === "ArrowDown" && event.target.matches("input")) {
      event.preventDefault();
      shown.querySelector("a")?.focus();
    }
  });
})();
