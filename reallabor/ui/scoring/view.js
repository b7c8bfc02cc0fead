// The screen of the scoring sheet. Knows elements and German words, and no rules.

const COMMENT_MAX_LENGTH = 2000;
const COMMENT_HINT_FROM = 1800;
const MINUTES = [0, 1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 240, 480];

const minutesText = (number) => (number === 1 ? "1 Minute" : number >= 120 && number % 60 === 0 ? `${number / 60} Stunden` : `${number} Minuten`);

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
  const marker = createMarker(output, { criteria, change: actions.passages, speak: (text) => (markLive.textContent = text) });
  const problem = buildProblem();
  const problemButton = make("button", { type: "button", class: "small", "aria-expanded": "false", "aria-controls": "problem", onclick: () => togglePanel(problem, problemButton) }, "Fall ablehnen");
  const dataPanel = buildDataPanel();
  const dataButton = make("button", { type: "button", class: "small", "aria-expanded": "false", "aria-controls": "personal", onclick: () => togglePanel(dataPanel, dataButton) }, "Personendaten gesehen");
  const referenceBox = make("details", { class: "part reference", open: true }, make("summary", {}, make("h3", { id: "reference-title" }, "Musterantwort")), reference);
  const texts = make(
    "div",
    { class: "texts" },
    make(
      "div",
      { class: "texts-inner" },
      make("section", { class: "part input" }, make("h3", { id: "input-title" }, "Eingabe"), input),
      referenceBox,
      make("section", { class: "part output" }, make("div", { class: "output-head" }, make("h3", { id: "output-title" }, "Ausgabe"), marker.button), output, marker.list, make("div", { class: "problems" }, problemButton, dataButton, problem, dataPanel)),
    ),
  );

  // --- rubric
  const groups = criteria.map(buildGroup);
  const rubric = make("section", { class: "rubric", "aria-label": "Bewertung" }, ...groups.map((group) => group.fieldset));

  // --- foot
  const comment = make("textarea", { id: "comment", rows: "1", maxlength: String(COMMENT_MAX_LENGTH), "aria-describedby": "comment-left", oninput: () => commentTyped() });
  const minutes = make("select", { id: "minutes", onchange: () => actions.minutes(minutes.value === "" ? null : Number(minutes.value)) }, make("option", { value: "" }, "keine Angabe"), ...MINUTES.map((number) => make("option", { value: String(number) }, minutesText(number))));
  const minutesBox = make("div", { class: "minutes" }, make("label", { for: "minutes", title: "Wie lange müssten Sie an dieser Ausgabe arbeiten, bevor Sie sie verwenden könnten?" }, "Nötige Nacharbeit"), minutes);
  const commentLeft = make("span", { id: "comment-left", class: "comment-left" });
  const commentBox = make("div", { class: "comment" }, make("label", { for: "comment" }, "Kommentar (ohne Personendaten)"), commentLeft, comment);
  const message = make("p", { class: "message", role: "alert" });
  const saveText = make("span");
  const saveButton = make("button", { type: "button", class: "primary", onclick: actions.save }, saveText, make("kbd", {}, "Enter"));
  const backButton = make("button", { type: "button", onclick: actions.back }, make("span", {}, "Zurück"), make("kbd", {}, "Alt + Z"));
  const helpButton = make("button", { type: "button", class: "quiet", "aria-expanded": "false", "aria-controls": "help", onclick: () => toggleHelp() }, make("span", {}, "Tasten"), make("kbd", {}, "?"));
  const help = buildHelp();
  const panels = [[help, helpButton], [problem, problemButton], [dataPanel, dataButton]];
  const foot = make("footer", {}, message, make("div", { class: "remarks" }, commentBox, minutesBox), make("div", { class: "buttons" }, helpButton, backButton, saveButton, help));

  // --- instead of a case
  const waiting = make("p", { class: "panel waiting", hidden: true }, "Nächster Fall wird geladen …");
  const finishedTitle = make("h2", { tabindex: "-1" });
  const finishedNote = make("p", { class: "finished-note" });
  const againButton = make("button", { type: "button", onclick: actions.back }, "Letzte Ausgabe noch einmal ansehen");
  const finished = make("section", { class: "panel finished", hidden: true }, finishedTitle, finishedNote, againButton);

  const caseLive = make("p", { class: "spoken", role: "status" });
  const saveLive = make("p", { class: "spoken", role: "status" });
  const markLive = make("p", { class: "spoken", role: "status" });
  const desk = make("div", { class: "desk" }, texts, rubric);
  // tabindex: a click between two controls keeps the focus, and with it the keys, inside the sheet
  const root = make("div", { class: "sheet", lang: "de", tabindex: "-1" }, head, refusal, desk, waiting, finished, foot, caseLive, saveLive, markLive);
  hearKeys(root, actions.save, actions.press);
  root.addEventListener("focusin", (event) => {
    const index = groups.findIndex(({ fieldset }) => fieldset.contains(event.target));
    if (index >= 0 && event.target.matches("input")) actions.activate(index);
    else if (event.target.closest("button, textarea, select")) actions.activate(-1);
    if (index >= 0) marker.use(criteria[index]);
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
    const noteId = `note-${criterion.key}`;
    const note = make("textarea", { id: noteId, class: "note", rows: "1", hidden: true, maxlength: String(COMMENT_MAX_LENGTH), "aria-label": `Kommentar zu ${criterion.title}`, placeholder: `Kommentar zu ${criterion.title}`, oninput: () => actions.note(criterion.key, note.value) });
    const noteButton = make("button", { type: "button", class: "note-button", "aria-expanded": "false", "aria-controls": noteId, "aria-label": `Kommentar zu ${criterion.title}`, onclick: () => showNote(group, note.hidden, { focus: true }) }, "Kommentar");
    const fieldset = make("fieldset", {}, legend, noteButton, make("div", { class: "levels" }, ...levels), note);
    const group = { key: criterion.key, fieldset, radios, missing, note, noteButton };
    return group;
  }

  function buildHelp() {
    const lines = [
      [["1", "bis", "5"], "Stufe wählen, weiter zum nächsten Kriterium"],
      [["↑", "↓"], "zwischen den Kriterien wechseln"],
      [["←", "→"], "zwischen den Stufen wechseln"],
      [["Enter"], "speichern und weiter"],
      [["Strg + Enter"], "dasselbe, auch im Kommentar"],
      [["Alt + Z"], "zurück zum vorigen Fall"],
      [["←", "→"], "in der Ausgabe: Satz wählen"],
      [["Leertaste"], "in der Ausgabe: Satz als Beleg markieren"],
      [["?"], "diese Übersicht öffnen oder schließen"],
    ];
    const rows = lines.flatMap(([keys, text]) => {
      const parts = keys.flatMap((key) => (key === "bis" ? [" bis "] : [make("kbd", {}, key), " "]));
      return [make("dt", {}, ...parts), make("dd", {}, text)];
    });
    return make("div", { id: "help", class: "help", role: "group", "aria-label": "Tasten", hidden: true }, make("dl", {}, ...rows));
  }

  function buildProblem() {
    const give = (kind, label, note) => make("button", { type: "button", onclick: () => reportAndClose(kind) }, make("span", {}, make("strong", {}, label), make("br"), note));
    return make(
      "div",
      { id: "problem", class: "help choices", role: "group", "aria-label": "Fall ablehnen", hidden: true },
      make("p", {}, "Jemand anderes bewertet den Fall dann. Was Sie schon gespeichert haben, bleibt."),
      give("unreadable", "Nicht lesbar", "Text fehlt, ist zerstört oder unverständlich"),
      give("conflict", "Interessenkonflikt", "Ich kenne den Fall oder war beteiligt"),
      make("button", { type: "button", class: "quiet", onclick: () => closePanels() }, "Abbrechen"),
    );
  }

  function buildDataPanel() {
    return make(
      "div",
      { id: "personal", class: "help choices", role: "group", "aria-label": "Personendaten gesehen", hidden: true },
      make("p", {}, "Stehen in dieser Ausgabe Angaben zu echten Menschen? Dann wird sie sofort für alle gesperrt; die Organisation des Reallabors prüft sie."),
      make("button", { type: "button", onclick: () => reportAndClose("personal_data") }, "Ja, Ausgabe jetzt sperren"),
      make("button", { type: "button", class: "quiet", onclick: () => closePanels() }, "Abbrechen"),
    );
  }

  function reportAndClose(kind) {
    closePanels();
    actions.report(kind);
  }

  function showNote({ note, noteButton }, open, { focus = false } = {}) {
    if (!open && note.value) open = true; // what is written stays in sight
    note.hidden = !open;
    noteButton.setAttribute("aria-expanded", String(open));
    if (focus && open) note.focus();
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
    head.hidden = part === "nothing";
    if (part !== "case") {
      mark.hidden = true;
      refusal.hidden = true;
      closePanels();
    }
  }

  /** Whatever was stored is shown, also a number that is not in the list. */
  function setMinutes(number) {
    minutes.querySelector(".other")?.remove();
    if (number != null && !MINUTES.includes(number)) minutes.append(make("option", { value: String(number), class: "other" }, minutesText(number)));
    minutes.value = number == null ? "" : String(number);
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

  function place(position, total) {
    const text = `Fall ${position} von ${total}`;
    if (heading.textContent !== text) heading.textContent = text;
  }

  const focusInside = () => root.contains(root.getRootNode().activeElement);
  const radioToFocus = ({ radios }) => [...radios.values()].find((radio) => radio.checked) ?? radios.values().next().value;
  const isOneColumn = () => rubric.getBoundingClientRect().top >= texts.getBoundingClientRect().bottom;

  function toggleHelp() {
    togglePanel(help, helpButton);
  }

  function togglePanel(panel, button) {
    const opens = panel.hidden;
    closePanels();
    panel.hidden = !opens;
    button.setAttribute("aria-expanded", String(opens));
    if (opens && panel !== help) panel.querySelector("button").focus();
  }

  /** Whether one was open; the focus goes back to its button. */
  function closePanels() {
    const open = panels.find(([panel]) => !panel.hidden);
    if (!open) return false;
    const [panel, button] = open;
    const hadFocus = panel.contains(root.getRootNode().activeElement);
    panel.hidden = true;
    button.setAttribute("aria-expanded", "false");
    if (hadFocus) button.focus();
    return true;
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
    closePanels,
    place,
    pressInOutput: marker.press,
    clearMissing,
    saveLabel,

    showCase(item, { levels, comment: text, comments, passages, minutes: rework }, { total, sentence, changed }) {
      show("case");
      closePanels();
      place(item.position, total);
      mark.hidden = !item.done;
      setText(input, item.input);
      setText(reference, item.reference);
      referenceBox.hidden = !item.reference;
      marker.show(item.output, passages);
      output.scrollTop = 0;
      for (const { key, radios } of groups) for (const [level, radio] of radios) radio.checked = levels[key] === level;
      for (const group of groups) {
        group.note.value = comments[group.key] ?? "";
        showNote(group, Boolean(group.note.value));
      }
      setMinutes(rework);
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
      place(position, total);
      caseLive.textContent = "Nächster Fall wird geladen …";
      if (hadFocus) heading.focus();
    },

    showFinished(total) {
      const hadFocus = focusInside();
      show("finished");
      finishedTitle.textContent = total === 1 ? "Die Ausgabe ist bewertet. Vielen Dank." : `Alle ${total} Ausgaben bewertet. Vielen Dank.`;
      if (hadFocus) finishedTitle.focus();
    },

    showNothing: () => show("nothing"),

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

    /** About an output that is gone: said once, wherever one is. */
    notice(sentence) {
      setRefusal(`Nicht gespeichert: ${sentence}`, "Verstanden", () => setRefusal());
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
    isTyping: () => Boolean(root.getRootNode().activeElement?.matches("textarea, select")),

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
