"use strict";
// When the figures change, the page is fetched again and its figures replace the old ones. So only the server draws them.
(() => {
  // SILENT_MS is three heartbeats of the stream. PAUSE_MAX_MS is so short that readers need not reload by hand.
  const SILENT_MS = 45000, PAUSE_MAX_MS = 15000;
  let follow, pause = 0, tries = 0, heard = Date.now(), fresh = null, first = true, busy = false, again = false;

  const show = () => {
    const live = document.getElementById("live"), stale = document.getElementById("stale");
    if (live) live.hidden = fresh !== true;
    if (stale) stale.hidden = fresh !== false;
    document.body.classList.toggle("is-stale", fresh === false);
  };
  const alive = () => { heard = Date.now(); tries = 0; fresh = true; show(); };
  // After an answer such as 502 the browser never tries again. So we close the stream and open a new one, without end.
  const lost = () => {
    first = false; fresh = false; show();
    if (pause) return;
    follow.close();
    pause = setTimeout(connect, Math.min(PAUSE_MAX_MS, 1000 * 2 ** tries) * (0.5 + Math.random() / 2));
    tries += 1;
  };
  const connect = () => {
    clearTimeout(pause); pause = 0; heard = Date.now();
    if (follow) follow.close();
    follow = new EventSource("/v1/stream" + location.search);
    follow.addEventListener("snapshot", () => { if (first) { first = false; alive(); } else redraw(); });
    follow.addEventListener("still", alive);
    follow.addEventListener("error", lost);
  };
  const redraw = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const old = document.getElementById("figures"), drawn = page.getElementById("figures");
      // A reader inside a table keeps the place: the focus returns to the same table.
      const held = document.activeElement && document.activeElement.getAttribute("aria-labelledby");
      const left = [...old.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
      old.replaceChildren(...drawn.childNodes);
      old.querySelectorAll(".scroll").forEach((one, at) => { one.scrollLeft = left[at] || 0; });
      if (held) old.querySelector(`[tabindex][aria-labelledby="${held}"]`)?.focus({ preventScroll: true });
      alive();
    } catch { lost(); }
    busy = false;
    if (again) { again = false; redraw(); }
  };

  setInterval(() => { if (Date.now() - heard > SILENT_MS) lost(); }, 5000);
  window.addEventListener("online", connect);
  document.querySelectorAll("header select").forEach((one) => one.addEventListener("change", () => one.form.submit()));
  connect();
})();
