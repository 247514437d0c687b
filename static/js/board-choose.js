/* Several cards moved together, or handed over, or re-dated, as the columns have it: "Choose several" (x) shows a box on each card;
   the bar, or dragging one of them, moves all. Each is moved by its own rule; those refused stay and are named. */
(() => {
  const board = window.board;
  const bar = document.getElementById("together");
  const openers = document.querySelectorAll("[data-choose]");
  if (!board || !bar || !openers.length) return;
  const chosen = new Set();
  const count = bar.querySelector("[data-count]");
  const boxes = () => [...board.root.querySelectorAll(".deal-tick")];
  const isOn = () => board.root.classList.contains("is-choosing");

  function tell() {
    count.textContent = chosen.size ? count.dataset.some.replace("{count}", chosen.size) : count.dataset.none;
    bar.querySelector(".btn-primary").disabled = !chosen.size;
  }

  function turn(on) {
    board.root.classList.toggle("is-choosing", on);
    for (const opener of openers) opener.setAttribute("aria-pressed", on);
    bar.hidden = !on;
    if (on) return tell();
    chosen.clear();
    for (const box of boxes()) box.checked = false;
    [...openers].find((opener) => opener.offsetParent)?.focus();
  }

  function choose(card, on) {
    if (on) chosen.add(card.dataset.pk);
    else chosen.delete(card.dataset.pk);
    tell();
  }

  async function move(stage) {
    const fields = boxes().filter((box) => box.checked).map((box) => ["chosen", box.value]);
    fields.push(["to", stage], ["key", crypto.randomUUID()]);
    const texts = document.getElementById("words").dataset;
    const button = bar.querySelector(".btn-primary");
    button.disabled = true;
    let answer = null;
    for (let attempt = 0; attempt < 2 && !answer; attempt += 1) {
      /* An error does not mean that the write failed: the same key gets the first answer. */
      answer = await board.post(bar.getAttribute("action"), fields).catch(() => null);
    }
    tell();
    if (!answer) return board.complain(texts.offline);
    if (answer.status === 422) return board.complain(await answer.text());
    if (answer.status !== 200) return board.complain({ 403: texts.forbidden, 404: texts.gone }[answer.status] || texts.failed);
    const { moved, refused, title } = await answer.json();
    turn(false);
    if (moved.length || !refused) await show(moved, title);
    if (refused) board.openDialog(refused);
  }

  async function show(moved, title) {
    if (!moved.length) return void document.dispatchEvent(new CustomEvent("toast", { detail: { text: bar.dataset.there } }));
    const places = moved.map((one) => ({ ...one, was: board.cardOf(one.pk) ? board.placeOf(board.cardOf(one.pk)) : { after: "", before: "" } }));
    if (board.by === "stage") layOnTop(moved);
    else await board.catchUp(); // they lie by date: the server knows where
    board.refreshHeads(...moved.flatMap((one) => [one.from, one.stage]));
    document.body.dispatchEvent(new CustomEvent("deals-moved", { detail: { moves: places, title } }));
    board.say(`${title} → ${moved[0].to_label}`);
  }

  function layOnTop(moved) {
    for (const one of [...moved].reverse()) {
      board.cardOf(one.pk)?.remove();
      if (one.card) board.insertCard(board.parse(one.card).querySelector(".deal-card"), one.stage, "");
    }
  }

  for (const opener of openers) {
    opener.hidden = false;
    opener.addEventListener("click", () => turn(!isOn()));
  }
  bar.querySelector("[data-stop]").addEventListener("click", () => turn(false));
  bar.addEventListener("submit", (event) => {
    event.preventDefault();
    move(bar.elements.to.value);
  });
  board.root.addEventListener("change", (event) => {
    if (event.target.matches(".deal-tick")) choose(event.target.closest(".deal-card"), event.target.checked);
  });
  /* While cards are chosen, a press anywhere on one is a press on its box. */
  board.root.addEventListener("click", (event) => {
    const box = isOn() && event.target.closest(".deal-card")?.querySelector(".deal-tick");
    if (!box || event.target === box) return;
    event.preventDefault();
    event.stopPropagation();
    if (!document.documentElement.classList.contains("is-dragging-card")) box.click();
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isOn() && !document.querySelector("dialog[open], .is-picked")) turn(false);
  });
  /* A card drawn anew stays chosen; one that is gone is chosen no more. */
  new MutationObserver(() => {
    if (!isOn()) return;
    const here = new Set();
    for (const box of boxes()) {
      const { pk } = box.closest(".deal-card").dataset;
      here.add(pk);
      box.checked = chosen.has(pk);
    }
    for (const pk of [...chosen]) if (!here.has(pk) && !document.querySelector(".is-dragging-card")) chosen.delete(pk);
    tell();
  }).observe(board.root, { childList: true, subtree: true });

  board.isChosen = (card) => chosen.size > 1 && chosen.has(card.dataset.pk);
  board.moveChosen = move;
})();
