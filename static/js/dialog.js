/* Whatever is swapped into #dialog opens as a modal dialog. It closes by Esc, by [data-close], by a click beside it, or when the
   server says HX-Trigger: dialog-close. Closed by the person, it says "dialog-cancelled" first, so that what opened it can
   be put back. With words typed, Esc, the cross and a click beside it ask first; Cancel does not.
   Any dialog of the page opens by [data-open="its id"]. */
(() => {
  const host = document.getElementById("dialog");
  let isDone = false;
  let isClosing = false;
  let isTyped = false;

  function open() {
    isDone = false;
    if (!host.open) {
      isTyped = false;
      host.showModal();
    }
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

  /* htmx gives the focus to [autofocus] when it settles: what is wrong wants it more. */
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target === host && host.open) host.querySelector("[aria-invalid='true']")?.focus();
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

  /* Typed words stay "typed" through refusals and previews, which bring them back as the form's own. */
  host.addEventListener("input", (event) => {
    if (event.target.matches("textarea, input:not([type='checkbox'], [type='radio'], [type='search'])") && event.target.name) isTyped = true;
  });

  function leave() {
    if (!isTyped) host.close();
    else if (!host.querySelector(".dialog-leave")) ask();
  }

  function ask() {
    host.firstElementChild.append(document.getElementById("dialog-leave").content.cloneNode(true));
    const question = host.querySelector(".dialog-leave");
    const before = document.activeElement;
    const keep = question.querySelector("[data-keep]");
    keep.addEventListener("click", () => {
      question.remove();
      (host.contains(before) ? before : firstToFill())?.focus();
    });
    keep.focus();
  }

  /* The key, not only "cancel": browsers let a second Esc pass whatever a page answers to "cancel". */
  host.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || !isTyped) return;
    event.preventDefault();
    leave();
  });
  host.addEventListener("cancel", (event) => {
    if (event.target !== host || !isTyped) return;
    event.preventDefault();
    leave();
  });

  /* A press that began inside (a selection dragged out of a field) closes nothing. */
  let pressedOn = null;
  document.addEventListener("pointerdown", (event) => { pressedOn = event.target; });
  document.addEventListener("click", (event) => {
    const dialog = event.target.closest("dialog");
    const closer = event.target.closest("[data-close]");
    const isPressedBeside = dialog && event.target === dialog && pressedOn === dialog && isBeside(dialog, event);
    if (dialog === host && (closer?.matches(".dialog-head *") || isPressedBeside)) return leave();
    if (closer || isPressedBeside) return dialog?.close();
    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open).showModal();
  });

  function isBeside(dialog, event) {
    const box = dialog.getBoundingClientRect();
    return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
  }
})();
