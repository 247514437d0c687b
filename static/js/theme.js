/* The theme changes at once when it is chosen; the form that was pressed saves it, and works alone without this. */
(() => {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-theme-form]");
    const theme = event.submitter?.value;
    if (!form || !theme) return;
    event.preventDefault();
    document.documentElement.dataset.bsTheme = theme;
    form.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", button.value === theme));
    const answer = new FormData(form, event.submitter);
    fetch(form.action, { method: "POST", body: answer, redirect: "manual" });
    document.dispatchEvent(new CustomEvent("theme-changed"));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    document.dispatchEvent(new CustomEvent("theme-changed"));
  });

  /* Charts are drawn on a canvas and need colours as they are now: paint("--accent") gives "rgb(…)". */
  window.paint = (token) => {
    const probe = document.createElement("i");
    probe.style.color = `var(${token})`;
    document.body.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };
})();
