// Passages of the output that are marked as evidence. Knows text, selection and sentences; positions are counted
// in characters as Python counts them, not in UTF-16 units.

const points = (text) => Array.from(text).length;
const piece = (text, start, end) => Array.from(text).slice(start, end).join("");

/** Sentences as [start, end] in characters, without the space between them. */
function sentencesOf(text) {
  const parts = Intl.Segmenter ? [...new Intl.Segmenter("de", { granularity: "sentence" }).segment(text)] : [{ segment: text, index: 0 }];
  return parts.flatMap(({ segment, index }) => {
    const start = points(text.slice(0, index)) + points(segment) - points(segment.trimStart());
    const end = points(text.slice(0, index)) + points(segment.trimEnd());
    return end > start ? [[start, end]] : [];
  });
}

function createMarker(area, { criteria, change, speak }) {
  let text = "";
  let passages = [];
  let sentences = [];
  let cursor = -1; // sentence chosen with the arrow keys
  let criterion = criteria[0]; // what the next mark is evidence for

  const button = make("button", { type: "button", class: "mark-button", disabled: true, onclick: () => mark(selected()) });
  // Pressing the button must not take the selection away.
  button.addEventListener("pointerdown", (event) => event.preventDefault());
  const list = make("ul", { class: "marks", "aria-label": "Markierte Stellen", hidden: true });
  area.addEventListener("blur", () => moveTo(-1));
  document.addEventListener("selectionchange", () => area.isConnected && (button.disabled = !selected()));
  label();

  function label() {
    button.textContent = `Auswahl markieren: ${criterion.title}`;
  }

  /** The selected passage [start, end], or null; browsers differ in how they look into a shadow tree. */
  function selected() {
    const selection = area.getRootNode().getSelection?.() ?? document.getSelection();
    if (!selection || selection.isCollapsed || !selection.rangeCount) return null;
    const composed = selection.getComposedRanges?.({ shadowRoots: [area.getRootNode()] })[0];
    const { startContainer, startOffset, endContainer, endOffset } = composed ?? selection.getRangeAt(0);
    if (!area.contains(startContainer) || !area.contains(endContainer)) return null;
    const [start, end] = [place(startContainer, startOffset), place(endContainer, endOffset)];
    const inside = piece(text, start, end);
    const left = start + points(inside) - points(inside.trimStart());
    const right = start + points(inside.trimEnd());
    return right > left ? [left, right] : null;
  }

  function place(node, offset) {
    const range = document.createRange();
    range.setStart(area, 0);
    range.setEnd(node, offset);
    return points(range.toString());
  }

  /** Marks a passage for the current criterion, or takes the same mark back. */
  function mark(range) {
    if (!range) return;
    const [start, end] = range;
    const same = (each) => each.start === start && each.end === end && each.criterion === criterion.key;
    const known = passages.some(same);
    passages = known ? passages.filter((each) => !same(each)) : [...passages, { start, end, criterion: criterion.key }];
    draw();
    change(passages);
    speak(`${known ? "Markierung entfernt" : `Markiert für ${criterion.title}`}: ${piece(text, start, end)}`);
    document.getSelection()?.removeAllRanges();
  }

  function moveTo(sentence) {
    if (cursor === sentence) return;
    cursor = sentence;
    draw();
    if (cursor < 0) return;
    speak(piece(text, ...sentences[cursor]));
    area.querySelector(".cursor")?.scrollIntoView({ block: "nearest" });
  }

  /** Keys while the output has the focus; whether one was meant for it. */
  function press({ key, target }) {
    if (target !== area || !sentences.length) return false;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (step) moveTo(Math.min(Math.max(cursor + step, 0), sentences.length - 1));
    else if (key === " " && cursor >= 0) mark(sentences[cursor]);
    else return false;
    return true;
  }

  function draw() {
    const inCursor = cursor < 0 ? null : sentences[cursor];
    const edges = new Set([0, points(text), ...(inCursor ?? [])]);
    for (const { start, end } of passages) edges.add(start).add(end);
    const places = [...edges].sort((a, b) => a - b);
    const nodes = places.slice(0, -1).map((start, index) => {
      const end = places[index + 1];
      const covers = (each) => each.start <= start && each.end >= end;
      const marked = passages.some(covers);
      const chosen = inCursor && inCursor[0] <= start && inCursor[1] >= end;
      if (!marked && !chosen) return document.createTextNode(piece(text, start, end));
      return make(marked ? "mark" : "span", { class: chosen ? "cursor" : null }, piece(text, start, end));
    });
    area.replaceChildren(...nodes);
    list.replaceChildren(...passages.map(entry));
    list.hidden = !passages.length;
  }

  function entry(passage) {
    const title = criteria.find(({ key }) => key === passage.criterion)?.title ?? "Allgemein";
    const quote = piece(text, passage.start, passage.end).replace(/\s+/g, " ");
    const short = points(quote) > 40 ? `${piece(quote, 0, 38)} …` : quote;
    const remove = () => {
      passages = passages.filter((other) => other !== passage);
      draw();
      change(passages);
      area.focus();
    };
    return make("li", {}, make("span", {}, `„${short}“ – ${title}`), make("button", { type: "button", "aria-label": `Markierung entfernen: ${short}`, title: "Markierung entfernen", onclick: remove }, "×"));
  }

  return {
    button,
    list,
    press,
    /** The criterion that was last looked at. */
    use(next) {
      criterion = next;
      label();
    },
    show(newText, newPassages) {
      [text, passages, cursor] = [newText, newPassages, -1];
      sentences = sentencesOf(text);
      button.disabled = true;
      draw();
    },
  };
}
