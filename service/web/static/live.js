// Keeps the status page new while it is open. Without this script nothing is missing but that.
"use strict";
(() => {
  let wanted = "", waiting = 0;

  const replace = (page) => {
    for (const old of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(old.id);
      if (!fresh) continue;
      const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
      // what a reader opened or closed stays so
      for (const one of old.querySelectorAll("details[id]")) {
        fresh.querySelector(`#${one.id}`)?.toggleAttribute("open", one.open);
      }
      old.replaceWith(document.adoptNode(fresh));
      if (focused) document.getElementById(focused)?.focus({preventScroll: true});
    }
    document.title = page.title;
    document.getElementById("news").textContent = `This page was updated. ${document.querySelector("h1").textContent}`;
  };

  const look = async () => {
    waiting = 0;
    if (document.hidden || wanted === document.querySelector("[data-version]").dataset.version) return;
    // the version in the address leads past caches that still hold the older page
    const answer = await fetch(`/?${wanted}`).catch(() => null);
    // what fails now is tried again at the next event, or when the reader comes back
    if (answer?.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
  };
  // not all readers at the same moment
  const soon = () => { waiting ||= setTimeout(look, 50 + Math.random() * 950); };

  // the browser itself connects again after a cut, and is told the version anew
  new EventSource("/events").addEventListener("version", (event) => { wanted = event.data; soon(); });
  document.addEventListener("visibilitychange", () => { if (wanted) soon(); });
})();
