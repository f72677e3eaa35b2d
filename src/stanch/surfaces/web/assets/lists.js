// What lists do by themselves: filters, parts and previews are asked for and swapped in without leaving the page, and
// stand in the address all the same. Without this script the same forms and links lead to the same pages.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const same = (url) => url.origin === location.origin && url.pathname === location.pathname;

  // Shows the state of the page that an address says.
  const visit = (to, keep) => {
    if (keep) history[keep](null, "", to);
    for (const form of all("form[data-swap][method=get]")) {
      for (const el of [...form.elements]) {
        if (el.name && el !== document.activeElement) el.value = to.searchParams.get(el.name) ?? el.dataset.default ?? "";
      }
    }
    document.dispatchEvent(new CustomEvent("stanch:visit", { detail: `${to.pathname}/live${to.search}` }));
  };
  const addressOf = (form, names) => {
    const to = new URL(form.dataset.swap || form.getAttribute("action"), location.href);
    to.search = "";
    for (const [name, value] of new FormData(form)) {
      if (value && (!names || names.includes(name))) to.searchParams.append(name, value);
    }
    return to;
  };

  let soon;
  const later = (what, ms) => { clearTimeout(soon); soon = setTimeout(what, ms); };
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (event.target.dataset.preview !== undefined) later(() => visit(addressOf(form, (form.dataset.fields || "matchers").split(" ")), "replaceState"), 300);
    else if (form?.matches("form[data-swap][method=get]")) later(() => visit(addressOf(form), "replaceState"), 250);
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-swap][method=get]")) return;
    event.preventDefault();
    clearTimeout(soon);
    visit(addressOf(event.target), "pushState");
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-swap]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const to = new URL(link.href);
    if (!same(to)) return;
    event.preventDefault();
    visit(to, "pushState");
    if (link.closest(".paging")) scrollTo({ top: 0 });
  });
  addEventListener("popstate", () => visit(new URL(location.href)));

  // --- Picking several ---------------------------------------------------------------------------------------------
  const bar = document.querySelector("[data-picked]");
  const boxes = () => all("#picked input[type=checkbox]");
  const count = () => {
    if (!bar) return;
    const picked = boxes().filter((one) => one.checked).length;
    bar.hidden = !picked;
    document.getElementById("picked-count").textContent = `${picked} picked`;
  };
  const pick = (on) => { boxes().forEach((one) => { one.checked = on; }); count(); };
  document.addEventListener("change", (event) => { if (event.target.closest?.("#picked")) count(); });
  document.addEventListener("click", (event) => {
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (act === "pickAll") pick(true);
    if (act === "pickNone") pick(false);
  });
  document.addEventListener("stanch:shown", count);
  addEventListener("pageshow", count);
  count();
})();
