"use strict";
// The page is complete without this: it only filters the sample rows.
(() => {
  const query = document.getElementById("query");
  const count = document.getElementById("count");
  const rows = [...document.querySelectorAll("li.row")].map((element) => ({
    element,
    words: (element.closest(".group").querySelector("h3, h4").textContent + " " + element.textContent).toLowerCase(),
  }));
  if (!rows.length) return;
  const groups = [...document.querySelectorAll("#rows ~ .group, .group .group")];
  const folds = [...document.querySelectorAll(".group details.more")];
  let openedBefore = null;

  function show() {
    const wanted = query.value.trim().toLowerCase();
    for (const row of rows) row.element.hidden = !row.words.includes(wanted);
    const shown = (element) => element.querySelector("li.row:not([hidden])") !== null;
    for (const group of groups) group.hidden = !shown(group);
    if (wanted && !openedBefore) openedBefore = folds.map((fold) => fold.open);
    folds.forEach((fold, place) => {
      fold.hidden = !shown(fold);
      if (openedBefore) fold.open = wanted ? true : openedBefore[place];
    });
    if (!wanted) openedBefore = null;
    const found = rows.filter((row) => !row.element.hidden).length;
    count.textContent = wanted ? `${found} of ${rows.length} rows` : "";
  }

  document.getElementById("filter").hidden = false;
  query.addEventListener("input", show);
  show();
})();
