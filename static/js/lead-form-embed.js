// Puts a lead form into a page of another site, in a frame:
//   <div data-voronka-form="SLUG"></div>
//   <script src="https://crm.example.com/f/embed.js" async></script>
// It tells the form where the visitor came from, and keeps the frame as high as what is in it.
(() => {
  const home = new URL(document.currentScript.src).origin;
  const frames = new Map();

  function address(place) {
    const here = new URL(location.href);
    const url = new URL(`/f/${encodeURIComponent(place.dataset.voronkaForm)}/embed/`, home);
    for (const [name, value] of here.searchParams) if (name.startsWith("utm_")) url.searchParams.set(name, value);
    url.searchParams.set("page", here.origin + here.pathname);
    if (document.referrer) url.searchParams.set("referrer", document.referrer);
    for (const name of ["lang", "theme"]) if (place.dataset[name]) url.searchParams.set(name, place.dataset[name]);
    return url.href;
  }

  function place(element) {
    if (element.dataset.voronkaPlaced) return;
    element.dataset.voronkaPlaced = "yes";
    const frame = document.createElement("iframe");
    frame.src = address(element);
    frame.title = element.dataset.title || "Contact form";
    // Properties rather than a style attribute: a strict style-src refuses only the latter.
    frame.style.width = "100%";
    frame.style.border = "0";
    frame.style.height = "480px";
    frame.style.colorScheme = "normal"; // else a frame of another scheme is opaque
    element.append(frame);
    frames.set(frame, element);
  }

  function goTo(address) {
    const url = new URL(address, home);
    if (["http:", "https:"].includes(url.protocol)) location.assign(url.href);
  }

  addEventListener("message", (event) => {
    const found = [...frames].find(([frame]) => frame.contentWindow === event.source);
    if (!found || event.origin !== home || typeof event.data !== "object" || event.data === null) return;
    const [frame, element] = found;
    if (Number.isFinite(event.data.voronkaHeight)) frame.style.height = `${Math.ceil(event.data.voronkaHeight)}px`;
    if (event.data.voronkaSent) element.dispatchEvent(new CustomEvent("voronka:sent", { bubbles: true }));
    if (typeof event.data.voronkaGoTo === "string" && event.data.voronkaGoTo) goTo(event.data.voronkaGoTo);
  });

  const placeAll = () => document.querySelectorAll("[data-voronka-form]").forEach(place);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", placeAll);
  else placeAll();
})();
