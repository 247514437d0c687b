/* The grid of the calendar. What is dragged moves at once and is sent; any answer but 200 puts it back and says why.
   Times are those of the reader's clock, written without a zone: the grid only ever shows and sends figures. */
(() => {
  const host = document.getElementById("calendar-grid");
  const wide = matchMedia("(min-width: 768px)");
  if (!host || !window.EventCalendar) return;
  const words = host.dataset;
  const views = { day: "timeGridDay", week: "timeGridWeek", month: "dayGridMonth" };
  let grid = null;
  let wanted = "";

  const two = (number) => String(number).padStart(2, "0");
  const day = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const wall = (date) => `${day(date)}T${two(date.getHours())}:${two(date.getMinutes())}`;
  const say = (text, kind) => document.dispatchEvent(new CustomEvent("toast", { detail: { text, kind } }));
  const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

  /* What the server said, and whether it took the new time. */
  async function send(url, fields) {
    const headers = { "X-CSRFToken": token(), "X-Requested-With": "calendar" };
    let answer = null;
    try {
      answer = await fetch(url, { method: "POST", body: new URLSearchParams(fields), headers });
    } catch {
      answer = null;
    }
    const said = answer?.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
    if (!answer?.ok) say(said.message || words.failed, "error");
    return { said, isTaken: Boolean(answer?.ok), isStale: answer?.status === 409 };
  }

  async function move(info) {
    const { event } = info;
    const { move: url, version } = event.extendedProps;
    const minutes = Math.max(5, Math.round((event.end - event.start) / 60000));
    const { said, isTaken, isStale } = await send(url, { due: wall(event.start), version, duration_minutes: minutes });
    if (isTaken) {
      grid.updateEvent({ ...event, extendedProps: { ...event.extendedProps, version: said.version } });
      document.body.dispatchEvent(new CustomEvent("follow-ups-changed"));
      offerUndo({ title: said.title, text: `${said.from_label} → ${said.to_label}`, undo: () => moveBack(event.id, url, said) });
      return;
    }
    info.revert();
    if (isStale) grid.refetchEvents();
  }

  /* The pointer or the focus was on the toast, which is gone: what was put back gets it. */
  async function moveBack(id, url, { was, version }) {
    const { isTaken } = await send(url, { ...was, version });
    if (isTaken) {
      wanted = id;
      document.dispatchEvent(new CustomEvent("announce", { detail: { text: words.undone } }));
    }
    document.body.dispatchEvent(new CustomEvent("follow-ups-changed"));
  }

  function open(info) {
    const { edit, page } = info.event.extendedProps;
    if (edit) htmx.ajax("GET", edit, { target: "#dialog", swap: "innerHTML" });
    else if (page) location.assign(page);
  }

  function plan(info) {
    const due = info.allDay ? `${day(info.date)}T09:00` : wall(info.date);
    htmx.ajax("GET", `${words.new}?due=${due}`, { target: "#dialog", swap: "innerHTML" });
  }

  /* The package calls its grid a table and puts buttons into it, which helps nobody who hears it: the buttons stay, in
     order, and the list one link away reads as one. What scrolls can be reached by keyboard. */
  function tidy() {
    for (const part of host.querySelectorAll("[role]:not([role='button'])")) {
      part.removeAttribute("role");
      for (const name of part.getAttributeNames()) if (name.startsWith("aria-")) part.removeAttribute(name);
    }
    const scrolled = host.querySelector(".ec-main");
    scrolled?.setAttribute("tabindex", "0");
    scrolled?.setAttribute("role", "region");
    scrolled?.setAttribute("aria-label", words.label);
  }

  function draw() {
    document.documentElement.classList.toggle("has-calendar-grid", wide.matches);
    host.hidden = !wide.matches;
    if (!wide.matches || grid) return;
    const [year, month, date] = words.on.split("-").map(Number);
    grid = EventCalendar.create(host, {
      view: views[words.view],
      date: new Date(year, month - 1, date),
      locale: words.locale === "en" ? "en-GB" : words.locale,
      ...(words.view === "month" ? {} : { dayHeaderFormat: { weekday: "short", day: "numeric", month: "short" } }),
      headerToolbar: { start: "", center: "", end: "" },
      height: words.view === "month" ? undefined : "calc(100vh - 140px)",
      scrollTime: "07:30:00",
      firstDay: 1,
      allDaySlot: false,
      nowIndicator: true,
      dayMaxEvents: true,
      moreContent: (info) => words.more.replace("{count}", info.num),
      slotLabelFormat: { hour: "2-digit", minute: "2-digit", hour12: false },
      eventTimeFormat: { hour: "2-digit", minute: "2-digit", hour12: false },
      eventStartEditable: true,
      eventDurationEditable: true,
      pointer: Boolean(words.new),
      lazyFetching: false,
      eventSources: [{
        events: async (info) => {
          const answer = await fetch(`${words.events}&start=${day(info.start)}&end=${day(info.end)}`);
          return answer.ok ? answer.json() : [];
        },
      }],
      eventDrop: move,
      eventResize: move,
      eventClick: open,
      eventDidMount: ({ el, event }) => { el.dataset.event = event.id; },
      eventAllUpdated: () => {
        tidy();
        if (wanted) host.querySelector(`[data-event="${CSS.escape(wanted)}"]`)?.focus();
        wanted = "";
      },
      datesSet: () => setTimeout(tidy),
      ...(words.new ? { dateClick: plan } : {}),
    });
  }

  document.body.addEventListener("follow-ups-changed", () => grid?.refetchEvents());
  document.querySelector("[data-submits]")?.addEventListener("change", (event) => event.target.form.requestSubmit());
  wide.addEventListener("change", draw);
  draw();
})();
