// Comforts only: every page is complete without this file. All words come from the page.
"use strict";
(() => {
  const each = (selector, act) => document.querySelectorAll(selector).forEach(act);
  const live = document.getElementById("live");
  // Emptied first, or the same words are not announced twice.
  const say = (words) => {
    live.textContent = "";
    setTimeout(() => (live.textContent = words), 60);
  };

  // Times: the server wrote UTC; show the reader's own clock, and keep the UTC text as a tooltip. In the order and digits
  // that the server writes, as its other dates stand beside them.
  each("time[data-local]", (time) => {
    const at = new Date(time.dateTime);
    const month = at.toLocaleDateString(document.documentElement.lang, { calendar: "gregory", month: "short" });
    const [hour, minute] = [at.getHours(), at.getMinutes()].map((number) => String(number).padStart(2, "0"));
    time.title = time.textContent;
    time.textContent = `${at.getDate()} ${month} ${at.getFullYear()}, ${hour}:${minute}`;
  });

  each("[data-zone]", (words) => (words.hidden = false));

  // The landing page presses its own button where the server says that the visit came from a page of the product. Once a
  // code, not once a tab: with Back the reader meets the button instead of a loop. Seen, not prerendered.
  each("form[data-continues]", (form) => {
    const once = "portal-continued-" + form.dataset.once;
    const go = () => {
      if (document.prerendering || document.visibilityState !== "visible") return;
      try {
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
  });

  // The session's end: a quiet note at five minutes and at one, announced once each.
  each("[data-ends]", (note) => {
    const left = () => new Date(note.dataset.ends) - Date.now();
    for (const minutes of [5, 1]) {
      const wait = left() - minutes * 60000;
      // A timer over 24.8 days fires at once.
      if (wait < 0 || wait > 2 ** 31 - 1) continue;
      setTimeout(() => {
        const words = note.dataset["warn" + minutes];
        note.querySelector("[data-words]").textContent = words;
        note.hidden = false;
        live.textContent = words;
      }, wait);
    }
    // A page from the back-forward cache may be older than its session.
    addEventListener("pageshow", (event) => {
      if (event.persisted) location.reload();
    });
  });

  // Copying, where the browser can. Nothing is kept: what is copied is read from the page.
  let saved = false;
  if (navigator.clipboard) {
    each("button[data-copy]", (button) => {
      const label = button.firstElementChild;
      const words = label.textContent;
      button.hidden = false;
      button.addEventListener("click", async () => {
        const source = document.getElementById(button.dataset.copy);
        try {
          await navigator.clipboard.writeText(source.textContent);
          saved = true;
          label.textContent = button.dataset.done;
          setTimeout(() => (label.textContent = words), 2500);
          say(button.dataset.done);
        } catch {
          getSelection().selectAllChildren(source);
          say(button.dataset.fail);
        }
      });
    });
  }

  // A secret that is shown once: the browser asks, once, before it is left uncopied, and Back does not bring it again.
  each("[data-once-only]", (secret) => {
    secret.addEventListener("copy", () => (saved = true));
    each("form[data-saved]", (form) => form.addEventListener("submit", () => (saved = true)));
    addEventListener("beforeunload", (event) => {
      if (!saved) event.preventDefault();
      saved = true;
    });
    addEventListener("pagehide", () => secret.replaceChildren());
  });

  // A date that is filled in is meant, and so is another choice after it.
  each("[name=expires][value=date]", (choice) => {
    const { form } = choice, { date } = form.elements;
    form.addEventListener("input", ({ target }) => {
      if (target === date) choice.checked ||= date.value !== "";
      else if (target.name === choice.name && target !== choice) date.value = "";
    });
  });

  // A second press of a button sends nothing while the first is under way.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    // Not for ever: whoever stopped a slow answer may press again.
    setTimeout(() => delete form.dataset.sent, 10000);
  });
  addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });

  // What a form or a change has to say comes first, also for the keyboard.
  const first = document.querySelector("[data-focus]");
  if (first) first.focus();
})();
