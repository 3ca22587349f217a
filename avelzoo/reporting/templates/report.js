"use strict";
(() => {
  const find = (query, inside = document) => inside.querySelector(query);
  const all = (query, inside = document) => [...inside.querySelectorAll(query)];
  const root = document.documentElement;
  root.classList.add("scripted");
  const data = JSON.parse(find("#data").textContent);
  const NARROW = matchMedia("(max-width: 720px)");
  const PAGE = 25;

  /* An element with attributes and children; text is always text, never markup. */
  function make(name, attributes = {}, ...children) {
    const element = SVG_TAGS.has(name)
      ? document.createElementNS("http://www.w3.org/2000/svg", name)
      : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }
  const SVG_TAGS = new Set(["svg", "rect", "line", "text", "path", "g"]);

  /* Colours: automatic, light, dark; kept in this page only. */
  const themes = ["automatic", "light", "dark"];
  let theme = 0;
  find("#theme").addEventListener("click", (event) => {
    theme = (theme + 1) % themes.length;
    if (theme) root.dataset.theme = themes[theme];
    else delete root.dataset.theme;
    event.currentTarget.textContent = `Colours: ${themes[theme]}`;
  });

  /* Tabs: one in the order of focus; arrows, Home and End move. */
  const tabs = all("#tabs a");
  const panels = tabs.map((tab) => find(tab.getAttribute("href")));
  find("#tabs").setAttribute("role", "tablist");
  find("#tabs").setAttribute("aria-label", "Sections");
  function open(chosen, { focus = false, keep = true, step = false } = {}) {
    tabs.forEach((tab, i) => {
      tab.setAttribute("aria-selected", i === chosen);
      tab.tabIndex = i === chosen ? 0 : -1;
      panels[i].hidden = i !== chosen;
    });
    if (focus) tabs[chosen].focus();
    const strip = find("#tabs");
    const tab = tabs[chosen];
    if (tab.offsetLeft < strip.scrollLeft || tab.offsetLeft + tab.offsetWidth > strip.scrollLeft + strip.clientWidth)
      strip.scrollLeft = tab.offsetLeft - 24;
    const choice = find("#run-choice");
    if (choice) choice.hidden = !("byRun" in panels[chosen].dataset);
    const place = `#${panels[chosen].id}`;
    if (step && place !== location.hash) history.pushState(null, "", place); // the back button returns
    else if (keep) history.replaceState(null, "", place); // arrows pass many tabs
    if (panels[chosen].id === "videos") drawVideos();
  }
  tabs.forEach((tab, i) => {
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panels[i].id);
    panels[i].setAttribute("role", "tabpanel");
    panels[i].setAttribute("aria-labelledby", tab.id);
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      open(i, { step: true });
    });
    tab.addEventListener("keydown", (event) => {
      const last = tabs.length - 1;
      const to = { ArrowRight: i === last ? 0 : i + 1, ArrowLeft: i ? i - 1 : last, Home: 0, End: last }[event.key];
      if (event.key === " ") open(i, { step: true });
      else if (to !== undefined) open(to, { focus: true });
      else return;
      event.preventDefault();
    });
  });
  const named = () => Math.max(0, panels.findIndex((panel) => `#${panel.id}` === location.hash));
  addEventListener("popstate", () => {
    if (!location.hash) open(0, { keep: false });
  });
  addEventListener("hashchange", () => {
    if (panels.some((panel) => `#${panel.id}` === location.hash)) {
      open(named(), { keep: false });
      scrollTo(0, 0);
    }
  });

  /* Runs: one is shown. */
  let run = 0;
  function choose(number) {
    run = number;
    for (const part of all(".run")) part.hidden = Number(part.dataset.run) !== run;
    drawn = "";
    if (!find("#videos").hidden) drawVideos();
  }
  const choice = find("#run");
  if (choice) choice.addEventListener("change", () => choose(Number(choice.value)));

  /* Tables: a button in each heading sorts. */
  for (const table of all("table.data")) {
    all("thead th", table).forEach((head, column) => {
      const button = make("button", { type: "button", class: "sort" }, head.textContent);
      head.replaceChildren(button);
      button.addEventListener("click", () => sort(table, head, column));
    });
  }
  function sort(table, head, column) {
    const numeric = head.classList.contains("number");
    const first = numeric ? "descending" : "ascending";
    const other = numeric ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    for (const one of all("thead th", table)) one.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows].map((row) => {
      const cell = row.cells[column];
      return { row, text: cell.textContent, key: "key" in cell.dataset ? Number(cell.dataset.key.replace("inf", "Infinity")) : null };
    });
    const compare = (a, b) =>
      a.key !== null && b.key !== null ? a.key - b.key || 0 : a.text.localeCompare(b.text, "en", { numeric: true });
    rows.sort((a, b) => sign * compare(a, b));
    table.tBodies[0].append(...rows.map((one) => one.row));
  }

  /* Map: one category stands out. */
  for (const select of all(".highlight")) {
    const block = select.closest(".block");
    const marks = all(".chart svg :is(circle, path)", block).filter((mark) => find("title", mark));
    const of = (mark) => find("title", mark).textContent.split(" · ")[0];
    for (const name of [...new Set(marks.map(of))].sort()) select.append(make("option", {}, name));
    select.addEventListener("change", () => {
      for (const mark of marks) mark.classList.toggle("dim", select.value !== "" && of(mark) !== select.value);
    });
  }

  /* Videos: arrays are decoded when they are first needed, and one page of rows is drawn. */
  const decoded = new WeakMap();
  function numbers(record, name) {
    if (!decoded.has(record)) decoded.set(record, {});
    const known = decoded.get(record);
    if (!(name in known)) {
      const [width, text] = record[name].split(":");
      const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
      known[name] = width === "1" ? bytes : Uint16Array.from({ length: bytes.length / 2 }, (_, i) => bytes[2 * i] + 256 * bytes[2 * i + 1]);
    }
    return known[name];
  }
  let drawn = "";
  let page = 0;
  let listed = [];
  const controls = { search: find("#search"), category: find("#category"), outcome: find("#outcome") };

  function facts(set, found, i) {
    const t = set.t;
    const length = numbers(set, "lengths")[i];
    const truth = numbers(set, "truth").subarray(i * t, i * t + length);
    const segments = numbers(found, "segments").subarray(i * t, i * t + length);
    let right = 0;
    for (let s = 0; s < length; s++) right += truth[s] === segments[s];
    return { i, length, truth, segments, right, event: numbers(set, "events")[i], category: numbers(found, "category")[i] };
  }
  function listVideos() {
    const found = data.runs[run];
    const set = data.sets[found.set];
    const part = controls.search.value.trim().toLowerCase();
    const { category, outcome } = { category: controls.category.value, outcome: controls.outcome.value };
    listed = [];
    for (let i = 0; i < set.ids.length; i++) {
      if (part && !set.ids[i].toLowerCase().includes(part)) continue;
      const one = facts(set, found, i);
      if (category !== "" && one.event !== Number(category)) continue;
      const n = set.categories.length;
      if (outcome === "right" && one.right < one.length) continue;
      if (outcome === "wrong" && one.right === one.length) continue;
      if (outcome === "category" && (one.event === n || one.event === one.category)) continue;
      listed.push(one);
    }
  }
  function drawVideos() {
    const found = data.runs[run];
    const set = data.sets[found.set];
    const state = [run, NARROW.matches, controls.search.value, controls.category.value, controls.outcome.value].join("\n");
    if (state !== drawn) {
      if (!drawn.startsWith(`${run}\n`)) offerCategories(set);
      drawn = state;
      page = 0;
      listVideos();
    }
    const rows = listed.slice(page * PAGE, (page + 1) * PAGE);
    find("#rows").replaceChildren(...rows.map((one) => videoRow(set, found, one)));
    const count = listed.length.toLocaleString("en");
    const first = listed.length ? page * PAGE + 1 : 0;
    const whole = set.ids.length < set.of ? `${set.ids.length.toLocaleString("en")} chosen` : set.of.toLocaleString("en");
    find("#shown").textContent = listed.length
      ? `${first.toLocaleString("en")} to ${(first + rows.length - 1).toLocaleString("en")} of ${count}` +
        (listed.length < set.ids.length ? ` found in ${whole} videos` : " videos")
      : `No video of ${whole} fits`;
    find("#before").disabled = page === 0;
    find("#after").disabled = (page + 1) * PAGE >= listed.length;
  }
  function offerCategories(set) {
    const kept = controls.category.value;
    const options = [...set.categories, "no event"].map((name, i) => make("option", { value: i }, name));
    controls.category.replaceChildren(make("option", { value: "" }, "all"), ...options);
    controls.category.value = kept;
    if (controls.category.selectedIndex < 0) controls.category.value = "";
  }
  const nameOf = (set, id) => set.categories[id] ?? "background";

  function videoRow(set, found, one) {
    const head = make("th", { scope: "row" }, make("code", { class: "id" }, set.ids[one.i]));
    const truth = one.event < set.categories.length ? nameOf(set, one.event) : "no event";
    const what = make("span", { class: "what" }, truth);
    if (one.event < set.categories.length && one.event !== one.category)
      what.append(" → ", make("span", { class: "mark-wrong" }, nameOf(set, one.category)));
    head.append(what);
    const details = make("details", {}, make("summary", {}, "Table"));
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1) details.append(segmentTable(set, found, one));
    });
    return make(
      "tr", {}, head,
      make("td", { class: "number" }, `${one.right} / ${one.length}`),
      make("td", {}, timeline(set, found, one), details),
    );
  }
  function spans(ids, background, seconds) {
    const parts = [];
    for (let s = 0; s < ids.length; s++) {
      if (ids[s] === background) continue;
      const start = s;
      while (s + 1 < ids.length && ids[s + 1] === ids[start]) s++;
      parts.push([ids[start], start * seconds, (s + 1) * seconds]);
    }
    return parts;
  }
  const told = (set, ids) =>
    spans(ids, set.categories.length, set.seconds).map(([id, a, b]) => `${nameOf(set, id)} ${a} to ${b} s`).join(", ") || "no event";

  function lanes(found) {
    const own = [["relevance", "relevance", "relevance"]];
    if (found.xray) return [...own, ["sound share", "xray.audio", "audio"], ["sight share", "xray.visual", "visual"]];
    return found.audio ? [...own, ["sound", "audio", "audio"], ["sight", "visual", "visual"]] : own;
  }
  function valueAt(found, name, at) {
    if (name.startsWith("xray.")) return (numbers(found.xray, name.slice(5))[at] - 128) / 100;
    return numbers(found, name)[at] / 255;
  }
  function timeline(set, found, one) {
    const width = NARROW.matches ? 320 : 620;
    const left = 80;
    const step = (width - left - 1) / set.t;
    const svg = make("svg", { class: "avz", role: "img", width, "font-size": 11 });
    svg.setAttribute("aria-label", `Truth: ${told(set, one.truth)}. Predicted: ${told(set, one.segments)}. ${one.right} of ${one.length} segments right.`);
    let y = 0;
    const label = (text, height) => svg.append(make("text", { class: "f-muted", x: 0, y: y + height / 2 + 4 }, text));
    const cell = (s, colour, height, top = 0) =>
      svg.append(make("rect", { class: `f-${colour}`, x: (left + s * step + 0.5).toFixed(1), y: (y + top).toFixed(1), width: (step - 1).toFixed(1), height: height.toFixed(1) }));
    const n = set.categories.length;
    for (const [text, ids] of [["truth", one.truth], ["predicted", one.segments]]) {
      label(text, 14);
      for (let s = 0; s < one.length; s++) {
        const wrong = ids[s] !== one.truth[s];
        if (ids[s] === n && !wrong) cell(s, "grid", 2, 6);
        else if (ids[s] === n) cell(s, "threshold", 3, 5.5);
        else cell(s, wrong ? "threshold" : "event", 14);
        if (wrong) cross(svg, left + (s + 0.5) * step, y + 7, ids[s] === n);
      }
      y += 18;
    }
    for (const [text, name, colour] of lanes(found)) {
      const height = name === "relevance" ? 22 : 16;
      label(text, height);
      svg.append(make("line", { class: "s-grid", x1: left, x2: width - 1, y1: y + height, y2: y + height }));
      for (let s = 0; s < one.length; s++) {
        const value = Math.max(0, Math.min(1, valueAt(found, name, one.i * set.t + s)));
        if (value * height >= 0.5) cell(s, colour, value * height, height * (1 - value));
      }
      y += height + 5;
    }
    for (let s = 0; s <= one.length; s += Math.max(1, Math.ceil(one.length / 5))) {
      const anchor = s === 0 ? "start" : s === set.t ? "end" : "middle";
      svg.append(make("text", { class: "f-muted", x: left + s * step, y: y + 9, "text-anchor": anchor }, `${+(s * set.seconds).toFixed(2)}${s === 0 ? " s" : ""}`));
    }
    svg.setAttribute("height", y + 13);
    svg.setAttribute("viewBox", `0 0 ${width} ${y + 13}`);
    return svg;
  }
  function cross(svg, x, y, open) {
    const r = 3.2;
    const d = `M${(x - r).toFixed(1)} ${y - r}L${(x + r).toFixed(1)} ${y + r}M${(x + r).toFixed(1)} ${y - r}L${(x - r).toFixed(1)} ${y + r}`;
    if (open) svg.append(make("rect", { class: "f-paper", x: x - 6, y: y - 5, width: 12, height: 10 }));
    svg.append(make("path", { class: open ? "s-threshold" : "s-paper", d, fill: "none", "stroke-width": 1.8 }));
  }
  function segmentTable(set, found, one) {
    const shown = lanes(found);
    const head = ["second", "truth", "predicted", ...shown.map(([text]) => text)];
    const numeric = (i) => (i === 0 || i > 2 ? { class: "number" } : {});
    const rows = [...one.truth].map((id, s) => {
      const values = shown.map(([, name]) => valueAt(found, name, one.i * set.t + s).toFixed(2));
      const cells = [`${+(s * set.seconds).toFixed(2)}`, nameOf(set, id), nameOf(set, one.segments[s]), ...values];
      return make("tr", {}, ...cells.map((text, i) => make(i ? "td" : "th", i ? numeric(i) : { scope: "row", class: "number" }, text)));
    });
    const table = make("table", {}, make("thead", {}, make("tr", {}, ...head.map((text, i) => make("th", { scope: "col", ...numeric(i) }, text)))), make("tbody", {}, ...rows));
    return make("div", { class: "scroll", role: "group", tabindex: 0, "aria-label": `Segments of ${set.ids[one.i]}` }, table);
  }
  let waiting = 0;
  controls.search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(drawVideos, 80);
  });
  for (const control of [controls.category, controls.outcome]) control.addEventListener("change", drawVideos);
  find("#filters").addEventListener("submit", (event) => event.preventDefault());
  const turn = (by) => () => {
    page += by;
    drawVideos();
  };
  find("#before").addEventListener("click", turn(-1));
  find("#after").addEventListener("click", turn(1));
  NARROW.addEventListener("change", () => {
    if (!find("#videos").hidden) drawVideos();
  });

  /* Paper: everything is unfolded. */
  let folded = [];
  matchMedia("print").addEventListener("change", (event) => {
    if (event.matches) {
      if (find("#videos").hidden) drawVideos();
      folded = all("details:not([open])").filter((one) => !one.closest(".videos"));
    }
    for (const one of folded) one.open = event.matches;
  });

  choose(0);
  open(named(), { keep: false });
})();
