// Shows the numbers behind a token: by a tap, or by the arrow keys inside a reply.
"use strict";
const note = document.getElementById("token-note");
let picked = null;

function pick(token) {
  if (picked) picked.classList.remove("picked");
  picked = token;
  token.classList.add("picked");
  note.textContent = "“" + token.textContent + "”: " + token.title;
}

document.querySelectorAll("p.tokens").forEach((reply) => {
  reply.tabIndex = 0;
  reply.addEventListener("click", (event) => {
    if (event.target.classList.contains("token")) pick(event.target);
  });
  reply.addEventListener("keydown", (event) => {
    const tokens = [...reply.children];
    const place = tokens.indexOf(picked);
    const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tokens.length - 1 }[event.key];
    if (tokens[next] === undefined) return;
    event.preventDefault();
    pick(tokens[next]);
  });
});
