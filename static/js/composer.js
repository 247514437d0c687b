/* Another tab of the composer asks for other things of the same happening: what was typed goes along. It is carried over
   here, in the page: in an address it would stand in logs. Without this the words stay on the page one came from. */
(() => {
  let typed = null;

  /* Call and Mail ask at once what came of it: in the composer where the page has one that is meant, else in a dialog. */
  document.addEventListener("click", (event) => {
    const touch = event.target.closest("[data-log]");
    if (!touch) return;
    const isComposed = document.getElementById("composer") && !touch.hasAttribute("data-log-apart");
    htmx.ajax("GET", touch.dataset.log, isComposed ? { target: "#composer", swap: "outerHTML" } : { target: "#dialog" });
  });

  const isOfComposer = (event) => event.detail.target?.id === "composer" && event.detail.requestConfig?.verb === "get";
  const fields = (root) => [...root.querySelectorAll("textarea[name], input[name]:not([type='hidden'], [type='radio'], [type='checkbox'])")];

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isOfComposer(event)) return;
    typed = fields(event.detail.target).filter((field) => field.value);
  });

  /* What the new form proposes gives way only to what a person has changed. */
  document.addEventListener("htmx:afterSwap", () => {
    if (!typed) return;
    document.querySelector("#composer .tab[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
    for (const field of fields(document.getElementById("composer"))) {
      const was = typed.find((other) => other.name === field.name);
      if (was && (!field.value || was.value !== was.defaultValue)) field.value = was.value;
    }
    typed = null;
  });
})();
