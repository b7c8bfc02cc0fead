// The blind scoring sheet. Owns what is on screen and what Python has not stored yet; Python owns the truth.
// Nothing here reads a clock: how long somebody takes is neither measured nor sent.

const COMMENT_MAX_LENGTH = 2000;
const COMMENT_HINT_FROM = 1800;
const FIRST_RETRY_MS = 4_000;
const LAST_RETRY_MS = 30_000;

const sheets = new WeakMap(); // mount point -> sheet; the default export runs again with every rerun

export default function ({ data, parentElement, setTriggerValue }) {
  let sheet = sheets.get(parentElement);
  if (!sheet) {
    sheet = createSheet(parentElement, openWork(data.sheet));
    sheets.set(parentElement, sheet);
  }
  return sheet.receive(data, setTriggerValue);
}

// ---------------------------------------------------------------------------------------------------------
// Work that is not stored yet: drafts by token, refusals that wait for a correction, and
// the outbox of submissions without acknowledgement; `sent` (UUID to token) recognises late answers.

const works = new Map(); // survives leaving the page inside the app; the browser's storage survives the rest
const STORAGE = "reallabor.sheet.";

function openWork(key) {
  if (!works.has(key)) works.set(key, createWork(STORAGE + key));
  return works.get(key);
}

function createWork(storageKey) {
  const kept = load(storageKey);
  const work = {
    drafts: new Map(kept.drafts),
    refusals: new Map(kept.refusals),
    outbox: kept.outbox ?? [],
    sent: new Map(kept.sent),
  };
  work.unsaved = () => work.outbox.length + work.refusals.size;
  const warn = (event) => event.preventDefault();
  /** The one place that sees every change: persist here what shall survive a reload. */
  work.changed = () => {
    save(storageKey, work);
    if (work.unsaved()) addEventListener("beforeunload", warn);
    else removeEventListener("beforeunload", warn);
  };
  return work;
}

/** What a closed or crashed browser left behind; nothing where storage is switched off. */
function load(storageKey) {
  try {
    return JSON.parse(localStorage.getItem(storageKey)) ?? {};
  } catch {
    return {};
  }
}

/** Keep what is not stored on the server yet; cleared once everything is acknowledged. */
function save(storageKey, { drafts, refusals, outbox, sent }) {
  try {
    if (drafts.size + refusals.size + outbox.length === 0) localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, JSON.stringify({ drafts: [...drafts], refusals: [...refusals], outbox, sent: [...sent] }));
  } catch {
    // Storage is full or switched off: the sheet works on, only a reload would lose the draft.
  }
}

/** `crypto.randomUUID` exists only under https; a closed network may still speak http. */
function newUuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// ---------------------------------------------------------------------------------------------------------
// The sheet: state and rules. It speaks to the screen through `view` only.

function createSheet(parentElement, work) {
  const items = new Map(); // position -> item, everything seen so far
  const stored = new Set(); // tokens that Python holds a rating for
  const answered = new Set(); // refused uuids that were already given back
  let data;
  let send;
  let view;
  let criteriaText;
  let screen = "closed"; // closed | case | waiting | finished
  let position = 0;
  let shownToken = null;
  let seeksOpen = false; // waiting for any open case, not for one position
  let active = 0; // criterion that digits are meant for; -1 where a digit would be an accident
  let retryTimer = null;
  let retryDelay = FIRST_RETRY_MS;
  let generation = 0;

  const item = () => items.get(position);
  const draft = () => work.drafts.get(item().token);
  const judgement = () => draft() ?? item();
  const nextRefusal = () => [...work.refusals.values()].find(({ token }) => token !== shownToken);
  const doneCount = () => {
    const fresh = work.outbox.filter((entry) => !stored.has(entry.token));
    return Math.min(data.total, data.done + fresh.length);
  };

  // --- data from Python

  function receive(newData, setTriggerValue) {
    const run = ++generation;
    const hadUnsaved = work.unsaved() > 0;
    data = newData;
    send = setTriggerValue;
    forgetAcknowledged();
    const refused = takeBackRefused();
    mergeItems();
    rebuildIfRubricChanged();

    if (screen === "closed") openFirst();
    else if (screen === "waiting") arrive();
    else if (screen === "case" && shownToken !== item()?.token) go(position);
    if (refused && view.isTyping()) view.announceRefusal(nextRefusal() ?? refused);
    else if (refused) go(refused.position, { refused: true });

    view.progress(doneCount(), data.total);
    view.saveState(work.unsaved(), hadUnsaved);
    if (!work.outbox.length && screen !== "waiting") stopRetrying();
    else if (retryTimer === null) retryLater();
    // Streamlit may run the cleanup of an overtaken run while the sheet stays mounted.
    return () => run === generation && stopRetrying();
  }

  function forgetAcknowledged() {
    const acknowledged = new Set(data.acknowledged);
    for (const uuid of acknowledged) if (work.sent.has(uuid)) stored.add(work.sent.get(uuid));
    const rest = work.outbox.filter((entry) => !acknowledged.has(entry.uuid));
    if (rest.length < work.outbox.length) {
      work.outbox = rest;
      work.changed();
      stopRetrying();
    }
  }

  /** Turns refused submissions into drafts again; returns the first new refusal, if any. */
  function takeBackRefused() {
    let first = null;
    for (const { uuid, sentence } of data.refused) {
      const entry = work.outbox.find((candidate) => candidate.uuid === uuid);
      if (!entry || answered.has(uuid)) continue;
      answered.add(uuid);
      const { token, levels, comment } = entry;
      const refusal = { token, position: entry.position, sentence };
      work.outbox = work.outbox.filter((other) => other !== entry);
      work.drafts.set(token, { levels: { ...levels }, comment });
      work.refusals.set(token, refusal);
      work.changed();
      const cached = items.get(refusal.position);
      if (cached?.token === token) cached.done = stored.has(token);
      first ??= refusal;
    }
    return first;
  }

  function mergeItems() {
    for (const incoming of data.items) {
      if (incoming.done) stored.add(incoming.token);
      const entry = work.outbox.find((candidate) => candidate.token === incoming.token);
      const own = entry && { levels: entry.levels, comment: entry.comment, done: true };
      items.set(incoming.position, { ...incoming, ...own });
    }
  }

  function rebuildIfRubricChanged() {
    const text = JSON.stringify(data.criteria);
    if (text === criteriaText) return;
    criteriaText = text;
    view?.remove();
    view = createView(parentElement, data.criteria, actions);
    shownToken = null;
  }

  // --- moving

  function openFirst() {
    if (doneCount() >= data.total) finish();
    else go(Math.min(Math.max(data.start, 1), data.total), { opening: true });
    if (work.outbox.length) submit();
  }

  function go(target, { opening = false, refused = false } = {}) {
    position = target;
    if (!items.has(position)) return wait();
    screen = "case";
    seeksOpen = false;
    shownToken = item().token;
    const { sentence } = work.refusals.get(shownToken) ?? {};
    view.showCase(item(), judgement(), { total: data.total, sentence, changed: Boolean(draft()) });
    active = refused ? -1 : 0;
    view.markActive(active);
    if (refused) view.focusRefusal();
    else view.focusCase({ onlyIfFree: opening });
  }

  function wait() {
    screen = "waiting";
    shownToken = null;
    view.showWaiting(position, data.total);
  }

  function arrive() {
    if (seeksOpen && item()?.done) goToOpen();
    else if (item()) go(position);
    else return;
    if (screen === "waiting") submit();
  }

  /** After the last position: the first one that is not known to be done, or the end. */
  function goToOpen() {
    if (doneCount() >= data.total) return finish();
    let open = 1;
    while (open < data.total && items.get(open)?.done) open += 1;
    go(open);
    seeksOpen = screen === "waiting";
  }

  function goOn() {
    const refusal = nextRefusal();
    if (refusal) go(refusal.position, { refused: true });
    else if (doneCount() >= data.total && position >= data.total) finish();
    else if (position < data.total) go(position + 1);
    else goToOpen();
  }

  function finish() {
    screen = "finished";
    position = data.total;
    view.showFinished(data.total);
  }

  function back() {
    if (screen === "finished") go(data.total);
    else if (position > 1) go(position - 1);
    else return;
    askForNeighbours();
  }

  /** Moving without saving: Python learns the new position only where the window is about to end. */
  function askForNeighbours() {
    const near = [position - 1, position, position + 1, position + 2];
    if (near.some((place) => place >= 1 && place <= data.total && !items.has(place))) submit();
  }

  // --- judging

  function edit(change) {
    const { token } = item();
    const { levels, comment } = judgement();
    work.drafts.set(token, { levels: { ...levels }, comment, ...change });
    work.changed();
    view.saveLabel({ done: item().done, changed: true });
  }

  function choose(criterionKey, level) {
    edit({ levels: { ...judgement().levels, [criterionKey]: level } });
    view.clearMissing(criterionKey);
  }

  function save() {
    if (screen !== "case") return;
    const { levels, comment } = judgement();
    const missing = data.criteria.filter(({ key }) => !levels[key]);
    if (missing.length) return view.reportMissing(missing);
    if (item().done && !draft()) {
      goOn(); // nothing changed: no revision
      return askForNeighbours();
    }
    const { token } = item();
    const entry = { uuid: newUuid(), token, position, levels: { ...levels }, comment: comment.trim() };
    work.outbox = [...work.outbox.filter((other) => other.token !== token), entry];
    work.drafts.delete(token);
    work.refusals.delete(token);
    work.changed();
    work.sent.set(entry.uuid, token);
    Object.assign(item(), { levels: entry.levels, comment: entry.comment, done: true });
    goOn();
    submit();
    view.progress(doneCount(), data.total);
    view.saveState(work.unsaved(), false);
  }

  // --- sending: always the whole outbox, again and again until acknowledged; Python recognises the UUIDs

  function submit() {
    const entries = work.outbox.map(({ uuid, token, levels, comment }) => ({ uuid, token, levels, comment }));
    send("submissions", { items: entries, position });
    retryLater();
  }

  function retryLater() {
    clearTimeout(retryTimer);
    retryTimer = setTimeout(() => {
      retryDelay = Math.min(retryDelay * 2, LAST_RETRY_MS);
      view.saveTrouble(work.unsaved());
      submit();
    }, retryDelay);
  }

  function stopRetrying() {
    clearTimeout(retryTimer);
    retryTimer = null;
    retryDelay = FIRST_RETRY_MS;
  }

  // --- what people do

  const actions = {
    save,
    back,
    choose,
    comment: (text) => edit({ comment: text }),
    goToRefusal: () => nextRefusal() && go(nextRefusal().position, { refused: true }),
    activate(index) {
      active = index;
      view.markActive(index);
    },
    press(event) {
      const typing = view.isTyping();
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
      // Streamlit's global keys ("r" reruns, "c" clears the cache) must not hear what is typed here.
      if (plain && (event.key.length === 1 || event.key === "Enter")) event.stopPropagation();
      if (event.type !== "keydown" || event.isComposing) return;

      const act = (action) => {
        event.preventDefault();
        event.stopPropagation();
        action();
      };
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return event.repeat || act(save);
      if (typing) return;
      // keyCode: with Alt held down a Mac reports another character
      if (event.altKey && !event.ctrlKey && (event.key.toLowerCase() === "z" || event.keyCode === 90)) return act(back);
      if (!plain) return;
      if (event.key === "Enter" && screen === "case" && !event.target.closest("button, summary")) {
        return act(() => event.repeat || save());
      }
      if (event.key === "?") return act(view.toggleHelp);
      if (event.key === "Escape" && view.closeHelp()) return act(() => {});
      if (screen !== "case") return;
      if (/^[1-9]$/.test(event.key) && active >= 0) return act(() => view.chooseByDigit(active, Number(event.key)));
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (step && view.isInRubric(event.target)) act(() => view.moveCriterion(event.target, step));
    },
  };

  return { receive };
}

// ---------------------------------------------------------------------------------------------------------
// The screen. Knows elements and German words, and no rules.

/** Builds an element; texts always become text nodes, never markup. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function createView(parentElement, criteria, actions) {
  // --- head: where am I, how far is it, is it safe
  const heading = make("h2", { class: "place", tabindex: "-1" });
  const mark = make("span", { class: "mark", hidden: true }, "bereits bewertet");
  const bar = make("progress", { "aria-labelledby": "count" });
  const count = make("span", { id: "count", class: "count" });
  const safety = make("span", { class: "safety" });
  const head = make("header", {}, make("div", { class: "title" }, heading, mark), make("div", { class: "progress" }, bar, count), safety);

  // --- refusal
  const refusalText = make("p", { id: "refusal" });
  const refusalButton = make("button", { type: "button", "aria-describedby": "refusal" });
  const refusal = make("div", { class: "refusal", hidden: true, role: "group", "aria-label": "Nicht gespeichert" }, refusalText, refusalButton);

  // --- texts
  const input = textArea("input", "Eingabe");
  const reference = textArea("reference", "Musterantwort");
  const output = textArea("output", "Ausgabe");
  const referenceBox = make("details", { class: "part reference", open: true }, make("summary", {}, make("h3", { id: "reference-title" }, "Musterantwort")), reference);
  const texts = make(
    "div",
    { class: "texts" },
    make(
      "div",
      { class: "texts-inner" },
      make("section", { class: "part input" }, make("h3", { id: "input-title" }, "Eingabe"), input),
      referenceBox,
      make("section", { class: "part output" }, make("h3", { id: "output-title" }, "Ausgabe"), output),
    ),
  );

  // --- rubric
  const groups = criteria.map(buildGroup);
  const rubric = make("section", { class: "rubric", "aria-label": "Bewertung" }, ...groups.map((group) => group.fieldset));

  // --- foot
  const comment = make("textarea", { id: "comment", rows: "1", maxlength: String(COMMENT_MAX_LENGTH), "aria-describedby": "comment-left", oninput: () => commentTyped() });
  const commentLeft = make("span", { id: "comment-left", class: "comment-left" });
  const commentBox = make("div", { class: "comment" }, make("label", { for: "comment" }, "Kommentar (freiwillig, bitte ohne Personendaten)"), commentLeft, comment);
  const message = make("p", { class: "message", role: "alert" });
  const saveText = make("span");
  const saveButton = make("button", { type: "button", class: "primary", onclick: actions.save }, saveText, make("kbd", {}, "Enter"));
  const backButton = make("button", { type: "button", onclick: actions.back }, make("span", {}, "Zurück"), make("kbd", {}, "Alt + Z"));
  const helpButton = make("button", { type: "button", class: "quiet", "aria-expanded": "false", "aria-controls": "help", onclick: () => toggleHelp() }, make("span", {}, "Tasten"), make("kbd", {}, "?"));
  const help = buildHelp();
  const foot = make("footer", {}, message, commentBox, make("div", { class: "buttons" }, helpButton, backButton, saveButton, help));

  // --- instead of a case
  const waiting = make("p", { class: "panel waiting", hidden: true }, "Nächster Fall wird geladen …");
  const finishedTitle = make("h2", { tabindex: "-1" });
  const finishedNote = make("p", { class: "finished-note" });
  const againButton = make("button", { type: "button", onclick: actions.back }, "Letzte Ausgabe noch einmal ansehen");
  const finished = make("section", { class: "panel finished", hidden: true }, finishedTitle, finishedNote, againButton);

  const caseLive = make("p", { class: "spoken", role: "status" });
  const saveLive = make("p", { class: "spoken", role: "status" });
  const desk = make("div", { class: "desk" }, texts, rubric);
  // tabindex: a click between two controls keeps the focus, and with it the keys, inside the sheet
  const root = make("div", { class: "sheet", lang: "de", tabindex: "-1" }, head, refusal, desk, waiting, finished, foot, caseLive, saveLive);
  for (const type of ["keydown", "keypress", "keyup"]) root.addEventListener(type, actions.press);
  root.addEventListener("focusin", (event) => {
    const index = groups.findIndex(({ fieldset }) => fieldset.contains(event.target));
    if (index >= 0) actions.activate(index);
    else if (event.target.closest("button, textarea")) actions.activate(-1);
  });
  parentElement.append(root);

  function textArea(id, label) {
    // tabindex: the scroll area must be reachable by keyboard; dir: right-to-left answers read correctly
    return make("div", { id, class: "text", dir: "auto", tabindex: "0", role: "region", "aria-label": `${label}, Text` });
  }

  function buildGroup(criterion) {
    const missing = make("span", { class: "missing", hidden: true }, "fehlt noch");
    const legend = make("legend", {}, make("span", { class: "name" }, criterion.title), " ", make("span", { class: "question" }, criterion.question), " ", missing);
    const radios = new Map();
    const levels = criterion.levels.map(({ level, text }) => {
      const radio = make("input", { type: "radio", name: criterion.key, value: String(level), onchange: () => actions.choose(criterion.key, level) });
      radios.set(level, radio);
      return make("label", { class: "level" }, radio, make("span", { class: "digit" }, String(level)), " ", make("span", { class: "anchor" }, text));
    });
    const fieldset = make("fieldset", {}, legend, make("div", { class: "levels" }, ...levels));
    return { key: criterion.key, fieldset, radios, missing };
  }

  function buildHelp() {
    const lines = [
      [["1", "bis", "5"], "Stufe wählen, weiter zum nächsten Kriterium"],
      [["↑", "↓"], "zwischen den Kriterien wechseln"],
      [["←", "→"], "zwischen den Stufen wechseln"],
      [["Enter"], "speichern und weiter"],
      [["Strg + Enter"], "dasselbe, auch im Kommentar"],
      [["Alt + Z"], "zurück zum vorigen Fall"],
      [["?"], "diese Übersicht öffnen oder schließen"],
    ];
    const rows = lines.flatMap(([keys, text]) => {
      const parts = keys.flatMap((key) => (key === "bis" ? [" bis "] : [make("kbd", {}, key), " "]));
      return [make("dt", {}, ...parts), make("dd", {}, text)];
    });
    return make("div", { id: "help", class: "help", role: "group", "aria-label": "Tasten", hidden: true }, make("dl", {}, ...rows));
  }

  function commentTyped() {
    actions.comment(comment.value);
    countComment();
  }

  function countComment() {
    const used = comment.value.length;
    commentLeft.textContent = used < COMMENT_HINT_FROM ? "" : `${used} von ${COMMENT_MAX_LENGTH} Zeichen`;
  }

  function show(part) {
    for (const [element, name] of [[desk, "case"], [foot, "case"], [waiting, "waiting"], [finished, "finished"]]) {
      element.hidden = name !== part;
    }
    heading.hidden = part === "finished";
    if (part !== "case") {
      mark.hidden = true;
      refusal.hidden = true;
      closeHelp();
    }
  }

  function setText(element, text) {
    element.textContent = text;
    element.scrollTop = 0;
  }

  function setRefusal(sentence, label, onClick) {
    refusal.hidden = !sentence;
    refusalText.textContent = sentence ?? "";
    refusalButton.textContent = label;
    refusalButton.onclick = onClick;
  }

  const focusInside = () => root.contains(root.getRootNode().activeElement);
  const radioToFocus = ({ radios }) => [...radios.values()].find((radio) => radio.checked) ?? radios.values().next().value;
  const isOneColumn = () => rubric.getBoundingClientRect().top >= texts.getBoundingClientRect().bottom;

  function toggleHelp() {
    help.hidden = !help.hidden;
    helpButton.setAttribute("aria-expanded", String(!help.hidden));
  }

  function closeHelp() {
    const wasOpen = !help.hidden;
    if (wasOpen) toggleHelp();
    return wasOpen;
  }

  function clearMissing(key) {
    for (const group of groups) if (!key || group.key === key) group.missing.hidden = true;
    if (groups.every((group) => group.missing.hidden)) message.textContent = "";
  }

  function saveLabel({ done, changed }) {
    saveText.textContent = !done ? "Speichern und weiter" : changed ? "Änderung speichern" : "Weiter";
  }

  return {
    remove: () => root.remove(),
    toggleHelp,
    closeHelp,
    clearMissing,
    saveLabel,

    showCase(item, { levels, comment: text }, { total, sentence, changed }) {
      show("case");
      heading.textContent = `Fall ${item.position} von ${total}`;
      mark.hidden = !item.done;
      setText(input, item.input);
      setText(reference, item.reference);
      referenceBox.hidden = !item.reference;
      setText(output, item.output);
      for (const { key, radios } of groups) for (const [level, radio] of radios) radio.checked = levels[key] === level;
      comment.value = text;
      countComment();
      clearMissing();
      saveLabel({ done: item.done, changed });
      backButton.disabled = item.position <= 1;
      setRefusal(sentence && `Nicht gespeichert: ${sentence}`, "Bewertung prüfen", () => radioToFocus(groups[0]).focus());
    },

    showWaiting(position, total) {
      const hadFocus = focusInside();
      show("waiting");
      heading.textContent = `Fall ${position} von ${total}`;
      caseLive.textContent = "Nächster Fall wird geladen …";
      if (hadFocus) heading.focus();
    },

    showFinished(total) {
      const hadFocus = focusInside();
      show("finished");
      finishedTitle.textContent = total === 1 ? "Die Ausgabe ist bewertet. Vielen Dank." : `Alle ${total} Ausgaben bewertet. Vielen Dank.`;
      if (hadFocus) finishedTitle.focus();
    },

    /** Side by side the first criterion gets the focus; in one column the text has to be read first. */
    focusCase({ onlyIfFree }) {
      if (onlyIfFree && document.activeElement !== document.body && document.activeElement !== null) return;
      head.scrollIntoView({ block: "nearest" });
      const toHeading = isOneColumn();
      caseLive.textContent = toHeading ? "" : heading.textContent;
      (toHeading ? heading : radioToFocus(groups[0])).focus({ preventScroll: true });
    },

    focusRefusal() {
      head.scrollIntoView({ block: "nearest" });
      caseLive.textContent = heading.textContent;
      refusalButton.focus();
    },

    /** Somebody is writing a comment on another case: tell, but leave the focus where it is. */
    announceRefusal({ position, sentence }) {
      setRefusal(`Fall ${position} nicht gespeichert: ${sentence}`, `Zu Fall ${position}`, actions.goToRefusal);
      saveLive.textContent = refusalText.textContent;
    },

    markActive(index) {
      groups.forEach(({ fieldset }, place) => fieldset.classList.toggle("active", place === index));
    },

    chooseByDigit(index, level) {
      const radio = groups[index].radios.get(level);
      if (!radio) return;
      radio.click();
      (groups[index + 1] ? radioToFocus(groups[index + 1]) : saveButton).focus();
    },

    moveCriterion(from, step) {
      const place = groups.findIndex(({ fieldset }) => fieldset.contains(from));
      const target = place < 0 ? groups.length - 1 : place + step;
      if (groups[target]) radioToFocus(groups[target]).focus();
      else if (target === groups.length) saveButton.focus();
    },

    isInRubric: (element) => element.matches("input[type=radio]") || element === saveButton,
    isTyping: () => root.getRootNode().activeElement === comment,

    reportMissing(missing) {
      const keys = new Set(missing.map(({ key }) => key));
      for (const group of groups) group.missing.hidden = !keys.has(group.key);
      message.textContent = `Bitte noch eine Stufe wählen: ${missing.map(({ title }) => title).join(", ")}`;
      radioToFocus(groups.find(({ key }) => key === missing[0].key)).focus();
    },

    progress(done, total) {
      bar.max = total;
      bar.value = done;
      count.textContent = `${done} von ${total} bewertet`;
    },

    saveState(unsaved, hadUnsaved) {
      safety.textContent = unsaved ? `${unsaved} noch nicht gespeichert` : "Alles gespeichert";
      safety.classList.toggle("pending", unsaved > 0);
      finishedNote.textContent = unsaved ? `${unsaved} noch nicht gespeichert. Bitte dieses Fenster noch offen lassen.` : "Alles ist gespeichert. Sie können das Fenster schließen.";
      if (!unsaved && hadUnsaved) saveLive.textContent = "Alles gespeichert";
      else if (unsaved && !hadUnsaved) saveLive.textContent = "";
    },

    saveTrouble(unsaved) {
      if (unsaved) saveLive.textContent = `${unsaved} noch nicht gespeichert. Es wird weiter versucht.`;
    },
  };
}
