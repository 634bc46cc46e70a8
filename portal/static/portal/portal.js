// Comforts only: every page is complete without this file.
"use strict";

// Presses Continue for the user, where the server says that the visit came from a page of the product.
(() => {
  const form = document.querySelector("form[data-continues]");
  if (!form) return;
  const once = "portal-continued-" + form.dataset.once;
  const go = () => {
    if (document.prerendering || document.visibilityState !== "visible") return;
    try {
      // Once a code, not once a tab: with Back the user meets the button instead of a loop.
      if (sessionStorage.getItem(once)) return;
      sessionStorage.setItem(once, "1");
    } catch {
      return; // No storage, no memory of having done it: leave it to the button.
    }
    form.requestSubmit();
  };
  go();
  document.addEventListener("visibilitychange", go);
  document.addEventListener("prerenderingchange", go);
})();

// A second press of a button sends nothing while the first is under way.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
