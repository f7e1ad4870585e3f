// Keeps the checking page (with keys and revocation list) for phones without a signal; renews it at every visit.
"use strict";
var CACHE = "payung-sticker-1";
var SHELL = "/s/";
var PATIENCE_MS = 4000;

function renew() {
  return fetch(SHELL, { cache: "no-store" }).then(function (answer) {
    if (!answer.ok) { throw new Error("not now"); }
    return caches.open(CACHE).then(function (cache) { return cache.put(SHELL, answer); });
  });
}

self.addEventListener("install", function (event) {
  event.waitUntil(renew().then(function () { return self.skipWaiting(); }));
});

self.addEventListener("activate", function (event) {
  event.waitUntil(self.clients.claim());
});

self.addEventListener("fetch", function (event) {
  if (event.request.mode !== "navigate") { return; }
  var kept = function () { return caches.match(SHELL); };
  var network = fetch(event.request).then(function (answer) {
    // When the service is down, its proxy answers 5xx. The kept page can check as well, so use that.
    if (answer.status >= 500) { throw new Error("not now"); }
    event.waitUntil(renew().catch(function () {}));
    return answer;
  });
  var slow = new Promise(function (resolve) { setTimeout(resolve, PATIENCE_MS); }).then(kept);
  event.respondWith(
    Promise.race([network, slow.then(function (page) { return page || network; })])
      .catch(function () { return kept().then(function (page) { return page || Response.error(); }); })
  );
});
