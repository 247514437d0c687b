/* Who works by keyboard keeps their place: where a swap, a button switched off while it sends, or a closed dialog drops the
   focus, it goes back to the same control, else to the one that stands where it stood, else to the part around it. */
(() => {
  const CONTROLS = "a[href], button, input:not([type='hidden']), select, textarea, summary, [tabindex]";
  const host = document.getElementById("dialog");
  let last = null;
  let place = null;

  /* Inside the dialog nothing is remembered: what opened it is where one comes back to. A press lets go of the place. */
  document.addEventListener("focusin", (event) => { if (!host.contains(event.target)) last = event.target; });
  document.addEventListener("pointerdown", (event) => { if (!host.contains(event.target)) last = place = null; });

  const nameOf = (control) => [control.tagName, control.name, control.value, control.getAttribute("aria-label"), control.textContent.trim()].join("|");
  const shapeOf = (control) => [control.tagName, control.className, control.parentElement.className].join("|");
  const alike = (part, of, wanted) => [...part.querySelectorAll(CONTROLS)].filter((control) => of(control) === wanted);

  function remember() {
    if (!last?.isConnected) return;
    const looks = [nameOf, shapeOf].map((of) => ({ of, wanted: of(last) }));
    const around = [];
    for (let part = last.parentElement; part; part = part.parentElement) {
      if (part.id) around.push({ id: part.id, at: looks.map(({ of, wanted }) => alike(part, of, wanted).indexOf(last)) });
    }
    place = { id: last.id, looks, around };
  }

  const take = (control) => {
    control?.focus({ preventScroll: true });
    return Boolean(control) && document.activeElement === control;
  };

  function restore() {
    if (document.activeElement !== document.body || document.querySelector("dialog[open]")) return;
    if ((last?.isConnected && take(last)) || !place) return;
    if (place.id && take(document.getElementById(place.id))) return;
    const parts = place.around.map(({ id, at }) => ({ part: document.getElementById(id), at })).filter(({ part }) => part);
    for (const { part, at } of parts) {
      for (const [look, { of, wanted }] of place.looks.entries()) {
        const found = alike(part, of, wanted);
        if (take(found[Math.min(at[look], found.length - 1)])) return;
      }
    }
    for (const { part } of parts) {
      if ([...part.querySelectorAll(CONTROLS)].filter((control) => control.tabIndex >= 0).some(take)) return;
    }
  }

  document.addEventListener("htmx:beforeSwap", remember);
  document.addEventListener("htmx:afterSettle", () => { if (!last?.isConnected) restore(); });
  document.addEventListener("htmx:afterRequest", (event) => { if (last && event.detail.elt?.contains(last)) restore(); });
  /* "close" comes before what the closing puts back, such as a card. */
  document.addEventListener("close", (event) => { if (event.target === host) setTimeout(restore); }, true);
})();
