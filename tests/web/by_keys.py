"""Sees to it that a page is used with the keys alone: whatever else is done in it is a complaint of its console.

`opened` of `tests/web/chromium.py` fails the test of a page that complains.
"""

from typing import Final

from playwright.sync_api import Page

COMPLAINT: Final = "by no key: "
"""What each complaint begins with."""
_WATCH: Final = """
(() => {
  let keys = 0, place = "", choosing = null, isInFrame = false;
  const typed = new WeakMap(), sent = new WeakSet();
  const placeOf = (one) => [one.localName, one.id || one.getAttribute("href") || one.form?.action].join(" ");
  const complain = ({type, target}) =>
    console.error(`by no key: ${type} at ${placeOf(target)} of ${location.pathname}`);
  const valueOf = (field) => ["checkbox", "radio"].includes(field.type) ? field.checked : field.value;
  const servedWith = (field) => {
    if (["checkbox", "radio"].includes(field.type)) return field.defaultChecked;
    if (field.localName !== "select") return field.defaultValue;
    return ([...field.options].find((one) => one.defaultSelected) ?? field.options[0])?.value;
  };
  const on = (names, heard) => {
    for (const name of names.split(" ")) addEventListener(name, heard, {capture: true, passive: true});
  };

  // what a key does is done within its own task, and no key of a script does anything
  on("keydown keypress keyup", (event) => {
    if (!event.isTrusted) return complain(event);
    keys += 1;
    scheduler.postTask(() => { keys -= 1; }, {priority: "user-blocking"});
  });
  on("pointerdown mousedown touchstart drop", complain);
  // a pointer that nobody moved lies in the corner; of that one the browser tells when a page changes under it
  on("pointermove", (event) => { if (event.clientX || event.clientY) complain(event); });
  on("click input change submit", (event) => {
    const field = event.target;
    // the system's own window, which no test can type into, gives what it was opened for by a key
    const isChosen = field === choosing && event.type !== "click";
    // a key writes one letter; more at once are put in
    const isByKey = event.isTrusted && keys && !(event.data?.length > 1);
    if (!isChosen && !isByKey) return complain(event);
    if (event.type === "submit") sent.add(field);
    if (field.type === "file") choosing = field;
    if (field.form) typed.set(field, valueOf(field));
  });
  // even a form that is sent without a word to anybody has its values collected
  on("formdata", (event) => {
    const form = event.target;
    if (!sent.has(form)) complain(event);
    for (const field of form.querySelectorAll("input:not([type=hidden]), select, textarea")) {
      const value = valueOf(field), isLeft = field.type === "radio" && !value;
      if (isLeft || value === servedWith(field) || value === typed.get(field)) continue;
      complain({type: "value", target: field});
    }
  });
  // a frame hears its own keys
  addEventListener("blur", () => { isInFrame = document.activeElement?.localName === "iframe"; });
  on("focusin", (event) => {
    const next = placeOf(event.target);
    // the page itself may put the focus back to where it was, or on what is only read
    const isOfPage = event.target.autofocus || event.target.tabIndex < 0 || next === place;
    if (keys || isInFrame || isOfPage) place = next;
    else complain(event);
    isInFrame = false;
  });
})();
"""


def watch_hands(page: Page) -> None:
    """Let each page that is opened from now on complain of a mouse, a finger, and of scripts that do what hands do."""
    page.add_init_script(_WATCH)
