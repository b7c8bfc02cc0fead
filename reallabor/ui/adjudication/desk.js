// The adjudication desk. Owns what is on screen and a decision that Python has not stored yet; Python owns the truth.
// Nothing here reads a clock: how long somebody takes is neither measured nor sent.

const REASON_MAX_LENGTH = 2000;

const desks = new WeakMap(); // mount point -> desk; the default export runs again with every rerun

export default function ({ data, parentElement, setTriggerValue }) {
  let desk = desks.get(parentElement);
  if (!desk) {
    desk = createDesk(parentElement);
    desks.set(parentElement, desk);
  }
  return desk.receive(data, setTriggerValue);
}

// ---------------------------------------------------------------------------------------------------------
// State and rules. It speaks to the screen through `view` only.

function createDesk(parentElement) {
  const drafts = new Map(); // token -> { level, reason }, what is chosen but not confirmed
  const answered = new Set(); // refusals that were already shown
  let data;
  let send;
  let view;
  let pending = null; // the decision that is on its way
  let generation = 0;
  const retry = createRetry(() => {
    view.say("Noch nicht gespeichert. Es wird weiter versucht.");
    submit();
  });

  const dispute = () => data.dispute;
  const draft = () => drafts.get(dispute().token) ?? { level: dispute().outdated ? null : dispute().level, reason: dispute().reason };
  const isGiven = (level) => dispute().ratings.some((rating) => rating.level === level);

  function receive(newData, setTriggerValue) {
    const run = ++generation;
    const before = data?.dispute;
    data = newData;
    send = setTriggerValue;
    const refusal = data.refused.find(({ uuid }) => uuid === pending?.uuid && !answered.has(uuid));
    const stored = pending && data.acknowledged.includes(pending.uuid);
    if (stored) drafts.delete(pending.token);
    if (refusal) answered.add(refusal.uuid);
    if (stored || refusal) pending = null;
    if (!pending) retry.stop();

    const other = before?.token !== dispute().token || before?.seen !== dispute().seen;
    if (other || stored) {
      view?.remove();
      view = createView(parentElement, dispute(), data.total, actions);
      view.show(draft());
      view.focusHeading({ onlyIfFree: !before });
    }
    view.progress(data.done, data.total);
    view.busy(Boolean(pending));
    if (refusal) view.tell(refusal.sentence);
    else if (stored) view.say(data.done >= data.total ? "Gespeichert. Alle strittigen Urteile sind geklärt." : "Gespeichert.");
    // Streamlit may run the cleanup of an overtaken run while the desk stays mounted.
    return () => run === generation && retry.stop();
  }

  function choose(level) {
    drafts.set(dispute().token, { ...draft(), level });
    view.show(draft());
  }

  function confirm() {
    if (pending) return;
    const { level, reason } = draft();
    if (level == null) return view.tell("Bitte zuerst eine Stufe wählen.");
    if (!isGiven(level) && !reason.trim()) return view.tellReason(`Stufe ${level} hat niemand vergeben. Bitte begründen, warum sie gilt.`);
    pending = { uuid: newUuid(), token: dispute().token, seen: dispute().seen, level, reason: reason.trim() };
    view.busy(true);
    submit();
  }

  function submit() {
    send("act", { decision: pending, position: null });
    retry.later();
  }

  function move(step) {
    const position = dispute().position + step;
    if (!pending && position >= 1 && position <= data.total) send("act", { decision: null, position });
  }

  const actions = {
    choose,
    confirm,
    previous: () => move(-1),
    next: () => move(1),
    adopt(level) {
      choose(level);
      confirm();
    },
    reason(text) {
      drafts.set(dispute().token, { ...draft(), reason: text });
    },
    press(event, { plain, act }) {
      if (view.isTyping() || !plain) return;
      if (event.key === "Enter" && !event.target.closest("button, summary")) return act(() => event.repeat || confirm());
      if (event.key === "?") return act(view.toggleHelp);
      if (event.key === "Escape" && view.closeHelp()) return act(() => {});
      if (event.key === "ArrowLeft") return act(actions.previous);
      if (event.key === "ArrowRight") return act(actions.next);
      if (/^[0-9]$/.test(event.key)) view.chooseByDigit(Number(event.key)) && event.preventDefault();
    },
  };

  return { receive };
}

// ---------------------------------------------------------------------------------------------------------
// The screen. Knows elements and German words, and no rules.

function createView(parentElement, dispute, total, actions) {
  const heading = make("h2", { class: "place", tabindex: "-1" }, `Strittiges Urteil ${dispute.position} von ${total}: ${dispute.title}`);
  const bar = make("progress", { "aria-labelledby": "count" });
  const count = make("span", { id: "count", class: "count" });
  const head = make("header", {}, heading, make("div", { class: "progress" }, bar, count));

  const state = dispute.outdated
    ? `Diese Klärung (Stufe ${dispute.level}) ist überholt: Danach hat sich eine Bewertung geändert. Bitte neu entscheiden.`
    : dispute.level != null
      ? `Geklärt mit Stufe ${dispute.level}. Bis zur Freigabe lässt sich das ändern.`
      : dispute.gate
        ? "Nicht alle sehen hier einen Verstoß gegen ein Ausschlusskriterium."
        : "";
  const note = make("p", { class: "note", hidden: !state }, state);

  // --- texts
  const texts = make(
    "div",
    { class: "texts" },
    part("input", "Eingabe", [dispute.input]),
    dispute.reference ? part("reference", "Musterantwort", [dispute.reference]) : "",
    part("output", "Ausgabe", dispute.output.map(segment)),
  );

  // --- ratings
  const ratings = make(
    "section",
    { class: "ratings", "aria-labelledby": "ratings-title" },
    make("h3", { id: "ratings-title" }, "Bewertungen"),
    make("ul", {}, ...dispute.ratings.map(rating)),
  );

  function rating({ pseudonym, level, comment, remark }) {
    const adopt = make("button", { type: "button", onclick: () => actions.adopt(level), "aria-label": `Stufe ${level} von ${pseudonym} übernehmen` }, "Übernehmen");
    return make(
      "li",
      {},
      make("div", { class: "who" }, make("strong", {}, `Stufe ${level}`), make("span", {}, pseudonym), adopt),
      comment ? make("p", { class: "comment" }, comment) : "",
      remark ? make("p", { class: "comment" }, make("span", { class: "label" }, "Zum ganzen Fall: "), remark) : "",
      comment || remark ? "" : make("p", { class: "comment label" }, "Ohne Kommentar"),
    );
  }

  // --- levels
  const radios = new Map();
  const levels = make(
    "fieldset",
    {},
    make("legend", {}, make("span", { class: "name" }, dispute.title), dispute.question ? make("span", { class: "question" }, dispute.question) : ""),
    make("div", { class: "levels" }, ...dispute.levels.map(option)),
  );

  function option({ level, text }) {
    const given = dispute.ratings.filter((each) => each.level === level).map((each) => each.pseudonym);
    const radio = make("input", { type: "radio", name: "level", value: String(level), onchange: () => actions.choose(level) });
    radios.set(level, radio);
    return make(
      "label",
      { class: "level" },
      radio,
      make("span", { class: "digit" }, String(level)),
      make("span", { class: "anchor" }, text, given.length ? make("span", { class: "given" }, `vergeben von ${given.join(", ")}`) : ""),
    );
  }

  // --- foot
  const reason = make("textarea", { id: "reason", rows: "2", maxlength: String(REASON_MAX_LENGTH), oninput: () => actions.reason(reason.value) });
  const reasonBox = make("div", { class: "reason" }, make("label", { for: "reason" }, "Begründung (nötig bei einer dritten Stufe; bitte ohne Personendaten)"), reason);
  const message = make("p", { class: "message", role: "alert" });
  const live = make("p", { class: "live", role: "status" });
  const confirmText = make("span");
  const confirmButton = make("button", { type: "button", class: "primary", onclick: actions.confirm }, confirmText, make("kbd", {}, "Enter"));
  const previousButton = make("button", { type: "button", onclick: actions.previous, disabled: dispute.position === 1 }, make("span", {}, "Voriges"), make("kbd", {}, "←"));
  const nextButton = make("button", { type: "button", onclick: actions.next, disabled: dispute.position === total }, make("span", {}, "Nächstes"), make("kbd", {}, "→"));
  const helpButton = make("button", { type: "button", class: "quiet", "aria-expanded": "false", "aria-controls": "help", onclick: () => toggleHelp() }, make("span", {}, "Tasten"), make("kbd", {}, "?"));
  const help = make(
    "div",
    { id: "help", class: "help", hidden: true },
    make(
      "dl",
      {},
      ...[
        [dispute.levels.map(({ level }) => level).join(" "), "Stufe wählen"],
        ["Enter", "bestätigen und weiter"],
        ["Strg + Enter", "bestätigen, auch aus der Begründung"],
        ["←  →", "voriges und nächstes Urteil"],
        ["?", "diese Hilfe"],
      ].flatMap(([keys, words]) => [make("dt", {}, make("kbd", {}, keys)), make("dd", {}, words)]),
    ),
  );
  const foot = make("footer", {}, message, live, make("div", { class: "buttons" }, helpButton, previousButton, nextButton, confirmButton, help));

  const desk = make("div", { class: "desk" }, texts, make("div", { class: "judging" }, ratings, levels, reasonBox, foot));
  const root = make("div", { class: "sheet" }, head, note, desk);
  hearKeys(root, actions.confirm, actions.press);
  parentElement.append(root);

  function toggleHelp() {
    help.hidden = !help.hidden;
    helpButton.setAttribute("aria-expanded", String(!help.hidden));
  }

  function say(sentence) {
    live.textContent = sentence;
    message.textContent = "";
  }

  return {
    remove: () => root.remove(),
    toggleHelp,
    say,

    closeHelp() {
      if (help.hidden) return false;
      toggleHelp();
      helpButton.focus();
      return true;
    },

    show({ level, reason: text }) {
      for (const [each, radio] of radios) radio.checked = each === level;
      if (reason.value !== text) reason.value = text;
      message.textContent = "";
      const given = dispute.ratings.some((each) => each.level === level);
      confirmText.textContent = level == null ? "Bestätigen" : given ? `Stufe ${level} übernehmen` : `Stufe ${level} festlegen`;
    },

    focusHeading({ onlyIfFree }) {
      if (onlyIfFree && document.activeElement !== document.body && document.activeElement !== null) return;
      heading.focus({ preventScroll: true });
      head.scrollIntoView({ block: "nearest" });
    },

    isTyping: () => root.getRootNode().activeElement === reason,

    chooseByDigit(level) {
      const radio = radios.get(level);
      if (!radio) return false;
      radio.focus({ preventScroll: true });
      actions.choose(level);
      return true;
    },

    tell(sentence) {
      message.textContent = sentence;
      live.textContent = "";
    },

    tellReason(sentence) {
      message.textContent = sentence;
      reason.focus();
    },

    busy(is) {
      for (const button of root.querySelectorAll("button:not(.quiet)")) button.toggleAttribute("aria-disabled", is);
      root.setAttribute("aria-busy", String(is));
      if (is) say("Wird gespeichert …");
      else if (live.textContent === "Wird gespeichert …") live.textContent = "";
    },

    progress(done, all) {
      bar.max = all;
      bar.value = done;
      count.textContent = `${done} von ${all} geklärt`;
    },
  };
}

/** A titled text; long ones scroll and can be reached with the keyboard. */
function part(name, title, children) {
  const text = make("div", { class: "text", tabindex: "0", role: "region", "aria-labelledby": `${name}-title` }, ...children);
  return make("section", { class: `part ${name}` }, make("h3", { id: `${name}-title` }, title), text);
}

/** A piece of the output; a marked one says who marked it. */
function segment({ text, marked_by: who }) {
  if (!who.length) return text;
  return make("mark", {}, text, make("span", { class: "marker" }, ` [${who.join(", ")}]`));
}
