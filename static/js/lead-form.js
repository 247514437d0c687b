// A lead form in a frame tells the page around it how high it is, and that it was sent. Nothing it says is private.
(() => {
  if (window.parent === window) return;
  const tell = (said) => window.parent.postMessage(said, "*");
  new ResizeObserver(() => tell({ voronkaHeight: document.documentElement.offsetHeight })).observe(document.body);
  const thanks = document.querySelector("[data-sent]");
  if (thanks) tell({ voronkaSent: true, voronkaGoTo: thanks.dataset.goTo || "" });
})();
