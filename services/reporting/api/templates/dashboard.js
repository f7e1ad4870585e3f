"use strict";
// Whenever the figures changed, the page is asked for again and its figures put in place: one way of drawing them.
(() => {
  const follow = new EventSource("/v1/stream" + location.search);
  let first = true, busy = false, again = false;
  const redraw = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const old = document.getElementById("figures"), fresh = page.getElementById("figures");
        // A reader inside a table keeps the place: focus is taken back to the same one.
        const held = document.activeElement && document.activeElement.getAttribute("aria-labelledby");
        const left = [...old.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
        old.replaceChildren(...fresh.childNodes);
        old.querySelectorAll(".scroll").forEach((one, at) => { one.scrollLeft = left[at] || 0; });
        if (held) old.querySelector(`[tabindex][aria-labelledby="${held}"]`)?.focus({ preventScroll: true });
        live(true);
      }
    } catch { live(false); }
    busy = false;
    if (again) { again = false; redraw(); }
  };
  const live = (on) => { const sign = document.getElementById("live"); if (sign) sign.hidden = !on; };
  follow.addEventListener("snapshot", () => { live(true); if (first) { first = false; return; } redraw(); });
  follow.addEventListener("error", () => { first = false; live(false); });
  document.querySelectorAll("header select").forEach((one) => one.addEventListener("change", () => one.form.submit()));
})();
