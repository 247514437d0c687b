/* For ten seconds after something was moved by hand: what, from where, to where, and Undo (Ctrl Z). One offer at a time, which
   waits while it is read (pointer or focus on it).
     offerUndo({ title, text, undo })      undo() is called once, when the person takes it back */
(() => {
  const LASTS = 10;
  let offered = null;

  function withdraw() {
    clearInterval(offered?.timer);
    offered?.toast.remove();
    offered = null;
  }

  function takeBack() {
    const { undo } = offered;
    withdraw();
    undo();
  }

  function countDown(toast, words) {
    let left = LASTS;
    const tell = () => { toast.querySelector(".seconds").textContent = words.replace("%(count)s", left); };
    tell();
    return setInterval(() => {
      if (toast.matches(":hover, :focus-within")) return;
      left -= 1;
      if (left > 0) tell();
      else withdraw();
    }, 1000);
  }

  window.offerUndo = ({ title, text, undo }) => {
    const pattern = document.getElementById("undo-toast");
    if (!pattern) return;
    withdraw();
    const toast = pattern.content.firstElementChild.cloneNode(true);
    toast.querySelector("b").textContent = title;
    toast.querySelector("p span").textContent = text;
    toast.querySelector("button").addEventListener("click", takeBack);
    document.getElementById("toasts").append(toast);
    offered = { toast, undo, timer: countDown(toast, pattern.dataset.seconds) };
  };

  document.addEventListener("keydown", (event) => {
    if (!offered || event.code !== "KeyZ" || !(event.ctrlKey || event.metaKey)) return;
    if (event.target.matches("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    takeBack();
  });
})();
