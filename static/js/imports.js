/* Says at once that a file is too large: the server refuses it before it has read it, and a browser may then only say
   that the connection was lost. */
document.addEventListener("change", (event) => {
  const input = event.target.closest?.("[data-import-file]");
  if (!input) return;
  const isTooLarge = input.files[0]?.size > Number(input.dataset.mostBytes);
  input.setCustomValidity(isTooLarge ? input.dataset.tooLarge : "");
  input.reportValidity();
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest?.("[data-import-upload]");
  if (!form) return;
  const input = form.querySelector("[data-import-file]");
  if (input.reportValidity()) form.querySelector("button").setAttribute("aria-busy", "true");
  else event.preventDefault();
});
