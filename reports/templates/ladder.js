// SPDX-License-Identifier: GPL-2.0-or-later
// Draws a case that is held compressed when it is opened (reports/packed.py). All text is set as text, never as HTML.
"use strict";
(() => {
  // What reports/text.py spells out in all other text of the page.
  const unseen = /[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u070f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e0fff}]/gu;
  const hex = (number, width) => number.toString(16).padStart(width, "0");
  function spelled(character) {
    const code = character.codePointAt(0);
    return code < 0x100 ? `\\x${hex(code, 2)}` : code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
  }
  const visible = (text) => text.replaceAll("\r\n", "\n").replace(unseen, spelled);

  function make(name, kind, ...inside) {
    const element = document.createElement(name);
    if (kind) element.className = kind;
    element.append(...inside.filter((part) => part !== ""));
    return element;
  }

  function hexdump(digits) {
    const pairs = digits.match(/../g) || [];
    const lines = [];
    for (let start = 0; start < pairs.length; start += 16) {
      lines.push(`${hex(start, 4)}  ${pairs.slice(start, start + 16).join(" ")}`);
    }
    return lines.join("\n");
  }

  function rung(ends, [number, time, toDut, summary, place, note, deciding, pause, fields, digits]) {
    const lane = make("span", "lane", deciding ? make("strong", "", "decides") : "", deciding ? " " : "", summary, make("small", "", ends[place]), note ? make("em", "", note) : "");
    const line = [make("b", "", String(number)), make("i", "", time.toFixed(6)), lane];
    const kind = `frame ${toDut ? "to" : "from"}${deciding ? " deciding" : ""}`;
    const shown = digits
      ? make("details", kind, make("summary", "", ...line), fields ? make("pre", "", fields) : "", make("pre", "", hexdump(digits)))
      : make("div", kind, make("div", "line", ...line));
    return pause ? [make("div", "pause", make("span", "", `${pause} of silence`)), shown] : [shown];
  }

  function ladder({ ends, frames }) {
    const sides = make("span", "ends", make("span", "", "Tester"), make("span", "", "Device"));
    return make("div", "ladder", make("div", "lanes", make("span", "", "No."), make("span", "", "Time, s"), sides), ...frames.flatMap((frame) => rung(ends, frame)));
  }

  function head(...names) {
    const cells = names.map((name) => make("th", "", name));
    for (const cell of cells) cell.scope = "col";
    return make("thead", "", make("tr", "", ...cells));
  }

  function pair([name, value]) {
    const cell = make("th", "", name);
    cell.scope = "row";
    return make("tr", "", cell, make("td", "", value));
  }

  const fact = (name, ...inside) => make("div", "", make("dt", "", name), make("dd", "", ...inside));

  function judged(name) {
    const link = make("a", "", name);
    link.href = `#${name}`;
    return [link, " "];
  }

  function body(found) {
    const rerun = fact("Run again", make("code", "", found.rerun));
    rerun.lastChild.className = "rerun";
    return make(
      "div",
      "body",
      found.reason ? make("p", "reason", found.reason) : "",
      ...(found.values.length ? [make("h5", "", "Measured"), make("table", "pairs", head("Value", "Result"), make("tbody", "", ...found.values.map(pair)))] : []),
      make("h5", "", "Packets"),
      found.frames.length ? ladder(found) : make("p", "none", "No packet belongs to this case."),
      found.capture ? make("p", "evidence", `Capture: ${found.capture}`) : "",
      make(
        "dl",
        "facts small",
        fact("Case", make("code", "", found.id), " ", make("small", "", found.node)),
        found.judges.length > 1 ? fact("Judges", ...found.judges.flatMap(judged)) : "",
        fact("Time", found.time),
        found.rerun ? rerun : "",
      ),
    );
  }

  const unpacked = new Map();

  function unpack(holder) {
    if (!unpacked.has(holder)) {
      const bytes = Uint8Array.from(atob(holder.dataset.packed), (character) => character.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
      const text = new Response(stream).text();
      unpacked.set(holder, text.then((json) => JSON.parse(json, (_, value) => (typeof value === "string" ? visible(value) : value))));
    }
    return unpacked.get(holder);
  }

  async function draw(place) {
    const packed = place.querySelector(".packed");
    if (!packed) return;
    try {
      const found = (await unpack(place.closest("[data-packed]")))[place.id];
      if (!packed.isConnected) return;
      const drawn = packed.matches(".ladder") ? ladder(found) : body(found);
      packed.replaceWith(drawn);
      if (found.log) drawn.after(make("details", "log", make("summary", "", "Device log during the case"), make("pre", "", found.log)));
      dispatchEvent(new CustomEvent("drawn", { detail: drawn }));
    } catch (error) {
      packed.append(make("p", "none", `This browser cannot unpack it: ${error.message}`));
    }
  }

  // The event does not bubble.
  document.addEventListener("toggle", (event) => {
    if (event.target.open && event.target.matches("details.case")) draw(event.target);
  }, true);
})();
