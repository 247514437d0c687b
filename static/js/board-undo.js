/* After a move on the board, Undo (static/js/undo.js): of one card, or of all that were moved together. */
(() => {
  const board = window.board;
  if (!board) return;

  function offer(moves, title) {
    const froms = new Set(moves.map((moved) => moved.from_label));
    offerUndo({ title, text: `${[...froms].join(", ")} → ${moves[0].to_label}`, undo: () => undo(moves) });
  }

  async function undo(moves) {
    let fresh = null;
    for (const moved of moves) fresh = (await takeBack(moved)) || fresh;
    if (!fresh) return;
    board.say(board.words.undone);
    fresh.querySelector(".deal-title a").focus();
  }

  /* One move taken back; the card where it lay, or null where the server refused and said why. */
  async function takeBack({ pk, version, stage, was, by, undo: url }) {
    let answer = null;
    try {
      answer = await board.post(url, { version, by, after: was.after, before: was.before, key: crypto.randomUUID() });
    } catch {
      board.complain(document.getElementById("words").dataset.offline);
      return null;
    }
    if (answer.status !== 200) {
      const text = answer.headers.get("Content-Type")?.startsWith("text/plain") ? await answer.text() : document.getElementById("words").dataset.failed;
      board.complain(text);
      return null;
    }
    const html = await answer.text();
    const undone = JSON.parse(answer.headers.get("HX-Trigger"))["deal-moved"];
    const fresh = board.parse(html).querySelector(".deal-card");
    if (by !== board.by) {
      board.catchUp();
      return fresh;
    }
    board.cardOf(pk)?.remove();
    board.insertCard(fresh, undone.stage, was.after);
    board.refreshHeads(stage, undone.stage);
    return fresh;
  }

  /* On the way down: where the card lay is read before anybody else takes it away. */
  document.body.addEventListener("deal-moved", (event) => {
    const moved = event.detail;
    if (!moved?.is_moved) return;
    const card = board.cardOf(moved.pk);
    offer([{ ...moved, was: moved.was || (card ? board.placeOf(card) : { after: "", before: "" }) }], moved.title);
  }, true);

  document.body.addEventListener("deals-moved", (event) => {
    const { moves, title } = event.detail;
    const undoable = moves.filter((moved) => moved.is_moved);
    if (undoable.length) offer(undoable, undoable.length === 1 ? undoable[0].title : title);
  });
})();
