// Keeps a part of a page fresh: asks for it again until it says that nothing more will happen.
"use strict";
const live = document.getElementById("live");
let shown = null;

// What has the focus, and how far tables were moved sideways, stay as they were.
function put(text) {
  const nameOf = (element) => element.id || element.getAttribute("href");
  const held = live.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  const moved = [...live.querySelectorAll(".scroll")].map((table) => table.scrollLeft);
  live.innerHTML = text;
  live.querySelectorAll(".scroll").forEach((table, index) => (table.scrollLeft = moved[index] ?? 0));
  if (held === null) return;
  const same = [...live.querySelectorAll("a, button, [tabindex]")].find((each) => nameOf(each) === held);
  (same ?? live).focus({ preventScroll: true });
}

async function refresh() {
  if (!live || live.querySelector("[data-ended]")) return;
  try {
    const answer = await fetch(live.dataset.source);
    if (answer.ok) {
      const text = await answer.text();
      if (text !== shown) put(text);
      shown = text;
    }
  } catch (error) {
    // The server may be away for a moment; the next try will tell.
  }
  setTimeout(refresh, 2000);
}
setTimeout(refresh, 2000);
