/* What every htmx request has in common: a line while it takes long, and one toast when it fails.
   422 and 409 are answers, not failures: htmx swaps them (see htmx-config in base.html). */
(() => {
  const words = document.getElementById("words").dataset;
  let running = 0;

  function wordsFor(status) {
    if (status === 403) return words.forbidden;
    if (status === 404 || status === 410) return words.gone;
    if (status === 429) return words.busy;
    return words.failed;
  }

  function say(text) {
    document.dispatchEvent(new CustomEvent("toast", { detail: { text, kind: "error" } }));
  }

  function count(step) {
    running = Math.max(0, running + step);
    document.documentElement.classList.toggle("is-busy", running > 0);
  }

  /* A page's own poll may be silent: data-quiet on the element keeps its failures and its waiting to itself. */
  const isQuiet = (event) => event.detail.elt?.closest?.("[data-quiet]");

  document.addEventListener("htmx:beforeRequest", (event) => isQuiet(event) || count(1));
  document.addEventListener("htmx:afterRequest", (event) => isQuiet(event) || count(-1));
  document.addEventListener("htmx:responseError", (event) => isQuiet(event) || say(wordsFor(event.detail.xhr.status)));
  document.addEventListener("htmx:sendError", (event) => isQuiet(event) || say(words.offline));
  document.addEventListener("htmx:timeout", (event) => isQuiet(event) || say(words.offline));

  /* A page elsewhere is loaded whole: its own styles and scripts stand in its head, which a swap of the body leaves out. */
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const address = event.detail.xhr.getResponseHeader("HX-Location");
    if (!address) return;
    event.preventDefault();
    location.assign(address);
  });

  /* The CSRF token is renewed at login; a page that was open before would send the old one. The cookie is not readable
     from script in every setting, so the token of the newest form on the page wins over the body's. */
  document.addEventListener("htmx:configRequest", (event) => {
    const own = event.detail.elt.closest("form")?.querySelector("input[name=csrfmiddlewaretoken]");
    if (own) event.detail.headers["X-CSRFToken"] = own.value;
  });
})();
