// Everything the pages do by themselves: times, clocks, forms, the live line, keys. No page needs it to be read or
// to be acted on; what is on the page comes from the server, and is never made from text here.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const body = document.body;
  const root = document.documentElement;
  // Where what is new is asked for; a list that is filtered has another address each time.
  let live = body.dataset.live;
  root.classList.add("scripted");

  // Preferences are cookies, so that the server paints the first picture right.
  const keep = (name, value) => {
    document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
  };

  // --- Times -------------------------------------------------------------------------------------------------------
  const isUtc = () => root.dataset.zone === "utc";
  const part = (date, options) =>
    new Intl.DateTimeFormat("en-GB", { hourCycle: "h23", timeZone: isUtc() ? "UTC" : undefined, ...options }).format(date);
  const zoneName = (date) =>
    isUtc() ? "UTC" : new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts(date)
      .find((one) => one.type === "timeZoneName").value;
  const clock = (date) => `${part(date, { hour: "2-digit", minute: "2-digit", second: "2-digit" })} ${zoneName(date)}`;
  const day = (date) => {
    const { year, month, day: dom } = Object.fromEntries(new Intl.DateTimeFormat("en-GB", {
      year: "numeric", month: "2-digit", day: "2-digit", timeZone: isUtc() ? "UTC" : undefined,
    }).formatToParts(date).map((one) => [one.type, one.value]));
    return `${year}-${month}-${dom}`;
  };
  const utc = (date) => `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  // The server's clock decides how long ago something is, whatever this machine's clock says.
  let skew = new Date(body.dataset.now) - Date.now();
  const now = () => Date.now() + skew;
  const length = (ms, parts = 2) => {
    let s = Math.max(0, Math.floor(ms / 1000));
    const found = [];
    for (const [unit, size] of [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]]) {
      const count = Math.floor(s / size);
      s -= count * size;
      if (count || found.length) found.push(count ? `${count}${unit}` : "");
    }
    return found.slice(0, parts).filter(Boolean).join(" ") || "0s";
  };
  const ago = (date) => {
    const ms = now() - date;
    if (Math.abs(ms) < 5000) return "just now";
    return ms > 0 ? `${length(ms, 1)} ago` : `in ${length(-ms, 1)}`;
  };
  const showTime = (el) => {
    const date = new Date(el.dateTime);
    const style = el.dataset.style;
    const text = style === "full" ? `${day(date)} ${clock(date)}` : style === "ago" ? ago(date)
      : style === "both" ? `${ago(date)} · ${clock(date)}` : clock(date);
    if (el.textContent !== text) el.textContent = text;
    el.title = `${utc(date)} · ${day(date)} ${clock(date)} · ${ago(date)}`;
  };
  const showClock = (el) => {
    const { since, due } = el.dataset;
    if (since) el.textContent = length(now() - new Date(since));
    if (due) {
      const left = new Date(due) - now();
      el.textContent = left > 0 ? `in ${length(left)}` : `${length(-left)} over`;
      el.classList.toggle("over", left <= 0);
    }
  };
  const showTimes = (within = document) => {
    all("time", within).forEach(showTime);
    all(".lasting", within).forEach(showClock);
    all("[data-clock]", within).forEach((el) => { el.textContent = clock(new Date(el.dataset.clock)); });
  };
  const showZone = () => { $("zone").textContent = zoneName(new Date()); showTimes(); };
  setInterval(() => { if (!document.hidden) { all(".lasting").forEach(showClock); } }, 1000);
  setInterval(() => { if (!document.hidden) all('time[data-style="ago"],time[data-style="both"]').forEach(showTime); }, 10000);

  // --- Saying things -----------------------------------------------------------------------------------------------
  let toastTimer;
  const toast = (text, isBad = false) => {
    const box = $("toast");
    box.textContent = text;
    box.classList.toggle("bad", isBad);
    box.hidden = false;
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => { box.hidden = true; }, isBad ? 8000 : 3000);
  };
  const copy = async (text, what) => {
    try {
      await navigator.clipboard.writeText(text);
      toast(`Copied ${what}`);
    } catch {
      toast("The browser does not allow copying here", true);
    }
  };

  // --- Swapping in what is new -------------------------------------------------------------------------------------
  // Changes what differs and leaves the rest of the page alone: focus, selection, what is being typed, open details.
  // A form that is about something else is another form: what was typed into the old one must not be sent as the new.
  const about = (el) => all('input[type="hidden"]', el).map((one) => `${one.name}=${one.getAttribute("value")}`).join("&");
  const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "")
    && (a.nodeName !== "FORM" || about(a) === about(b));
  const morph = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const { name, value } of [...fresh.attributes]) {
      if (name === "open" && old.tagName === "DETAILS") continue;
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !(name === "open" && old.tagName === "DETAILS")) old.removeAttribute(name);
    }
    if (old.tagName === "TEXTAREA") return;
    const follows = old.dataset.follow !== undefined && old.scrollTop + old.clientHeight >= old.scrollHeight - 8;
    let next = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      while (next && next.dataset?.keep !== undefined) next = next.nextSibling;
      const match = child.id && [...old.children].find((one) => alike(one, child));
      if (match && match !== next) old.insertBefore(match, next);
      const here = match || next;
      if (here && alike(here, child)) {
        next = here.nextSibling;
        morph(here, child);
      } else {
        old.insertBefore(document.importNode(child, true), next);
      }
    }
    while (next) {
      const gone = next;
      next = next.nextSibling;
      if (gone.dataset?.keep === undefined) gone.remove();
    }
    if (follows) old.scrollTop = old.scrollHeight;
  };

  const entries = $("entries");
  const isScroller = () => entries && entries.scrollHeight > entries.clientHeight + 4 && getComputedStyle(entries).overflowY !== "visible";
  const atEnd = () => !isScroller() || entries.scrollTop + entries.clientHeight > entries.scrollHeight - 60;
  let unseen = 0;
  const showPill = () => {
    const pill = $("pill");
    pill.hidden = !unseen;
    pill.textContent = `${unseen} new ${unseen === 1 ? "entry" : "entries"} ↓`;
  };
  const toEnd = () => {
    unseen = 0;
    showPill();
    if (isScroller()) entries.scrollTop = entries.scrollHeight;
    else entries.lastElementChild?.scrollIntoView({ block: "nearest" });
  };
  const addEntries = (fresh) => {
    const added = all("li", fresh).filter((one) => !$(one.id)).map((one) => document.importNode(one, true));
    if (!added.length) return;
    const stay = !atEnd();
    for (const one of added) {
      // A late entry goes where it happened; most go to the end.
      let before = entries.lastElementChild;
      while (before && Number(before.dataset.at) > Number(one.dataset.at)) before = before.previousElementSibling;
      entries.insertBefore(one, before ? before.nextSibling : entries.firstChild);
    }
    filterEntries();
    const shown = added.filter((one) => one.offsetParent);
    if (!shown.length) return;
    if (stay || (!isScroller() && entries.getBoundingClientRect().bottom > innerHeight)) unseen += shown.length;
    else toEnd();
    showPill();
    const spoken = shown.slice(-3).map((one) => one.querySelector(".entry-title").textContent);
    $("said").textContent = spoken.join(". ");
  };
  const filterEntries = () => {
    const words = ($("search")?.value || "").toLowerCase();
    all("#entries > li").forEach((one) => { one.hidden = words !== "" && !one.textContent.toLowerCase().includes(words); });
  };

  let seq = Number(body.dataset.seq || 0);
  let busy = false;
  let again = false;
  const refresh = async () => {
    if (!live) return;
    if (busy) { again = true; return; }
    busy = true;
    try {
      const known = all(".part").map((one) => `${one.id.slice(5)}:${one.dataset.v}`).join(",");
      const mark = live.includes("?") ? "&" : "?";
      const after = entries ? Math.min(seq, Number(entries.lastElementChild?.dataset.seq || 0)) : 0;
      const answer = await fetch(`${live}${mark}after=${after}&v=${known}`, { headers: { accept: "text/html" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      all(".part", fresh).forEach((one) => { const old = $(one.id); if (old) { morph(old, one); showTimes(old); } });
      if (document.title !== fresh.title) document.title = fresh.title;
      const list = fresh.getElementById("fresh");
      if (list && entries) { addEntries(list); showTimes(entries); }
      document.dispatchEvent(new CustomEvent("stanch:shown"));
    } catch {
      // The line says that it is down, and comes back with what was missed.
    } finally {
      busy = false;
      if (again) { again = false; soon(); }
    }
  };
  let soonTimer;
  const soon = () => { clearTimeout(soonTimer); soonTimer = setTimeout(refresh, 150); };

  document.addEventListener("stanch:visit", (event) => { live = event.detail; refresh(); });

  // --- The live line -----------------------------------------------------------------------------------------------
  let source;
  let lastHeard = Date.now();
  let lastUpdate = new Date();
  let wait = 500;
  let retryTimer;
  const say = (state) => {
    const line = $("line");
    line.dataset.state = state;
    line.textContent = state === "live" ? "live" : `reconnecting, last update ${clock(lastUpdate)}`;
  };
  const heard = (event) => {
    lastHeard = Date.now();
    lastUpdate = new Date();
    if (event.data) {
      const data = JSON.parse(event.data);
      if (data.now) skew = new Date(data.now) - Date.now();
    }
    say("live");
  };
  const hangUp = () => { source?.close(); source = undefined; clearTimeout(retryTimer); };
  const retry = () => {
    hangUp();
    say("reconnecting");
    retryTimer = setTimeout(connect, wait * (0.8 + 0.4 * Math.random()));
    wait = Math.min(wait * 2, 15000);
  };
  const connect = () => {
    hangUp();
    if (!live || document.hidden) return;
    lastHeard = Date.now();
    const only = body.dataset.incident ? `&incident=${body.dataset.incident}` : "";
    source = new EventSource(`/api/v1/stream?after=${seq}${only}`);
    source.addEventListener("hello", (event) => { wait = 500; heard(event); soon(); });
    source.addEventListener("tick", heard);
    source.addEventListener("reset", () => location.reload());
    source.addEventListener("entry", (event) => { heard(event); seq = Math.max(seq, Number(event.lastEventId)); soon(); });
    // The browser retries some failures by itself and gives up on others; we retry all of them, and say so.
    source.onerror = retry;
  };
  if (live) {
    connect();
    // A line that is silent for three ticks is dead, whatever the browser believes.
    setInterval(() => { if (source && Date.now() - lastHeard > 30000) retry(); }, 5000);
    // Figures move without an entry in the log.
    setInterval(() => { if (!document.hidden && source) soon(); }, 1000 * Number(body.dataset.every || 5));
    // A browser keeps six lines open to one server, and a hidden tab would hold one of them.
    document.addEventListener("visibilitychange", () => (document.hidden ? hangUp() : connect()));
    addEventListener("pagehide", hangUp);
    addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
  }

  // --- Forms -------------------------------------------------------------------------------------------------------
  const complain = (form, text) => {
    let box = form.querySelector(":scope > .form-error");
    if (!box) {
      box = document.createElement("p");
      box.className = "form-error";
      box.dataset.keep = "";
      box.setAttribute("role", "alert");
      form.append(box);
    }
    box.textContent = text;
    box.hidden = !text;
  };
  const draftKey = (el) => `stanch:${location.pathname}:${el.id}:${el.dataset.draft}`;
  const dropDrafts = (form) => all("[data-draft]", form).forEach((el) => localStorage.removeItem(draftKey(el)));
  const send = async (form, by = null) => {
    const fields = {};
    // The button that was pressed says something too, where it has a name.
    const data = new FormData(form, by);
    const lists = (form.dataset.lists || "").split(" ").filter(Boolean);
    for (const name of lists) fields[name] = data.getAll(name);
    for (const [name, value] of data) {
      if (lists.includes(name)) continue;
      const el = form.elements.namedItem(name);
      if (name !== "back" && (value !== "" || el.required || el.dataset.always !== undefined)) fields[name] = value;
    }
    const button = form.querySelector("button");
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    button?.setAttribute("aria-busy", "true");
    complain(form, "");
    try {
      const answer = await fetch(`/api/v1/${form.dataset.op.replace(".", "/")}`, {
        method: "POST",
        headers: { "content-type": "application/json", "stanch-via": "web" },
        body: JSON.stringify(fields),
      });
      const told = await answer.json();
      if (!answer.ok) {
        const { message, hint, problems = [], reason } = told.error;
        const named = problems.map((one) => `${one.field}: ${one.message}`).join("; ");
        complain(form, [named || message, hint].filter(Boolean).join(". "));
        if (reason === "nobody") $("me").open = true;
        if (form.dataset.force && answer.status === 409) $(form.dataset.force).open = true;
        return;
      }
      dropDrafts(form);
      if (form.dataset.go) { location.assign(`/i/${told.card.number}`); return; }
      if (form.dataset.to) { location.assign(form.dataset.to); return; }
      if (form.dataset.reload !== undefined) { location.reload(); return; }
      if (form.dataset.clear !== undefined) form.reset();
      form.closest("details")?.removeAttribute("open");
      toast("Done");
      refresh();
    } catch {
      complain(form, "The server did not answer; nothing is known to have happened. Look, then try again.");
    } finally {
      delete form.dataset.busy;
      button?.removeAttribute("aria-busy");
    }
  };
  document.addEventListener("submit", (event) => {
    // A button with an address of its own, a preview, goes there.
    if (event.submitter?.hasAttribute("formaction")) return;
    if (event.target.dataset.op && !event.defaultPrevented) { event.preventDefault(); send(event.target, event.submitter); }
  });
  // What was typed on a text that somebody else has replaced since stands beside the new one, to take over by hand.
  const olderDrafts = (el) => {
    const start = `stanch:${location.pathname}:${el.id}:`;
    return Object.keys(localStorage).filter((key) => key.startsWith(start) && key !== draftKey(el))
      .map((key) => [key, key.slice(start.length), localStorage.getItem(key)]);
  };
  const showOlder = (el, key, revision, text) => {
    const box = document.createElement("details");
    const [title, words, forget] = ["summary", "textarea", "button"].map((name) => document.createElement(name));
    title.textContent = words.ariaLabel = `What you typed on revision ${revision} and did not save`;
    Object.assign(words, { value: text, readOnly: true, rows: 8 });
    Object.assign(forget, { type: "button", textContent: "Forget it" });
    forget.addEventListener("click", () => { localStorage.removeItem(key); box.remove(); });
    box.append(title, words, forget);
    el.after(box);
  };
  all("[data-draft]").forEach((el) => {
    try { el.value = localStorage.getItem(draftKey(el)) ?? el.value; } catch { /* storage is off: no drafts */ }
    el.addEventListener("input", () => { try { localStorage.setItem(draftKey(el), el.value); } catch { /* the same */ } });
    try { olderDrafts(el).forEach(([key, revision, text]) => showOlder(el, key, revision, text)); } catch { /* the same */ }
  });

  // --- Clicks ------------------------------------------------------------------------------------------------------
  const openAt = (id, field) => {
    const el = $(id);
    if (!el) return false;
    if (el.tagName === "DETAILS") el.open = true;
    el.scrollIntoView({ block: "nearest" });
    el.querySelector(field)?.focus();
    return true;
  };
  const acts = {
    zone: () => { root.dataset.zone = isUtc() ? "local" : "utc"; keep("stanch_zone", root.dataset.zone); showZone(); },
    theme: () => {
      const next = { undefined: "dark", dark: "light", light: undefined }[root.dataset.theme];
      if (next) root.dataset.theme = next; else delete root.dataset.theme;
      keep("stanch_theme", next || "");
      toast(`Theme: ${next || "as the system"}`);
    },
    keys: () => $("keys").showModal(),
    me: () => openAt("me", "input"),
    back: () => history.back(),
  };
  document.addEventListener("click", (event) => {
    const el = event.target.closest("[data-act],[data-copy],[data-link],time");
    if (!el) return;
    if (el.dataset.act) { event.preventDefault(); acts[el.dataset.act]?.(); }
    else if (el.dataset.copy !== undefined) copy(el.dataset.copy, el.dataset.copy.length < 60 ? el.dataset.copy : "the text");
    else if (el.dataset.link !== undefined) copy(el.href, "the link");
    else toast(el.title);
  });
  // Copying a time gives UTC, whatever zone is shown.
  document.addEventListener("copy", (event) => {
    const picked = getSelection();
    const el = picked.anchorNode?.parentElement?.closest("time");
    if (el && picked.toString().trim() === el.textContent.trim()) {
      event.clipboardData.setData("text/plain", utc(new Date(el.dateTime)));
      event.preventDefault();
    }
  });
  $("pill")?.addEventListener("click", toEnd);
  entries?.addEventListener("scroll", () => { if (unseen && atEnd()) { unseen = 0; showPill(); } });
  $("search")?.addEventListener("input", filterEntries);
  const openTarget = () => {
    const target = location.hash && $(decodeURIComponent(location.hash.slice(1)));
    if (!target) return false;
    for (let el = target; el; el = el.parentElement) if (el.tagName === "DETAILS") el.open = true;
    all("details", target).slice(0, 1).forEach((el) => { el.open = true; });
    target.scrollIntoView({ block: "center" });
    return true;
  };
  addEventListener("hashchange", openTarget);

  // --- Keys --------------------------------------------------------------------------------------------------------
  const keysOff = $("keys-off");
  try { keysOff.checked = localStorage.getItem("stanch:keys") === "off"; } catch { /* storage is off: keys are on */ }
  keysOff.addEventListener("change", () => localStorage.setItem("stanch:keys", keysOff.checked ? "off" : "on"));
  const step = (by) => {
    const steps = all("[data-step]").filter((one) => one.offsetParent);
    if (!steps.length) return;
    const at = steps.indexOf(document.activeElement.closest?.("[data-step]"));
    const next = steps[at < 0 ? (by > 0 ? 0 : steps.length - 1) : Math.min(Math.max(at + by, 0), steps.length - 1)];
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  const keys = {
    "?": acts.keys,
    u: acts.zone,
    t: acts.theme,
    j: () => step(1),
    k: () => step(-1),
    n: () => openAt("note", "textarea"),
    x: () => document.activeElement.closest?.("[data-step]")?.querySelector(".pick input")?.click(),
    c: () => { if (!openAt("declare", "textarea")) location.assign("/#declare"); },
    "/": () => $("search")?.focus(),
    Enter: () => document.activeElement.closest?.("[data-step]")?.querySelector("[data-open]")?.click(),
  };
  // Finds what the page itself offers: its sections, links and buttons. Nothing is done that has no button.
  const palette = $("palette");
  const find = $("find");
  let offers = [];
  const showOffers = () => {
    const words = find.value.toLowerCase().split(/\s+/);
    offers = all("main h2, .rail h2, .timeline h2, main a[href], .bar a, main button, .head button, .head a, summary")
      .map((el) => [el, (el.getAttribute("aria-label") || el.title || el.textContent).trim().replace(/\s+/g, " ")])
      .filter(([el, text]) => el.checkVisibility() && text && words.every((word) => text.toLowerCase().includes(word)))
      .slice(0, 9);
    $("found").replaceChildren(...offers.map(([, text], index) => {
      const line = document.createElement("li");
      line.role = "option";
      line.ariaSelected = String(index === 0);
      line.textContent = text.slice(0, 90);
      line.onclick = () => take(index);
      return line;
    }));
  };
  const take = (index) => {
    const el = offers[index]?.[0];
    palette.close();
    if (!el) return;
    el.scrollIntoView({ block: "center" });
    // A form is never sent from here: its button is shown, and pressing it is one more key.
    if (el.matches("a, summary")) el.click();
    else (el.matches("h2") ? el.closest("section") : el).focus();
  };
  find.addEventListener("input", showOffers);
  find.addEventListener("keydown", (event) => {
    const lines = all("li", $("found"));
    const at = lines.findIndex((one) => one.ariaSelected === "true");
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && lines[at + by]) { lines[at].ariaSelected = "false"; lines[at + by].ariaSelected = "true"; event.preventDefault(); }
    if (event.key === "Enter") { event.preventDefault(); take(at); }
  });
  let before = "";
  document.addEventListener("keydown", (event) => {
    const el = event.target;
    const writes = el.matches?.("input:not([type=checkbox]), textarea, select") || el.isContentEditable;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && el.form) { el.form.requestSubmit(); return; }
    if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      palette.showModal();
      find.value = "";
      showOffers();
      return;
    }
    if (palette.open) return;
    if (event.key === "Escape") {
      if (writes) el.blur();
      else all("details.me[open]").forEach((one) => { one.open = false; });
      return;
    }
    if (writes || event.ctrlKey || event.metaKey || event.altKey || keysOff.checked || $("keys").open) return;
    if (event.key === "Enter" && el.matches("a,button,summary")) return;
    const was = before;
    before = event.key;
    const place = was === "g" && all(".places [data-go]").find((one) => one.dataset.go === event.key);
    if (place) { place.click(); return; }
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });

  showZone();
  if (!openTarget() && entries && isScroller()) toEnd();
  if (location.hash === "#declare") openAt("declare", "textarea");
})();
