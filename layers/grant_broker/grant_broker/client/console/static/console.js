// Keeps what is marked data-live="SECONDS" current. Asks for the page anew and exchanges these parts alone, so that a form
// beside them keeps what was typed. The server escaped all of it; markup that is parsed here runs nothing.
"use strict";
(() => {
  const parts = document.querySelectorAll("[data-live]");
  if (!parts.length) return;
  const seconds = Math.min(...[...parts].map((part) => Number(part.dataset.live)));
  const bar = document.createElement("p");
  bar.className = "updates";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  const words = document.createElement("span");
  words.setAttribute("role", "status");
  bar.append(button, " ", words);
  parts[0].before(bar);
  let paused = false;

  const label = () => (button.textContent = paused ? "Go on updating" : "Pause updating");
  button.addEventListener("click", () => {
    paused = !paused;
    label();
  });
  label();

  // Nothing is exchanged under the reader's cursor or selection.
  const inUse = (part) =>
    part.contains(document.activeElement) || (!getSelection().isCollapsed && part.contains(getSelection().anchorNode));

  const update = async () => {
    if (paused || document.hidden) return;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-live]")) {
        const next = page.getElementById(part.id);
        if (next && !inUse(part)) part.replaceWith(document.adoptNode(next));
      }
      words.textContent = "";
    } catch {
      words.textContent = "Not current: the console or the broker does not answer. Trying again.";
    }
  };
  const turn = () => update().finally(() => setTimeout(turn, seconds * 1000));
  setTimeout(turn, seconds * 1000);
})();
