/* A <textarea data-editor> becomes an editor (Quill, loaded only where one is); what is sent is always the textarea.
     [data-insert] of its frame puts a merge field where the caret was: in the text, or in a field with [data-merge]
     [data-editor-source] shows the text as HTML; so does a text with tables or pictures, which the editor would lose */
(() => {
  const own = document.querySelector("script[data-quill]").dataset;
  const FORMATS = ["bold", "italic", "underline", "strike", "link", "list", "blockquote", "header"];
  const BEYOND = /<(?:table|img|hr|pre|sub|sup)\b/i;
  let loading = null;
  let lastField = null;

  function library() {
    loading ??= new Promise((resolve, reject) => {
      document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: own.quillCss }));
      const script = Object.assign(document.createElement("script"), { src: own.quill, onload: resolve, onerror: reject });
      document.head.append(script);
    });
    return loading;
  }

  /* Quill writes each space as one that does not break; an empty line is a paragraph with a line end in it. */
  function written(quill) {
    if (!quill.getText().trim()) return "";
    return quill.getSemanticHTML().replaceAll("&nbsp;", " ").replaceAll("<p></p>", "<p><br></p>");
  }

  function build(field) {
    const host = field.closest("[data-editor-host]");
    const part = (name) => host.querySelector(`[data-editor-${name}]`);
    const surface = part("surface");
    const marks = part("marks");
    const label = host.querySelector("label");
    const quill = new window.Quill(surface, { formats: FORMATS, modules: { toolbar: marks, history: { userOnly: true } } });
    quill.root.setAttribute("role", "textbox");
    quill.root.setAttribute("aria-multiline", "true");
    quill.root.setAttribute("aria-label", label.textContent.trim());
    if (field.getAttribute("aria-invalid")) quill.root.setAttribute("aria-invalid", "true");
    label.addEventListener("click", () => isShape() && quill.focus());

    const isShape = () => !surface.hidden;
    function show(asShape) {
      if (asShape) quill.setContents(quill.clipboard.convert({ html: field.value }), "silent");
      surface.hidden = !asShape;
      field.hidden = asShape;
      part("source").setAttribute("aria-pressed", String(!asShape));
    }
    marks.hidden = false;
    show(!BEYOND.test(field.value));

    quill.on("text-change", () => {
      field.value = written(quill);
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    quill.root.addEventListener("focus", () => { lastField = null; });
    part("source").addEventListener("click", () => show(!isShape()));

    const link = part("link-form");
    let range = null;
    part("link").addEventListener("click", () => {
      range = quill.getSelection(true);
      link.hidden = !link.hidden;
      link.firstElementChild.value = quill.getFormat(range).link || "";
      if (!link.hidden) link.firstElementChild.focus();
    });
    function setLink() {
      const address = link.firstElementChild.value.trim();
      link.hidden = true;
      if (!range) return;
      if (address && !range.length) quill.insertText(range.index, address, "link", address, "user");
      else quill.formatText(range.index, range.length, "link", /^(https?:|mailto:|tel:)/i.test(address) && address, "user");
      quill.setSelection(range.index + range.length);
    }
    part("link-set").addEventListener("click", setLink);
    link.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // it would send the form
      setLink();
    });

    host.addEventListener("click", (event) => {
      const button = event.target.closest("[data-insert]");
      if (!button) return;
      button.closest("details")?.removeAttribute("open");
      if (lastField?.isConnected) return insertInto(lastField, button.dataset.insert);
      if (!isShape()) return insertInto(field, button.dataset.insert);
      const at = quill.getSelection(true);
      quill.insertText(at.index, button.dataset.insert, "user");
      quill.setSelection(at.index + button.dataset.insert.length);
    });
  }

  function insertInto(field, text) {
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  async function mount(root) {
    const fields = [...root.querySelectorAll("textarea[data-editor]:not([data-is-built])")];
    if (!fields.length) return;
    await library();
    for (const field of fields) {
      if ("isBuilt" in field.dataset || !field.isConnected) continue;
      field.dataset.isBuilt = "";
      build(field);
    }
  }

  document.addEventListener("focusin", (event) => { if (event.target.matches("[data-merge]")) lastField = event.target; });
  mount(document);
  document.addEventListener("htmx:afterSwap", (event) => mount(event.target));
})();
