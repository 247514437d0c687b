/* Whatever is swapped into #dialog opens as a modal dialog. It closes by Esc, by [data-close], by a click beside it, or when the
   server says HX-Trigger: dialog-close. Closed by the person, it says "dialog-cancelled" first, so that what opened it can
   be put back. Any dialog of the page opens by [data-open="its id"]. */
(() => {
  const host = document.getElementById("dialog");
  let isDone = false;
  let isClosing = false;

  function open() {
    isDone = false;
    if (!host.open) host.showModal();
    firstToFill()?.focus();
  }

  /* What is wrong, else the first field; on touch none, or the keyboard would cover the dialog before it was read. */
  function firstToFill() {
    const wrong = host.querySelector("[aria-invalid='true']");
    if (wrong || matchMedia("(pointer: coarse)").matches) return wrong || host.querySelector(".dialog-foot .btn-primary");
    return host.querySelector("[autofocus], .dialog-body :is(input:not([type='hidden']), select, textarea), .dialog-foot .btn-primary");
  }

  /* hx-swap is inherited: a link inside a part that replaces itself would replace the dialog by what belongs into it. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target === host && event.detail.requestConfig.elt.getAttribute("hx-swap") !== "none") event.detail.swapOverride = "innerHTML";
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === host && host.childElementCount && !isClosing) open();
  });

  document.addEventListener("dialog-close", () => {
    isDone = true;
    isClosing = host.open; // until the "close" event: a swap that comes before it must not open the dialog again
    if (host.open) host.close();
  });

  host.addEventListener("close", () => {
    isClosing = false;
    if (!isDone) host.dispatchEvent(new CustomEvent("dialog-cancelled", { bubbles: true }));
    host.replaceChildren();
  });

  /* A press that began inside (a selection dragged out of a field) closes nothing. */
  let pressedOn = null;
  document.addEventListener("pointerdown", (event) => { pressedOn = event.target; });
  document.addEventListener("click", (event) => {
    const dialog = event.target.closest("dialog");
    if (event.target.closest("[data-close]")) {
      dialog?.close();
      return;
    }
    if (dialog && event.target === dialog && pressedOn === dialog && isBeside(dialog, event)) dialog.close();
    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open).showModal();
  });

  function isBeside(dialog, event) {
    const box = dialog.getBoundingClientRect();
    return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
  }
})();
