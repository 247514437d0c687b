/* Toasts and the live region. Anyone may say:
     document.dispatchEvent(new CustomEvent("toast", {detail: {text, kind}}))      kind: info | success | error
     document.dispatchEvent(new CustomEvent("announce", {detail: {text}}))         for screen readers alone
   A server does the same with an HX-Trigger header: {"toast": {"text": "…", "kind": "error"}}. */
(() => {
  const STAYS_MS = 6000;
  const UNDO_STAYS_MS = 10000;
  const ANSWER_MS = 30000;
  const host = document.getElementById("toasts");
  const words = document.getElementById("words");

  function glyph(kind) {
    const icons = words.content.querySelectorAll("svg");
    return icons[kind === "error" ? 1 : 2].cloneNode(true);
  }

  function closeButton() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-bare btn-square btn-small";
    button.dataset.toastClose = "";
    button.setAttribute("aria-label", words.dataset.close);
    button.append(words.content.querySelector("svg").cloneNode(true));
    return button;
  }

  function show({ text, kind = "info" }) {
    const same = [...host.children].find((toast) => toast.dataset.text === text);
    if (same) return;
    const toast = document.createElement("div");
    toast.className = `notice is-${kind}`;
    toast.dataset.toast = "";
    toast.dataset.text = text;
    if (kind === "error") {
      toast.setAttribute("role", "alert");
      toast.dataset.stays = "";
    }
    const paragraph = document.createElement("p");
    paragraph.textContent = text;
    toast.append(glyph(kind), paragraph, closeButton());
    host.append(toast);
  }

  /* A toast leaves by itself, but not while it is read (pointer or focus on it), and an error only when closed. */
  function leaveLater(toast) {
    if ("stays" in toast.dataset) return;
    const stays = toast.querySelector("form") ? UNDO_STAYS_MS : STAYS_MS;
    setTimeout(() => {
      if (toast.matches(":hover, :focus-within")) leaveLater(toast);
      else if (!toast.hidden) toast.remove();
    }, stays);
  }

  /* An open dialog makes all else inert and lies above it: the toasts follow into the top layer. */
  function lift() {
    const openDialog = document.querySelector("dialog[open]");
    (openDialog || document.body).append(host);
  }

  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) {
        if (!(node instanceof HTMLElement) || !("toast" in node.dataset)) continue;
        lift();
        leaveLater(node);
      }
    }
  }).observe(host, { childList: true });
  host.querySelectorAll("[data-toast]").forEach(leaveLater);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-toast-close]");
    if (!button) return;
    const toast = button.closest("[data-toast]");
    toast.hidden = true;
    /* A button that sends a form (Undo) must stay in the page until its answer has come. */
    if (button.type === "button") toast.remove();
    else setTimeout(() => toast.remove(), ANSWER_MS);
  });
  document.addEventListener("toast", (event) => show(event.detail));
  document.addEventListener("announce", (event) => {
    document.getElementById("live").textContent = event.detail.text;
  });
  document.addEventListener("close", () => document.body.append(host), true);
})();
