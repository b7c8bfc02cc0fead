// Work that is not stored yet: drafts by token, refusals that wait for a correction, and the outbox of
// submissions without acknowledgement; `sent` (UUID to token) recognises late answers.

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
  /** Drafts and refusals of outputs that are no longer this person's must not lie about in the browser. */
  work.keepOnly = (tokens) => {
    const theirs = new Set(tokens);
    for (const known of [work.drafts, work.refusals]) for (const token of known.keys()) if (!theirs.has(token)) known.delete(token);
    work.changed();
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
