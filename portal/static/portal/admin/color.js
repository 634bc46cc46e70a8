// The text field is what is sent; the picker, which cannot be empty, only helps to fill it in.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  for (const picker of document.querySelectorAll("input[data-color-of]")) {
    const text = document.getElementById(picker.dataset.colorOf);
    const show = () => {
      if (/^#[0-9a-f]{6}$/i.test(text.value)) picker.value = text.value.toLowerCase();
    };
    picker.addEventListener("input", () => {
      text.value = picker.value;
    });
    text.addEventListener("input", show);
    show();
    picker.hidden = false;
  }
});
