// Predictions stay in this browser: they are there again when the page is, and stand in its table of verdicts.

const place = (page) => `answers you can run: ${page}`;

function kept(page) {
  try {
    return JSON.parse(localStorage.getItem(place(page))) ?? {};
  } catch {                                                       // a browser that keeps nothing, or something else's
    return {};
  }
}

function keep(page, values) {
  try {
    localStorage.setItem(place(page), JSON.stringify(values));
  } catch { /* they last as long as the page */ }
}

export function traits(state, page) {
  const values = kept(page);
  show(values);
  return { ...state, values };
}

export const serve = (_, page) => ({
  changed(model) {
    keep(page, model.get("values"));
    show(model.get("values"));
  },
});

// A column of the table of verdicts: what the reader has said of each claim.
function show(values) {
  for (const table of document.querySelectorAll("table")) {
    const heads = [...table.querySelectorAll("thead th")];
    if (!heads.some((head) => head.textContent.trim() === "verdict")) continue;
    for (const row of table.rows) {
      const head = row.parentElement.tagName === "THEAD", number = row.cells[0].textContent.trim();
      const cell = row.querySelector(".said") ?? row.appendChild(document.createElement(head ? "th" : "td"));
      cell.className = "said";
      cell.textContent = head ? "you said" : values[number] ?? "–";
    }
  }
}
