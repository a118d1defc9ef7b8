// SPDX-License-Identifier: GPL-2.0-or-later
// What did not pass reads without this. It filters the requirements, keeps the filter in the address, and copies commands.
"use strict";
(() => {
  const form = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const articles = new Map([...document.querySelectorAll("article[data-requirement]")].map((a) => [a.dataset.requirement, a]));
  const items = [...document.querySelectorAll("tr[data-requirement]")].map((row) => {
    const article = articles.get(row.dataset.requirement);
    const words = article.querySelectorAll("h4, .statement, blockquote, .reading, .none, .purpose, .links, .case > summary .tags");
    const text = [...words].map((part) => part.textContent).join(" ").toLowerCase();
    return { row, article, verdict: row.dataset.verdict, strength: row.dataset.strength, text };
  });
  const boxes = [...form.querySelectorAll("input[type=checkbox]")];
  const search = form.elements.namedItem("text");
  form.hidden = false;

  const chosen = (name) => new Set(boxes.filter((box) => box.name === name && box.checked).map((box) => box.value));

  function apply() {
    const picked = { verdict: chosen("verdict"), strength: chosen("strength") };
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (item, name) => picked[name].size === 0 || picked[name].has(item[name]);
    const found = items.filter((item) => words.every((word) => item.text.includes(word)));
    let count = 0;
    for (const item of items) {
      item.row.hidden = item.article.hidden = true;
    }
    for (const item of found) {
      if (fits(item, "verdict") && fits(item, "strength")) {
        item.row.hidden = item.article.hidden = false;
        count += 1;
      }
    }
    for (const box of boxes) {
      const other = box.name === "verdict" ? "strength" : "verdict";
      const left = found.filter((item) => fits(item, other) && item[box.name] === box.value).length;
      box.closest("label").querySelector("output").textContent = left;
    }
    for (const group of document.querySelectorAll(".group")) {
      const inside = [...group.querySelectorAll("article[data-requirement]")];
      group.hidden = inside.length > 0 && inside.every((article) => article.hidden);
    }
    shown.textContent = `${count} of ${items.length} requirements shown, here and below`;
  }

  function remember() {
    const state = new URLSearchParams();
    for (const name of ["verdict", "strength"]) {
      const values = [...chosen(name)];
      if (values.length) state.set(name, values.join(","));
    }
    if (search.value) state.set("text", search.value);
    const hash = state.toString() ? `#?${state}` : "#requirements";
    try { history.replaceState(null, "", hash); } catch { location.hash = hash; }
  }

  function recall() {
    if (!location.hash.startsWith("#?")) return false;
    const state = new URLSearchParams(location.hash.slice(2));
    for (const box of boxes) box.checked = (state.get(box.name) || "").split(",").includes(box.value);
    search.value = state.get("text") || "";
    return true;
  }

  // A link to a case or requirement opens it, also when the filter had hidden it.
  function reveal() {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target) return;
    const hidden = target.closest("[hidden]");
    if (hidden && hidden !== form) { form.reset(); apply(); }
    if (target.matches("details")) target.open = true;
    target.scrollIntoView();
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => { apply(); remember(); });
  form.addEventListener("reset", () => setTimeout(() => { apply(); remember(); }));
  addEventListener("hashchange", () => { if (recall()) apply(); else reveal(); });

  function offerCopy(place) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const code = place.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        getSelection().selectAllChildren(code);
        document.execCommand("copy");
      }
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    place.append(button);
  }
  document.querySelectorAll(".rerun").forEach(offerCopy);
  addEventListener("drawn", (event) => event.detail.querySelectorAll(".rerun").forEach(offerCopy));

  const started = recall();
  apply();
  if (started) document.getElementById("requirements").scrollIntoView();
  else reveal();
})();
