/* For ten seconds after a move: what moved, from where, to where, and Undo (Ctrl Z). */
(() => {
  const board = window.board;
  const pattern = document.getElementById("undo-toast");
  if (!board || !pattern) return;
  const LASTS = 10;
  let offered = null;

  function withdraw() {
    if (!offered) return;
    clearInterval(offered.timer);
    offered.toast.remove();
    offered = null;
  }

  function offer(moved) {
    withdraw();
    const toast = pattern.content.firstElementChild.cloneNode(true);
    toast.querySelector("b").textContent = moved.title;
    toast.querySelector("p span").textContent = `${moved.from_label} → ${moved.to_label}`;
    const seconds = toast.querySelector(".seconds");
    let left = LASTS;
    const tell = () => { seconds.textContent = board.fill(board.words.seconds, { count: left }); };
    tell();
    const timer = setInterval(() => {
      left -= 1;
      if (left <= 0) withdraw();
      else tell();
    }, 1000);
    toast.querySelector("button").addEventListener("click", undo);
    document.getElementById("toasts").append(toast);
    const card = board.cardOf(moved.pk);
    offered = { moved, toast, timer, was: moved.was || (card ? board.placeOf(card) : { after: "", before: "" }) };
  }

  async function undo() {
    if (!offered) return;
    const { moved, was } = offered;
    withdraw();
    let answer = null;
    try {
      answer = await board.post(`/deals/${moved.pk}/undo/`, { version: moved.version, after: was.after, before: was.before, key: crypto.randomUUID() });
    } catch {
      return board.complain(document.getElementById("words").dataset.offline);
    }
    if (answer.status !== 200) {
      const text = answer.headers.get("Content-Type")?.startsWith("text/plain") ? await answer.text() : document.getElementById("words").dataset.failed;
      return board.complain(text);
    }
    const html = await answer.text();
    const undone = JSON.parse(answer.headers.get("HX-Trigger"))["deal-moved"];
    const fresh = board.parse(html).querySelector(".deal-card");
    board.cardOf(moved.pk)?.remove();
    board.insertCard(fresh, undone.stage, was.after);
    board.refreshHeads(moved.stage, undone.stage);
    board.say(board.words.undone);
    fresh.querySelector(".deal-title a").focus();
  }

  /* On the way down: where the card lay is read before anybody else takes it away. */
  document.body.addEventListener("deal-moved", (event) => {
    if (event.detail?.is_moved) offer(event.detail);
  }, true);

  document.addEventListener("keydown", (event) => {
    if (!offered || !(event.ctrlKey || event.metaKey) || event.code !== "KeyZ" || event.target.matches("input, textarea, select")) return;
    event.preventDefault();
    undo();
  });
})();
