// Tells the visitors of any site that something is wrong, and nothing while all is well. A site embeds it by a script
// element whose `src` is /widget.js of the status page, with `defer`.
"use strict";
(() => {
  const own = document.currentScript?.src;
  if (!own) return;
  const EVERY = 60_000, STORED = "replycast-dismissed";
  const WORDS = {
    investigating: "Investigating", identified: "Identified", monitoring: "Monitoring",
    in_progress: "Maintenance", verifying: "Maintenance",
  };
  const LOOK = `
    :host { all: initial; }
    section {
      position: fixed; right: 1rem; bottom: 1rem; z-index: 2147483000; box-sizing: border-box; display: flex; gap: .75rem;
      align-items: center; width: max-content; max-width: min(24rem, calc(100vw - 2rem)); padding: .75rem .5rem .75rem 1rem;
      border: 1px solid #e1e3dd; border-left: .3rem solid var(--mark); border-radius: .75rem; background: #ffffff; color: #1c2024;
      box-shadow: 0 2px 12px rgb(20 24 28 / .18); font: 15px/1.45 system-ui, "Segoe UI", Roboto, sans-serif; text-align: left;
    }
    section { --mark: #6a727a; --link: #3350b0; }
    section[data-impact="minor"] { --mark: #a37500; }
    section[data-impact="major"] { --mark: #cf5f0b; }
    section[data-impact="critical"] { --mark: #c52f38; }
    section[data-impact="maintenance"] { --mark: #386cd0; }
    p { margin: 0; overflow-wrap: anywhere; }
    p + p { font-size: .875em; }
    .text { min-width: 0; }
    a { color: var(--link); }
    button {
      flex: none; width: 2rem; height: 2rem; padding: 0; border: 0; border-radius: .4rem; background: none; color: inherit;
      font: 1.25rem/1 system-ui, sans-serif; cursor: pointer;
    }
    button:hover { background: rgb(128 128 128 / .18); }
    :focus-visible { outline: 3px solid var(--link); outline-offset: 1px; }
    @media (prefers-color-scheme: dark) {
      section { --link: #9db4fa; border-color: #2d3339; border-left-color: var(--mark); background: #1b1f23; color: #e9ebed; }
    }
    @media print { section { display: none; } }`;

  const summary = new URL("api/v2/summary.json", own);
  let host = null, shown = "";

  const dismissed = () => {
    try { return JSON.parse(localStorage.getItem(STORED)) ?? []; } catch { return []; }
  };
  const dismiss = (ids) => {
    try { localStorage.setItem(STORED, JSON.stringify(ids)); } catch { /* then until the next page only */ }
    remove();
  };
  const remove = () => { host?.remove(); host = null; };
  const element = (name, text, attributes = {}) => {
    const made = Object.assign(document.createElement(name), attributes);
    if (text) made.textContent = text;
    return made;
  };
  const address = (text) => {
    const url = new URL(text, own);
    return ["http:", "https:"].includes(url.protocol) ? url.href : new URL("./", own).href;
  };

  const show = (page, list) => {
    remove();
    const [first] = list, ids = list.map((one) => one.id);
    host = element("div", "", {id: "replycast-widget"});
    const root = host.attachShadow({mode: "open"});
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(LOOK);
    root.adoptedStyleSheets = [sheet];
    const section = element("section");
    section.setAttribute("aria-label", page.name);
    section.dataset.impact = first.impact;
    const text = element("div", "", {className: "text"});
    text.setAttribute("role", "status");
    const line = element("p", `${WORDS[first.status] ?? page.name}: `);
    line.append(element("a", first.name, {href: address(first.shortlink), target: "_blank", rel: "noopener"}));
    text.append(line);
    if (list.length > 1) text.append(element("p", `And ${list.length - 1} more.`));
    const close = element("button", "\u00d7", {type: "button"});
    close.setAttribute("aria-label", "Dismiss");
    close.addEventListener("click", () => dismiss(ids));
    section.addEventListener("keydown", (event) => { if (event.key === "Escape") dismiss(ids); });
    section.append(text, close);
    root.append(section);
    document.body.append(host);
  };

  const look = async () => {
    if (document.hidden) return;
    const answer = await fetch(summary, {credentials: "omit", cache: "no-cache"}).catch(() => null);
    // a status page that does not answer says nothing about this site
    const found = answer?.ok ? await answer.json().catch(() => null) : null;
    if (!found) return;
    const going = [...found.incidents, ...found.scheduled_maintenances.filter((one) => one.status !== "scheduled")];
    const list = going.filter((one) => !dismissed().includes(one.id));
    const now = JSON.stringify(list.map((one) => [one.id, one.name, one.status, one.impact]));
    if (now === shown) return;  // whoever is reading it keeps the focus
    shown = now;
    if (list.length) show(found.page, list); else remove();
  };

  look();
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
})();
