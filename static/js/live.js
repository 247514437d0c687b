/* The bell rings at once. One tab of the browser holds the stream and tells the others: a browser opens only six
   connections to a host, and a stream in each tab would soon leave none for pages. Without it the bell asks every 30 s. */
(() => {
  const bell = () => document.getElementById("bell");
  const address = bell()?.dataset.live;
  if (!address || !window.EventSource || !navigator.locks || !window.BroadcastChannel) return;
  const AGAIN_MS = 60_000;
  const tabs = new BroadcastChannel("voronka-live");

  function ring(now) {
    if (bell() && bell().dataset.seen !== now) htmx.trigger(bell(), "ring");
  }

  function listen() {
    const stream = new EventSource(address);
    stream.addEventListener("bell", (event) => {
      ring(event.data);
      tabs.postMessage(event.data);
    });
    /* Closed for good: the session has ended, or the server has no streams. */
    stream.addEventListener("error", () => stream.readyState === EventSource.CLOSED && setTimeout(listen, AGAIN_MS));
  }

  tabs.addEventListener("message", (event) => ring(event.data));
  navigator.locks.request("voronka-live", () => new Promise(listen)).catch(() => {});
})();
