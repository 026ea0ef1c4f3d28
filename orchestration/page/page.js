"use strict";
// Sorts and filters the table of tickets where it stands; without it the table is as it was written.
(() => {
  const table = document.getElementById("tickets-table");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const text = document.getElementById("filter-text");
  const repository = document.getElementById("filter-repository");
  const overdue = document.getElementById("filter-overdue");
  const all = document.getElementById("show-all");
  const shown = document.getElementById("shown");
  const some = Number(table.dataset.some);
  let everything = false;

  const show = () => {
    const words = text.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let matching = 0;
    for (const row of body.rows) {
      const said = row.dataset.said;
      const fits = words.every((word) => said.includes(word)) &&
        (!repository.value || row.dataset.repository === repository.value) &&
        (!overdue || !overdue.checked || row.dataset.overdue === "1");
      if (fits) matching += 1;
      row.hidden = !fits || (!everything && matching > some);
    }
    const visible = everything ? matching : Math.min(matching, some);
    shown.textContent = `${visible.toLocaleString("en")} of ${matching.toLocaleString("en")} tickets shown`;
    all.hidden = everything || matching <= some;
  };

  const sort = (head) => {
    const column = head.cellIndex;
    const rising = head.getAttribute("aria-sort") !== "ascending" &&
      !(head.getAttribute("aria-sort") === null && head.dataset.first === "descending");
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const value = (row) => row.cells[column].dataset.value;
    const compare = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "" || y === "") return (x === "") - (y === ""); // what is not known comes last
      const order = head.dataset.kind === "number" ? Number(x) - Number(y) : x.localeCompare(y);
      return rising ? order : -order;
    };
    rows.sort(compare);
    body.append(...rows);
    show();
  };

  for (const head of table.tHead.rows[0].cells) {
    const button = head.querySelector("button");
    if (button) button.addEventListener("click", () => sort(head));
  }
  for (const control of [text, repository, overdue]) if (control) control.addEventListener("input", show);
  all.addEventListener("click", () => { everything = true; show(); });
  document.getElementById("filters").hidden = false;
  show();
})();
