// The blind scoring sheet. Owns what is on screen and what Python has not stored yet; Python owns the truth.
// Nothing here reads a clock: how long somebody takes is neither measured nor sent.
// State and rules; it speaks to the screen through `view` only (view.js) and keeps unsaved work in work.js.

const sheets = new WeakMap(); // mount point -> sheet; the default export runs again with every rerun

/** What a person says of an output; older drafts in a browser's storage hold less of it. */
function said({ levels = {}, comment = "", comments = {}, passages = [], minutes = null }) {
  return { levels: { ...levels }, comment, comments: { ...comments }, passages: [...passages], minutes };
}

export default function ({ data, parentElement, setTriggerValue }) {
  let sheet = sheets.get(parentElement);
  if (!sheet) {
    sheet = createSheet(parentElement, openWork(data.sheet));
    sheets.set(parentElement, sheet);
  }
  return sheet.receive(data, setTriggerValue);
}

function createSheet(parentElement, work) {
  const items = new Map(); // position -> item, everything seen so far
  const stored = new Set(); // tokens that Python holds a rating for
  const answered = new Set(); // refused uuids that were already given back
  let data;
  let send;
  let view;
  let criteriaText;
  let knownPlan; // the order of the outputs; changes when something is taken away or added
  let screen = "closed"; // closed | case | waiting | finished | over
  let position = 0;
  let shownToken = null;
  let seeksOpen = false; // waiting for any open case, not for one position
  let active = 0; // criterion that digits are meant for; -1 where a digit would be an accident
  let generation = 0;
  const retry = createRetry(() => {
    view.saveTrouble(work.unsaved());
    submit();
  });

  const item = () => items.get(position);
  const placeOf = (token) => data.order.indexOf(token) + 1; // 0 where the output is no longer this person's
  const draft = () => work.drafts.get(item().token);
  const judgement = () => said(draft() ?? item());
  const nextRefusal = () => [...work.refusals.values()].find(({ token }) => token !== shownToken);
  const doneCount = () => {
    const fresh = work.outbox.filter((entry) => !entry.report && !stored.has(entry.token));
    return Math.min(data.total, data.done + fresh.length);
  };

  // --- data from Python

  function receive(newData, setTriggerValue) {
    const run = ++generation;
    const hadUnsaved = work.unsaved() > 0;
    data = newData;
    send = setTriggerValue;
    forgetAcknowledged();
    const { refused, lost } = takeBackRefused();
    mergeItems();
    rebuildIfRubricChanged();

    if (!data.total) end();
    else if (screen === "closed" || screen === "over") openFirst();
    else if (screen === "waiting") arrive();
    else if (screen === "case" && shownToken !== item()?.token) go(position);
    if (refused && view.isTyping()) announce(nextRefusal() ?? refused);
    else if (refused) go(placeOf(refused.token), { refused: true });
    if (lost) view.notice(lost);

    if (screen === "case") view.place(position, data.total);
    view.progress(doneCount(), data.total);
    view.saveState(work.unsaved(), hadUnsaved && !lost);
    if (!work.outbox.length && screen !== "waiting") retry.stop();
    else if (!retry.isWaiting()) retry.later();
    // Streamlit may run the cleanup of an overtaken run while the sheet stays mounted.
    return () => run === generation && retry.stop();
  }

  function announce({ token, sentence }) {
    view.announceRefusal({ position: placeOf(token), sentence });
  }

  function forgetAcknowledged() {
    const acknowledged = new Set(data.acknowledged);
    for (const uuid of acknowledged) if (work.sent.has(uuid)) stored.add(work.sent.get(uuid));
    const rest = work.outbox.filter((entry) => !acknowledged.has(entry.uuid));
    if (rest.length < work.outbox.length) {
      work.outbox = rest;
      work.changed();
      retry.stop();
    }
  }

  /** Turns refused submissions into drafts again; gives the first new refusal, if any, and the sentence of one
      whose output is no longer this person's: there is nowhere to go back to. */
  function takeBackRefused() {
    let refused = null;
    let lost = null;
    for (const { uuid, sentence } of data.refused) {
      const entry = work.outbox.find((candidate) => candidate.uuid === uuid);
      if (!entry || answered.has(uuid)) continue;
      answered.add(uuid);
      const { token } = entry;
      work.outbox = work.outbox.filter((other) => other !== entry);
      if (!placeOf(token)) {
        lost ??= sentence;
        work.changed();
        continue;
      }
      const refusal = { token, sentence };
      if (!entry.report) work.drafts.set(token, said(entry));
      work.refusals.set(token, refusal);
      work.changed();
      const cached = items.get(placeOf(token));
      if (cached?.token === token) Object.assign(cached, { done: stored.has(token), gone: false });
      refused ??= refusal;
    }
    return { refused, lost };
  }

  function mergeItems() {
    forgetOldOrder();
    for (const incoming of data.items) {
      if (incoming.done) stored.add(incoming.token);
      const entry = work.outbox.find((candidate) => candidate.token === incoming.token);
      const own = entry && (entry.report ? { gone: true } : { ...said(entry), done: true });
      items.set(incoming.position, { ...incoming, ...own });
    }
  }

  /** Cases were declined, moved or hidden: positions mean something else now. The case on screen stays where
      it still is somewhere; an output that was taken away must not stay on any screen. */
  function forgetOldOrder() {
    const plan = data.order.join(" ");
    if (plan === knownPlan) return;
    knownPlan = plan;
    items.clear();
    work.keepOnly(data.order);
    if (screen === "closed") return;
    position = placeOf(shownToken) || data.start;
    seeksOpen = screen === "waiting";
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

  /** The round was released, or this person left it: what they could not send any more is still answered. */
  function end() {
    const first = screen === "closed";
    screen = "over";
    position = 0;
    shownToken = null;
    view.showNothing();
    if (first && work.outbox.length) submit();
  }

  function go(target, { opening = false, refused = false } = {}) {
    position = target;
    if (!items.has(position) || item().gone) return wait();
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
    while (open < data.total && (items.get(open)?.done || items.get(open)?.gone)) open += 1;
    if (items.get(open)?.gone) return wait(); // the last one was given back: Python will say what is left
    go(open);
    seeksOpen = screen === "waiting";
  }

  function goOn() {
    const refusal = nextRefusal();
    if (refusal) go(placeOf(refusal.token), { refused: true });
    else if (doneCount() >= data.total && position >= data.total) finish();
    else if (position < data.total && !items.get(position + 1)?.gone) go(position + 1);
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
    work.drafts.set(item().token, { ...judgement(), ...change });
    work.changed();
    view.saveLabel({ done: item().done, changed: true });
  }

  function choose(criterionKey, level) {
    edit({ levels: { ...judgement().levels, [criterionKey]: level } });
    view.clearMissing(criterionKey);
  }

  function save() {
    if (screen !== "case") return;
    const missing = data.criteria.filter(({ key }) => !judgement().levels[key]);
    if (missing.length) return view.reportMissing(missing);
    if (item().done && !draft()) {
      goOn(); // nothing changed: no revision
      return askForNeighbours();
    }
    queue({ ...judgement(), report: "" });
    Object.assign(item(), { ...judgement(), done: true });
    work.drafts.delete(item().token);
    work.changed();
    goOn();
    submit();
    view.progress(doneCount(), data.total);
    view.saveState(work.unsaved(), false);
  }

  /** Gives the case back, or has the output hidden; Python answers with a new order. */
  function report(kind) {
    if (screen !== "case") return;
    queue({ ...said({}), report: kind });
    item().gone = true;
    work.drafts.delete(item().token);
    work.changed();
    goOn();
    submit();
    view.saveState(work.unsaved(), false);
  }

  function queue(content) {
    const { token } = item();
    const entry = { uuid: newUuid(), token, position, ...content };
    work.outbox = [...work.outbox.filter((other) => other.token !== token), entry];
    work.refusals.delete(token);
    work.sent.set(entry.uuid, token);
  }

  // --- sending: always the whole outbox, again and again until acknowledged; Python recognises the UUIDs

  function submit() {
    const entries = work.outbox.map(({ uuid, token, report, ...entry }) => ({ uuid, token, report: report ?? "", ...said(entry) }));
    send("submissions", { items: entries, position });
    retry.later();
  }

  // --- what people do

  const actions = {
    save,
    back,
    choose,
    comment: (text) => edit({ comment: text }),
    note: (key, text) => edit({ comments: { ...judgement().comments, [key]: text } }),
    minutes: (minutes) => edit({ minutes }),
    passages: (passages) => edit({ passages }),
    report,
    goToRefusal: () => nextRefusal() && go(placeOf(nextRefusal().token), { refused: true }),
    activate(index) {
      active = index;
      view.markActive(index);
    },
    press(event, { plain, act }) {
      if (view.isTyping()) return;
      // keyCode: with Alt held down a Mac reports another character
      if (event.altKey && !event.ctrlKey && (event.key.toLowerCase() === "z" || event.keyCode === 90)) return act(back);
      if (!plain) return;
      if (event.key === "Enter" && screen === "case" && !event.target.closest("button, summary, select")) {
        return act(() => event.repeat || save());
      }
      if (event.key === "?") return act(view.toggleHelp);
      if (event.key === "Escape" && view.closePanels()) return act(() => {});
      if (screen !== "case") return;
      if (view.pressInOutput(event)) return act(() => {});
      if (/^[1-9]$/.test(event.key) && active >= 0) return act(() => view.chooseByDigit(active, Number(event.key)));
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (step && view.isInRubric(event.target)) act(() => view.moveCriterion(event.target, step));
    },
  };

  return { receive };
}

