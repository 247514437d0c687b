/* A <select data-chooser> becomes a chooser with search; without script it stays a select. Loads Tom Select only where one is.
     data-chooser-url="/companies/choices/"   asks the server as one types: answers [{"value": "7", "text": "Halden Dairy"}]
     data-chooser-create                      lets a new text be entered
     data-chooser-new="new:"                  the same, sent with this before it, so that a name of figures is not taken for an id */
(() => {
  const words = document.getElementById("words").dataset;
  const source = document.querySelector("script[data-tom-select]")?.dataset.tomSelect;
  let loading = null;

  function library() {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = source;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
    return loading;
  }

  function options(select) {
    const url = select.dataset.chooserUrl;
    return {
      maxOptions: 200,
      plugins: select.multiple ? ["remove_button"] : [],
      create: "chooserCreate" in select.dataset || ("chooserNew" in select.dataset && ((text) => ({ value: select.dataset.chooserNew + text, text }))),
      searchField: ["text"],
      allowEmptyOption: !select.required,
      render: {
        no_results: () => Object.assign(document.createElement("div"), { className: "no-results", textContent: words.nothing }),
        option_create: (entered) => Object.assign(document.createElement("div"), { className: "create", textContent: `${words.add}: ${entered.input}` }),
      },
      load: url && ((text, done) => {
        fetch(`${url}?${new URLSearchParams({ q: text })}`, { headers: { Accept: "application/json" } })
          .then((answer) => (answer.ok ? answer.json() : []))
          .then(done, () => done());
      }),
    };
  }

  /* Where something is chosen already, Tom Select swallows keys until a timer of its own has run after the focus: on a busy
     machine the first letters of a name. From the moment it has the focus it is to hear. */
  function hearAtOnce(chooser) {
    chooser.hook("after", "focus", () => { chooser.isInputHidden = false; });
  }

  async function mount(root) {
    const selects = [...root.querySelectorAll("select[data-chooser]")].filter((select) => !select.tomselect);
    if (!selects.length || !source) return;
    await library();
    for (const select of selects) {
      if (select.tomselect) continue; // the page and htmx both announce what is in it
      const hadFocus = document.activeElement === select;
      hearAtOnce(new window.TomSelect(select, options(select)));
      select.setAttribute("aria-hidden", "true"); // the chooser carries the label now
      if (hadFocus) select.tomselect.focus();
    }
  }

  mount(document);
  document.addEventListener("htmx:load", (event) => mount(event.detail.elt));
  /* Taken down before its part of the page is swapped away, or its listeners would stay. */
  document.addEventListener("htmx:beforeCleanupElement", (event) => event.detail.elt.tomselect?.destroy());
})();
