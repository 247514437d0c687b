/* One-key shortcuts; ? lists them. None works while something is typed. */
(() => {
  const PLACES = { d: "/", b: "/board/", l: "/leads/", m: "/metrics/" };
  const PAIR_MS = 1200;
  let goingUntil = 0;

  const isTyping = (target) => target.matches("input, textarea, select, [contenteditable]") || target.closest("dialog[open], .ts-control");

  function focusSearch(event) {
    const field = [...document.querySelectorAll("[data-search]")].find((input) => input.offsetParent);
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.select();
  }

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.code === "KeyK") {
      focusSearch(event);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
    /* By the key's place for letters, so that they work on a Russian layout too. */
    const key = event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : event.key;
    if (goingUntil > event.timeStamp && PLACES[key]) {
      location.assign(PLACES[key]);
    } else if (key === "g") {
      goingUntil = event.timeStamp + PAIR_MS;
      return;
    } else if (event.key === "/") {
      focusSearch(event);
    } else if (event.key === "?") {
      document.getElementById("shortcuts").showModal();
    } else {
      pressMarked(key, event);
    }
    goingUntil = 0;
  });

  /* A page's own shortcut: data-shortcut="c" on the button or link it presses. */
  function pressMarked(key, event) {
    if (!/^[a-z0-9]$/.test(key)) return;
    const marked = [...document.querySelectorAll(`[data-shortcut="${key}"]`)].find((element) => element.offsetParent);
    if (!marked) return;
    event.preventDefault();
    marked.click();
    marked.focus();
  }
})();
