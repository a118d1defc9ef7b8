// SPDX-License-Identifier: GPL-2.0-or-later
// Filters and counters of the matrix; what is shown stands in the address, so that it can be passed on.
"use strict";
const form = document.getElementById("filters");
const matrix = document.getElementById("matrix");
const groups = [...matrix.tBodies].map((body) => ({
  body,
  rows: [...body.rows].slice(1).map((row) => ({
    row,
    text: (body.rows[0].cells[0].textContent + " " + row.cells[0].textContent + " " + row.cells[0].title).toLowerCase(),
    kinds: [...row.cells].slice(1).map((cell) => cell.className),
  })),
}));
const counters = [...matrix.tHead.rows[0].cells].slice(1).map((cell) => [...cell.querySelectorAll("[data-verdict]")]);
const all = groups.reduce((sum, group) => sum + group.rows.length, 0);

function show() {
  const wanted = Object.fromEntries(new FormData(form));
  const words = (wanted.text || "").toLowerCase().split(/\s+/).filter(Boolean);
  const counts = counters.map(() => ({}));
  let shown = 0;
  for (const { body, rows } of groups) {
    let some = false;
    const right = !wanted.protocol || body.dataset.protocol === wanted.protocol;
    for (const { row, text, kinds } of rows) {
      const is = right && (!wanted.strength || row.dataset.strength === wanted.strength)
        && (!wanted.verdict || kinds.includes(wanted.verdict)) && (!wanted.differs || "differs" in row.dataset)
        && words.every((word) => text.includes(word));
      row.hidden = !is || Boolean(wanted.sections);
      if (!is) continue;
      some = true;
      shown += 1;
      kinds.forEach((kind, place) => { counts[place][kind] = (counts[place][kind] || 0) + 1; });
    }
    body.hidden = !some;
  }
  counters.forEach((labels, place) => labels.forEach((label) => {
    label.firstElementChild.textContent = counts[place][label.dataset.verdict] || 0;
  }));
  document.getElementById("shown").textContent = shown + " of " + all + " requirements";
  const state = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value)).toString();
  if (state !== location.hash.slice(1)) history.replaceState(null, "", state ? "#" + state : location.pathname + location.search);
}

function read() {
  const state = new URLSearchParams(location.hash.slice(1));
  for (const field of form.elements) {
    if (!field.name) continue;
    if (field.type === "checkbox") field.checked = state.has(field.name);
    else field.value = state.get(field.name) || "";
  }
  show();
}

form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(show));
addEventListener("hashchange", read);
form.hidden = false;
read();
