// Says times in the reader's own zone, and lets those move that tell how long ago, how soon or how
// long. Without this script they stand as the server wrote them, with their zone.
"use strict";
(() => {
  const MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
  const page = document.documentElement.lang || "en";
  // the reader's habits, in the language of the page
  const language = navigator.languages.find((one) => one.split("-")[0] === page) || (page === "en" ? "en-GB" : page);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const clock = {hour: "2-digit", minute: "2-digit", timeZoneName: "short"};
  const whole = new Intl.DateTimeFormat(language, {day: "2-digit", month: "short", year: "numeric", ...clock});
  const hours = new Intl.DateTimeFormat(language, clock);
  const day = new Intl.DateTimeFormat("en-CA", {dateStyle: "short"});
  const long = (unit) => new Intl.NumberFormat(language, {style: "unit", unit, unitDisplay: "long"});
  const lengths = {minute: long("minute"), hour: long("hour"), day: long("day")};
  const relative = new Intl.RelativeTimeFormat(language, {numeric: "always"});
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

  const two = (number) => String(number).padStart(2, "0");
  const iso = (at) => {
    const off = -at.getTimezoneOffset(), size = Math.abs(off);
    const local = new Date(at.getTime() + off * 60_000).toISOString().slice(0, 19);
    return `${local}${off < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  };

  const measure = (size) => size < 2 * HOUR ? ["minute", MINUTE] : size < 2 * DAY ? ["hour", HOUR] : ["day", DAY];
  const length = (seconds) => {
    if (seconds < MINUTE) return "under a minute";
    const [unit, size] = measure(seconds);
    return lengths[unit].format(Math[unit === "minute" ? "floor" : "round"](seconds / size));
  };
  const distance = (seconds) => {
    const size = Math.abs(seconds);
    if (size < 2 * MINUTE && seconds > 0 && !isCalm.matches) return relative.format(Math.ceil(seconds), "second");
    if (size < MINUTE) return seconds > 0 ? "in less than a minute" : "less than a minute ago";
    const [unit, each] = measure(size);
    const round = unit !== "minute" ? Math.round : seconds > 0 ? Math.ceil : Math.floor;
    return relative.format(Math.sign(seconds) * round(size / each), unit);
  };

  const say = (one, text) => { if (one.textContent !== text) one.textContent = text; };
  const move = (one) => {
    const seconds = (Date.parse(one.dateTime) - Date.now()) / 1000;
    if (one.dataset.moves === "for") say(one, length(-seconds));
    else say(one, one.dataset.moves === "to" && seconds <= 0 ? "any moment" : distance(seconds));
    return one.dataset.moves === "to" && seconds > 0 && seconds < 2 * MINUTE;
  };
  const show = (one) => {
    const at = new Date(one.dateTime);
    if (!one.dateTime.includes("T") || Number.isNaN(at.getTime())) return;
    one.title = iso(at);
    const from = one.dataset.from && new Date(one.dataset.from);
    if (one.dataset.moves) move(one);
    else say(one, (from && day.format(from) === day.format(at) ? hours : whole).format(at));
  };

  let timer = 0;
  const tick = () => {
    clearTimeout(timer);
    let isSoon = false;
    for (const one of document.querySelectorAll("time[data-moves]")) isSoon = move(one) || isSoon;
    timer = setTimeout(tick, isSoon && !isCalm.matches ? 1_000 : 30_000);
  };

  const showAll = (root) => {
    if (root.matches?.("time")) show(root);
    root.querySelectorAll?.("time").forEach(show);
    return Boolean(root.querySelector?.("time[data-moves]"));
  };
  showAll(document);
  document.querySelectorAll("[data-zone]").forEach((one) => { one["value" in one ? "value" : "textContent"] = zone; });
  tick();
  // what comes later: a page that keeps itself new
  new MutationObserver((changes) => {
    let moves = false;
    for (const change of changes) for (const node of change.addedNodes) moves = showAll(node) || moves;
    if (moves) tick();
  }).observe(document.body, {childList: true, subtree: true});
  document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
})();
