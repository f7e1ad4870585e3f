// Checks the sticker of this address on the phone itself: signature, last day, revocation list. Needs no network.
// signing.py describes the layout of a token. The service worker keeps this page, so it works without a signal.
(function () {
  "use strict";
  var state = JSON.parse(document.getElementById("state").textContent);
  var DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  var CONTEXT = new TextEncoder().encode("payung-sticker-v1");
  var MONTHS = ["Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober",
    "November", "Desember"];

  function bytes(base64) {
    var text = atob(base64.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(text, function (one) { return one.charCodeAt(0); });
  }

  function padded(number, width) { return String(number).padStart(width, "0"); }

  function opened(token) {
    var raw;
    try { raw = bytes(token); } catch (error) { return null; }
    if (raw.length !== 83 || raw[0] !== 1) { return null; }
    var payload = raw.subarray(0, 19);
    var id = Array.from(payload.subarray(1, 5), function (one) { return padded(one.toString(16), 2); }).join("");
    if (!state.keys[id]) { return null; }
    var signed = new Uint8Array(CONTEXT.length + payload.length);
    signed.set(CONTEXT);
    signed.set(payload, CONTEXT.length);
    if (!nacl.sign.detached.verify(signed, raw.subarray(19), bytes(state.keys[id]))) { return null; }
    var regency = padded(payload[7] * 256 + payload[8], 4);
    var digits = "";
    // Plain arithmetic, because bitwise operators hold only 32 bits and this number has 50.
    var value = payload.subarray(12, 19).reduce(function (sum, one) { return sum * 256 + one; }, 0);
    for (var place = 0; place < 10; place++) {
      digits = DIGITS[value % 32] + digits;
      value = Math.floor(value / 32);
    }
    var until = new Date(Date.UTC(2020, 0, 1 + payload[5] * 256 + payload[6]));
    return {
      number: regency + "-" + digits.slice(0, 5) + "-" + digits.slice(5),
      village: regency.slice(0, 2) + "." + regency.slice(2) + "." + padded(payload[9], 2) + "." +
        padded(payload[10] * 256 + payload[11], 4),
      until: until.toISOString().slice(0, 10),
      untilText: until.getUTCDate() + " " + MONTHS[until.getUTCMonth()] + " " + until.getUTCFullYear()
    };
  }

  function show(status, claim) {
    var verdict = document.getElementById("verdict");
    var lines = verdict.children;
    verdict.dataset.status = status;
    for (var line = 0; line < 3; line++) { lines[line].textContent = state.texts[status][line]; }
    document.getElementById("details").hidden = !claim;
    if (claim) {
      document.getElementById("number").textContent = claim.number;
      document.getElementById("village").textContent = state.villages[claim.village] || claim.village;
      document.getElementById("until").textContent = claim.untilText;
    }
  }

  var token = location.pathname.split("/").pop();
  if (token) {
    var claim = opened(token);
    // The day in WITA, whatever time zone the phone is set to.
    var today = new Date(Date.now() + 8 * 3600 * 1000).toISOString().slice(0, 10);
    // The service's own answer for this sticker is newer than any list.
    var told = document.getElementById("verdict").dataset.status;
    if (!claim) { show("invalid", null); }
    else if (told === "revoked" || state.revoked.indexOf(claim.number) >= 0) { show("revoked", claim); }
    else if (claim.until < today) { show("expired", claim); }
    else { show("valid", claim); }
  }
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register("/s/worker.js", { scope: "/s/" }).catch(function () {});
  }
})();
