/* Where a changed card stands: where a reload would show it, in sight within its column, and marked for a moment. */
(() => {
  const board = window.board;
  if (!board) return;
  const { by, root } = board;
  const MARKED_MS = 2500;
  const MARGIN = 6;
  const stillness = matchMedia("(prefers-reduced-motion: reduce)");
  const unknown = new Set();

  /* Only the column scrolls: whoever moved a card away looks on where they looked. */
  function show(card) {
    if (!card?.isConnected) return;
    const list = card.parentElement;
    const [at, seen] = [card.getBoundingClientRect(), list.getBoundingClientRect()];
    const over = Math.min(at.top - seen.top - MARGIN, 0) || Math.max(at.bottom - seen.bottom + MARGIN, 0);
    if (over) list.scrollBy({ top: over, behavior: stillness.matches ? "auto" : "smooth" });
    card.classList.add("is-moved");
    setTimeout(() => card.classList.remove("is-moved"), MARKED_MS);
  }

  /* The column of somebody who had none, say, from the page as it would be now. */
  async function bringColumn(key) {
    if (unknown.has(String(key))) return;
    unknown.add(String(key));
    const answer = await fetch(location.href);
    if (!answer.ok || board.columnOf(key)) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const column = page.getElementById(`stage-${key}`);
    if (!column) return;
    let next = column.nextElementSibling;
    while (next && !document.getElementById(next.id)) next = next.nextElementSibling;
    root.insertBefore(column, next && document.getElementById(next.id));
    htmx.process(column);
    column.dispatchEvent(new CustomEvent("column-brought", { bubbles: true }));
    unknown.delete(String(key));
  }

  /* Ask for a card and lay it where it belongs; below what is loaded it waits at the end until its neighbours come. */
  async function place(pk, { isFocused = false } = {}) {
    const slug = location.pathname.split("/")[2];
    const answer = await fetch(`/board/${slug}/cards/${pk}/${location.search}`, { headers: { "HX-Request": "true" } });
    const old = board.cardOf(pk);
    if (!answer.ok) return void old?.remove();
    const fresh = board.parse(await answer.text()).querySelector(".deal-card");
    const [key, after] = [answer.headers.get("X-Column"), answer.headers.get("X-After")];
    const takesFocus = isFocused || old?.contains(document.activeElement);
    old?.remove();
    if (!board.columnOf(key)) await bringColumn(key);
    if (!board.cardOf(pk)) board.insertCard(fresh, key, after);
    if (!fresh.isConnected && !board.cardOf(pk)) board.cardsOf(key)?.querySelector(".column-more")?.before(fresh);
    const card = board.cardOf(pk);
    if (takesFocus) card?.querySelector(".deal-title a").focus({ preventScroll: true });
    show(card);
  }

  document.body.addEventListener("deal-moved", (event) => {
    const moved = event.detail;
    if (!moved?.pk) return;
    /* Moved to a stage on a board of owners: where its card lies now, the server knows. */
    if (moved.by !== by) return void board.catchUp();
    board.refreshHeads(moved.from, moved.stage);
    if (moved.is_lost) board.cardOf(moved.pk)?.remove();
    else if (moved.placed && by === "stage") show(board.cardOf(moved.pk));
    else place(moved.pk);
  });

  document.body.addEventListener("deal-added", (event) => {
    board.refreshHeads(event.detail.stage);
    place(event.detail.pk, { isFocused: true });
  });

  Object.assign(board, { show, bringColumn });
})();
