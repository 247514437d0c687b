// A lead form in a frame tells the page around it how high it is, and that it was sent. Nothing it says is private.
(() => {
  if (window.parent === window) return;
  const tell = (said) => window.parent.postMessage(said, "*");
  const main = document.querySelector("main"); // the page itself is as high as its frame, whatever is in it
  const height = () => Math.ceil(main.getBoundingClientRect().bottom + window.scrollY);
  new ResizeObserver(() => tell({ voronkaHeight: height() })).observe(main);
  const thanks = document.querySelector("[data-sent]");
  if (thanks) tell({ voronkaSent: true, voronkaGoTo: thanks.dataset.goTo || "" });
})();
