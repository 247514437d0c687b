/* Moving a card by keyboard: Space picks up, arrows move, Enter or Space drops, Escape puts back; each step is announced. */
(() => {
  const board = window.board;
  if (!board) return;
  let held = null;

  const cardHere = () => document.activeElement?.closest?.(".deal-card");
  const cardsIn = (list) => [...list.querySelectorAll(":scope > .deal-card")];

  function announce() {
    const list = held.card.parentElement;
    const place = cardsIn(list).indexOf(held.card) + 1;
    board.say(board.fill(board.words.over, { title: board.titleOf(held.card), stage: list.closest(".column").dataset.label, place }));
  }

  function pick(card) {
    held = { card, spot: board.remember(card) };
    card.classList.add("is-picked");
    board.say(board.fill(board.words.picked, { title: board.titleOf(card) }));
  }

  function release() {
    held.card.classList.remove("is-picked");
    const { card, spot } = held;
    held = null;
    return { card, spot };
  }

  function drop() {
    const { card, spot } = release();
    const stage = card.closest(".column").dataset.label;
    const isMoved = card.parentElement !== spot.parent || card.nextElementSibling !== spot.next;
    board.say(board.fill(board.words.dropped, { title: board.titleOf(card), stage }));
    if (isMoved) board.postMove(card, spot);
  }

  function cancel() {
    const { card, spot } = release();
    board.putBack(card, spot);
    card.querySelector(".deal-title a").focus();
    board.say(board.fill(board.words.back, { title: board.titleOf(card) }));
  }

  function across(step) {
    const lists = [...board.root.querySelectorAll(".column-cards")];
    const to = lists[lists.indexOf(held.card.parentElement) + step];
    if (!to) return;
    to.querySelector(".column-add-place").after(held.card);
    settle();
  }

  function along(step) {
    if (board.by !== "stage") return;
    const cards = cardsIn(held.card.parentElement);
    const other = cards[cards.indexOf(held.card) + step];
    if (!other) return;
    if (step < 0) other.before(held.card);
    else other.after(held.card);
    settle();
  }

  function settle() {
    held.card.querySelector(".deal-title a").focus();
    held.card.scrollIntoView({ block: "nearest", inline: "nearest" });
    announce();
  }

  const moves = { ArrowLeft: () => across(-1), ArrowRight: () => across(1), ArrowUp: () => along(-1), ArrowDown: () => along(1), Enter: drop, " ": drop, Escape: cancel };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (held) {
      const act = moves[event.key];
      if (!act) return;
      event.preventDefault();
      event.stopPropagation();
      act();
      return;
    }
    const card = cardHere();
    const isOnTitle = document.activeElement?.closest?.(".deal-title");
    if (event.key === " " && card && isOnTitle && "movable" in card.dataset) {
      event.preventDefault();
      pick(card);
    }
  }, true);

  document.addEventListener("focusout", () => {
    setTimeout(() => {
      if (held && !held.card.contains(document.activeElement)) cancel();
    }, 0);
  });
})();
