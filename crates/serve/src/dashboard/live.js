// Keeps the figures of a running run fresh: asks for the fragment again until it says that the run ended.
"use strict";
const live = document.getElementById("live");
async function refresh() {
  if (!live || live.querySelector("[data-ended]")) return;
  try {
    const answer = await fetch(live.dataset.source);
    if (answer.ok) live.innerHTML = await answer.text();
  } catch (error) {
    // The server may be away for a moment; the next try will tell.
  }
  setTimeout(refresh, 2000);
}
setTimeout(refresh, 2000);
