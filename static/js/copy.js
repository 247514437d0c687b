/* [data-copy] puts its text onto the clipboard and says so; a field with [data-select] is selected when it is entered.
   Where the browser has no clipboard (plain http) the button stays hidden, and the text is there to be selected. */
(() => {
  function reveal(root) {
    if (!navigator.clipboard) return;
    for (const button of root.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    button.lastChild.textContent = button.dataset.copied;
  });
  document.addEventListener("focusin", (event) => { if (event.target.matches("[data-select]")) event.target.select(); });
  document.addEventListener("htmx:afterSwap", (event) => reveal(event.target));
  reveal(document);
})();
