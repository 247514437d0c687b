/* A deal's page: the present stage is brought into view where the path is wider than the screen, and after a move there
   is Undo for ten seconds (Ctrl Z). */
(() => {
  const LASTS = 10;
  let offered = null;
  let isUndoing = false;

  function bringIntoView(root) {
    const path = root.querySelector(".deal-path");
    const here = path?.querySelector("[aria-current]");
    if (here && path.scrollWidth > path.clientWidth) path.scrollLeft = here.offsetLeft - (path.clientWidth - here.offsetWidth) / 2;
  }

  function withdraw() {
    clearInterval(offered?.timer);
    offered?.toast.remove();
    offered = null;
  }

  function offer(moved) {
    withdraw();
    const pattern = document.getElementById("deal-undo");
    const toast = pattern.content.firstElementChild.cloneNode(true);
    toast.querySelector("b").textContent = moved.title;
    toast.querySelector("p span").textContent = `${moved.from_label} → ${moved.to_label}`;
    toast.querySelector("button").addEventListener("click", undo);
    document.getElementById("toasts").append(toast);
    offered = { toast, url: pattern.dataset.url, version: moved.version, timer: countDown(toast, pattern.dataset.seconds) };
  }

  function countDown(toast, words) {
    let left = LASTS;
    const tell = () => { toast.querySelector(".seconds").textContent = words.replace("%(count)s", left); };
    tell();
    return setInterval(() => {
      left -= 1;
      if (left > 0) tell();
      else withdraw();
    }, 1000);
  }

  function undo() {
    if (!offered) return;
    const values = { version: offered.version, key: crypto.randomUUID() };
    isUndoing = true;
    htmx.ajax("POST", offered.url, { source: document.body, values, swap: "none" });
    withdraw();
  }

  bringIntoView(document);
  document.addEventListener("htmx:load", (event) => bringIntoView(event.detail.elt));
  document.addEventListener("deal-moved", (event) => {
    if (event.detail?.is_moved && !isUndoing) offer(event.detail);
    isUndoing = false;
  });
  document.addEventListener("keydown", (event) => {
    if (!offered || event.code !== "KeyZ" || !(event.ctrlKey || event.metaKey) || event.target.matches("input, textarea")) return;
    event.preventDefault();
    undo();
  });
})();
