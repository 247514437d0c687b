/* What the board's other scripts share: where a card lies, posting a move, and putting a card back. Each card is found by its
   id; the server is asked for everything else. */
(() => {
  const root = document.getElementById("board");
  if (!root) return;
  const words = root.dataset;
  /* What the columns stand for; elsewhere than among stages, cards lie by date, and a drop within a column says nothing. */
  const { by } = root.dataset;
  const verb = { stage: "move", owner: "hand-over", month: "redate" }[by];

  const cardsOf = (stage) => document.getElementById(`cards-${stage}`);
  const cardOf = (pk) => document.getElementById(`deal-${pk}`);
  const stageOf = (card) => card.closest(".column-cards").dataset.stage;
  const columnOf = (stage) => document.getElementById(`stage-${stage}`);
  const titleOf = (card) => card.querySelector(".deal-title").textContent.trim();

  function fill(text, values) {
    return text.replace(/%\((\w+)\)s/g, (_all, name) => values[name]);
  }

  function say(text) {
    document.dispatchEvent(new CustomEvent("announce", { detail: { text } }));
  }

  function complain(text) {
    document.dispatchEvent(new CustomEvent("toast", { detail: { text, kind: "error" } }));
  }

  /* The neighbours as they are drawn; the server computes the rank from them. */
  function neighbour(card, direction) {
    let other = card[direction];
    while (other && !(other.matches?.(".deal-card") && other.dataset.pk)) other = other[direction];
    return other;
  }

  function placeOf(card) {
    return {
      stage: stageOf(card),
      after: neighbour(card, "previousElementSibling")?.dataset.pk || "",
      before: neighbour(card, "nextElementSibling")?.dataset.pk || "",
    };
  }

  function remember(card) {
    return { parent: card.parentElement, next: card.nextElementSibling, place: placeOf(card) };
  }

  function putBack(card, spot) {
    spot.parent.insertBefore(card, spot.next && spot.next.parentElement === spot.parent ? spot.next : null);
  }

  function parse(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    htmx.process(template.content);
    return template.content;
  }

  function replaceCard(pk, html) {
    const fresh = parse(html).querySelector(".deal-card");
    const old = cardOf(pk);
    if (!fresh || !old) return fresh;
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(fresh);
    htmx.process(fresh);
    if (hadFocus) fresh.querySelector(".deal-title a").focus();
    return fresh;
  }

  /* Under card `after`; on top where there is none; nowhere where the card above is not loaded yet. */
  function insertCard(fresh, stage, after) {
    const column = cardsOf(stage);
    if (!column) return void board.bringColumn(stage);
    const above = after ? cardOf(after) : null;
    if (after && (!above || above.parentElement !== column)) {
      if (column.querySelector(".column-more")) return;
      column.append(fresh);
    } else if (above) above.after(fresh);
    else (column.querySelector(".column-add-place") || column).after(fresh);
    htmx.process(fresh);
  }

  function refreshHeads(...stages) {
    for (const stage of new Set(stages.map(String))) {
      const top = columnOf(stage)?.querySelector(".column-top");
      if (top) htmx.trigger(top, "refresh-head");
    }
    htmx.trigger("#board-head", "refresh-figures");
  }

  function csrf() {
    return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  }

  async function post(url, fields) {
    const body = new URLSearchParams(fields);
    return fetch(url, {
      method: "POST",
      body,
      headers: { "X-CSRFToken": csrf(), "X-Board": "drag", "HX-Request": "true" },
      redirect: "manual",
    });
  }

  /* Dropped on the won column a deal is won as on the Won zone: the real amount and day are asked for. */
  function wins(card, spot) {
    return card.closest(".column").dataset.kind === "won" && spot.parent.closest(".column").dataset.kind !== "won";
  }

  /* Post a move already shown; any answer but 200 puts the card back to `spot` and says why. */
  async function postMove(card, spot) {
    const { stage, after, before } = placeOf(card);
    const pk = card.dataset.pk;
    if (wins(card, spot)) {
      putBack(card, spot);
      htmx.ajax("GET", `/deals/${pk}/win/`, { target: "#dialog" });
      return false;
    }
    if (by !== "stage" && spot.parent === card.parentElement) {
      putBack(card, spot);
      return false;
    }
    card.classList.add("is-saving");
    const fields = { to: stage, after, before, version: card.dataset.version, key: crypto.randomUUID() };
    let answer;
    try {
      answer = await post(`/deals/${pk}/${verb}/`, fields);
    } catch {
      /* An error does not mean that the write failed: the same key gets the first answer. */
      try {
        answer = await post(`/deals/${pk}/${verb}/`, fields);
      } catch {
        answer = null;
      }
    }
    card.classList.remove("is-saving");
    if (answer?.status === 200) return accept(pk, answer, spot.place);
    putBack(card, spot);
    await refuse(card, answer, stage);
    return false;
  }

  async function accept(pk, answer, was) {
    const html = await answer.text();
    if (html.trim()) replaceCard(pk, html);
    const events = JSON.parse(answer.headers.get("HX-Trigger") || "{}");
    if (events["deal-moved"]) document.body.dispatchEvent(new CustomEvent("deal-moved", { detail: { ...events["deal-moved"], placed: true, was } }));
    return true;
  }

  async function refuse(card, answer, stage) {
    const texts = document.getElementById("words").dataset;
    const title = titleOf(card);
    say(fill(words.back, { title }));
    if (!answer) return complain(texts.offline);
    if (answer.status === 422) return openDialog(await answer.text(), stage);
    if (answer.status === 409) return showConflict(card, await answer.text());
    if (answer.status === 403) return complain(texts.forbidden);
    if (answer.status === 404) return complain(texts.gone);
    return complain(texts.failed);
  }

  function openDialog(html) {
    const host = document.getElementById("dialog");
    host.innerHTML = html;
    htmx.process(host);
    htmx.trigger(host, "htmx:afterSwap", { target: host });
    if (!host.open) host.showModal();
  }

  /* The fresh card where it is now, and beside it who moved it. */
  function showConflict(card, html) {
    const content = parse(html);
    const note = content.querySelector(".conflict");
    const fresh = content.querySelector("template[data-fresh-card]").content.querySelector(".deal-card");
    const from = stageOf(card);
    const after = neighbour(card, "previousElementSibling");
    const stays = note.dataset.stage === from;
    card.remove();
    if (!note.dataset.gone) {
      fresh.classList.add("is-fresh");
      insertCard(fresh, note.dataset.stage, stays && after ? after.dataset.pk : "");
    }
    const place = document.getElementById("conflict-place");
    place.replaceChildren(note);
    htmx.process(note);
    note.showPopover();
    refreshHeads(from, note.dataset.stage);
    say(note.querySelector("p").textContent);
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-conflict-close], .conflict-ways a")) {
      document.querySelector(".conflict")?.hidePopover();
      document.querySelectorAll(".deal-card.is-fresh").forEach((card) => card.classList.remove("is-fresh"));
    }
  });

  /* A card dropped above its place comes again with the cards below it: one of the two goes. */
  root.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.detail.elt.matches(".column-more")) return;
    const coming = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
    for (const card of coming.querySelectorAll(".deal-card")) cardOf(card.dataset.pk)?.remove();
  });

  /* On a phone one column shows at a time; the chip of the one that shows is marked. */
  const chips = document.getElementsByClassName("stage-chips");
  function markChip() {
    const columns = [...root.querySelectorAll(".column")];
    const nearest = columns.reduce((best, column) => (Math.abs(column.getBoundingClientRect().left) < Math.abs(best.getBoundingClientRect().left) ? column : best));
    for (const chip of chips[0].children) {
      const isHere = chip.hash === `#${nearest.id}`;
      if (isHere && !chip.hasAttribute("aria-current")) chip.scrollIntoView({ block: "nearest", inline: "center" });
      chip.toggleAttribute("aria-current", isHere);
    }
  }
  root.addEventListener("scroll", markChip, { passive: true });
  document.addEventListener("htmx:oobAfterSwap", markChip);

  const board = { by, catchUp: () => {}, isChosen: () => false, openDialog, root, words, cardOf, cardsOf, stageOf, columnOf, titleOf, fill, say, complain, placeOf, remember, putBack, parse, insertCard, refreshHeads, post, postMove, replaceCard };
  window.board = board;
})();
