/* What others do appears by itself: the board asks every two seconds while it is looked at, and never while a card is in hand. */
(() => {
  const board = window.board;
  if (!board) return;
  const EVERY_MS = 2000;
  let cursor = board.root.dataset.cursor;
  let isAsking = false;

  const isBusy = () => document.hidden || isAsking || document.querySelector(".deal-card.is-picked, .deal-card.is-saving, .is-dragging-card, .is-chosen, dialog[open]");

  function changesUrl() {
    const url = new URL(board.root.dataset.changesUrl, location.href);
    for (const [name, value] of new URLSearchParams(location.search)) url.searchParams.set(name, value);
    url.searchParams.set("since", cursor);
    return url;
  }

  function apply(change) {
    const old = board.cardOf(change.pk);
    if (old && old.dataset.version === String(change.version) && old.dataset.state === change.state) return null;
    const from = old ? board.stageOf(old) : null;
    const fresh = board.parse(change.html).querySelector(".deal-card");
    if (old && from === String(change.stage) && board.placeOf(old).after === String(change.after ?? "")) {
      board.replaceCard(change.pk, change.html);
      return [from];
    }
    old?.remove();
    fresh.classList.add("is-moved");
    setTimeout(() => fresh.classList.remove("is-moved"), 2500);
    board.insertCard(fresh, change.stage, change.after);
    return from ? [from, change.stage] : [change.stage];
  }

  function remove(pk) {
    const old = board.cardOf(pk);
    if (!old) return null;
    const stage = board.stageOf(old);
    old.remove();
    return [stage];
  }

  async function ask() {
    if (isBusy()) return;
    isAsking = true;
    try {
      const answer = await fetch(changesUrl(), { headers: { "HX-Request": "true", Accept: "application/json" } });
      if (answer.status === 200) {
        const changes = await answer.json();
        if (changes.reload) {
          if (!document.querySelector(".deal-add")) location.reload(); // what is being typed is kept; asked again later
          return;
        }
        cursor = changes.cursor;
        const stages = [...changes.cards.map(apply), ...changes.gone.map(remove)].filter(Boolean).flat();
        if (stages.length) board.refreshHeads(...stages);
      }
    } catch {
      /* Offline: asked again in two seconds. */
    } finally {
      isAsking = false;
    }
  }

  board.catchUp = () => new Promise((resolve) => { setTimeout(() => ask().finally(resolve), 0); });
  setInterval(ask, EVERY_MS);
  document.addEventListener("visibilitychange", ask);
})();
