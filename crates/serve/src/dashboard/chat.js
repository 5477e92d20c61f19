// Talks to one or two models over /v1/chat/completions, and marks the better of two answers.
"use strict";
const talk = document.getElementById("talk");
const settings = document.getElementById("settings");
const say = document.getElementById("say");
const state = document.getElementById("state");
let messages = [];
let busy = false;

function headers() {
  const all = { "content-type": "application/json" };
  if (settings.key.value) all.authorization = "Bearer " + settings.key.value;
  return all;
}

function put(parent, tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  if (text) element.textContent = text;
  parent.append(element);
  return element;
}

async function failure(answer) {
  try {
    return (await answer.json()).error.message;
  } catch (error) {
    return "the server answered " + answer.status;
  }
}

async function stream(model, place) {
  const answer = await fetch("/v1/chat/completions", {
    method: "POST",
    headers: headers(),
    body: JSON.stringify({
      model, messages, stream: true, max_tokens: 256,
      temperature: Number(settings.temperature.value),
    }),
  });
  if (!answer.ok) throw new Error(await failure(answer));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return place.textContent;
    rest += value;
    const lines = rest.split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: ") || line === "data: [DONE]") continue;
      const event = JSON.parse(line.slice(6));
      if (event.error) throw new Error(event.error.message);
      place.textContent += event.choices?.[0]?.delta?.content ?? "";
    }
  }
}

function choose(row, answers, models, place) {
  const prompt = messages.slice();
  const pick = (chosen) => async () => {
    const rejected = 1 - chosen;
    messages.push({ role: "assistant", content: answers[chosen] });
    row.querySelectorAll("button").forEach((button) => button.remove());
    row.children[chosen].classList.add("chosen");
    busy = false;
    state.textContent = "";
    if (answers[chosen] === answers[rejected]) return;
    const answer = await fetch("/dashboard/preferences", {
      method: "POST",
      headers: headers(),
      body: JSON.stringify({
        prompt, chosen: answers[chosen], rejected: answers[rejected],
        chosen_model: models[chosen], rejected_model: models[rejected],
      }),
    });
    state.textContent = answer.ok ? "The pair was written down." : await failure(answer);
  };
  place.forEach((side, index) => {
    put(side, "button", "better", "This one is better").addEventListener("click", pick(index));
  });
  state.textContent = "Which answer is better? The conversation goes on with it.";
}

say.addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = say.message.value.trim();
  if (busy || !text) return;
  busy = true;
  say.message.value = "";
  messages.push({ role: "user", content: text });
  put(put(talk, "div", "turn user"), "p", "", text);
  const models = [settings.left.value, settings.right.value].filter((name) => name);
  const row = put(talk, "div", "sides sides-" + models.length);
  const sides = models.map((name) => {
    const side = put(row, "div", "turn assistant");
    put(side, "p", "speaker", name);
    return side;
  });
  try {
    const answers = await Promise.all(
      models.map((name, index) => stream(name, put(sides[index], "p", ""))),
    );
    if (models.length === 2) return choose(row, answers, models, sides);
    messages.push({ role: "assistant", content: answers[0] });
    state.textContent = "";
  } catch (error) {
    messages.pop();
    state.textContent = error.message;
  }
  busy = false;
});

say.message.addEventListener("keydown", (event) => {
  // While a word is composed, Enter ends the word.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  say.requestSubmit();
});

document.getElementById("anew").addEventListener("click", () => {
  if (busy && talk.querySelector("button.better") === null) return;
  messages = [];
  busy = false;
  talk.replaceChildren();
  state.textContent = "";
});
