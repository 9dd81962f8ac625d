// Keeps an employee's page new while it is open: htmx fetches the page again, and this decides which of its parts
// are put in place of the old ones. It never takes away what somebody types, and never moves the focus elsewhere.
// Without scripts nothing is missing but that.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live) return;
  const news = document.getElementById("news"), served = new Map(), noticed = new Map(), held = new Set();
  let source = null, visits = 0;

  const partOf = (one) => one?.closest?.("[data-part]");
  const again = () => htmx.trigger(live, "again");
  for (const part of document.querySelectorAll("[data-part]")) served.set(part.id, part.outerHTML);

  const isField = (one) => one.matches("input:not([type=hidden]), textarea, select");
  const isChanged = (field) => {
    // typed before the page was served: an order about it was refused
    if ("kept" in field.dataset) return true;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.localName !== "select") return field.value !== field.defaultValue;
    const first = [...field.options].findIndex((one) => one.defaultSelected);
    return field.selectedIndex !== Math.max(first, 0);
  };
  const isBusy = (part) => [...part.querySelectorAll("input, textarea, select")].some(
    (one) => isField(one) && (one === document.activeElement || isChanged(one)));

  const noticeOf = (part) => part.previousElementSibling?.matches(".meanwhile") ? part.previousElementSibling : null;
  const notice = (part, text, more) => {
    if (noticeOf(part) && noticed.get(part.id) === text) return;
    noticeOf(part)?.remove();
    noticed.set(part.id, text);
    const box = document.createElement("div"), said = document.createElement("p"), link = document.createElement("a");
    box.className = "notice meanwhile stack stack--tight";
    box.dataset.state = "warning";
    const latest = document.getElementById("latest");
    said.append("Meanwhile: ", ...(latest ? [...latest.cloneNode(true).childNodes] : ["something changed here."]));
    said.append(` ${more}`);
    link.href = live.getAttribute("hx-get") || location.href;
    link.textContent = "Show it as it is now";
    box.append(said, link);
    part.before(box);
    news.textContent = said.textContent;
  };

  // where the focus is, in words that also find it in the part that comes
  const placeOf = (one) => {
    if (one.id) return `#${CSS.escape(one.id)}`;
    if (one.hasAttribute("href")) return `a[href="${CSS.escape(one.getAttribute("href"))}"]`;
    if (one.form) return `form[action="${CSS.escape(one.form.getAttribute("action"))}"] ${one.localName}`;
    return one.parentElement.id ? `#${CSS.escape(one.parentElement.id)} > ${one.localName}` : "";
  };
  const refocus = (id, place) => {
    const part = document.getElementById(id);
    let one = place && part.querySelector(place);
    if (!one) {
      // it is gone: the keyboard goes on from where it was, not from the top of the page
      one = part.textContent.trim() ? part : document.getElementById("latest") || part;
      one.tabIndex = -1;
    }
    one.focus({preventScroll: true});
  };

  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const {target, fragment} = event.detail, fresh = fragment.querySelector("[data-part]");
    const text = fresh.outerHTML;
    if (text === served.get(target.id)) { event.detail.shouldSwap = false; return; }
    const isOther = target.dataset.text && fresh.dataset.text !== target.dataset.text;
    if ("own" in target.dataset) {
      // a form of which the fetched page only says whether it still holds
      event.detail.shouldSwap = false;
      served.set(target.id, text);
      if (isOther) notice(target, text, "What you typed is still here; it was not sent.");
      return;
    }
    const isOtherText = isOther && fresh.dataset.text;
    if (isOtherText || isBusy(target)) {
      event.detail.shouldSwap = false;
      if (!isOtherText) held.add(target.id);
      notice(target, text, isOtherText ? "Below is the text before." : "What you typed is still here; it was not sent.");
      return;
    }
    served.set(target.id, text);
    held.delete(target.id);
    noticeOf(target)?.remove();
    for (const one of target.querySelectorAll("details[id]")) {
      fresh.querySelector(`#${CSS.escape(one.id)}`)?.toggleAttribute("open", one.open);
    }
    if (fresh.dataset.news && fresh.dataset.news !== target.dataset.news) news.textContent = fresh.dataset.news;
    const focused = document.activeElement;
    if (target.contains(focused)) {
      const place = placeOf(focused);
      queueMicrotask(() => refocus(target.id, place));
    }
  });
  // what was kept back only because the cursor stood in it
  document.addEventListener("focusout", (event) => {
    const part = partOf(event.target);
    if (part && held.has(part.id)) setTimeout(() => { if (!isBusy(part)) again(); });
  });

  const leave = () => { source?.close(); document.getElementById("logged-out").hidden = false; };
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (new URL(event.detail.xhr.responseURL).pathname !== "/login") return;
    event.preventDefault();
    leave();
  });
  document.addEventListener("htmx:sseOpen", (event) => {
    source = event.detail.source;
    source.addEventListener("over", leave);
    source.addEventListener("rest", () => source.close());
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || source?.readyState !== EventSource.CLOSED) return;
    live.setAttribute("sse-connect", `/dashboard/events?visit=${visits += 1}`);
    htmx.process(live);
  });
  // how many mails went out is no change of anything, and yet it moves
  setInterval(() => { if (!document.hidden && document.querySelector("[data-moving]")) again(); }, 5_000);
})();
