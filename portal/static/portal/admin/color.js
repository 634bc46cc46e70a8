// The text field is what is sent; the picker, which cannot be empty, only helps to fill it in.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  for (const picker of document.querySelectorAll("input[data-color-of]")) {
    const text = document.getElementById(picker.dataset.colorOf);
    // Empty, it shows the example beside it, and not the black that a picker begins with.
    const show = () => {
      const color = text.value || text.placeholder;
      if (/^#[0-9a-f]{6}$/i.test(color)) picker.value = color.toLowerCase();
    };
    picker.addEventListener("input", () => {
      text.value = picker.value;
    });
    text.addEventListener("input", show);
    show();
    picker.hidden = false;
  }
});
